"""What of the home's past a baseline is found from: quarter-hour means by day; pure."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

STEP_S: Final = 900
LOOK_BACK_DAYS: Final = 45
"""Days further back are no days like this one any more."""
_SATURDAY: Final = 5
_BEFORE_FROM_S: Final = 3 * 3600.0
_BEFORE_UNTIL_S: Final = 3600.0
"""The two hours by which a baseline is adjusted end an hour before the event."""

Means = Mapping[date, Mapping[int, float]]


@dataclass(frozen=True, slots=True)
class Occasion:
    """An event as a baseline is asked for.

    Attributes:
        day: Day of the home's clock on which it began.
        event: Numbers of the quarter-hours that it touches, from that midnight on.
        before: Numbers of those by which the baseline is adjusted.
        begins: UTC epoch seconds of that midnight.
    """

    day: date
    event: tuple[int, ...]
    before: tuple[int, ...]
    begins: float


def occasion(starts_at: float, ends_at: float, zone: ZoneInfo) -> Occasion:
    """Return an event's quarter-hours, and those before it.

    Args:
        starts_at: UTC epoch seconds.
        ends_at: UTC epoch seconds, after the start.
        zone: Where the home is.
    """
    local = datetime.fromtimestamp(starts_at, zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    first = math.floor((starts_at - midnight) / STEP_S)
    last = math.ceil((ends_at - midnight) / STEP_S)
    from_n = math.ceil((starts_at - midnight - _BEFORE_FROM_S) / STEP_S)
    until_n = math.floor((starts_at - midnight - _BEFORE_UNTIL_S) / STEP_S)
    before = tuple(range(max(from_n, 0), max(until_n, 0)))
    return Occasion(local.date(), tuple(range(first, max(last, first + 1))), before, midnight)


def by_day(points: Iterable[tuple[float, float]], zone: ZoneInfo) -> Means:
    """Return quarter-hour means by the day of the home's clock and their number in it.

    Args:
        points: Start of each quarter-hour, UTC epoch seconds, and its mean net power in W.
        zone: Where the home is.
    """
    found: dict[date, dict[int, float]] = {}
    for at, power_w in points:
        local = datetime.fromtimestamp(at, zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
        number = round((at - midnight) / STEP_S)
        found.setdefault(local.date(), {})[number] = power_w
    return found


def like(means: Means, day: date, without: Collection[date]) -> Sequence[Mapping[int, float]]:
    """Return the days of the same kind (working day or weekend) before a day, the latest first.

    A day runs on into the next, for an event that passes midnight.

    Args:
        means: By day.
        day: The event's.
        without: Days with an event, which are no measure.
    """
    earlier = (day - timedelta(days=back) for back in range(1, LOOK_BACK_DAYS + 1))
    same = (d for d in earlier if (d.weekday() >= _SATURDAY) is (day.weekday() >= _SATURDAY))
    return [running_on(means, d) for d in same if d in means and d not in without]


def running_on(means: Means, day: date) -> Mapping[int, float]:
    """Return a day's means with those of the next behind them."""
    later = means.get(day + timedelta(days=1), {})
    own = means.get(day, {})
    quarters = round(86_400 / STEP_S)
    return {quarters + n: w for n, w in later.items()} | dict(own)
