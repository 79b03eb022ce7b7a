"""The home's clock on the wall: when it will show a time, and how an instant reads by it.

A day of 23 or 25 hours skips a time or shows it twice. One that is skipped is taken for the instant
at which the clock jumps over it, one that is shown twice for the first: for who has to be ready by
then, sooner is safer.
"""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from der.sentence import Template, say

_ON: Final = (
    Template("Mon {time}"),
    Template("Tue {time}"),
    Template("Wed {time}"),
    Template("Thu {time}"),
    Template("Fri {time}"),
    Template("Sat {time}"),
    Template("Sun {time}"),
)
EVERY_DAY: Final = frozenset(range(7))
"""Monday to Sunday, 0 to 6."""
_FAR_S: Final = 20 * 3600.0
"""An instant further off than this is told with its day of the week."""
_LOOK_DAYS: Final = 9
"""A week and the days at its ends: each allowed day comes once at least, whatever the zone."""


def next_time(
    clock: time, zone: ZoneInfo, after: float, days: Collection[int] = EVERY_DAY
) -> float | None:
    """Return when the clock shows a time next, UTC epoch seconds; None where no day is allowed.

    Args:
        clock: Hours and minutes.
        zone: The home's.
        after: UTC epoch seconds; the instant found is later.
        days: Days of the week on which it counts, 0 for Monday.
    """
    today = datetime.fromtimestamp(after, zone).date()
    for number in range(-1, _LOOK_DAYS):
        day = today + timedelta(days=number)
        if day.weekday() in days and (found := instant(day, clock, zone)) > after:
            return found
    return None


def instant(day: date, clock: time, zone: ZoneInfo) -> float:
    """Return when the clock shows a time on a day, UTC epoch seconds."""
    shown = datetime.combine(day, clock, zone)
    first, second = shown.timestamp(), shown.replace(fold=1).timestamp()
    if first <= second:
        return first  # shown once, or twice
    return _jump(second, first, zone)


def words(at: float, zone: ZoneInfo, seen_from: float) -> str:
    """Return an instant for the owner to read: "07:00", "Tue 07:00", "02:30 CET".

    Args:
        at: UTC epoch seconds.
        zone: The home's.
        seen_from: UTC epoch seconds; one that is far from it is told with its day.
    """
    local = datetime.fromtimestamp(at, zone)
    text = local.strftime("%H:%M")
    if abs(at - seen_from) >= _FAR_S:
        text = _ON[local.weekday()](time=text)
    other = local.replace(fold=1 - local.fold)
    # Only a time that the clock shows twice needs its zone's name beside it.
    twice = other.utcoffset() != local.utcoffset() and _shows(other)
    return say("{time} {zone}", time=text, zone=local.tzname() or "") if twice else text


def _shows(local: datetime) -> bool:
    """Return whether the clock really shows a local time: a skipped one comes back as another."""
    back = local.astimezone(UTC).astimezone(local.tzinfo)
    return back.replace(tzinfo=None, fold=0) == local.replace(tzinfo=None, fold=0)


def _jump(before: float, after: float, zone: ZoneInfo) -> float:
    """Return the second at which the clock jumps between two instants."""
    old = datetime.fromtimestamp(before, zone).utcoffset()
    while after - before > 1.0:
        middle = (before + after) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after
