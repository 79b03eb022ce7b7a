"""What homes tell of their days in numbers, kept for a while; and, pure, whose stand out."""

import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from hems.bulletin import Statistics
from hems.headend.errors import DispatchError
from hems.headend.shelf import Shelf
from hems.headend.store import Store

KEPT_DAYS: Final = 90
LEAST_HOMES: Final = 5
"""Below so many nobody can say what is usual."""
LEAST_COUNT: Final = 10
"""What happens less often than this in a home is no reason to look at it."""
_SPREADS: Final = 6.0
_TIMES: Final = 5.0
_NORMAL: Final = 1.4826
"""Median absolute deviation to standard deviation, of a normal distribution."""
_LATE_DAYS: Final = 31


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A home in which something happened far more often than in the others.

    Attributes:
        home: Its LFDI.
        kind: Of what kind the events are.
        count: How many there were.
        usual: The median over all homes.
    """

    home: str
    kind: str
    count: int
    usual: float


def anomalies(homes: Mapping[str, Mapping[str, int]]) -> Sequence[Anomaly]:
    """Return whose numbers stand out, the farthest first.

    A count stands out if it is beyond six robust standard deviations (by the median absolute
    deviation) and beyond five times the median: the first alone would find any home among many
    that are all quiet, the second alone any where counts differ widely by nature.

    Args:
        homes: How many events of each kind there were, by home; a home that told nothing is not
            in it, one in which nothing happened is.
    """
    if len(homes) < LEAST_HOMES:
        return ()
    found: list[Anomaly] = []
    for kind in sorted({kind for counts in homes.values() for kind in counts}):
        values = {home: counts.get(kind, 0) for home, counts in homes.items()}
        usual = statistics.median(values.values())
        spread = statistics.median(abs(value - usual) for value in values.values()) * _NORMAL
        most = max(LEAST_COUNT, usual + _SPREADS * spread, _TIMES * usual)
        found += [Anomaly(home, kind, v, usual) for home, v in values.items() if v > most]
    return sorted(found, key=lambda each: (-each.count / (each.usual + 1), each.home, each.kind))


class StatisticsBook:
    """The days that homes told.

    Args:
        store: The open database.
        now: UTC epoch seconds.
    """

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._kept = Shelf(store, "statistics", Statistics)
        self._now = now

    async def take(self, home: str, day: Statistics) -> None:
        """Keep a home's day; told again, it takes the place of what was told.

        Raises:
            DispatchError: The day is not over a short while ago.
            BusyError: The database cannot take it.
        """
        today = self._today()
        if not today - timedelta(days=_LATE_DAYS) <= day.day <= today + timedelta(days=1):
            raise DispatchError(f"{day.day} is not a day of the last {_LATE_DAYS}")
        await self._kept.put((_name(home, day.day), home, day))

    async def keep(self) -> None:
        """Forget what is old."""
        oldest = self._today() - timedelta(days=KEPT_DAYS)
        await self._kept.drop(*(k for k, day in self._kept.all.items() if day.item.day < oldest))

    def events(self, days: int) -> Mapping[str, Mapping[str, int]]:
        """Return how many events of each kind there were in the last days, by home."""
        found: dict[str, Counter[str]] = {}
        for home, told in self._recent(days):
            found.setdefault(home, Counter()).update(told.events)
        return found

    def devices(self, days: int) -> Mapping[tuple[str, str, str], int]:
        """Return how many devices of each maker, model and firmware there are, as last told."""
        last: dict[str, Statistics] = {}
        for home, told in self._recent(days):
            if home not in last or last[home].day < told.day:
                last[home] = told
        found: Counter[tuple[str, str, str]] = Counter()
        for told in last.values():
            for each in told.devices:
                found[each.manufacturer, each.model, each.firmware] += each.count
        return found

    def _recent(self, days: int) -> Sequence[tuple[str, Statistics]]:
        oldest = self._today() - timedelta(days=days)
        return [(d.owner, d.item) for d in self._kept.all.values() if d.item.day >= oldest]

    def _today(self) -> date:
        return datetime.fromtimestamp(self._now(), UTC).date()


def _name(home: str, day: date) -> str:
    return f"{home} {day.isoformat()}"
