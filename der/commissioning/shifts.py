"""How far a device and the meter moved from one step to the next. Pure.

The meter shows the whole house. So each change is weighed against what the device itself says
that it did, many small comparisons are taken, and each has one vote: a kettle spoils one or two.
"""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import Final

from der.commissioning.plan import Step
from der.model import Phase, Reading


class Sight(Enum):
    """How the meter answers a device."""

    SAME = "same"
    OPPOSITE = "opposite"
    STILL = "still"
    OTHER = "other"
    """Something else moved as well."""


LEAST_SHIFT_W: Final = 30.0
"""A device that moved less gives no sign to look for at the meter."""
_SETTLED: Final = 0.5
"""So much of a step's time is left to the device, its ramp and the meter's lag."""
_SAME: Final = (0.5, 1.6)
_STILL: Final = 0.25
_QUIET: Final = 0.15
_VOTES: Final = 4
"""So many comparisons must agree, unless the house is quiet."""
_LEAST_VOTES: Final = 3
_MAJORITY: Final = {Sight.SAME: 0.6, Sight.OPPOSITE: 0.6, Sight.STILL: 0.75}
"""And more than this share of all of them."""
_CLEAR_MAJORITY: Final = 0.75


@dataclass(frozen=True, slots=True)
class Stay:
    """A step as it was held; times are UTC epoch seconds.

    Attributes:
        step: What the device was told.
        begun: When it had been told.
        ended: When the step ended.
        device: What it said meanwhile.
        meter: What the meter at the connection point said meanwhile; empty where there is none.
    """

    step: Step
    begun: float
    ended: float
    device: tuple[Reading, ...] = ()
    meter: tuple[Reading, ...] = ()

    def settled(self, readings: Iterable[Reading]) -> tuple[Reading, ...]:
        """Return those of some readings that were taken when all had settled."""
        since = self.begun + _SETTLED * self.step.hold_s
        return tuple({t: r for r in readings if since <= (t := taken_at(r)) <= self.ended}.values())

    @property
    def device_w(self) -> float | None:
        """Middle power of the device once settled; None if it said nothing."""
        return _median(r.power_w for r in self.settled(self.device))

    @property
    def meter_w(self) -> float | None:
        """Middle power at the meter once settled; None if it said nothing."""
        return _median(r.power_w for r in self.settled(self.meter))

    def phase_w(self, index: int) -> float | None:
        """Middle power on one of the meter's phases once settled; None if it said nothing."""
        return _median(
            w
            for r in self.settled(self.meter)
            if len(r.phases) > index and (w := r.phases[index].power_w) is not None
        )


@dataclass(frozen=True, slots=True)
class Shift:
    """The change from one step to the next; W, consumption positive.

    Attributes:
        words: What the device was told in the second.
        asked_w: By how much it should have moved; None if that cannot be said.
        device_w: By how much it says that it moved; None if it said nothing.
        meter_w: By how much the meter moved; None if it said nothing.
        phases_w: The same by the meter's phases; as many as it tells apart.
    """

    words: str
    asked_w: float | None
    device_w: float | None
    meter_w: float | None
    phases_w: tuple[float | None, ...] = ()

    @property
    def obeyed(self) -> float | None:
        """Share of what was asked that the device did; None if little or nothing was asked."""
        if self.asked_w is None or self.device_w is None or abs(self.asked_w) < LEAST_SHIFT_W:
            return None
        return self.device_w / self.asked_w

    def seen(self, shown_w: float | None) -> float | None:
        """Share of the device's own change that something shows; None if there was little."""
        if shown_w is None or self.device_w is None or abs(self.device_w) < LEAST_SHIFT_W:
            return None
        return shown_w / self.device_w


def shifts(stays: Sequence[Stay]) -> tuple[Shift, ...]:
    """Return the changes between steps that follow one another."""
    return tuple(_shift(one, other) for one, other in pairwise(stays))


def sight(found: Sequence[Shift], stays: Sequence[Stay]) -> Sight | None:
    """Return how the meter answers the device, once enough comparisons agree; else None.

    Args:
        found: All changes so far.
        stays: What they are from; in a quiet house fewer comparisons are enough.
    """
    ratios = [r for shift in found if (r := shift.seen(shift.meter_w)) is not None]
    votes = [_classed(ratio) for ratio in ratios]
    for each in (Sight.SAME, Sight.OPPOSITE, Sight.STILL):
        count = votes.count(each)
        agreed = count >= _VOTES and count > _MAJORITY[each] * len(votes)
        unanimous = count == len(votes) >= _LEAST_VOTES and _quiet(found, stays)
        if agreed or unanimous:
            return each
    return Sight.OTHER if votes else None


