"""What a home would have taken without an event: pure. Which way it is found is a setting.

- From days: the same time on earlier like days; of the latest so many, those with the greatest use
  are averaged, and the mean is moved by as much as the home differed from it before the event, yet
  by no more than a share of it, so that a hot day is not measured against cool ones.
- Before: what the meter showed right before the event.
- Between: the straight line from what it showed before to what it showed after.
- Flat: a power that is said beforehand: a battery's set-point is measured against nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean

from hems.headend.settle.power import LEAST_KNOWN, Powers, slots


class Way(StrEnum):
    """How a baseline is found."""

    DAYS = "days"
    BEFORE = "before"
    BETWEEN = "between"
    FLAT = "flat"


class Note(StrEnum):
    """What is to be known of a baseline."""

    NONE = "no baseline"
    """Too little is known for one."""
    UNADJUSTED = "baseline not adjusted"
    """The time before the event is not known, of the day itself or of those that it is from."""
    NO_AFTER = "nothing known after"
    """What came after is not known, or not yet: the line is level."""


@dataclass(frozen=True, slots=True)
class Method:
    """How a baseline is found. Times in s.

    Attributes:
        way: Which way.
        days: So many of the latest like days of which enough is known are looked at.
        least_days: With fewer there is no baseline.
        highest: So many of them are averaged, those with the greatest use.
        adjust_s: Length of the time before the event by which the mean is moved; 0 for never.
        adjust_gap_s: How long before the event that ends: nobody has acted on it by then.
        most_adjusted: Greatest move, as a share of the mean.
        before_s: Length of the time before the event.
        after_s: Length of the time after it.
        flat_w: The flat one, W, consumption positive.
    """

    way: Way = Way.DAYS
    days: int = 10
    least_days: int = 5
    highest: int = 5
    adjust_s: int = 7200
    adjust_gap_s: int = 3600
    most_adjusted: float = 0.2
    before_s: int = 900
    after_s: int = 900
    flat_w: float = 0.0

    @property
    def lead_s(self) -> int:
        """How long before an event power is looked at on the same day."""
        if self.way is Way.DAYS and self.adjust_s:
            return self.adjust_s + self.adjust_gap_s
        return self.before_s if self.way in {Way.BEFORE, Way.BETWEEN} else 0

    @property
    def tail_s(self) -> int:
        """How long after an event power is looked at."""
        return self.after_s if self.way is Way.BETWEEN else 0


@dataclass(frozen=True, slots=True)
class Span:
    """A time.

    Attributes:
        begin: Epoch s.
        end: Epoch s.
    """

    begin: float
    end: float

    @property
    def seconds(self) -> float:
        """Its length; 0 for one that is none."""
        return max(self.end - self.begin, 0.0)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What there would have been.

    Attributes:
        powers: By the event's intervals; without those of which nobody knows.
        notes: What is to be known of it.
        days: From how many days it is; 0 where it is from none.
    """

    powers: Powers
    notes: frozenset[Note] = frozenset()
    days: int = 0


def enough(span: Span, step_s: int, day: Powers) -> bool:
    """Whether so much is known of a time that it counts.

    Args:
        span: It.
        step_s: Length of the intervals.
        day: What is known, by interval.
    """
    wanted = slots(span.begin, span.end, step_s)
    return bool(wanted) and sum(s.start in day for s in wanted) >= LEAST_KNOWN * len(wanted)


def baseline(
    span: Span, step_s: int, own: Powers, others: Mapping[int, Powers], method: Method
) -> Baseline:
    """Return the baseline of one home.

    Args:
        span: When the event was.
        step_s: Length of the intervals.
        own: What the meter showed on the day, before and after the event too.
        others: What it showed on earlier like days, by how many seconds earlier: whole intervals;
            only days of which `enough` is known at the time of the event.
        method: How it is found.
    """
    match method.way:
        case Way.FLAT:
            wanted = slots(span.begin, span.end, step_s)
            return Baseline({slot.start: method.flat_w for slot in wanted})
        case Way.BEFORE | Way.BETWEEN:
            return _beside(span, step_s, own, method)
        case Way.DAYS:
            return _from_days(span, step_s, own, others, method)


def _from_days(
    span: Span, step_s: int, own: Powers, others: Mapping[int, Powers], method: Method
) -> Baseline:
    latest = sorted(others)[: method.days]
    if len(latest) < method.least_days:
        return Baseline({}, frozenset({Note.NONE}))
    wanted = slots(span.begin, span.end, step_s)
    days = [
        {s.start: others[ago][s.start - ago] for s in wanted if s.start - ago in others[ago]}
        for ago in latest
    ]
    ranked = sorted(range(len(days)), key=lambda n: fmean(days[n].values()), reverse=True)
    chosen = sorted(ranked[: method.highest])
    powers = {}
    for slot in wanted:
        known = [days[n][slot.start] for n in chosen if slot.start in days[n]]
        if known:
            powers[slot.start] = fmean(known)
    if not method.adjust_s:
        return Baseline(powers, days=len(chosen))
    until = span.begin - method.adjust_gap_s
    before = Span(until - method.adjust_s, until)
    usual = [mean(before, step_s, others[latest[n]], latest[n]) for n in chosen]
    today = mean(before, step_s, own)
    known = [w for w in usual if w is not None]
    if today is None or len(known) < len(usual):
        return Baseline(powers, frozenset({Note.UNADJUSTED}), len(chosen))
    most = method.most_adjusted * abs(fmean(powers.values()))
    by = min(max(today - fmean(known), -most), most)
    return Baseline({start: w + by for start, w in powers.items()}, days=len(chosen))


def _beside(span: Span, step_s: int, own: Powers, method: Method) -> Baseline:
    before = mean(Span(span.begin - method.before_s, span.begin), step_s, own)
    if before is None:
        return Baseline({}, frozenset({Note.NONE}))
    after: float | None = before
    notes: frozenset[Note] = frozenset()
    if method.way is Way.BETWEEN:
        after = mean(Span(span.end, span.end + method.after_s), step_s, own)
        if after is None:
            after, notes = before, frozenset({Note.NO_AFTER})
    rise = (after or 0.0) - before
    return Baseline(
        {
            slot.start: before
            + rise * (slot.begin + slot.seconds / 2 - span.begin) / (span.end - span.begin)
            for slot in slots(span.begin, span.end, step_s)
        },
        notes,
    )


def mean(span: Span, step_s: int, day: Powers, ago: int = 0) -> float | None:
    """Return the mean over the whole intervals within a time; None where too little is known.

    Args:
        span: The time.
        step_s: Length of the intervals.
        day: What is known, by interval.
        ago: By how many seconds earlier it is looked for.
    """
    whole = [s.start for s in slots(span.begin, span.end, step_s) if s.seconds == step_s]
    known = [day[start - ago] for start in whole if start - ago in day]
    if not whole or len(known) < LEAST_KNOWN * len(whole):
        return None
    return fmean(known)
