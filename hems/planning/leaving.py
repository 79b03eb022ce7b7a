"""When a car usually leaves, learned from when it has left; pure."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from hems.cem.local_time import instant
from hems.cem.planner.question import Stay

LEAST: Final = 3
"""So many times it must have left about then."""
LOOK_BACK_S: Final = 42 * 86400.0
NEAR_MIN: Final = 60
"""This far from the usual time still counts as about then, in minutes."""
_STAYED_S: Final = 1800.0
"""Who only looks in does not tell when it leaves."""
_DAY_MIN: Final = 24 * 60
_ROUND_MIN: Final = 5
_SATURDAY: Final = 5
_DAYS_AHEAD: Final = 4


def next_leaving(stays: Iterable[Stay], device: str, zone: ZoneInfo, now: float) -> float | None:
    """Return when a car is next expected to leave, UTC epoch seconds; None where it has no habit.

    Args:
        stays: Of all chargers.
        device: Id of the car's charger.
        zone: The home's; workdays have a habit of their own, and so have weekends.
        now: UTC epoch seconds.
    """
    left = [
        datetime.fromtimestamp(stay.left_at, zone)
        for stay in stays
        if stay.device == device
        and stay.left_at is not None
        and now - LOOK_BACK_S <= stay.left_at <= now
        and stay.left_at - stay.came_at >= _STAYED_S
    ]
    today = datetime.fromtimestamp(now, zone).date()
    for number in range(_DAYS_AHEAD):
        day = today + timedelta(days=number)
        clock = usual([each for each in left if _weekend(each.date()) is _weekend(day)])
        if clock is not None and (found := instant(day, clock, zone)) > now:
            return found
    return None


def usual(left: Sequence[datetime]) -> time | None:
    """Return the time of the day about which most of these lie, to five minutes; None for none.

    It is the one with the least way to all others round the clock, so that one odd day does not
    move it; without `LEAST` of them and more than half of all near it, there is no habit.
    """
    minutes = [each.hour * 60 + each.minute for each in left]
    if not minutes:
        return None
    middle = min(minutes, key=lambda m: (sum(_apart(m, other) for other in minutes), m))
    near = sum(_apart(middle, other) <= NEAR_MIN for other in minutes)
    if near < LEAST or 2 * near <= len(minutes):
        return None
    found = round(middle / _ROUND_MIN) * _ROUND_MIN % _DAY_MIN
    return time(*divmod(found, 60))


def _apart(one: int, other: int) -> int:
    """Return the way between two minutes of the day, the shorter way round."""
    way = abs(one - other)
    return min(way, _DAY_MIN - way)


def _weekend(day: date) -> bool:
    return day.weekday() >= _SATURDAY
