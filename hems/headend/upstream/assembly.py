"""The aggregator joined to the head-end: whoever of the workers has the turn is the client."""

import logging
import os
import secrets
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from certs.identity import IdentityFiles, Trust
from certs.tls import client_context
from hems.clock import Clock
from hems.headend.book import Book
from hems.headend.errors import BusyError
from hems.headend.fleet.access import Access
from hems.headend.fleet.assembly import Fleet
from hems.headend.fleet.records import HubPolicy
from hems.headend.store import Store
from hems.headend.upstream.door import UpstreamDoor
from hems.headend.upstream.downstream import OwnHomes
from hems.headend.upstream.settings import UpstreamSettings
from hems.headend.upstream.shelf import Shelf
from hems.headend.upstream.survey import Survey
from hems.headend.upstream.turn import Turn
from hems.on_demand import load, on_demand
from hems.sep2.book.ledger import LedgerError

if TYPE_CHECKING:
    from hems.headend.upstream import client
else:
    client = on_demand("hems.headend.upstream.client")

_TURN: Final = "upstream {name}"

_log = logging.getLogger(__name__)


class Aggregation:
    """The aggregator, of which nothing runs yet.

    Args:
        settings: See `UpstreamSettings`.
        book: The homes.
        store: The database.
        fleet: What it says of homes.
        clock: The time.

    Raises:
        certs.errors.CertificateError: A certificate or key cannot be used.
    """

    def __init__(
        self, settings: UpstreamSettings, book: Book, store: Store, fleet: Fleet, clock: Clock
    ) -> None:
        # Said at start, and not by whichever worker has the turn first.
        client_context(
            IdentityFiles(settings.certificate, settings.key),
            Trust(settings.roots, settings.crls),
        )
        self._settings = settings
        self._store = store
        self._clock = clock
        self._port = OwnHomes(book, store, _Standings(fleet), clock, settings)
        self._running: client.Upstream | None = None
        holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        name = _TURN.format(name=settings.name)
        self._turn = Turn(store, clock, name=name, holder=holder, for_s=settings.turn_s)
        self._survey = Survey(settings, Shelf(store), self._port, self._turn, clock)

    @property
    def doors(self) -> Sequence[UpstreamDoor]:
        """What the operator sees."""
        return (UpstreamDoor(self._survey),)

    async def run(self) -> None:
        """Share the utility's events whenever this worker has the turn; never returns."""
        await load(client)
        await self._turn.serve(self._work)

    async def keep(self) -> None:
        """Keep house; who does not have the turn has nothing to keep.

        Raises:
            BusyError: The database cannot serve now.
        """
        if self._running is not None:
            try:
                await self._running.keep()
            except LedgerError as error:
                raise BusyError(str(error)) from error

    async def _work(self) -> None:
        # Made anew for each turn: what another worker did meanwhile is in the database.
        self._running = running = client.Upstream(
            self._settings, self._store, self._port, self._clock, alarm=_log.warning
        )
        self._survey.follow(running)
        try:
            await running.run()
        finally:
            self._running = None
            self._survey.follow(None)


class _Standings:
    """What the fleet says of homes; those that it does not know may be asked for anything."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def access(self, lfdi: str, now: float) -> Access:
        return self._fleet.access(lfdi, now)

    def policy(self, lfdi: str) -> HubPolicy:
        found = self._fleet.memory.standing(lfdi)
        return _ANY if found is None else found.policy


_ANY: Final = HubPolicy()
