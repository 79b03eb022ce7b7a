"""What was heard when: so that an answer which is older than a notification changes nothing.

Everything here is bounded: what no list names any more is let go after a while.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

Place: TypeAlias = tuple[str, str]
"""A list: name of the kind of its items, mRID of its programme."""

KEEP_S: Final = 86400.0
"""For how long something is remembered that no list names."""


@dataclass(frozen=True, slots=True)
class _Receipt:
    number: int
    at: float


@dataclass(frozen=True, slots=True)
class _List:
    number: int
    named: frozenset[str]
    said: frozenset[str]


class Receipts:
    """When events and lists were last heard of, and what the lists named."""

    def __init__(self) -> None:
        self._number = 0
        self._events: dict[str, _Receipt] = {}
        self._lists: dict[Place, _List] = {}

    def mark(self) -> int:
        """Return a mark of now: what is taken in later is newer than an answer asked for now."""
        return self._number

    def begin(self) -> None:
        """Count one more thing that is heard."""
        self._number += 1

    def event(self, mrid: str, now: float) -> None:
        """Note that an event was heard of."""
        self._events[mrid] = _Receipt(self._number, now)

    def whole(
        self, place: Place, named: Iterable[str] = (), said: frozenset[str] = frozenset()
    ) -> None:
        """Note that a whole list was read.

        Args:
            place: Which one.
            named: mRIDs in it.
            said: What was told of its items that cannot be read.
        """
        self._lists[place] = _List(self._number, frozenset(named), said)

    def event_newer(self, mrid: str, since: int | None) -> bool:
        """Whether an event was heard of after the mark `since`; None is now."""
        known = self._events.get(mrid)
        return since is not None and known is not None and known.number > since

    def list_newer(self, place: Place, since: int | None) -> bool:
        """Whether a whole list was read after the mark `since`; None is now."""
        known = self._lists.get(place)
        return since is not None and known is not None and known.number > since

    def said(self, place: Place) -> frozenset[str]:
        """Return what was told of a list's items when it was last read."""
        known = self._lists.get(place)
        return known.said if known is not None else frozenset()

    def lists_of(self, kind: str) -> Collection[Place]:
        """Return the lists of a kind."""
        return [place for place in self._lists if place[0] == kind]

    def drop(self, place: Place) -> None:
        """Forget a list that is no more."""
        self._lists.pop(place, None)

    def named(self) -> frozenset[str]:
        """Return the mRIDs that the lists name."""
        return frozenset[str]().union(*(known.named for known in self._lists.values()))

    def heard_at(self, mrid: str) -> float:
        """Return when an event was last heard of; minus infinity if not in this run."""
        known = self._events.get(mrid)
        return known.at if known is not None else float("-inf")

    def forget(self, keep: Collection[str], now: float) -> None:
        """Let go of events that are neither kept nor were heard of for a while."""
        old = [m for m, r in self._events.items() if m not in keep and r.at < now - KEEP_S]
        for mrid in old:
            del self._events[mrid]
