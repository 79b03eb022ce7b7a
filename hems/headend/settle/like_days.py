"""Which earlier days are like the day of an event: pure.

Working days are like working days; Saturdays, Sundays and holidays are like each other. The clock
on the wall counts, so that a day after a change of the clock has its hours where people have them.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

LOOK_BACK_DAYS: Final = 45
"""Days further back are no days like this one any more."""

_WEEKEND: Final = 5


@dataclass(frozen=True, slots=True)
class Calendar:
    """What days are.

    Attributes:
        zone: Whose clock people live by.
        holidays: Days that are like Sundays.
    """

    zone: tzinfo = UTC
    holidays: frozenset[date] = field(default_factory=frozenset)

    def day(self, at: float) -> date:
        """Return the day of a time."""
        return datetime.fromtimestamp(at, self.zone).date()

    def dates(self, begin: float, end: float) -> frozenset[date]:
        """Return all days that a time touches."""
        day, last = self.day(begin), self.day(end)
        return frozenset(day + timedelta(days=n) for n in range((last - day).days + 1))

    def free(self, day: date) -> bool:
        """Whether people are off work."""
        return day.weekday() >= _WEEKEND or day in self.holidays


def like_days(
    begin: float, end: float, calendar: Calendar, busy: Collection[date]
) -> Iterator[float]:
    """Yield when the same time of day began on earlier like days, the latest first, epoch s.

    Args:
        begin: Begin of the event, epoch s.
        end: Its end; a time that reaches into the event itself is not earlier.
        calendar: What days are.
        busy: Days that do not count, since something else was asked on them.
    """
    local = datetime.fromtimestamp(begin, calendar.zone)
    for number in range(1, LOOK_BACK_DAYS + 1):
        other = (local - timedelta(days=number)).replace(fold=0)
        at = other.timestamp()
        if at + (end - begin) > begin:
            continue
        if calendar.free(other.date()) is not calendar.free(local.date()):
            continue
        if calendar.dates(at, at + (end - begin)).isdisjoint(busy):
            yield at
