"""How an event's course is judged: pure, by what the meter saw and the devices were told."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from statistics import fmean
from typing import Final

from tests.benchmarks.common import Figure
from tests.e2e.rig import Trace, Write

NINETY: Final = 0.9


@dataclass(frozen=True, slots=True)
class Row:
    """One use case's figures; None where it has no such thing.

    Attributes:
        first_write_ms: From the trigger to the first write that a device accepted.
        settle_s: From the trigger to 90 % of the response at the meter.
        inside_share: Share of the event's seconds after settling inside the bound.
        delivered_share: Energy delivered of what was promised.
        rebound_ratio: Greatest power of the time after the event by that of the minute before;
            `more["rebound_of_day"]` by that of the whole day without an event, where a minute
            tells too little of a home that is never still.
        comfort_minutes: For how long a temperature was out of its bounds.
        trigger: What set it going, in words.
        more: What else was measured.
    """

    first_write_ms: float | None = None
    settle_s: float | None = None
    inside_share: float | None = None
    delivered_share: float | None = None
    rebound_ratio: float | None = None
    comfort_minutes: float | None = 0.0
    trigger: str = ""
    more: dict[str, Figure] = field(default_factory=dict)

    def figures(self) -> dict[str, Figure]:
        """Return the row as figures, rounded to what was measured."""
        flat = asdict(self)
        more = flat.pop("more")
        rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in flat.items()}
        return {**rounded, **more}


@dataclass(frozen=True, slots=True)
class Course:
    """What happened around one event; times are UTC epoch seconds.

    Attributes:
        triggered_at: When the utility had it on its disk, the price changed, or the like; its
            start, where that is later.
        ends_at: Its end.
        trace: What the meter saw, from before to after it.
        writes: What devices accepted.
        cold_s: For how long a temperature was out of its bounds.
    """

    triggered_at: float
    ends_at: float
    trace: Sequence[Trace]
    writes: Sequence[Write]
    cold_s: float = 0.0

    @property
    def before(self) -> Sequence[Trace]:
        """The minute before it."""
        return [s for s in self.trace if self.triggered_at - 60 <= s.at < self.triggered_at]

    @property
    def during(self) -> Sequence[Trace]:
        """Its own time."""
        return [s for s in self.trace if self.triggered_at <= s.at < self.ends_at]

    @property
    def after(self) -> Sequence[Trace]:
        """The time after it."""
        return [s for s in self.trace if s.at >= self.ends_at]


Value = Callable[[Trace], float]
"""What of a sample is judged."""


def net(sample: Trace) -> float:
    """Return the net power in W."""
    return sample.meter_w


def seconds(trace: Sequence[Trace], value: Value = net) -> list[tuple[float, float]]:
    """Return means of whole seconds, as (time, value)."""
    held: dict[int, list[float]] = {}
    for sample in trace:
        held.setdefault(math.floor(sample.at), []).append(value(sample))
    return [(float(at), fmean(values)) for at, values in sorted(held.items())]


def first_write_ms(course: Course, devices: Sequence[str] = ()) -> float | None:
    """Return the time from the trigger to the first write, of these devices or of any."""
    found = [
        w.at
        for w in course.writes
        if w.at >= course.triggered_at and (not devices or w.device in devices)
    ]
    return 1000.0 * (min(found) - course.triggered_at) if found else None


def settle_s(course: Course, aim: float, value: Value = net) -> float | None:
    """Return the time until 90 % of the way from before to `aim` was gone; None if it never was.

    A way of less than 1 has been gone at once: the home was there already.
    """
    begin = fmean(value(s) for s in course.before)
    if abs(aim - begin) < 1.0:
        return 0.0
    for sample in course.during:
        if (value(sample) - begin) / (aim - begin) >= NINETY:
            return sample.at - course.triggered_at
    return None


def inside_share(
    course: Course,
    inside: Callable[[float], bool],
    *,
    settled_s: float | None,
    value: Value = net,
) -> float:
    """Return the share of whole seconds after settling that were inside; 0 if it never settled."""
    if settled_s is None:
        return 0.0
    since = math.ceil(course.triggered_at + settled_s)
    held = [v for at, v in seconds(course.during, value) if since <= at <= course.ends_at - 1]
    return sum(inside(v) for v in held) / len(held) if held else 0.0


def delivered_wh(course: Course, baseline_w: float, since: float | None = None) -> float:
    """Return the energy taken less than the baseline, since the trigger or a later time."""
    begin = course.triggered_at if since is None else since
    held = [v for at, v in seconds(course.during) if at >= math.ceil(begin)]
    return sum(baseline_w - v for v in held) / 3600.0


def rebound_ratio(course: Course) -> float | None:
    """Return the greatest second after the event by the greatest of the minute before it."""
    before = [v for _, v in seconds(course.before)]
    after = [v for _, v in seconds(course.after)]
    if not before or not after or max(before) <= 0:
        return None
    return max(after) / max(before)


def bounded(course: Course, *, limit_w: float, upper: bool = True, trigger: str = "") -> Row:
    """Return the row of an event that bounds the net power.

    Args:
        course: What happened.
        limit_w: The bound, import positive.
        upper: Whether the home is to stay at or below it; else at or above.
        trigger: What set it going, in words.
    """
    settled = settle_s(course, limit_w)
    sign = 1.0 if upper else -1.0
    baseline_w = fmean(s.meter_w for s in course.before)
    lasts_h = (course.ends_at - course.triggered_at) / 3600.0
    promised_wh = sign * (baseline_w - limit_w) * lasts_h
    share = None
    if promised_wh > 0:
        share = min(sign * delivered_wh(course, baseline_w) / promised_wh, 1.0)
    return Row(
        first_write_ms=first_write_ms(course),
        settle_s=settled,
        inside_share=inside_share(
            course, lambda w: sign * w <= sign * limit_w + 1.0, settled_s=settled
        ),
        delivered_share=share,
        rebound_ratio=rebound_ratio(course) if upper else None,
        comfort_minutes=course.cold_s / 60.0,
        trigger=trigger,
    )


def held(
    course: Course,
    *,
    aim: float,
    within: float,
    value: Value,
    devices: Sequence[str] = (),
    trigger: str = "",
) -> Row:
    """Return the row of an event that wants a value held: a set-point, a reactive power.

    Args:
        course: What happened.
        aim: The value.
        within: How far from it still counts as inside.
        value: What of a sample it is about.
        devices: Whose writes count; any where empty.
        trigger: What set it going, in words.
    """
    settled = settle_s(course, aim, value)
    inside = inside_share(course, lambda v: abs(v - aim) <= within, settled_s=settled, value=value)
    since = course.triggered_at + (settled or 0.0)
    got = [v for at, v in seconds(course.during, value) if at >= since]
    begin = fmean(value(s) for s in course.before)
    way = aim - begin
    share = fmean((v - begin) / way for v in got) if got and abs(way) >= 1.0 else None
    return Row(
        first_write_ms=first_write_ms(course, devices),
        settle_s=settled,
        inside_share=inside,
        delivered_share=share,
        comfort_minutes=course.cold_s / 60.0,
        trigger=trigger,
    )


def worst(rows: Sequence[Row]) -> Row:
    """Return one row of several runs: the worst of each figure."""

    def most(values: list[float | None]) -> float | None:
        known = [v for v in values if v is not None]
        return None if None in values or not known else max(known)

    first = rows[0]
    shares = [[r.inside_share for r in rows], [r.delivered_share for r in rows]]
    inside, delivered = (
        None if any(v is None for v in each) else min(v for v in each if v is not None)
        for each in shares
    )
    return replace(
        first,
        first_write_ms=most([r.first_write_ms for r in rows]),
        settle_s=most([r.settle_s for r in rows]),
        inside_share=inside,
        delivered_share=delivered,
        rebound_ratio=most([r.rebound_ratio for r in rows]),
        comfort_minutes=most([r.comfort_minutes for r in rows]),
        more={**first.more, "runs": len(rows)},
    )
