"""Which events get a row of their own, and which are counted in one: a flood must not fill a disk.

The same event again within ten minutes is counted; one row tells how often it was. Of a kind, and
of a kind from one source, only so many rows an hour are written; what is above that is counted by
its kind alone, and one row tells how many there were. So nothing goes without a trace.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from der.sentence import say
from hems.emg.threats.entry import Entry
from hems.emg.threats.severity import Said, severity
from hems.security_event import EventKind, SecurityEvent

FOLD_S: Final = 600.0
BUDGET_S: Final = 3600.0
MOST_OF_KIND: Final = 120
"""Rows of one kind in an hour."""
MOST_OF_SOURCE: Final = 30
"""The same of those that come from one source."""
MOST_FOLDED: Final = 512
UNWRITTEN: Final = frozenset({EventKind.SETPOINT})
"""Kinds that happen each second: they are judged, and not written down."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be a row.

    Attributes:
        at: UTC epoch seconds.
        entry: What it says.
    """

    at: float
    entry: Entry


@dataclass(slots=True)
class _Repeats:
    """An event that has its row.

    Attributes:
        event: The event.
        until: When it is told how often it was since, monotonic seconds.
        times: How often that is.
        since: When the first of these was, UTC epoch seconds.
        row: Number of its row; 0 until that is known.
    """

    event: SecurityEvent
    until: float
    times: int = 0
    since: float = 0.0
    row: int = 0


@dataclass(slots=True)
class _Dropped:
    until: float
    since: float
    times: int = 0


_Key = tuple[EventKind, str, str, str]


@dataclass(slots=True)
class Folder:
    """Folds events; `at` is UTC, `now` the monotonic clock, both in s.

    Attributes:
        said: Returns what the service provider says of how grave kinds are.
    """

    said: Callable[[], Said] = dict
    _repeats: OrderedDict[_Key, _Repeats] = field(default_factory=OrderedDict)
    _rows: deque[tuple[float, EventKind, str]] = field(default_factory=deque)
    _of_kind: Counter[EventKind] = field(default_factory=Counter)
    _of_source: Counter[tuple[EventKind, str]] = field(default_factory=Counter)
    _dropped: dict[EventKind, _Dropped] = field(default_factory=dict)

    def take(self, event: SecurityEvent, at: float, now: float) -> list[Draft]:
        """Return the rows that an event leads to: mostly one or none."""
        if event.kind in UNWRITTEN:
            return []
        key = _key(event)
        known = self._repeats.get(key)
        if known is not None and now < known.until:
            known.since = known.since if known.times else at
            known.times += 1
            return []
        told = [] if known is None else self._end(key, at)
        if not self._room(event, now):
            dropped = self._dropped.setdefault(event.kind, _Dropped(now + BUDGET_S, at))
            dropped.times += 1
            return told
        self._repeats[key] = _Repeats(event, now + FOLD_S)
        while len(self._repeats) > MOST_FOLDED:
            told += self._end(next(iter(self._repeats)), at)
        return [*told, Draft(at, Entry.of(event, severity(event.kind, self.said())))]

    def due(self, at: float, now: float) -> list[Draft]:
        """Return the rows that tell how often something was whose time is over."""
        told: list[Draft] = []
        while self._repeats:
            key, first = next(iter(self._repeats.items()))
            if now < first.until:
                break
            told += self._end(key, at)
        for kind in [k for k, dropped in self._dropped.items() if now >= dropped.until]:
            told.append(self._counted(kind, self._dropped.pop(kind), at))
        return told

    def rest(self, at: float) -> list[Draft]:
        """Return the rows for all that was counted so far; for the end."""
        told = [draft for key in list(self._repeats) for draft in self._end(key, at)]
        told += [self._counted(kind, dropped, at) for kind, dropped in self._dropped.items()]
        self._dropped.clear()
        return told

    def numbered(self, event: SecurityEvent, row: int) -> None:
        """Take down the number of the row that an event has been given."""
        known = self._repeats.get(_key(event))
        if known is not None:
            known.row = row

    def row(self, event: SecurityEvent) -> int:
        """Return the number of the row that an event is told or counted in; 0 for none."""
        known = self._repeats.get(_key(event))
        return 0 if known is None else known.row

    def _room(self, event: SecurityEvent, now: float) -> bool:
        """Return whether an event may have a row; it then has taken its place."""
        while self._rows and now - self._rows[0][0] >= BUDGET_S:
            _, kind, source = self._rows.popleft()
            self._of_kind -= Counter([kind])
            self._of_source -= Counter([(kind, source)])
        pair = (event.kind, event.source)
        if self._of_kind[event.kind] >= MOST_OF_KIND or self._of_source[pair] >= MOST_OF_SOURCE:
            return False
        self._rows.append((now, event.kind, event.source))
        self._of_kind[event.kind] += 1
        self._of_source[pair] += 1
        return True

    def _end(self, key: _Key, at: float) -> list[Draft]:
        found = self._repeats.pop(key)
        if not found.times:
            return []
        entry = Entry.of(found.event, severity(found.event.kind, self.said()))
        return [Draft(at, _standing_for(entry, found.times, found.since))]

    def _counted(self, kind: EventKind, dropped: _Dropped, at: float) -> Draft:
        text = say(
            "So many more of this kind were not written down one by one: {count}.",
            count=dropped.times,
        )
        entry = Entry.of(SecurityEvent(kind, text), severity(kind, self.said()))
        return Draft(at, _standing_for(entry, dropped.times, dropped.since))


def _key(event: SecurityEvent) -> _Key:
    return event.kind, event.about, event.source, str(event.text)


def _standing_for(entry: Entry, times: int, since: float) -> Entry:
    """Return an entry that stands for several events."""
    return entry.model_copy(update={"times": times, "since": since})
