"""A scripted home: a whole `HomeSurface` in memory, played forward by whoever tests the page."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace

from hems.device_surface import UnknownDeviceError
from hems.surface import (
    BindingEventError,
    DeviceView,
    EventView,
    ImpossibleWishError,
    MessageView,
    PriceView,
    Series,
    Snapshot,
    UnknownEventError,
    UtilityView,
)
from tests.web.script import SCRIPT_START, day_series, first_snapshot

OVER = {"completed", "cancelled", "superseded", "rejected"}


@dataclass
class ScriptedHome:
    """The home at a scripted instant.

    Attributes:
        wishes: What the owner asked, in order: ("opt-out", event id) and so on.
        questions: What history was asked for: (start, end, step_s).
        readers: How many iterators of `changes` are live.
        opened: How many there have been.
        left: Set while nobody reads `changes` any more.
        taken: How many snapshots all readers together have taken.
        idle: How long ago the last control cycle was, s.
    """

    now: Snapshot = field(default_factory=first_snapshot)
    wishes: list[tuple[str, str]] = field(default_factory=list)
    questions: list[tuple[float, float, int]] = field(default_factory=list)
    readers: int = 0
    opened: int = 0
    left: asyncio.Event = field(default_factory=asyncio.Event)
    taken: int = 0
    idle: float = 0.0
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def snapshot(self) -> Snapshot:
        return self.now

    def idle_s(self) -> float:
        return self.idle

    async def changes(self) -> AsyncGenerator[Snapshot, None]:
        self.readers += 1
        self.opened += 1
        self.left.clear()
        shown = -1
        try:
            while True:
                async with self._changed:
                    await self._changed.wait_for(lambda: self.now.seq > shown)  # noqa: B023
                    shown = self.now.seq
                self.taken += 1
                yield self.now
        finally:
            self.readers -= 1
            if self.readers == 0:
                self.left.set()

    async def opt_out(self, event: str) -> None:
        known = self._live_event(event)
        if not known.may_opt_out:
            raise BindingEventError(f"{known.program} does not allow opting out of this event.")
        self.wishes.append(("opt-out", event))
        await self.change_event(event, opted_out=True)

    async def opt_in(self, event: str) -> None:
        self._live_event(event)
        self.wishes.append(("opt-in", event))
        await self.change_event(event, opted_out=False)

    async def acknowledge(self, message: str) -> None:
        if message not in {m.id for m in self.now.messages}:
            raise UnknownEventError("This message is not known, or its time is over.")
        self.wishes.append(("acknowledge", message))
        await self.play(
            messages=[
                replace(m, acknowledged=m.acknowledged or m.id == message)
                for m in self.now.messages
            ]
        )

    async def wish(self, device: str, power_w: float, until: float) -> None:
        known = self._device(device)
        if not known.min_w <= power_w <= known.max_w:
            raise ImpossibleWishError(f"{known.name} does not run at {power_w:g} W.")
        self.wishes.append(("wish", device))
        await self.change_device(replace(known, wish_w=power_w, wish_until=until))

    async def end_wish(self, device: str) -> None:
        known = self._device(device)
        self.wishes.append(("end wish", device))
        await self.change_device(replace(known, wish_w=None, wish_until=None))

    async def history(self, start: float, end: float, step_s: int) -> Sequence[Series]:
        self.questions.append((start, end, step_s))
        return day_series(self.now, start, min(end, self.now.at), step_s)

    async def play(
        self,
        *,
        seconds: float = 1.0,
        net_w: float | None = None,
        limit_import_w: float | None = None,
        events: Sequence[EventView] | None = None,
        utility: UtilityView | None = None,
        utilities: Sequence[UtilityView] | None = None,
        alarms: Sequence[str] | None = None,
        devices: Sequence[DeviceView] | None = None,
        messages: Sequence[MessageView] | None = None,
        price: PriceView | None = None,
    ) -> Snapshot:
        """Move the home on by one cycle, changing what is given, and tell all readers."""
        before = self.now
        return await self._swap(
            replace(
                before,
                at=before.at + seconds,
                seq=before.seq + 1,
                net_w=before.net_w if net_w is None else net_w,
                limit_import_w=limit_import_w
                if limit_import_w is not None
                else before.limit_import_w,
                devices=before.devices if devices is None else devices,
                events=before.events if events is None else events,
                utility=before.utility if utility is None else utility,
                utilities=before.utilities if utilities is None else utilities,
                alarms=before.alarms if alarms is None else alarms,
                messages=before.messages if messages is None else messages,
                price=before.price if price is None else price,
            )
        )

    async def change_event(self, event: str, *, opted_out: bool) -> Snapshot:
        """Mark an event as left or taken up again."""
        events = [replace(e, opted_out=opted_out) if e.id == event else e for e in self.now.events]
        return await self.play(events=events)

    async def change_device(self, device: DeviceView) -> Snapshot:
        """Replace the device of the same id."""
        return await self.play(
            devices=[device if d.id == device.id else d for d in self.now.devices]
        )

    async def lose(self, device: str) -> Snapshot:
        """Have a device not answer any more; what it last said stays."""
        last = self.device(device)
        return await self.change_device(
            replace(last, quality="lost", age_s=95.0, error=f"{last.name} timed out")
        )

    def device(self, device: str) -> DeviceView:
        """Return a device of the present snapshot."""
        return next(d for d in self.now.devices if d.id == device)

    def _device(self, device: str) -> DeviceView:
        known = next((d for d in self.now.devices if d.id == device), None)
        if known is None:
            raise UnknownDeviceError(f"There is no device {device!r}.")
        return known

    def _live_event(self, event: str) -> EventView:
        known = next((e for e in self.now.events if e.id == event), None)
        if known is None or known.state in OVER:
            raise UnknownEventError("This event is not known, or is over.")
        return known

    async def _swap(self, snapshot: Snapshot) -> Snapshot:
        async with self._changed:
            self.now = snapshot
            self._changed.notify_all()
        return snapshot


class ScriptedClock:
    """A clock that stands at the script's start until it is moved; `set_by_s` sets UTC alone."""

    def __init__(self, at: float = SCRIPT_START) -> None:
        self.at = at
        self.set_by_s = 0.0

    def now(self) -> float:
        return self.at + self.set_by_s

    def monotonic(self) -> float:
        return self.at
