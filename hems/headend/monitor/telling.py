"""A worker tells the others, once a minute, what it has seen: facts, in one transaction."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from hems.headend.book import Book
from hems.headend.errors import BusyError
from hems.headend.est.attempts import source_of
from hems.headend.monitor import catalogue, ratings, signal_store
from hems.headend.monitor.facts import MOST, Fact, Gathering, Kind
from hems.headend.monitor.metrics import Metrics
from hems.headend.monitor.ratings import Known
from hems.headend.monitor.readings import Powers, Span, odd
from hems.headend.monitor.thresholds import Thresholds
from hems.headend.store import Store

MOVED_MINUTES: Final = 60
"""So long is looked at a home that has moved: whether it is in both places."""

_log = logging.getLogger(__name__)
Barred = Callable[[str], bool]
"""Says whether an identity was ours, and is served nothing any more."""


@dataclass(slots=True)
class _Fresh:
    """What a transaction found out, to be remembered once it is durable."""

    facts: list[Fact] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    points: dict[int, Known] = field(default_factory=dict)


class Telling:
    """Tells.

    Args:
        store: Where it is told.
        book: Whom homes speak for.
        worker: This worker's name; no other has the same.
        of: From when on something is odd.
        metrics: Where is counted what becomes of facts.
        barred: Says whether an identity was ours, and is served nothing any more.

    Attributes:
        gathering: What has been seen.
        powers: What homes said of their power.
    """

    def __init__(
        self,
        store: Store,
        book: Book,
        *,
        worker: str,
        of: Thresholds,
        metrics: Metrics,
        barred: Barred,
    ) -> None:
        self._store = store
        self._book = book
        self._worker = worker
        self._of = of
        self._metrics = metrics
        self._barred = barred
        self._places: dict[str, str] = {}
        self._points: dict[int, Known] = {}
        self._waiting: list[Fact] = []
        self.gathering = Gathering(max(of.requests // 4, 1))
        self.powers = Powers(of)

    async def tell(self, now: float) -> None:
        """Tell what was seen since the last time; what cannot be told now is told next time."""
        minute = int(now // 60)
        gathered = self.gathering.take(minute, self._homes_of)
        facts = [*self._waiting, *gathered.facts]
        for lfdi, count in gathered.strangers.items():
            kind = Kind.BARRED if self._barred(lfdi) else Kind.STRANGER
            facts.append(Fact(minute, kind, lfdi, "", count))
        spans = self.powers.take()
        spoken = {
            lfdi: tuple(dict.fromkeys(source_of(each) for each in addresses if each))
            for lfdi, addresses in gathered.addresses.items()
            if self._homes_of(lfdi) == 1  # an aggregator may have several machines
        }

        def work(connection: Connection) -> _Fresh:
            fresh = _Fresh([*facts])
            fresh.facts += self._moves(connection, spoken, minute, fresh.places)
            fresh.facts += self._odd(connection, spans, now, fresh.points)
            signal_store.add_facts(connection, self._worker, fresh.facts[:MOST])
            return fresh

        try:
            done = await self._store.transact(work)
        except BusyError as error:
            self._waiting = facts[:MOST]
            _log.warning("what was seen is told later: %s", error)
            return
        self._waiting = []
        self._places.update(done.places)
        self._points.update(done.points)
        dropped = gathered.dropped + len(done.facts[MOST:])
        self._metrics.count(catalogue.FACTS, "kept", by=len(done.facts[:MOST]))
        self._metrics.count(catalogue.FACTS, "dropped", by=dropped)

    def _homes_of(self, lfdi: str) -> int:
        return 1 + len(self._book.rolls.managed(lfdi))

    def _moves(
        self,
        connection: Connection,
        spoken: Mapping[str, tuple[str, ...]],
        minute: int,
        fresh: dict[str, str],
    ) -> list[Fact]:
        """Return facts on homes that are not where they were; all else costs no row."""
        last = {lfdi: addresses[-1] for lfdi, addresses in spoken.items() if addresses}
        new = [lfdi for lfdi, address in last.items() if self._places.get(lfdi) != address]
        kept = signal_store.places(connection, new)
        fresh.update({lfdi: last[lfdi] for lfdi in new})
        moved = [lfdi for lfdi in new if kept.get(lfdi, last[lfdi]) != last[lfdi]]
        moved += [lfdi for lfdi, each in spoken.items() if len(each) > 1 and lfdi not in moved]
        signal_store.save_places(
            connection, {lfdi: last[lfdi] for lfdi in new if kept.get(lfdi) != last[lfdi]}
        )
        looked_at = signal_store.moved_since(connection, minute - MOVED_MINUTES) | {*moved}
        facts = [Fact(minute, Kind.MOVED, lfdi, last[lfdi], 1) for lfdi in moved]
        facts += [
            Fact(minute, Kind.ADDRESS, lfdi, address, 1)
            for lfdi in sorted(looked_at & spoken.keys())
            for address in spoken[lfdi]
        ]
        return facts

    def _odd(
        self,
        connection: Connection,
        spans: Mapping[int, Span],
        now: float,
        fresh: dict[int, Known],
    ) -> list[Fact]:
        """Return facts on powers that cannot be."""
        unknown: Sequence[int] = [
            point for point in spans if point not in self._points or self._points[point].until < now
        ]
        fresh.update(ratings.read(connection, unknown[: ratings.AT_ONCE], now))
        minute, found = int(now // 60), list[Fact]()
        for point, span in spans.items():
            known = fresh.get(point) or self._points.get(point)
            if known is not None:
                for kind, value in odd(span, known.rating, of_der=known.of_der, of=self._of):
                    found.append(Fact(minute, kind, span.lfdi, "", 1, value))
        return found
