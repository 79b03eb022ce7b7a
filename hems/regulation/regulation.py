"""Frequency regulation at work (BUC-3): decides when the loop runs, and keeps its record.

It implements `hems.uses.use.Use`. The loop itself is a process of its own, started when there is
something to regulate by and ended when there is not: until then it costs nothing.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from der.addresses import Shared
from der.commands import DeviceOptions
from der.curves import Droop, GridFunction, GridSupport
from der.description import DeviceDescription
from der.model import Quality
from der.sentence import say
from der.service import Device, Link
from der.steps import StepWatch
from hems.clock import Clock
from hems.image import Image
from hems.regulation import kept, letters, shown
from hems.regulation.letters import LoopSettings, Report, Span
from hems.regulation.link import RegulatedLink
from hems.regulation.period import HOUR_S, Period
from hems.regulation.process import COMMAND, Regulator
from hems.regulation.settings import RegulationSettings
from hems.regulation.timing import Timing
from hems.store.errors import StoreError
from hems.store.settings import Settings
from programs import frequency, regulation
from programs.about import Standing
from programs.arming import Armed, arm
from programs.performance import Performance
from programs.proposal import Bounds
from programs.registry import Policies
from programs.regulation import FadePolicy, RegulationPolicy
from programs.signal import Signal
from programs.support import runs

_log = logging.getLogger(__name__)

_ANSWERING: Final = frozenset({GridFunction.FREQUENCY_DROOP, GridFunction.FREQUENCY_WATT})
_KEEPING: Final = "regulation record"
_LOOK_S: Final = 0.25
"""How often it is looked whether something is to be regulated."""
_AGAIN_S: Final = 1.0
_AGAIN_LATER_S: Final = 60.0
_LONG_S: Final = 60.0
"""A process that ran for so long was well."""
_BACK_S: Final = 5.0
"""Within this time the battery is taken back from a process that is to end."""
_SAVE_S: Final = 60.0
_SHOWN_S: Final = 30.0
"""An inverter that does not show its droop after so long is not relied on."""


@dataclass(frozen=True, slots=True)
class RegulationEvents:
    """What it needs of the home, and tells it; none may block.

    Attributes:
        signals: What the grid asks now; None while that is not known.
        rooms: Where each battery's power may be while all limits hold, by id.
        options: What devices can do, by id.
        held: What a device has confirmed that it runs for the grid.
        left: Programmes that the owner has left.
        alarm: Sets what is wrong with a source; None when it is well again.
        react: Has the home decide anew at once.
        record: Takes the record of a period that is over.
        islanded: Whether the home is without its grid, whose frequency is then its own affair.
    """

    signals: Callable[[], Sequence[Signal] | None]
    rooms: Callable[[], Mapping[str, Bounds]]
    options: Callable[[], Mapping[str, DeviceOptions]]
    held: Callable[[str], Sequence[object]]
    left: Callable[[], Collection[str]]
    alarm: Callable[[str, str | None], None]
    react: Callable[[], None]
    record: Callable[[Performance], None]
    islanded: Callable[[], bool] = lambda: False


class Regulation:
    """One battery that helps to hold the frequency.

    Args:
        settings: What the owner agreed to; None where nothing is.
        descriptions: The home's devices.
        shared: What they share.
        clock: Where the time comes from.
        tell: The home.
        store: Where the hour that is not over is kept over a restart; None for nowhere.
        command: What starts the process.
    """

    def __init__(
        self,
        settings: RegulationSettings | None,
        descriptions: Sequence[DeviceDescription],
        shared: Shared,
        clock: Clock,
        tell: RegulationEvents,
        *,
        store: Settings | None = None,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._settings = settings
        self._store = store
        self._steps = StepWatch(clock.now, clock.monotonic)
        self._descriptions = {each.spec.id: each for each in descriptions}
        self._shared = shared
        self._clock = clock
        self._tell = tell
        self._armed = Armed()
        self._since = 0.0
        self._left = False
        self._distrusted = False
        self._shown_by: float | None = None
        self._last = -1
        self._period: Period | None = None
        self._found = False
        self._saved = ""
        self._image: Image | None = None
        self._running: Armed | None = None
        self._rests = False
        self._timing = Timing()
        self._process = Regulator(self._opening, self._reported, command)

    def attach(self, devices: Mapping[str, Device]) -> None:
        """Put its link in front of the battery's; before anybody opens it."""
        settings = self._settings
        if settings is None:
            return
        device = devices[settings.agreed.device]
        device.connect = partial(self._connect, device.spec.id, device.connect)

    async def load(self) -> None:
        """Take up the hour that was under way; says what cannot be read.

        The signal needs no memory: what was sent before a restart is refused by its age.
        """
        if self._store is None:
            return
        try:
            text = (await self._store.all()).get(kept.NAME)
            self._period, self._saved = kept.load(text) if text else None, text or ""
            self._found = self._period is not None
        except (StoreError, kept.KeptError) as error:
            self._tell.alarm(
                _KEEPING, say("The last hour of regulation is not known: {error}", error=error)
            )

    async def run(self) -> None:
        """Regulate whenever there is something to regulate by, until cancelled."""
        if self._settings is None:
            return
        saving = asyncio.create_task(self._save_now_and_then())
        try:
            await self._regulate()
        finally:
            saving.cancel()
            if self._store is None:
                self._close_period()
            await self._save()

    async def _regulate(self) -> None:
        pause_s = _AGAIN_S
        while True:
            await asyncio.sleep(_LOOK_S)
            self._look()
            if not self._armed.loops:
                continue
            began = self._clock.monotonic()
            failed = await self._serve()
            if not failed:
                continue
            self._tell.alarm(
                "regulation", say("Frequency regulation rests: {failed}", failed=failed)
            )
            if self._clock.monotonic() - began > _LONG_S:
                pause_s = _AGAIN_S
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _AGAIN_LATER_S)

    async def _save_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(_SAVE_S)
            await self._save()

    async def _save(self) -> None:
        """Write down the hour that is under way; says by alarm when that fails."""
        if self._store is None:
            return
        text = kept.dump(self._period)
        if text == self._saved:
            return
        try:
            await self._store.put(kept.NAME, text)
        except StoreError as error:
            self._tell.alarm(
                _KEEPING, say("An hour of regulation cannot be kept: {error}", error=error)
            )
        else:
            self._saved = text
            self._tell.alarm(_KEEPING, None)

    @property
    def pid(self) -> int | None:
        """Process id of the loop; None while none runs."""
        return self._process.pid

    @property
    def priority(self) -> str:
        """What priority the machine granted the loop, in words; empty before the first."""
        return self._process.priority

    @property
    def regulating(self) -> bool:
        """Whether the loop has the battery and has read it."""
        report = self._process.report
        return self._process.taken and report is not None and report.reading is not None

    @property
    def timing(self) -> Timing:
        """How soon the loop acted of late."""
        return self._timing

    def take_image(self, image: Image) -> None:
        """Renew the span, and look what is asked now."""
        if self._settings is None:
            return
        self._image = image
        # Lost, or lent for a test move: whoever has it then is not to find it moved.
        battery = image.devices.get(self._settings.agreed.device)
        self._rests = battery is None or battery.quality is Quality.LOST
        self._look()
        self._process.set_time(self._ahead_s())
        room = self._room()
        if room is not None and self._process.taken:
            self._process.bound(Span(room.lower_w, room.upper_w))

    def applied(self, policies: Policies) -> Policies:
        """Return the policies with what regulation needs of the battery."""
        settings, armed = self._settings, self._armed
        if settings is None:
            return policies
        if not (armed.loops or armed.inverter is not None):
            return policies
        event = armed.event
        policy = RegulationPolicy(
            device=settings.agreed.device,
            capacity_w=settings.capacity_w,
            rank=armed.rank,
            follows=armed.follows,
            cause="" if event is None else event.event,
            asked_by="The home" if event is None else event.program,
            soc=settings.soc,
            loops=armed.loops,
            inverter=armed.inverter,
            since=self._since,
        )
        return replace(policies, regulation=policy)

    @property
    def standings(self) -> Sequence[Standing]:
        """How frequency response and regulation stand."""
        settings = self._settings
        if settings is None:
            return ()
        process, image = self._process, self._image
        battery = None if image is None else image.devices.get(settings.agreed.device)
        able = shown.able(battery, self._room(), settings.capacity_w)
        report = process.report if process.taken else None
        return shown.standings(self._armed, able, report, self._timing.promise)

    # What it decides.

    def _look(self) -> None:
        """See what is armed, and keep the record of it."""
        settings = self._settings
        signals = self._tell.signals()
        if settings is None or signals is None:
            return
        self._follow_clock()
        now = self._clock.now()
        left = self._tell.left()
        self._left = regulation.ID in left or frequency.ID in left
        device = settings.agreed.device
        options = self._tell.options().get(device)
        can = not self._distrusted and runs(options, GridFunction.FREQUENCY_DROOP)
        responds = any(_responds(what) for what in self._tell.held(device))
        rests = self._left or self._tell.islanded()
        armed = arm(settings.agreed, signals, now, inverter_can=can, responds=responds, left=rests)
        self._supervise(armed, device)
        before, self._armed = self._armed, armed
        if _what(before) != _what(armed):
            self._since = now
            self._tell.react()
        self._follow_period(settings, now)

    def _follow_clock(self) -> None:
        """Move times along when UTC was set; the grid's own follow by themselves."""
        step_s = self._steps.step_s()
        if step_s:
            self._since += step_s
            if self._period is not None:
                self._period.shift(step_s)

    def _supervise(self, armed: Armed, device: str) -> None:
        """See that an inverter that is to respond says that it does; else the hub does it."""
        if armed.inverter is None:
            self._shown_by = None
            return
        if any(isinstance(what, Droop) for what in self._tell.held(device)):
            self._shown_by = None
            return
        now = self._clock.monotonic()
        if self._shown_by is None:
            self._shown_by = now + _SHOWN_S
        elif now > self._shown_by:
            self._distrusted, self._shown_by = True, None
            _log.warning("%s does not take its frequency droop; the hub responds itself", device)

    def _follow_period(self, settings: RegulationSettings, now: float) -> None:
        armed, period = self._armed, self._period
        programme = regulation.ID if armed.follows else frequency.ID
        event = None if armed.event is None else armed.event.event
        if period is not None:
            same = armed.loops and programme == period.programme
            same = same and event in {None, period.event}
            if not same or period.over(now):
                self._close_period()
        if self._period is None and armed.loops and self._process.taken:
            self._period = Period(
                programme,
                event or f"{programme}-{int(now // HOUR_S)}",
                "the home" if armed.event is None else armed.event.program,
                now,
                settings.capacity_w,
            )

    def _close_period(self) -> None:
        period, self._period = self._period, None
        if period is None:
            return
        hour_ends_at = (period.starts_at // HOUR_S + 1) * HOUR_S
        now = self._clock.now()
        if self._found:  # from before a restart: nobody knows what was after that
            self._found, now = False, period.until
        ends_at = max(min(now, hour_ends_at), period.starts_at)
        performance = period.record(ends_at, opted_out=self._left)
        if performance is not None:
            self._tell.record(performance)

    # The process.

    async def _serve(self) -> str:
        """Run the process for as long as the same is armed; return why it ended, if by itself."""
        self._running = self._armed
        serving = asyncio.create_task(self._process.serve())
        try:
            while self._wanted() and not serving.done():
                await asyncio.wait({serving}, timeout=_LOOK_S)
                self._look()
            if serving.done():
                return _why(serving)
            await self._process.idle(_BACK_S)  # the cycle's next call takes the battery back
            self._tell.alarm("regulation", None)
            return ""
        finally:
            self._running = None
            serving.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await serving

    def _wanted(self) -> bool:
        """Return whether what the process was started for still holds."""
        running = self._running
        return running is not None and _what(running) == _what(self._armed)

    async def _connect(self, device: str, connect: Callable[[], Awaitable[Link]]) -> Link:
        return RegulatedLink(
            device,
            await connect(),
            connect,
            self._process,
            wanted=lambda: self._wanted() and not self._rests,
            room=self._room,
        )

    def _opening(self) -> bytes:
        settings, armed = self._settings, self._running or self._armed
        if settings is None:
            raise RuntimeError("nothing is agreed")  # no process is started then
        device = settings.agreed.device
        measured_by = settings.measured_by or device
        loop = LoopSettings(
            device,
            measured_by,
            settings.capacity_w,
            armed.droop,
            sense=settings.sense,
            source=settings.source if armed.follows else None,
            fade=FadePolicy(settings.stale_s, settings.fade_s),
            period_s=settings.period_s,
            slew_w_s=settings.slew_w_s,
            last=self._last,
        )
        needed = [self._descriptions[name] for name in dict.fromkeys((device, measured_by))]
        return letters.write_opening(needed, self._shared, loop, self._ahead_s())

    def _ahead_s(self) -> float:
        """Return by how much UTC is ahead of the clock that all processes of the machine share."""
        return self._clock.now() - time.monotonic()

    def _reported(self, report: Report) -> None:
        self._last = max(self._last, report.last)
        self._timing.take(report.ticks)
        if self._period is not None:
            self._period.take(report.samples, self._clock.now())
            self._found = self._found and not report.samples
        said = report.error or report.trouble
        self._tell.alarm(
            "regulation", say("Frequency regulation: {said}", said=said) if said else None
        )

    def _room(self) -> Bounds | None:
        settings = self._settings
        return None if settings is None else self._tell.rooms().get(settings.agreed.device)


def _what(armed: Armed) -> tuple[GridSupport | None, GridSupport | None, bool, str]:
    """Return what makes one arming another."""
    event = "" if armed.event is None else armed.event.event
    return armed.droop, armed.inverter, armed.follows, event


def _responds(what: object) -> bool:
    """Return whether a function that an inverter runs answers the frequency."""
    return isinstance(what, GridSupport) and what.function in _ANSWERING


def _why(serving: "asyncio.Task[None]") -> str:
    error = serving.exception()
    return (
        say("its process has ended")
        if error is None
        else say("its process cannot be started: {error}", error=error)
    )
