"""What is as it is now: asked when somebody looks, counted nowhere."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web
from sqlalchemy import Connection, func, select

from hems.headend.book import Book
from hems.headend.fleet.hub_store import count_by_state
from hems.headend.models import ChangeRow
from hems.headend.monitor import catalogue, signal_store
from hems.headend.monitor.signals import Signal
from hems.headend.notifier import Notifier
from hems.headend.store import Store
from hems.metrics.metric import Labels, Metric

WITHIN = {"5m": 300.0, "1h": 3600.0}
"""Homes are counted that were heard of in so long, s."""
_LIVE_MINUTES = 3


@dataclass(frozen=True, slots=True)
class Now:
    """How it all stands.

    Attributes:
        homes: How many are registered.
        heard: How many were heard of, by how long ago.
        signals: Those that last.
        workers: The last minute of each worker that lives.
        behind: Changes that this worker has not read yet.
        hubs: How many hubs there are of each state.
    """

    homes: int
    heard: Mapping[str, int]
    signals: Sequence[Signal]
    workers: Mapping[str, int]
    behind: int
    hubs: Mapping[str, int]


@dataclass(slots=True)
class Gauges:
    """Asks.

    Attributes:
        store: Where most of it is.
        book: Homes and events.
        runners: Who holds the connections of each door.
        notifier: Who tells homes; None while nobody does.
    """

    store: Store
    book: Book
    runners: dict[str, web.AppRunner] = field(default_factory=dict)
    notifier: Notifier | None = None

    async def now(self, at: float) -> Now:
        """Return how it stands.

        Args:
            at: Epoch s.

        Raises:
            BusyError: The database cannot serve now.
        """

        def look(connection: Connection) -> tuple[list[int], list[Signal], Mapping[str, int], int]:
            last = connection.execute(select(func.max(ChangeRow.number))).scalar_one()
            return (
                signal_store.count_heard(connection, [at - span for span in WITHIN.values()]),
                signal_store.signals(connection),
                signal_store.workers_since(connection, int(at // 60) - _LIVE_MINUTES),
                last or 0,
            )

        heard, signals, workers, last = await self.store.inquire(look)
        async with self.store.reading() as connection:
            hubs = await count_by_state(connection)
        return Now(
            len(self.book.homes),
            dict(zip(WITHIN, heard, strict=True)),
            signals,
            workers,
            max(last - self.store.changes.seen, 0),
            {state.value: count for state, count in hubs.items()},
        )

    def told(self, now: Now) -> Mapping[Metric, Mapping[Labels, float]]:
        """Return the same as metrics have it."""
        states = Counter(self.book.state(event).status.name.lower() for event in self.book.events)
        signals = Counter((s.rule.value, s.severity.value) for s in now.signals)
        return {
            catalogue.CONNECTIONS: {
                (door,): float(_connections(runner)) for door, runner in self.runners.items()
            },
            catalogue.TRIED: {(): float(0 if self.notifier is None else self.notifier.attempts)},
            catalogue.HOMES: {(): float(now.homes)},
            catalogue.HEARD: {(span,): float(count) for span, count in now.heard.items()},
            catalogue.HUBS: {(state,): float(count) for state, count in now.hubs.items()},
            catalogue.EVENTS: {(state,): float(count) for state, count in states.items()},
            catalogue.BEHIND: {(): float(now.behind)},
            catalogue.SIGNALS: {labels: float(count) for labels, count in signals.items()},
        }


def _connections(runner: web.AppRunner) -> int:
    return 0 if runner.server is None else len(runner.server.connections)
