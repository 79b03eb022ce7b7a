"""The enterprise side put together; what listens, what works beside, what the operator sees."""

from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from ssl import SSLContext
from typing import TYPE_CHECKING, Final

from aiohttp import web

from hems.clock import Clock
from hems.headend.book import Book
from hems.headend.cim.actions import Means
from hems.headend.cim.group_table import GroupTable
from hems.headend.cim.http_carrier import HttpCarrier
from hems.headend.cim.http_door import CimDoor, TrailDoor
from hems.headend.cim.joining import (
    Allow,
    BookDispatching,
    StoreArrivals,
    StoreFleet,
    allow_all,
    reach_of,
)
from hems.headend.cim.journal import Journal
from hems.headend.cim.letters import Letters
from hems.headend.cim.nouns import PUBLISHED
from hems.headend.cim.order_table import OrderTable
from hems.headend.cim.peers import Peer, Peers
from hems.headend.cim.ports import Dispatching, Groups
from hems.headend.cim.postman import Carrier, Postman
from hems.headend.cim.publisher import Publisher
from hems.headend.cim.service import Service
from hems.headend.cim.settings import NATS, CimSettings
from hems.headend.cim.subscriptions import Subscription, Subscriptions
from hems.headend.cim.worker import Worker
from hems.headend.mirror_store import MirrorStore
from hems.headend.store import Store
from hems.on_demand import load, on_demand

if TYPE_CHECKING:
    from hems.headend.cim import nats_carrier
else:
    nats_carrier = on_demand("hems.headend.cim.nats_carrier")

_DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Cim:
    """All parts, of which none listens or runs yet.

    Attributes:
        app: Where messages over HTTP come to.
        doors: What the operator sees.
        service: Takes messages.
        journal: The trail.
        letters: Writes what goes out.
        subscriptions: Who is told of what.
        publisher: Passes on what homes tell.
        postman: Brings what goes out.
        nats: The way over NATS; None for none.
    """

    app: web.Application
    doors: Sequence[TrailDoor]
    service: Service
    journal: Journal
    letters: Letters
    subscriptions: Subscriptions
    publisher: Publisher
    postman: Postman
    nats: "nats_carrier.NatsCarrier | None"
    _settings: CimSettings
    _clock: Clock

    def work(self) -> Mapping[str, Coroutine[None, None, None]]:
        """Return what is to run until the head-end ends, by name."""
        running: dict[str, Coroutine[None, None, None]] = {
            "cim worker": Worker(self.service).run(),
            "cim publisher": self.publisher.run(),
            "cim postman": self.postman.run(),
        }
        if self.nats is not None:
            running["cim nats"] = self.nats.run()
        return running

    async def keep(self) -> None:
        """Forget what is old.

        Raises:
            BusyError: The database cannot do it now.
        """
        now = self._clock.now()
        # An answer is kept until a repetition of its message would be too old to be taken.
        answers_s = _DAY_S + 2 * self._settings.age_s
        await self.journal.prune(now - self._settings.trail_days * _DAY_S, now - answers_s)


async def assemble_cim(
    settings: CimSettings,
    book: Book,
    store: Store,
    mirrors: MirrorStore,
    clock: Clock,
    *,
    tls: SSLContext,
    stack: AsyncExitStack,
    groups: Groups | None = None,
    dispatching: Dispatching | None = None,
    allow: Allow = allow_all,
) -> Cim:
    """Put the enterprise side together. Call it inside the running loop.

    Args:
        settings: Who sends messages, and how.
        book: Events and homes.
        store: The open database.
        mirrors: Readings.
        clock: The head-end's time.
        tls: Context of the head-end as a TLS client.
        stack: What is entered here and left at the end.
        groups: Who keeps the groups; tables of its own where None.
        dispatching: Who gives orders to homes; the book's programmes where None.
        allow: Looks at each order before it goes out.

    Raises:
        SettingsError: A token cannot be made or read.
    """
    peers = Peers([Peer.of(each) for each in settings.peers])
    subscriptions = Subscriptions(store, _fixed(settings))
    letters = Letters(settings.source, clock, subscriptions)
    journal, orders = Journal(store, clock), OrderTable(store, clock)
    means = Means(
        groups or GroupTable(store),
        dispatching or BookDispatching(book, reach_of(book), allow),
        StoreFleet(book, store, mirrors, store),
        orders,
    )
    service = Service(store, journal, means, letters, clock=clock, age_s=settings.age_s)
    http = await stack.enter_async_context(HttpCarrier(tls))
    carriers: dict[str, Carrier] = {"http": http, "https": http}
    nats = None
    if settings.nats is not None:
        await load(nats_carrier)
        nats = nats_carrier.NatsCarrier(settings.nats, service, peers)
        carriers[NATS.rstrip(":")] = nats
    return Cim(
        CimDoor(service, peers, subscriptions, letters).app(),
        (TrailDoor(journal),),
        service,
        journal,
        letters,
        subscriptions,
        Publisher(
            store,
            StoreArrivals(store),
            orders,
            journal,
            letters,
            look_s=settings.look_s,
            post=service.post,
        ),
        Postman(store, clock, carriers, service.post),
        nats,
        settings,
        clock,
    )


def _fixed(settings: CimSettings) -> Sequence[Subscription]:
    if settings.nats is None:
        return ()
    prefix = settings.nats.prefix
    return [
        Subscription(0, "", noun.value, f"{NATS}{prefix}.event.{noun.value}")
        for noun in sorted(PUBLISHED)
    ]
