"""The customer baseline: what the home draws at this time on other days; pure.

The mean of the same quarter-hours on the last comparable days without an event, working days
against working days and weekends against weekends, ten of them at most and three at least. Where
the home has not lived so many, the meter's mean of the quarter-hour before the event stands.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, floor
from typing import Final
from zoneinfo import ZoneInfo

from der.sentence import say
from hems.store.performances import Interval

QUARTER_S: Final = 900
DAYS: Final = 10
LEAST_DAYS: Final = 3
LOOK_BACK_DAYS: Final = 40
_WEEKEND: Final = 5
_LEAST_KNOWN: Final = 0.9
"""A day of whose quarter-hours less than this share is known does not count."""

Powers = Mapping[int, float]
"""Mean net power by start of the quarter-hour, UTC epoch seconds; what is missing is unknown."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What there would have been.

    Attributes:
        powers: By start of the event's quarter-hours; empty where nobody knows.
        words: How it was found.
    """

    powers: Powers
    words: str

    def mean_w(self, starts_at: float, ends_at: float) -> float | None:
        """Return the mean over a time, W; None where a quarter-hour of it is not known."""
        parts = quarters(starts_at, ends_at)
        if not parts or any(start not in self.powers for start, _ in parts):
            return None
        return sum(self.powers[start] * s for start, s in parts) / sum(s for _, s in parts)


def quarters(starts_at: float, ends_at: float) -> Sequence[tuple[int, float]]:
    """Return the quarter-hours of UTC that a time touches: start, and s that it shares with it."""
    first, last = floor(starts_at / QUARTER_S), ceil(ends_at / QUARTER_S)
    found = []
    for number in range(first, last):
        start = number * QUARTER_S
        shared_s = min(ends_at, start + QUARTER_S) - max(starts_at, start)
        if shared_s > 0:
            found.append((start, shared_s))
    return found


def comparable(
    at: float, length_s: float, zone: ZoneInfo, busy: Collection[tuple[float, float]]
) -> Sequence[float]:
    """Return the same time on earlier comparable days, the latest first, UTC epoch seconds.

    Args:
        at: When an event begins, UTC epoch seconds.
        length_s: How long it lasts; a time that reaches into the event itself does not count.
        zone: The home's.
        busy: From when to when other events ran: their days do not count.
    """
    local = datetime.fromtimestamp(at, zone)
    held = {
        datetime.fromtimestamp(moment, zone).date()
        for starts_at, ends_at in busy
        for moment in _noons(starts_at, ends_at)
    }
    days = [local - timedelta(days=number) for number in range(1, LOOK_BACK_DAYS + 1)]
    weekend = local.weekday() >= _WEEKEND
    alike = (d.timestamp() for d in days if (d.weekday() >= _WEEKEND) is weekend)
    return [
        begin
        for begin in alike
        if begin + length_s <= at
        and not any(
            datetime.fromtimestamp(moment, zone).date() in held
            for moment in _noons(begin, begin + length_s)
        )
    ]


def _noons(starts_at: float, ends_at: float) -> list[float]:
    """Return an instant in each day that a time touches."""
    count = ceil((ends_at - starts_at) / 86_400)
    return [min(starts_at + number * 86_400, ends_at) for number in range(count + 1)]


def customer(
    starts_at: float, ends_at: float, same: Sequence[float], powers: Powers
) -> Baseline | None:
    """Return the baseline from other days; None where too few are known.

    Args:
        starts_at: When the event began, UTC epoch seconds.
        ends_at: When it ended.
        same: Its begin on comparable days, the latest first.
        powers: What the meter showed.
    """
    wanted = [start for start, _ in quarters(starts_at, ends_at)]
    days: list[dict[int, float]] = []
    for other in same:
        # Whole quarter-hours: a change of the clock is a whole number of them.
        by_s = round((starts_at - other) / QUARTER_S) * QUARTER_S
        day = {start: powers[start - by_s] for start in wanted if start - by_s in powers}
        if wanted and len(day) >= _LEAST_KNOWN * len(wanted):
            days.append(day)
        if len(days) == DAYS:
            break
    if len(days) < LEAST_DAYS:
        return None
    means = {}
    for start in wanted:
        known = [day[start] for day in days if start in day]
        if known:
            means[start] = sum(known) / len(known)
    return Baseline(
        means, say("the mean of the same time on {days} comparable days", days=len(days))
    )


def constant(starts_at: float, ends_at: float, power_w: float, words: str) -> Baseline:
    """Return a baseline that is the same all the time."""
    return Baseline({start: power_w for start, _ in quarters(starts_at, ends_at)}, words)


def intervals(
    starts_at: float,
    ends_at: float,
    baseline: Baseline | None,
    metered: Mapping[int, tuple[float, float]],
) -> tuple[Interval, ...]:
    """Return the quarter-hours of an event, as far as it reaches into each.

    Args:
        starts_at: When it began, UTC epoch seconds.
        ends_at: When it ended.
        baseline: What there would have been; None where nobody knows.
        metered: Mean of what the meter showed in the part of each quarter-hour that the event
            covers, and the s of it in which it was read.
    """
    found = []
    for start, shared_s in quarters(starts_at, ends_at):
        would_w = None if baseline is None else baseline.powers.get(start)
        was_w, read_s = metered.get(start, (None, 0.0))
        found.append(
            Interval(
                start=max(float(start), starts_at),
                length_s=shared_s,
                baseline_wh=None if would_w is None else would_w * shared_s / 3600.0,
                metered_wh=None if was_w is None else was_w * read_s / 3600.0,
                measured_s=min(read_s, shared_s),
            )
        )
    return tuple(found)
