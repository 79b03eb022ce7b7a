"""The gateway's memory of what the utility asks, in house words.

It keeps what 2030.5 leaves to the home: the net power when a relative event began, and the energy
saved since. Nothing here does I/O; `hems.grid` carries baselines to the ledger and images here.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from der.steps import StepWatch
from hems.clock import Clock
from hems.emg.baseline import Baselines
from hems.emg.functions import REACTIVE
from hems.emg.ramp import Ramps, powers
from hems.emg.ratings import Ratings
from hems.emg.slopes import Slopes
from hems.emg.translate import RELATIVE, outdone, signals
from hems.image import Image
from hems.sep2.rules.curve import Curve
from hems.sep2.rules.events import Active, Schedule
from hems.sep2.rules.merge import Lost, Merged, merge
from programs.signal import Signal, SignalKind

UTILITY: Final = "utility"
"""Name of the utility where a home has one only."""
_NO_SLOPES: Final[Mapping[str, float]] = MappingProxyType({})
LONGEST_GAP_S: Final = 10.0
"""Images further apart than this say nothing about the energy between them."""


class Gateway:
    """What the utilities ask of this home now.

    Args:
        ratings: What per cents are of.
        clock: Where the time comes from; what is remembered in UTC moves along when it is set.
        on_signals: Told when what is asked has changed; must not block.
        on_baseline: Told mRID and net power in W before a relative event; must not block.
        sources: Names of those who ask, the one that prevails at equal primacy first.
        on_lost: Told what an event lost to another; must not block.
        devices: Ids of the devices that it asks of; empty for the home as a whole.
        slopes: By a programme's name or mRID, to what slope of the net power its events bind the
            home by agreement, W a minute.
        return_w_min: The slope with which the home returns from any event; None for no bound.
    """

    def __init__(
        self,
        ratings: Ratings,
        clock: Clock,
        on_signals: Callable[[], None],
        on_baseline: Callable[[str, float], None],
        *,
        sources: Sequence[str] = (UTILITY,),
        on_lost: Callable[[Sequence[Lost]], None] = lambda _lost: None,
        devices: frozenset[str] = frozenset(),
        slopes: Mapping[str, float] = _NO_SLOPES,
        return_w_min: float | None = None,
    ) -> None:
        self._slopes = Slopes(slopes, return_w_min)
        self._ratings = ratings
        self._on_signals = on_signals
        self._on_baseline = on_baseline
        self._sources = sources
        self._on_lost = on_lost
        self._devices = devices
        self._schedules: dict[str, Schedule] = {}
        self._excused: set[str] = set()
        self._clock = clock
        self._steps = StepWatch(clock.now, clock.monotonic)
        self._baselines = Baselines()
        self._ramps = Ramps(ratings.generation_w)
        self._delivered_wh: dict[str, float] = {}
        self._signals: tuple[Signal, ...] = ()
        self._schedule: Schedule | None = None
        self._curves: Mapping[str, Curve] = {}
        self._last: Image | None = None

    @property
    def known(self) -> bool:
        """Whether what is asked is known: after a start, not before the ledger has been read."""
        return all(s in self._schedules or s in self._excused for s in self._sources)

    def excuse(self, source: str) -> None:
        """Have the home go on without one who cannot say what it asks."""
        self._excused.add(source)

    @property
    def signals(self) -> tuple[Signal, ...]:
        """What is asked now, one signal a mode, and what is still on its way out."""
        self._follow_clock()
        if self._schedule is None:
            return self._signals
        now = self._clock.now()
        present = {} if self._last is None else powers(self._last, self._devices)
        on_course = self._ramps.follow(self._signals, present, self._schedule.gradient, now)
        return (*on_course, *self._slopes.signals(now))

    @property
    def standing(self) -> tuple[Signal, ...]:
        """What default controls ask, without a ramp: it holds wherever no event sets the mode."""
        return tuple(s for s in self._signals if math.isinf(s.ends_at))

    @property
    def gradient(self) -> float | None:
        """Default ramp that the utility has set, per cent of the rating a second; None if none."""
        return self._schedule.gradient if self._schedule is not None else None

    def rate(self, ratings: Ratings) -> None:
        """Go by other ratings from now on: devices have said what they can do."""
        if ratings != self._ratings:
            self._ratings = ratings
            self._translate()
            self._on_signals()

    def take_schedule(self, schedule: Schedule, source: str = UTILITY) -> None:
        """Take in what one utility has in force; times in it are UTC epoch seconds."""
        self._follow_clock()
        self._schedules[source] = schedule
        merged = merge({s: self._schedules[s] for s in self._sources if s in self._schedules})
        self._schedule, self._curves = merged.schedule, merged.curves
        self._translate()
        self._on_signals()
        lost = [*merged.lost, *_outdone(merged)]
        if lost:
            self._on_lost(lost)

    def take_image(self, image: Image) -> None:
        """Count the energy saved since the last image, and keep the power for a baseline."""
        self._follow_clock()
        before, self._last = self._last, image
        self._baselines.take(image)
        if before is None or not 0 < image.at - before.at <= LONGEST_GAP_S:
            return
        running = [s for s in self._signals if s.in_force(image.at)]
        for signal in running:
            if signal.kind is SignalKind.ENERGY and signal.baseline_w is not None:
                self._count(signal, signal.baseline_w, before, image)
        if any(s.kind is SignalKind.ENERGY for s in running):
            self._translate()

    def resume(self, event: str, delivered_wh: float) -> None:
        """Take up the energy that an event had saved before a restart."""
        self._delivered_wh[event] = delivered_wh
        self._translate()

    def _count(self, signal: Signal, baseline_w: float, before: Image, image: Image) -> None:
        if before.net_w is None or image.net_w is None:
            return
        mean_w = (before.net_w + image.net_w) / 2.0
        lasted_s = image.at - max(before.at, signal.starts_at)
        saved_wh = (baseline_w - mean_w) * lasted_s / 3600.0
        self._delivered_wh[signal.event] = self._delivered_wh.get(signal.event, 0.0) + saved_wh

    def _follow_clock(self) -> None:
        """Move times along where the clock was set; the next schedule has its own anyway."""
        step_s = self._steps.step_s()
        if not step_s:
            return
        self._last = None
        self._baselines.shift(step_s)
        self._ramps.shift(step_s)
        self._slopes.shift(step_s)
        self._schedules = {s: _shifted(each, step_s) for s, each in self._schedules.items()}
        if self._schedule is not None:
            self._schedule = _shifted(self._schedule, step_s)
            self._translate()

    def _translate(self) -> None:
        if self._schedule is None:
            return
        found = signals(self._schedule, self._ratings, self._delivered_wh, self._curves)
        self._signals = tuple(
            replace(self._with_baseline(s) if s.kind in RELATIVE else s, devices=self._devices)
            for s in found
        )
        self._slopes.follow(self._schedule, self._clock.now(), self._devices)
        live = {a.event for a in self._schedule.active.values()}
        self._baselines.forget(live, self._schedule.at)
        for event in [e for e in self._delivered_wh if e not in live]:
            del self._delivered_wh[event]

    def _with_baseline(self, signal: Signal) -> Signal:
        if signal.baseline_w is not None:
            return signal
        known, is_new = self._baselines.of(signal)
        if known is None:
            return signal
        if is_new:
            self._on_baseline(signal.event, known)
        return replace(signal, baseline_w=known)


def _outdone(merged: Merged) -> list[Lost]:
    """Return what gave way to another mode of another event.

    Of the ways to steer batteries one can hold, and of those to set reactive power; the utility
    knows nothing of that, so it is answered, and what gave way stays so.
    """
    return [
        Lost(
            a.mode,
            merged.sources[a.mode],
            a.event,
            merged.sources[first.mode],
            first.event,
            by_program=a.program.mrid != first.program.mrid,
        )
        for first, others in outdone(merged.schedule)
        for a in others
        if _gives_way(a, first, same=merged.sources[a.mode] == merged.sources[first.mode])
    ]


def _gives_way(active: Active, first: Active, *, same: bool) -> bool:
    """Return whether an event gives way for good to one that leads in another mode.

    One utility's set-point has its turn after a stronger one if it begins under that and outlasts
    it, as it would in one mode.

    Args:
        active: The event.
        first: What leads.
        same: Whether both are of one utility.
    """
    if active.default or (same and active.event == first.event):
        return False
    if not same or active.mode in REACTIVE:
        return True
    return active.start < first.start or active.end <= first.end


def _shifted(schedule: Schedule, by_s: float) -> Schedule:
    active = {
        mode: replace(a, start=a.start + by_s, end=a.end + by_s)
        for mode, a in schedule.active.items()
    }
    return replace(
        schedule, at=schedule.at + by_s, active=active, next_change=schedule.next_change + by_s
    )
