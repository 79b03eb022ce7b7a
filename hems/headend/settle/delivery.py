"""What one home delivered in an event: by intervals, and what that comes to. Pure.

What is delivered is the baseline less what was measured: positive where less was taken or more was
given. Of an interval of which either is not known nothing is counted, and the time is said.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from hems.headend.settle.baseline import Baseline, Span
from hems.headend.settle.power import Powers, bridged, slots
from hems.headend.settle.taking_part import Part, Stand
from hems.headend.settle.wanted import Limit, Wanted

_WS_PER_WH: Final = 3600.0
_INSTANT_S: Final = 1e-6


class Flag(StrEnum):
    """What is to be known of a result."""

    MISSING = "readings missing"
    """Of some time in which the home took part; it is not counted."""
    BRIDGED = "readings bridged"
    """Short gaps were filled by the straight line between their ends."""
    UNMEASURED = "nothing measured"
    NO_RATING = "rating not told"
    """What is asked is a share of what the home never told."""


@dataclass(frozen=True, slots=True)
class Pay:
    """What a delivery is worth.

    Attributes:
        rate_kwh: For each kWh; None for nothing.
        most_share: What is beyond so much of what was asked is not paid.
    """

    rate_kwh: float | None = None
    most_share: float = 1.0


@dataclass(frozen=True, slots=True)
class Measured:
    """What is known of a home's power in an event, all by intervals.

    Attributes:
        moved: Where its move is measured.
        baseline: What would have been there.
        limited: Where each of its limits is measured, in their order.
    """

    moved: Powers = field(default_factory=dict)
    baseline: Baseline = field(default_factory=lambda: Baseline({}))
    limited: tuple[Powers, ...] = ()


@dataclass(frozen=True, slots=True)
class Interval:
    """A part of an event in which a home took part; W, None for what is not known.

    Attributes:
        start: Begin of the interval, epoch s.
        seconds: How much of it the home took part.
        baseline_w: What would have been.
        measured_w: What was.
        over_w: By how much its limits were exceeded.
        bridged: Whether `measured_w` is on the line between others.
    """

    start: int
    seconds: float
    baseline_w: float | None = None
    measured_w: float | None = None
    over_w: float | None = None
    bridged: bool = False

    @property
    def delivered_w(self) -> float | None:
        """How much less was taken, or more given."""
        if self.baseline_w is None or self.measured_w is None:
            return None
        return self.baseline_w - self.measured_w


@dataclass(frozen=True, slots=True)
class Result:
    """What one home's part in an event comes to; None where it does not apply or is not known.

    Attributes:
        lfdi: The home.
        stand: By its last answer.
        codes: All that it answered.
        asked_s: For how long it was asked.
        part_s: For how long it took part.
        known_s: For how much of that it was measured.
        bridged_s: How much of that was bridged.
        asked_w: By how much it was to move.
        baseline_w: Mean of what would have been, while measured.
        measured_w: Mean of what was.
        delivered_wh: How much less was taken, or more given.
        over_wh: What went beyond its limits.
        over_s: For how long.
        most_over_w: The greatest of it in any interval.
        pay: What it is worth.
        flags: What is to be known of it.
        intervals: All of it by intervals.
    """

    lfdi: str
    stand: Stand
    codes: tuple[int, ...]
    asked_s: float
    part_s: float
    known_s: float = 0.0
    bridged_s: float = 0.0
    asked_w: float | None = None
    baseline_w: float | None = None
    measured_w: float | None = None
    delivered_wh: float | None = None
    over_wh: float | None = None
    over_s: float | None = None
    most_over_w: float | None = None
    pay: float | None = None
    flags: tuple[str, ...] = ()
    intervals: tuple[Interval, ...] = ()

    @property
    def asked_wh(self) -> float | None:
        """What it was to move in all the time for which it was asked."""
        return None if self.asked_w is None else self.asked_w * self.asked_s / _WS_PER_WH

    @property
    def delivered_w(self) -> float | None:
        """Mean of what was delivered, while measured."""
        if self.delivered_wh is None or not self.known_s:
            return None
        return self.delivered_wh * _WS_PER_WH / self.known_s

    @property
    def judged_wh(self) -> float | None:
        """What it was to move in the time that is known: measured, or known to be left out."""
        if self.asked_w is None:
            return None
        return self.asked_w * (self.known_s + self.asked_s - self.part_s) / _WS_PER_WH

    @property
    def share(self) -> float | None:
        """What was delivered as a share of what was asked, of the time that is known."""
        judged = self.judged_wh
        return self.delivered_wh / judged if judged and self.delivered_wh is not None else None


@dataclass(frozen=True, slots=True)
class Terms:
    """By what an event is settled.

    Attributes:
        step_s: Length of the intervals.
        bridge: So many missing ones in a row are bridged.
        pay: What it is worth.
    """

    step_s: int = 300
    bridge: int = 1
    pay: Pay = field(default_factory=Pay)


def settled(lfdi: str, part: Part, asks: Wanted, seen: Measured, terms: Terms) -> Result:
    """Return what a home's part in an event comes to.

    Args:
        lfdi: The home.
        part: When it took part.
        asks: What was asked of it.
        seen: What is known of its power.
        terms: By what it is settled.
    """
    if not asks.measured:
        flags = (Flag.NO_RATING,) if asks.unrated else ()
        asked_s = part.asked.seconds
        return Result(lfdi, part.stand, part.codes, asked_s, part.seconds, flags=flags)
    intervals = _intervals(part.spans, asks, seen, terms)
    known = [each for each in intervals if _known(each, asks)]
    known_s = sum(each.seconds for each in known)
    bridged_s = sum(each.seconds for each in known if each.bridged)
    asked_w = asks.move.power_w if asks.move else None
    none = bool(intervals) and not known
    delivered = None if none or asks.move is None else _delivered_wh(known)
    over = None if none or not asks.limits else _over(known)
    return Result(
        lfdi,
        part.stand,
        part.codes,
        part.asked.seconds,
        part.seconds,
        known_s=known_s,
        bridged_s=bridged_s,
        asked_w=asked_w,
        baseline_w=_mean((each.seconds, each.baseline_w) for each in known),
        measured_w=_mean((each.seconds, each.measured_w) for each in known),
        delivered_wh=delivered,
        over_wh=None if over is None else over[0],
        over_s=None if over is None else over[1],
        most_over_w=None if over is None else over[2],
        pay=_worth(delivered, asked_w, part, terms.pay),
        flags=_flags(part.seconds - known_s, intervals, asks, seen.baseline),
        intervals=tuple(intervals),
    )


def _intervals(
    spans: Sequence[Span], asks: Wanted, seen: Measured, terms: Terms
) -> Sequence[Interval]:
    parts: dict[int, float] = {}
    for span in spans:
        for slot in slots(span.begin, span.end, terms.step_s):
            parts[slot.start] = parts.get(slot.start, 0.0) + slot.seconds
    wanted = sorted(parts)
    moved, moved_too = _filled(seen.moved, wanted, terms)
    limited = [_filled(powers, wanted, terms) for powers in seen.limited]
    found: list[Interval] = []
    for start in wanted:
        over = [
            _beyond(limit, own.get(start))
            for limit, (own, _) in zip(asks.limits, limited, strict=True)
        ]
        shown = moved if asks.move else limited[0][0]
        found.append(
            Interval(
                start,
                parts[start],
                seen.baseline.powers.get(start) if asks.move else None,
                shown.get(start),
                _most(over),
                start in moved_too or any(start in too for _, too in limited),
            )
        )
    return found


def _filled(
    powers: Powers, wanted: Sequence[int], terms: Terms
) -> tuple[Mapping[int, float], Powers]:
    """Return powers with short gaps bridged, and what was bridged."""
    too = bridged(powers, wanted, terms.step_s, terms.bridge)
    return {**powers, **too}, too


def _beyond(limit: Limit, power_w: float | None) -> float | None:
    return None if power_w is None else max(limit.sign * power_w - limit.power_w, 0.0)


def _most(over: Sequence[float | None]) -> float | None:
    """Return the greatest of what is over; None where any of it is not known."""
    known = [w for w in over if w is not None]
    return max(known) if known and len(known) == len(over) else None


def _known(each: Interval, asks: Wanted) -> bool:
    moved = asks.move is None or each.delivered_w is not None
    return moved and (not asks.limits or each.over_w is not None)


def _delivered_wh(known: Sequence[Interval]) -> float:
    return sum((each.delivered_w or 0.0) * each.seconds for each in known) / _WS_PER_WH


def _over(known: Sequence[Interval]) -> tuple[float, float, float]:
    """Return what was over in all, Wh, for how long, s, and the greatest, W."""
    over = [(each.seconds, each.over_w or 0.0) for each in known]
    total = sum(seconds * w for seconds, w in over) / _WS_PER_WH
    return total, sum(seconds for seconds, w in over if w > 0), max((w for _, w in over), default=0)


def _mean(parts: Iterable[tuple[float, float | None]]) -> float | None:
    known = [(seconds, w) for seconds, w in parts if w is not None]
    total_s = sum(seconds for seconds, _ in known)
    return sum(seconds * w for seconds, w in known) / total_s if total_s else None


def _worth(delivered_wh: float | None, asked_w: float | None, part: Part, pay: Pay) -> float | None:
    if pay.rate_kwh is None or delivered_wh is None:
        return None
    if asked_w is None:
        return max(delivered_wh, 0.0) / 1000.0 * pay.rate_kwh
    good_wh = delivered_wh if asked_w >= 0 else -delivered_wh
    most_wh = abs(asked_w) * part.asked.seconds / _WS_PER_WH * pay.most_share
    return min(max(good_wh, 0.0), most_wh) / 1000.0 * pay.rate_kwh


def _flags(
    missing_s: float, intervals: Sequence[Interval], asks: Wanted, baseline: Baseline
) -> tuple[str, ...]:
    flags: list[str] = [Flag.NO_RATING] if asks.unrated else []
    if intervals:
        if asks.move is not None:
            flags += sorted(baseline.notes)
        if all(not _known(each, asks) for each in intervals):
            flags.append(Flag.UNMEASURED)
        elif missing_s > _INSTANT_S:
            flags.append(Flag.MISSING)
        if any(each.bridged and _known(each, asks) for each in intervals):
            flags.append(Flag.BRIDGED)
    return tuple(flags)
