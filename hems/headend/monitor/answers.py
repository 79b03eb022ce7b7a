"""What homes make of events: who opts out, who cannot, and which answers cannot be. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hems.headend.monitor.signals import Found, Rule
from hems.headend.monitor.thresholds import Thresholds

OPTED_OUT: Final = frozenset({4, 8})
CANNOT: Final = frozenset({251, 252, 253})
_BEGUN: Final = frozenset({2, 3, 8, 9})
"""Statuses that come of an event only once it has begun (IEEE 2030.5, Response.status)."""
_DONE: Final = 3
_SLACK_S: Final = 30.0
"""Clocks of homes differ by so much, s."""
_LEAST: Final = 5
_JUMP: Final = 2.0


@dataclass(frozen=True, slots=True)
class Answered:
    """What homes answered to an event.

    Attributes:
        mrid: Its mRID.
        homes: How many answered.
        by_status: How many homes said each status.
    """

    mrid: str
    homes: int
    by_status: Mapping[int, int]

    def share(self, statuses: frozenset[int]) -> float:
        """Return the share of those who said one of some statuses."""
        return self.count(statuses) / self.homes if self.homes else 0.0

    def count(self, statuses: frozenset[int]) -> int:
        """Return how many said one of some statuses."""
        return sum(self.by_status.get(status, 0) for status in statuses)


def unwilling(item: Answered, before: Sequence[Answered], of: Thresholds) -> list[Found]:
    """Return whether far more homes leave an event than left those before it.

    Args:
        item: The event.
        before: Earlier ones of the same programme.
        of: From which share on.
    """
    found: list[Found] = []
    for rule, statuses in ((Rule.OPTED_OUT, OPTED_OUT), (Rule.CANNOT_COMPLY, CANNOT)):
        count, asked = item.count(statuses), sum(each.homes for each in before)
        usual = sum(each.count(statuses) for each in before) / asked if asked else 0.0
        jumped = item.share(statuses) >= max(of.refused_share, _JUMP * usual)
        if count >= _LEAST and jumped:
            found.append(Found(rule, item.mrid, count))
    return found


def contradicts(status: int, at: float, begin: float, end: float, *, cancelled: bool) -> bool:
    """Return whether a response cannot be; one to an event of others is refused when it comes.

    Args:
        status: Its status.
        at: When it came, epoch s.
        begin: When the event begins at the earliest, epoch s.
        end: When it ends at the earliest, epoch s.
        cancelled: Whether the event was cancelled before it came.
    """
    if status in _BEGUN and at < begin - _SLACK_S:
        return True
    return status == _DONE and not cancelled and at < end - _SLACK_S
