"""The home's civil calendar: days, months and hours as its clock shows them, by UTC; pure.

A day begins when the clock first shows its midnight, or jumps over it, and lasts until the next
one does: 23 to 25 hours where daylight saving is an hour, 23.5 to 24.5 where it is half of one. A
day that a zone skips altogether has no period. An hour begins with each whole hour that the clock
shows, and whenever the clock is set: one that is shown twice is two, one that is cut off is short.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from math import floor
from typing import Final
from zoneinfo import ZoneInfo

from hems.cem import local_time
from hems.cem.tariff import wall_clock

MINUTE_S: Final = 60
QUARTER_S: Final = 900
_MIDNIGHT: Final = time()
_HOURS: Final = range(0, 24 * 60, 60)
_MONTHS: Final = 12
_WEEK_DAYS: Final = 7
_YEAR_OF_WEEKS: Final = timedelta(days=52 * _WEEK_DAYS)
_DAY: Final = timedelta(days=1)

Period = tuple[float, float]
"""Start and end, UTC epoch seconds."""


class Grain(StrEnum):
    """What time is divided into."""

    MINUTE = "minute"
    QUARTER_HOUR = "quarter-hour"
    """Quarter-hours of UTC, which every zone of today shares."""
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


class Before(StrEnum):
    """With what time one is compared."""

    BEFORE = "before"
    """The one just before, as long by the calendar: May with June, yesterday with today."""
    YEAR = "year"
    """The same a year before; of a whole week, the week 52 weeks before, for its weekdays."""


def day_start(day: date, zone: ZoneInfo) -> float:
    """Return when a day begins, UTC epoch seconds."""
    return local_time.instant(day, _MIDNIGHT, zone)


def day_of(when: float, zone: ZoneInfo) -> date:
    """Return the day in which an instant lies.

    It is the date that the clock shows, but where the clock is set back over midnight: the day
    that has begun goes on then.
    """
    shown = datetime.fromtimestamp(when, zone).date()
    following = shown + _DAY
    return following if day_start(following, zone) <= when else shown


def periods(start: float, end: float, step: Grain, zone: ZoneInfo) -> Iterator[Period]:
    """Yield the whole periods that overlap [start, end), UTC epoch seconds, side by side."""
    if step in _LENGTHS:
        yield from _equal(start, end, _LENGTHS[step])
    elif step is Grain.HOUR:
        yield from _hours(start, end, zone)
    else:
        yield from _days(start, end, step, zone)


def shift(start: date, end: date, by: Before) -> tuple[date, date]:
    """Return the days that days are compared with.

    Args:
        start: The first.
        end: The first one after them.
        by: Which are meant.
    """
    if by is Before.YEAR:
        if (end - start).days == _WEEK_DAYS:
            return start - _YEAR_OF_WEEKS, end - _YEAR_OF_WEEKS
        return _months_before(start, _MONTHS), _months_before(end, _MONTHS)
    if start.day == end.day == 1:
        months = (end.year - start.year) * _MONTHS + end.month - start.month
        return _months_before(start, months), start
    return start - (end - start), start


def month_after(month: date) -> date:
    """Return the first day of the month after the one in which a day lies."""
    return _months_before(month.replace(day=1), -1)


def month_before(month: date) -> date:
    """Return the first day of the month before the one in which a day lies."""
    return _months_before(month.replace(day=1), 1)


_LENGTHS: Final = {Grain.MINUTE: MINUTE_S, Grain.QUARTER_HOUR: QUARTER_S}


def _equal(start: float, end: float, length_s: int) -> Iterator[Period]:
    at = float(floor(start / length_s) * length_s)
    while at < end:
        yield at, at + length_s
        at += length_s


def _hours(start: float, end: float, zone: ZoneInfo) -> Iterator[Period]:
    # Two hours back an hour has begun, whatever was set in between.
    begun = start - 2 * 3600.0
    for edge in wall_clock.edges(begun, end + 2 * 3600.0, zone, _HOURS):
        if edge > start and begun < end:
            yield begun, edge
        begun = edge


def _days(start: float, end: float, step: Grain, zone: ZoneInfo) -> Iterator[Period]:
    day = day_of(start, zone)
    if step is Grain.MONTH:
        day = day.replace(day=1)
    begun = day_start(day, zone)
    while begun < end:
        day = month_after(day) if step is Grain.MONTH else day + _DAY
        ended = day_start(day, zone)
        if ended > begun:
            yield begun, ended
        begun = ended


def _months_before(day: date, months: int) -> date:
    """Return the same day of another month; its last one where it is shorter."""
    year, month = divmod(day.year * _MONTHS + day.month - 1 - months, _MONTHS)
    first = date(year, month + 1, 1)
    following = date(year + month // (_MONTHS - 1), (month + 1) % _MONTHS + 1, 1)
    return first.replace(day=min(day.day, (following - first).days))
