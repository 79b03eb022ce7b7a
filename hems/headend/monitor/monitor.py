"""A worker's monitoring: what it counts and notices, what it tells the others, and the rounds."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware
from cryptography import x509

from certs.tls import SepContext
from hems.clock import Clock
from hems.correlation import fresh
from hems.headend.book import Book
from hems.headend.errors import BusyError, UnknownItemError
from hems.headend.fleet.access import Access
from hems.headend.fleet.assembly import Fleet
from hems.headend.listening import PEER
from hems.headend.monitor import catalogue
from hems.headend.monitor.answers import contradicts
from hems.headend.monitor.door import MonitorDoor
from hems.headend.monitor.facts import Kind
from hems.headend.monitor.gauges import Gauges
from hems.headend.monitor.metrics import Metrics
from hems.headend.monitor.refusals import GOOD, holder_of, reason_of
from hems.headend.monitor.requests import observed
from hems.headend.monitor.rounds import Rounds
from hems.headend.monitor.settings import MonitorSettings
from hems.headend.monitor.telling import Telling
from hems.headend.monitor.wellness import Wellness
from hems.headend.notifier import Notifier
from hems.headend.postman import Letter, Outcome
from hems.headend.records import ResponseRecord
from hems.headend.store import Store

EVERY_S: Final = 60.0
_TICK_S: Final = 1.0
_SLOW_S: Final = 1.0

_log = logging.getLogger(__name__)


class Monitor:
    """Looks at everything that a worker does.

    Args:
        store: Where workers tell each other what they see.
        book: Homes and events.
        fleet: Groups and hubs.
        clock: The utility's time.
        settings: From when on something is a signal.

    Attributes:
        metrics: What is counted.
        gauges: What is as it is now.
        telling: What is noticed, and told once a minute.
        rounds: Where it is judged.
        doors: What the operator may see of it.
    """

    def __init__(
        self, store: Store, book: Book, fleet: Fleet, clock: Clock, settings: MonitorSettings
    ) -> None:
        self._store = store
        self._book = book
        self._clock = clock
        self._of = settings.thresholds()
        self.metrics = Metrics()
        self.gauges = Gauges(store, book)
        self.telling = Telling(
            store,
            book,
            worker=fresh(),
            of=self._of,
            metrics=self.metrics,
            barred=lambda lfdi: fleet.memory.access(lfdi, clock.now()) is Access.NOTHING,
        )
        self.rounds = Rounds(store, book, fleet, settings)
        self.doors = (
            MonitorDoor(self.metrics, self.gauges, store, clock),
            Wellness(store, clock),
        )
        store.on_done = self._transaction
        store.on_response = self._response
        store.on_readings = self.telling.powers.posted

    # What comes in

    def middleware(self, door: str) -> Middleware:
        """Return what each request of a door goes through first."""
        return observed(door, self.metrics, self.telling.gathering)

    def opened(self, door: str, runner: web.AppRunner) -> None:
        """Take note of who holds a door's connections."""
        self.gauges.runners[door] = runner

    def follow(self, context: SepContext) -> None:
        """Have handshakes of a context counted, and who fails in them noticed."""
        say, ask = context.on_refused, context.on_peer

        def refused(why: str) -> None:
            say(why)
            reason, holder, source = reason_of(why), holder_of(why), PEER.get()
            self.metrics.count(catalogue.HANDSHAKES, reason)
            self.telling.gathering.note(Kind.HANDSHAKE, reason, source)
            if holder:
                self.telling.gathering.note(Kind.REFUSED_CERTIFICATE, holder, source)

        def good(chain: Sequence[x509.Certificate]) -> None:
            ask(chain)
            self.metrics.count(catalogue.HANDSHAKES, GOOD)

        context.on_refused, context.on_peer = refused, good

    # What becomes of it

    def watch(self, notifier: Notifier) -> None:
        """Have notifications counted."""
        notifier.on_letter = self._letter
        self.gauges.notifier = notifier

    def _letter(self, letter: Letter, outcome: Outcome, took_s: float) -> None:
        self.metrics.letter(outcome.value, took_s)
        if outcome is Outcome.TAKEN:
            self.telling.gathering.note(Kind.TAKEN)
        elif outcome is Outcome.LEFT:
            self.telling.gathering.note(Kind.NOT_TAKEN, letter.to.lfdi)

    def _transaction(self, kind: str, took_s: float, outcome: str) -> None:
        self.metrics.transaction(kind, took_s, outcome)
        if took_s >= _SLOW_S:
            _log.warning("the database took %.1f s to %s (%s)", took_s, kind, outcome)

    def _response(self, record: ResponseRecord) -> None:
        self.metrics.response(record.status)
        note = self.telling.gathering.note
        ahead_s = record.created - record.received_at
        if ahead_s > self._of.clock_off_s:
            note(Kind.CLOCK, record.lfdi, value=ahead_s)
        try:
            event = self._book.event(record.subject)
        except UnknownItemError:
            return  # of a price, a message or a reservation
        begin = event.start + min(0, event.randomize_start_s)
        if contradicts(
            record.status,
            record.received_at,
            begin,
            begin + event.duration_s + min(0, event.randomize_duration_s),
            cancelled=event.cancelled_at is not None,
        ):
            note(Kind.CONTRADICTION, record.lfdi)

    # The minutes

    def work(self) -> Mapping[str, Coroutine[None, None, None]]:
        """Return what is to run until the head-end ends, by name."""
        return {"monitor": self.run(), "event loop's watch": self.feel()}

    async def round(self) -> None:
        """Tell what was seen, and judge if it is this worker's turn."""
        now = self._clock.now()
        await self.telling.tell(now)
        try:
            await self.rounds.judge(now)
        except BusyError as error:
            _log.warning("signals are judged later: %s", error)

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            await self.round()

    async def feel(self) -> None:
        """Measure how late the event loop is, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            begun = loop.time()
            await asyncio.sleep(_TICK_S)
            self.metrics.took(catalogue.LOOP_S, max(loop.time() - begun - _TICK_S, 0.0))
