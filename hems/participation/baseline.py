"""The quarter-hours of an event, as they are settled on; pure."""

from collections.abc import Mapping, Sequence

from hems.store.performances import Interval
from programs import frequency, regulation, reserve
from programs.customer_baseline import Baseline, quarters
from programs.performance import Performance
from programs.signal import SignalKind

Spans = Sequence[tuple[float, float]]
"""Times from one instant to another, UTC epoch seconds, in order."""
_CALM = frozenset(
    {
        SignalKind.REACTIVE_POWER,
        SignalKind.POWER_FACTOR,
        SignalKind.CHARGING_FACTOR,
        SignalKind.VOLT_VAR,
        SignalKind.WATT_VAR,
        SignalKind.SLOPE,
    }
)
"""What leaves a day's use as it was."""
_READY = frozenset({reserve.ID, regulation.ID, frequency.ID})
"""Programmes that are at work day by day; held ready, or neutral in energy, they leave it, too."""


def moved(record: Performance) -> bool:
    """Return whether an event made its day another than it would have been.

    Such a day is no measure for others; where each day had one, there would be no baseline.
    """
    calm = record.kind in _CALM or (record.programme in _READY and record.delivered_wh is None)
    return not calm


def held(starts_at: float, ends_at: float, out: Spans) -> Spans:
    """Return from when to when an event's word held.

    Args:
        starts_at: When it began, UTC epoch seconds.
        ends_at: When it ended.
        out: From when to when it did not, in order.
    """
    found, begin = [], starts_at
    for left_at, back_at in (*out, (ends_at, ends_at)):
        if begin < min(left_at, ends_at):
            found.append((begin, min(left_at, ends_at)))
        begin = max(begin, back_at)
    return found


def intervals(
    owed: Spans, baseline: Baseline | None, metered: Mapping[int, tuple[float, float]]
) -> tuple[Interval, ...]:
    """Return the quarter-hours of an event, as far as it reaches into each.

    Args:
        owed: From when to when its word held, UTC epoch seconds, in order.
        baseline: What there would have been; None where nobody knows.
        metered: Mean of what the meter showed in the part of each quarter-hour that the event
            covers, and the s of it in which it was read.
    """
    covered: dict[int, tuple[float, float]] = {}
    for begin, end in owed:
        for start, shared_s in quarters(begin, end):
            first, known_s = covered.get(start, (max(float(start), begin), 0.0))
            covered[start] = first, known_s + shared_s
    found = []
    for start, (first, shared_s) in covered.items():
        would_w = None if baseline is None else baseline.powers.get(start)
        was_w, read_s = metered.get(start, (None, 0.0))
        found.append(
            Interval(
                start=first,
                length_s=shared_s,
                baseline_wh=None if would_w is None else would_w * shared_s / 3600.0,
                metered_wh=None if was_w is None else was_w * read_s / 3600.0,
                measured_s=min(read_s, shared_s),
            )
        )
    return tuple(found)
