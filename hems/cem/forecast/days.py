"""The home's past days laid over the coming slots: what was, at the same hour, so many days ago.

People live by the clock of their zone and the sun does not: loads are laid over by local time, so
that breakfast stays breakfast when the clocks change, the sun by UTC.
"""

import math
from datetime import datetime
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from hems.cem.forecast.past import Floats
from hems.cem.slots import Slots

Ints: TypeAlias = NDArray[np.int64]

DAY_S: Final = 86400.0
KNOWN: Final = 0.5
"""Share of a step that has to be known for its mean to be."""


def resampled(values: Floats, of: Slots, to: Slots) -> Floats:
    """Return means over other steps of time; NaN where less than half of a step is known.

    Args:
        values: Means over the steps `of`, in any unit of power; NaN where unknown.
        of: Their steps.
        to: The steps wanted, finer or coarser, not necessarily aligned with them.
    """
    first = max(0, of.at(to.start))
    last = min(of.count, of.at(to.end) + 1)
    if last <= first:
        return np.full(to.count, np.nan)
    part = values[first:last]
    known = np.isfinite(part)
    edges = of.start + of.step_s * np.arange(first, last + 1)
    sums = np.zeros((2, edges.size))
    np.cumsum(np.where(known, part, 0.0), out=sums[0, 1:])
    np.cumsum(known, out=sums[1, 1:])
    wanted = to.start + to.step_s * np.arange(to.count + 1)
    energy = np.diff(np.interp(wanted, edges, sums[0]))
    time = np.diff(np.interp(wanted, edges, sums[1]))
    enough = time * of.step_s >= (KNOWN - 1e-9) * to.step_s
    return np.where(enough, energy / np.where(enough, time, 1.0), np.nan)


def before(slots: Slots, days: int) -> Slots:
    """Return the steps of so many days that end where `slots` begin, of the same length."""
    count = math.ceil(days * DAY_S / slots.step_s)
    return Slots(slots.start - count * slots.step_s, slots.step_s, count)


def sources(window: Slots, slots: Slots, days: int, zone: ZoneInfo | None = None) -> Ints:
    """Return which step of the past each past day lays over each coming slot.

    Row `k` holds the course that began `k + 1` days ago. Where that course has not ended yet, it
    is continued by the last day that has.

    Args:
        window: Steps of the past, as `before` gives them.
        slots: The coming slots.
        days: How many rows.
        zone: Whose clock counts; None for UTC.

    Returns:
        Indices into the window, one row a day, one column a slot.
    """
    starts: Floats = slots.start + slots.step_s * np.arange(slots.count, dtype=np.float64)
    ahead = np.floor((starts - slots.start) / DAY_S).astype(np.int64) + 1
    ago = np.maximum(np.arange(1, days + 1)[:, None], ahead[None, :])
    times: Floats = starts[None, :] - DAY_S * ago
    if zone is not None:
        times = times + _shift(zone, starts, times)
    found: Ints = np.floor((times - window.start) / window.step_s + 0.5).astype(np.int64)
    return np.clip(found, 0, window.count - 1)


def trend(values: Floats, memory: float) -> Floats:
    """Return for each value the mean of those up to it, the nearest counting most.

    Args:
        values: NaN where unknown: passed over.
        memory: How many values back one counts for 1/e.

    Returns:
        As many; NaN where nothing is known within thrice the memory.
    """
    fading = np.exp(-np.arange(max(1.0, math.ceil(3.0 * memory))) / memory)
    known = np.isfinite(values)
    size = np.convolve(known, fading)[: values.size]
    total = np.convolve(np.where(known, values, 0.0), fading)[: values.size]
    enough = size > fading[-1] / 2
    return np.where(enough, total / np.where(enough, size, 1.0), np.nan)


def alike_days(
    slots: Slots, days: int, zone: ZoneInfo, holidays: frozenset[int]
) -> NDArray[np.bool_]:
    """Return, for each of the past days, whether people live on it as on the day that begins now.

    Args:
        slots: The coming slots.
        days: How many days back.
        zone: Whose days these are.
        holidays: Ordinals of days that are as Sundays.
    """
    today = datetime.fromtimestamp(slots.start, zone).date().toordinal()

    def free(day: int) -> bool:
        return day in holidays or day % 7 in {6, 0}

    return np.array([free(today - k) == free(today) for k in range(1, days + 1)], dtype=np.bool_)


def _offset(zone: ZoneInfo, when: float) -> float:
    """Return how far the zone's clock is ahead of UTC, s."""
    offset = datetime.fromtimestamp(when, zone).utcoffset()
    return 0.0 if offset is None else offset.total_seconds()


def _shift(zone: ZoneInfo, starts: Floats, times: Floats) -> Floats:
    """Return what to add to past times for the zone's clock to show what it will at `starts`.

    Clocks change at most once in some weeks: a look at each day's edges finds out whether the
    slow way is needed at all.
    """
    edges = np.arange(float(times.min()), float(starts[-1]) + DAY_S, DAY_S)
    seen = [_offset(zone, when) for when in edges]
    if len(set(seen)) == 1:
        return np.zeros_like(times)
    ahead = np.array([_offset(zone, when) for when in starts])
    behind = np.array([[_offset(zone, when) for when in row] for row in times])
    shift: Floats = ahead - behind
    return shift
