"""All homes of an event together: pure, added up one home after the other."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hems.headend.settle.delivery import Interval, Result
from hems.headend.settle.taking_part import Stand


@dataclass(slots=True)
class Sum:
    """One interval of all homes that took part; W.

    Attributes:
        start: Begin, epoch s.
        seconds: The longest part that any home has of it.
        asked_w: What those who took part were to move; None where nobody knows in watts.
        baseline_w: Of those of whom all is known.
        measured_w: Of them.
        over_w: By how much they exceeded their limits.
        homes: How many of whom all is known.
        missing: How many took part of whom something is not known.
    """

    start: int
    seconds: float = 0.0
    asked_w: float | None = None
    baseline_w: float | None = None
    measured_w: float | None = None
    over_w: float | None = None
    homes: int = 0
    missing: int = 0

    @property
    def delivered_w(self) -> float | None:
        """How much less was taken, or more given, by those of whom all is known."""
        if self.baseline_w is None or self.measured_w is None:
            return None
        return self.baseline_w - self.measured_w

    def add(self, each: Interval, asked_w: float | None) -> None:
        """Add a home's."""
        self.seconds = max(self.seconds, each.seconds)
        self.asked_w = _plus(self.asked_w, asked_w)
        if each.delivered_w is None and each.over_w is None:
            self.missing += 1
            return
        self.homes += 1
        self.baseline_w = _plus(self.baseline_w, each.baseline_w)
        self.measured_w = _plus(self.measured_w, each.measured_w)
        self.over_w = _plus(self.over_w, each.over_w)


@dataclass(slots=True)
class Total:
    """All homes of an event. Energies in Wh, times in s, summed over homes; None: does not apply.

    Attributes:
        homes: How many there are.
        took_part: How many took part for any time.
        measured: How many of these were measured for any time.
        stands: How many stand how.
        flags: How many have which flag.
        asked_w: By how much all were to move.
        asked_wh: That, over the time for which they were asked.
        judged_wh: What those whose delivery is known were to move in the time that is known.
        delivered_wh: What was moved.
        over_wh: What went beyond limits.
        over_s: For how long.
        pay: What it is worth.
        longest_s: The longest time for which any was asked.
        by_start: By intervals, by their start.
    """

    homes: int = 0
    took_part: int = 0
    measured: int = 0
    stands: Counter[Stand] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    asked_w: float | None = None
    asked_wh: float | None = None
    judged_wh: float | None = None
    delivered_wh: float | None = None
    over_wh: float | None = None
    over_s: float | None = None
    pay: float | None = None
    longest_s: float = 0.0
    by_start: dict[int, Sum] = field(default_factory=dict)

    def add(self, each: Result) -> None:
        """Add a home."""
        self.homes += 1
        self.took_part += each.part_s > 0
        self.measured += each.known_s > 0
        self.stands[each.stand] += 1
        self.flags.update(each.flags)
        self.asked_w = _plus(self.asked_w, each.asked_w)
        self.asked_wh = _plus(self.asked_wh, each.asked_wh)
        if each.delivered_wh is not None:
            self.judged_wh = _plus(self.judged_wh, each.judged_wh)
        self.delivered_wh = _plus(self.delivered_wh, each.delivered_wh)
        self.over_wh = _plus(self.over_wh, each.over_wh)
        self.over_s = _plus(self.over_s, each.over_s)
        self.pay = _plus(self.pay, each.pay)
        self.longest_s = max(self.longest_s, each.asked_s)
        for interval in each.intervals:
            self.by_start.setdefault(interval.start, Sum(interval.start)).add(
                interval, each.asked_w
            )

    @property
    def intervals(self) -> Sequence[Sum]:
        """By time."""
        return [self.by_start[start] for start in sorted(self.by_start)]

    @property
    def delivered_w(self) -> float | None:
        """What was moved, as a mean over the longest time for which any home was asked."""
        if self.delivered_wh is None or not self.longest_s:
            return None
        return self.delivered_wh * 3600.0 / self.longest_s

    @property
    def share(self) -> float | None:
        """What was moved as a share of what was asked, of the homes and times that are known."""
        if not self.judged_wh or self.delivered_wh is None:
            return None
        return self.delivered_wh / self.judged_wh

    @property
    def counts(self) -> Mapping[Stand, int]:
        """How many stand how, in the order of the words."""
        return {stand: self.stands[stand] for stand in Stand}


def _plus(total: float | None, value: float | None) -> float | None:
    if value is None:
        return total
    return value if total is None else total + value
