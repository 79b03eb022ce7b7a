"""Energy by windows: the home's own peak target, and what the connection agreement allows.

Counts what flows at the meter in each window that matters, over a restart too, and puts it into the
policies of peak shaving and the envelope, whose pure rules say what power that leaves.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, ValidationError

from der.sentence import Template, listed, say
from der.steps import StepWatch
from hems.clock import Clock
from hems.image import Image
from hems.market.counter import DAY_S, Counter
from hems.store.errors import StoreError
from hems.store.settings import Settings
from programs import envelope, peak_shaving
from programs.about import Standing
from programs.energy_window import EnergyWindow
from programs.registry import Policies
from programs.rules import kilowatts

_log = logging.getLogger(__name__)

QUARTER_S: Final = 900.0
_SAVE_S: Final = 60.0
_KEY: Final = "energy windows"
_S_PER_H: Final = 3600.0
_TAKEN: Final = Template("{used:.3g} of {limit:.3g} kWh are taken")
_GIVEN: Final = Template("{used:.3g} of {limit:.3g} kWh are given")


@dataclass(frozen=True, slots=True)
class Amount:
    """An energy that may flow at the connection point in each window of some length.

    Attributes:
        every_s: Length of the window: a quarter-hour, half an hour, an hour or a day.
        import_wh: That may be taken; None for no bound.
        export_wh: That may be given; None for no bound.
    """

    every_s: float
    import_wh: float | None = None
    export_wh: float | None = None


@dataclass(frozen=True, slots=True)
class PeakTarget:
    """The home's own target for the mean import of each quarter-hour.

    Attributes:
        limit_w: As the owner set it; None for none.
        holds_highest: Whether the billing month's highest mean so far is the target, where that is
            more than `limit_w`: what has been charged already costs nothing more.
    """

    limit_w: float | None = None
    holds_highest: bool = False

    def now_w(self, highest_w: float, month_s: float) -> float | None:
        """Return the target in W; None for none.

        Without a limit of the owner's the first day of a month sets what is to be held: its first
        quarter-hours alone would make a target that no evening keeps.

        Args:
            highest_w: The month's highest mean so far.
            month_s: How long the month has lasted.
        """
        if not self.holds_highest:
            return self.limit_w
        if self.limit_w is not None:
            return max(self.limit_w, highest_w)
        return highest_w if month_s >= DAY_S and highest_w > 0 else None


class _Kept(BaseModel):
    """A counter as the store has it."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True, defer_build=True)

    every_s: float
    starts_at: float
    ends_at: float
    import_wh: float
    export_wh: float
    at: float
    registers: tuple[float, float] | None = None


