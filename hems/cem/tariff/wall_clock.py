"""The clock on the wall of the home, and when it reaches a time; pure.

Tariffs are written by this clock and planned by UTC. Where daylight saving makes the clock skip
an hour, nothing of that hour is ever in force; where it repeats one, all of it is twice.
"""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from math import ceil, floor
from zoneinfo import ZoneInfo

DAY_S = 86_400
_MINUTE_S = 60


def offset_s(when: float, zone: ZoneInfo) -> float:
    """Return what the wall clock is ahead of UTC, s.

    Args:
        when: UTC epoch seconds.
        zone: Where the home is.
    """
    ahead = datetime.fromtimestamp(when, zone).utcoffset()
    return 0.0 if ahead is None else ahead.total_seconds()


def day_start(when: float, zone: ZoneInfo) -> float:
    """Return when the local day that holds `when` began, UTC epoch seconds."""
    day = datetime.fromtimestamp(when, zone).date()
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()


def next_day_start(when: float, zone: ZoneInfo) -> float:
    """Return when the local day that holds `when` ends: 23 to 25 hours after it began."""
    day = datetime.fromtimestamp(when, zone).date() + timedelta(days=1)
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()


def edges(start: float, end: float, zone: ZoneInfo, minutes: Collection[int]) -> Iterator[float]:
    """Yield every instant in (start, end) at which the wall clock may pass into another window.

    Args:
        start: UTC epoch seconds.
        end: UTC epoch seconds.
        zone: Where the home is.
        minutes: Minutes of the day, 0 to 1440, at which windows begin or end; midnight is one
            whether named or not.

    Yields:
        Those, and each change of the clock itself, in order of time.
    """
    of_day = sorted({0, *(minute % (24 * 60) for minute in minutes)})
    at = start
    while True:
        ahead = offset_s(at, zone)
        reached = _next(at + ahead, of_day) - ahead
        if offset_s(reached, zone) != ahead:
            reached = min(reached, _clock_change(at, reached, zone))
        if reached >= end:
            return
        yield reached
        at = reached


def _next(local: float, of_day: list[int]) -> float:
    """Return the first of these minutes of the day after a local time, both in local seconds."""
    midnight = floor(local / DAY_S) * DAY_S
    for minute in of_day:
        if midnight + minute * _MINUTE_S > local:
            return float(midnight + minute * _MINUTE_S)
    return float(midnight + DAY_S + of_day[0] * _MINUTE_S)


def _clock_change(before: float, after: float, zone: ZoneInfo) -> float:
    """Return the whole second at which the clock is set, between two instants that differ."""
    low, high, ahead = floor(before), ceil(after), offset_s(before, zone)
    while high - low > 1:
        middle = (low + high) // 2
        if offset_s(middle, zone) == ahead:
            low = middle
        else:
            high = middle
    return float(high)