def decided(found: Sequence[Shift], stays: Sequence[Stay]) -> bool:
    """Return whether nothing is to be gained by moving once more."""
    return sight(found, stays) not in {None, Sight.OTHER}


def obeyed(found: Sequence[Shift]) -> float | None:
    """Return the share of what was asked that the device did, by its own word."""
    return _median(shift.obeyed for shift in found)


def by_phase(found: Sequence[Shift], seen_as: Sight | None) -> dict[Phase, float]:
    """Return the share of the device's change that each phase of the meter shows.

    A phase on which nothing of it is seen, or on which the comparisons do not agree, is left out;
    so is every phase where the meter does not tell them apart.

    Args:
        found: All changes.
        seen_as: How the meter answers as a whole; what spoke otherwise was something else's.
    """
    least = _VOTES
    if seen_as in {Sight.SAME, Sight.OPPOSITE}:
        least = _LEAST_VOTES
        ratios = [(shift, shift.seen(shift.meter_w)) for shift in found]
        found = [s for s, r in ratios if r is not None and _classed(r) is seen_as]
    seen: dict[Phase, float] = {}
    for index, phase in enumerate(Phase):
        shown = [s.seen(s.phases_w[index]) for s in found if len(s.phases_w) > index]
        share = _agreed([r for r in shown if r is not None], least)
        if share is not None:
            seen[phase] = share
    largest = max((abs(share) for share in seen.values()), default=0.0)
    return {phase: share for phase, share in seen.items() if abs(share) >= largest / 2}


def _agreed(ratios: Sequence[float], least: int) -> float | None:
    """Return the median, if it is no trifle and most, and at least so many, are near it."""
    median = _median(ratios)
    if median is None or abs(median) < _STILL:
        return None
    near = sum(abs(ratio - median) <= abs(median) / 2 for ratio in ratios)
    return median if near >= least and near > _CLEAR_MAJORITY * len(ratios) else None


def taken_at(reading: Reading) -> float:
    """Return when a reading's power was taken, UTC epoch seconds."""
    return reading.taken.get("power_w", reading.at)


def _shift(one: Stay, other: Stay) -> Shift:
    before_w, after_w = one.device_w, other.device_w
    asked_w = None
    if one.step.asked_w is not None or other.step.asked_w is not None:
        asked_w = _less(_aim(other.step, after_w, before_w), _aim(one.step, before_w, after_w))
    return Shift(
        other.step.words,
        asked_w,
        _less(after_w, before_w),
        _less(other.meter_w, one.meter_w),
        tuple(_less(other.phase_w(i), one.phase_w(i)) for i in range(_phases(one, other))),
    )


def _aim(step: Step, own_w: float | None, neighbour_w: float | None) -> float | None:
    """Return what a device should run at; a limit that is wide enough changes nothing."""
    if step.asked_w is None:
        return own_w
    if step.limit and neighbour_w is not None and abs(neighbour_w) < abs(step.asked_w):
        return neighbour_w
    return step.asked_w


def _phases(*stays: Stay) -> int:
    return max((len(r.phases) for stay in stays for r in stay.meter), default=0)


def _classed(ratio: float) -> Sight:
    low, high = _SAME
    if low <= ratio <= high:
        return Sight.SAME
    if -high <= ratio <= -low:
        return Sight.OPPOSITE
    return Sight.STILL if abs(ratio) <= _STILL else Sight.OTHER


def _quiet(found: Sequence[Shift], stays: Sequence[Stay]) -> bool:
    """Return whether the house did little by itself within the steps."""
    moved = [abs(s.device_w) for s in found if s.device_w is not None]
    spreads = [
        statistics.pstdev(powers)
        for stay in stays
        if len(powers := [r.power_w for r in stay.settled(stay.meter)]) > 1
    ]
    return bool(moved and spreads) and max(spreads) <= _QUIET * statistics.median(moved)


def _less(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def _median(values: Iterable[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return statistics.median_low(found) if found else None
