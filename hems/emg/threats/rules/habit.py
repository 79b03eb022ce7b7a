"""Changes at an hour at which nobody of the house makes any. Pure.

The home's own habit is learnt: by each hour of the day on the wall, how often somebody of the
house changed something. After three weeks with enough of it, a change that is far from all of
them is found odd; it then counts as a habit like any other.
"""

from dataclasses import dataclass, replace
from typing import Final

from der.sentence import Template, say
from hems.emg.threats.rules.finding import Finding, Seen, Threat
from hems.emg.threats.severity import Severity
from hems.security_event import EventKind

KINDS: Final = frozenset(
    {
        EventKind.ACCOUNT_CHANGED,
        EventKind.CONFIG_CHANGED,
        EventKind.DEVICE_ADMITTED,
        EventKind.KEY_CHANGED,
    }
)
HOURS: Final = 24
LEARNS_S: Final = 21 * 86_400.0
LEAST: Final = 12
"""Changes in different hours of different days that there must have been."""
NEAR_H: Final = 3
"""A change within so many hours of a former one is nothing odd."""
AGAIN_S: Final = 3600.0
"""What is changed within an hour is one change."""

_TEXT: Final = Template(
    "Something was changed at {hour} o'clock, when nobody of this home usually changes anything."
)
_ADVICE: Final = say(
    "If that was nobody of you, change the owner's password and look into the log of changes."
)


@dataclass(frozen=True, slots=True)
class Habit:
    """What is known of when the home is changed.

    Attributes:
        hours: How many changes there were, by hour of the day.
        since: When the first of them was, UTC epoch seconds; None before.
        last: When the last one was, the same.
    """

    hours: tuple[int, ...] = (0,) * HOURS
    since: float | None = None
    last: float | None = None


def step(habit: Habit, seen: Seen, hour: int) -> tuple[Habit, Finding | None]:
    """Return the habit after an event, and whether the event was odd.

    Args:
        habit: Before.
        seen: The event.
        hour: Of the day, by the home's clock on the wall, 0 to 23.
    """
    if seen.event.kind not in KINDS:
        return habit, None
    if habit.last is not None and 0 <= seen.at - habit.last < AGAIN_S:
        return replace(habit, last=seen.at), None
    odd = _odd(habit, seen.at, hour)
    hours = tuple(count + (index == hour) for index, count in enumerate(habit.hours))
    since = seen.at if habit.since is None else min(habit.since, seen.at)
    return Habit(hours, since, seen.at), _finding(seen, hour) if odd else None


def _odd(habit: Habit, at: float, hour: int) -> bool:
    if habit.since is None or at - habit.since < LEARNS_S or sum(habit.hours) < LEAST:
        return False
    return not any(habit.hours[(hour + off) % HOURS] for off in range(-NEAR_H, NEAR_H + 1))


def _finding(seen: Seen, hour: int) -> Finding:
    return Finding(
        threat=Threat.ODD_HOUR,
        severity=Severity.WARNING,
        text=_TEXT(hour=hour),
        advice=_ADVICE,
        about=seen.event.about,
        source=seen.event.source,
        evidence=(seen.row,) if seen.row else (),
        at=seen.at,
    )
