"""Customer baseline: what a home would have taken on a day like this, from days like it. Pure.

The mean of the same quarter-hours by the clock on the wall on earlier days of the same kind:
working days against working days, weekends against weekends, none on which an event was under way.
Markets that pay for reduced load (BUC-6) take of the last so many days those with the highest use
in the event's hours, and move the mean up or down by as much as the home differed from it before
the event, so that a hot day is not measured against cool ones.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, floor, inf
from typing import Final
from zoneinfo import ZoneInfo

from der.sentence import Template, say

QUARTER_S: Final = 900
LOOK_BACK_DAYS: Final = 45
"""Days further back are no days like this one any more."""
BEFORE_FROM_S: Final = 3 * 3600.0
_BEFORE_UNTIL_S: Final = 3600.0
"""The two hours by which a baseline is adjusted end an hour before the event: nobody has acted on
it by then."""
_WEEKEND: Final = 5
_LEAST_KNOWN: Final = 0.9
"""A day of whose quarter-hours less than this share is known does not count."""

Powers = Mapping[int, float]
"""Mean net power by start of the quarter-hour, UTC epoch seconds; what is missing is unknown."""


@dataclass(frozen=True, slots=True)
class Method:
    """How a baseline is found.

    Attributes:
        days: So many of the latest days that count are looked at.
        least: With fewer there is no baseline.
        highest: So many of them, those with the highest mean in the event, are averaged; None for
            all.
        adjusted: Whether the mean is moved by as much as the same day differed before the event.
        most_adjusted: Bound of that, as a share of the unadjusted mean; infinite for none.
        words: The method, for people.
    """

    days: int
    least: int
    highest: int | None
    adjusted: bool
    words: Template
    most_adjusted: float = inf


MEAN_OF_10: Final = Method(
    10, 3, None, False, Template("the mean of the same time on {days} comparable days")
)
HIGH_4_OF_5: Final = Method(5, 4, 4, True, Template("the highest four of the last five like days"))
TEN_OF_10: Final = Method(10, 10, None, True, Template("the last ten like days"))


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


def counts(starts_at: float, ends_at: float, other: float, powers: Powers) -> bool:
    """Return whether enough is known of another day for it to count.

    Args:
        starts_at: When the event began, UTC epoch seconds.
        ends_at: When it ended.
        other: Its begin on the other day.
        powers: What the meter showed.
    """
    wanted = [start for start, _ in quarters(starts_at, ends_at)]
    by_s = _apart_s(starts_at, other)
    known = sum(start - by_s in powers for start in wanted)
    return bool(wanted) and known >= _LEAST_KNOWN * len(wanted)


def baseline(
    starts_at: float, ends_at: float, same: Sequence[float], powers: Powers, method: Method
) -> Baseline | None:
    """Return the baseline from other days; None where too few are known.

    Args:
        starts_at: When the event began, UTC epoch seconds.
        ends_at: When it ended.
        same: Its begin on comparable days, the latest first.
        powers: What the meter showed, before the event too where the method adjusts by that.
        method: How it is found.

    Returns:
        Without what is needed to adjust it, one that is not adjusted and says so.
    """
    wanted = [start for start, _ in quarters(starts_at, ends_at)]
    before = _before(starts_at) if method.adjusted else ()
    good = [other for other in same if counts(starts_at, ends_at, other, powers)]
    days = [
        _moved(powers, (*wanted, *before), _apart_s(starts_at, other))
        for other in good[: method.days]
    ]
    if len(days) < method.least:
        return None
    ranked = sorted(days, key=lambda day: _mean(day, wanted), reverse=True)
    chosen = ranked[: method.highest]
    means = {}
    for start in wanted:
        known = [day[start] for day in chosen if start in day]
        if known:
            means[start] = sum(known) / len(known)
    words = method.words(days=len(chosen))
    if not method.adjusted:
        return Baseline(means, words)
    if not all(start in day for start in before for day in (powers, *chosen)):
        unadjusted = say("{days}, not adjusted: the time before the event is not known", days=words)
        return Baseline(means, unadjusted)
    usual_w = sum(_mean(day, before) for day in chosen) / len(chosen)
    most_w = method.most_adjusted * abs(sum(means.values()) / len(means))
    by_w = min(max(_mean(powers, before) - usual_w, -most_w), most_w)
    adjusted = say("{days}, adjusted by the same day", days=words)
    return Baseline({start: power_w + by_w for start, power_w in means.items()}, adjusted)


def constant(starts_at: float, ends_at: float, power_w: float, words: str) -> Baseline:
    """Return a baseline that is the same all the time."""
    return Baseline({start: power_w for start, _ in quarters(starts_at, ends_at)}, words)


def _before(starts_at: float) -> Sequence[int]:
    """Return the whole quarter-hours by which a baseline is adjusted, by start."""
    first = ceil((starts_at - BEFORE_FROM_S) / QUARTER_S)
    last = floor((starts_at - _BEFORE_UNTIL_S) / QUARTER_S)
    return [number * QUARTER_S for number in range(first, last)]


def _apart_s(starts_at: float, other: float) -> int:
    """Return how far two days lie apart: whole quarter-hours, as a change of the clock is, too."""
    return round((starts_at - other) / QUARTER_S) * QUARTER_S


def _moved(powers: Powers, starts: Sequence[int], by_s: int) -> Powers:
    return {start: powers[start - by_s] for start in starts if start - by_s in powers}


def _mean(day: Powers, starts: Sequence[int]) -> float:
    known = [day[start] for start in starts if start in day]
    return sum(known) / len(known)