class _AllKept(BaseModel):
    """All of them."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    counters: tuple[_Kept, ...]


class Energies:
    """Counts energy by windows; a `hems.uses.use.Use`.

    Args:
        amounts: What the connection agreement allows.
        target: The home's own peak target.
        zone: Where the home is.
        clock: Where the time comes from.
        kept: Where the counts outlive a restart.
        month: Returns the billing month's highest quarter-hour mean so far in W, and how long the
            month has lasted in s.
        alarm: Told in one sentence that counts do not outlive a restart; None that they do again.
    """

    def __init__(
        self,
        amounts: Sequence[Amount],
        target: PeakTarget,
        *,
        zone: ZoneInfo,
        clock: Clock,
        kept: Settings,
        month: Callable[[], tuple[float, float]],
        alarm: Callable[[str | None], None],
    ) -> None:
        self._amounts = tuple(amounts)
        self._target = target
        self._zone = zone
        self._clock = clock
        self._steps = StepWatch(clock.now, clock.monotonic)
        self._kept = kept
        self._month = month
        self._alarm = alarm
        own = () if target == PeakTarget() else (QUARTER_S,)
        now = clock.now()
        self._counters = {
            every_s: Counter.of(now, every_s, zone)
            for every_s in dict.fromkeys((*own, *(a.every_s for a in self._amounts)))
        }

    async def load(self) -> None:
        """Take up what was counted before a restart, where its window still runs."""
        try:
            text = (await self._kept.all()).get(_KEY)
            found = None if text is None else _AllKept.model_validate_json(text)
        except (StoreError, ValidationError) as error:
            _log.warning("energy counted before the restart is not known: %.200s", error)
            return
        now = self._clock.now()
        for each in () if found is None else found.counters:
            running = self._counters.get(each.every_s)
            if running is not None and each.starts_at == running.starts_at and each.at <= now:
                self._counters[each.every_s] = Counter(
                    each.starts_at,
                    each.ends_at,
                    each.import_wh,
                    each.export_wh,
                    each.at,
                    registers=each.registers,
                )

    async def run(self) -> None:
        """Write the counts down until cancelled, and then once more."""
        if not self._counters:
            return
        try:
            while True:
                await asyncio.sleep(_SAVE_S)
                await self._save()
        finally:
            await self._save()

    def take_image(self, image: Image) -> None:
        """Count what flowed since the last image."""
        if self._steps.step_s():  # the clock was set: what lies between is not known
            now = self._clock.now()
            self._counters = {
                every_s: replace(counter, at=min(max(now, counter.starts_at), counter.ends_at))
                for every_s, counter in self._counters.items()
            }
        self._counters = {
            every_s: counter.after(image, every_s, self._zone, self._pace_w(every_s))
            for every_s, counter in self._counters.items()
        }

    def applied(self, policies: Policies) -> Policies:
        """Return the policies with what is left of each window in them."""
        imported, exported = [], []
        for amount in self._amounts:
            counter = self._counters[amount.every_s]
            if amount.import_wh is not None:
                imported.append(_window(amount.import_wh, counter.import_wh, counter))
            if amount.export_wh is not None:
                exported.append(_window(amount.export_wh, counter.export_wh, counter))
        bounded = replace(policies.envelope, import_energy=(*imported,), export_energy=(*exported,))
        limit_w = self.target_w
        own = None if limit_w is None else self._counters.get(QUARTER_S)
        if limit_w is None or own is None:
            return replace(policies, envelope=bounded)
        left = _window(limit_w * QUARTER_S / _S_PER_H, own.import_wh, own)
        shaving = replace(policies.peak_shaving, own_limit_w=limit_w, own_window=left)
        return replace(policies, envelope=bounded, peak_shaving=shaving)

    @property
    def target_w(self) -> float | None:
        """The peak target now in W; None for none."""
        return self._target.now_w(*self._month())

    @property
    def standings(self) -> Sequence[Standing]:
        """How the peak target and the agreed energies stand."""
        found: list[Standing] = []
        limit_w, own = self.target_w, self._counters.get(QUARTER_S)
        if limit_w is not None and own is not None:
            words = say(
                "The quarter-hour is to take at most {limit} on the mean; {taken:.3g} kWh of "
                "{most:.3g} kWh are taken.",
                limit=kilowatts(limit_w),
                taken=own.import_wh / 1000,
                most=limit_w / 4000,
            )
            promise = say(
                "on the mean of each quarter-hour, as far as what can wait and is stored goes"
            )
            found.append(Standing(peak_shaving.ID, active=True, promise=promise, words=words))
        return [*found, *(_standing(a, self._counters[a.every_s]) for a in self._amounts)]

    def _pace_w(self, every_s: float) -> float:
        """Return the mean power that the strictest amount of a window allows, W."""
        found: list[float] = [
            energy_wh * _S_PER_H / every_s
            for amount in self._amounts
            if amount.every_s == every_s
            for energy_wh in (amount.import_wh, amount.export_wh)
            if energy_wh is not None
        ]
        limit_w = self.target_w if every_s == QUARTER_S else None
        return min([*found, *(() if limit_w is None else (limit_w,))], default=0.0)

    async def _save(self) -> None:
        counters = tuple(_dump(each, counter) for each, counter in self._counters.items())
        try:
            await self._kept.put(_KEY, _AllKept(counters=counters).model_dump_json())
        except StoreError as error:
            self._alarm(
                say(
                    "Energy counted in this window will not outlive a restart: {error}", error=error
                )
            )
        else:
            self._alarm(None)


def _window(limit_wh: float, used_wh: float, counter: Counter) -> EnergyWindow:
    return EnergyWindow(limit_wh, used_wh, counter.starts_at, counter.ends_at)


def _dump(every_s: float, counter: Counter) -> _Kept:
    return _Kept(
        every_s=every_s,
        starts_at=counter.starts_at,
        ends_at=counter.ends_at,
        import_wh=counter.import_wh,
        export_wh=counter.export_wh,
        at=counter.at,
        registers=counter.registers,
    )


def _standing(amount: Amount, counter: Counter) -> Standing:
    flows = (
        (_TAKEN, amount.import_wh, counter.import_wh),
        (_GIVEN, amount.export_wh, counter.export_wh),
    )
    parts = [
        words(used=used_wh / 1000, limit=limit_wh / 1000)
        for words, limit_wh, used_wh in flows
        if limit_wh is not None
    ]
    hours = amount.every_s / _S_PER_H
    words = say("In the {hours:.3g} h that run {parts}.", hours=hours, parts=listed(parts))
    promise = say("over each window as a whole")
    return Standing(envelope.ID, active=True, words=words, promise=promise)
