"""The server's parts joined: what homes see, what the operator sees, who is told of changes."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ssl import SSLContext

from aiohttp import web
from aiohttp.typedefs import Middleware

from certs.tls import SepContext
from hems.clock import Clock
from hems.headend.aggregators.behind import Behind
from hems.headend.aggregators.door import AggregatorDoor
from hems.headend.books import Books
from hems.headend.event_table import MEMORY_S
from hems.headend.exchange import edge
from hems.headend.feeds import DefaultFeed, Feeds, ProgramFeed
from hems.headend.fleet.access import ALL, Access
from hems.headend.fleet.assembly import Fleet
from hems.headend.mirror_store import MirrorStore
from hems.headend.notifier import Notifier
from hems.headend.operator_api import Door, OperatorApi
from hems.headend.operator_brief import BriefDoor
from hems.headend.operator_der import DerDoor
from hems.headend.operator_flows import FlowDoor
from hems.headend.operator_messages import MessageDoor
from hems.headend.operator_prices import PriceDoor
from hems.headend.operators.app import Operators
from hems.headend.orders.contracts import Contracts
from hems.headend.orders.desk import OrderDesk
from hems.headend.orders.door import EventDoor
from hems.headend.profiles import FunctionSet
from hems.headend.proxy.passed import Passed
from hems.headend.settings import HeadEndSettings
from hems.headend.store import Store
from hems.headend.subscriptions import Subscriptions
from hems.headend.throttle import Throttle
from hems.headend.ticker import Ticker
from hems.headend.views_devices import DeviceViews, Views
from hems.headend.views_events import EventViews
from hems.headend.views_flows import FlowViews
from hems.headend.views_messages import MessageViews
from hems.headend.views_mirror import MirrorViews
from hems.headend.views_prices import PriceViews
from hems.headend.views_shed import ShedViews
from hems.headend.views_subscriptions import SubscriptionViews
from hems.sep2.xml import MAX_BODY

_DAY_S = 86400


@dataclass(frozen=True, slots=True)
class Assembly:
    """All parts, of which none listens or runs yet.

    Attributes:
        homes: What homes see.
        proxied: The same for those who come by a proxy; None where there is none.
        operator: What operators see at this machine.
        remote: What they see from elsewhere.
        notifier: Tells subscribers; to be closed at the end.
        ticker: Looks for what changes by itself; to be run.
        desk: Takes orders.
    """

    homes: web.Application
    proxied: web.Application | None
    operator: web.Application
    remote: web.Application
    notifier: Notifier
    ticker: Ticker
    desk: OrderDesk


def assemble(
    books: Books,
    store: Store,
    settings: HeadEndSettings,
    clock: Clock,
    *,
    tls: SSLContext,
    judge: SepContext,
    token: str,
    operators: Operators,
    fleet: Fleet,
    refresh: Callable[[], None],
    doors: Sequence[Door] = (),
    keep: Callable[[], Awaitable[None]] | None = None,
    more: Sequence[Views] = (),
) -> Assembly:
    """Join the parts. Call it inside the running loop.

    Args:
        books: What the utility knows; its changes are announced from here on.
        store: Its database.
        settings: Rates and rules.
        clock: Its time.
        tls: Context of the server as a TLS client.
        judge: Context of the server for homes: by its rules their certificates are judged.
        token: The machine's own, for the operator's door.
        operators: Who works at the utility.
        fleet: Groups of homes, and what each is served.
        refresh: Reads the revocation lists again.
        doors: What else the operator may do.
        keep: Keeps house elsewhere; None for nowhere.
        more: What else homes see.
    """
    book, mirrors = books.book, MirrorStore(store)
    book.groups_of = fleet.memory.groups_of

    def served(lfdi: str) -> Access:
        if fleet.memory.standing(lfdi) is None and books.aggregators.find(lfdi) is not None:
            return ALL  # an aggregator is no hub
        return fleet.access(lfdi, clock.now())

    book.served = served

    def served_events(lfdi: str) -> bool:
        return Access.EVENTS in served(lfdi)

    prices = PriceViews(books.prices, settings)
    flows = FlowViews(books.flows, book, settings)
    messages = MessageViews(books.messages, settings, book.programmes.configured[0].mrid)
    feeds = Feeds([ProgramFeed(book), DefaultFeed(books.defaults, book), prices, flows, messages])
    subscriptions = Subscriptions(store)
    notifier = Notifier(book, subscriptions, feeds, tls, clock, served=served_events)

    async def keep_house() -> None:
        refresh()
        now = clock.now()
        await subscriptions.forget_sent(now - MEMORY_S)
        await books.forget_old()
        await desk.forget_old()
        await operators.keep()
        if keep is not None:
            await keep()
        await fleet.keep()
        await book.contacts.save()
        raw, thinned = settings.readings_days * _DAY_S, settings.thinned_days * _DAY_S
        await mirrors.prune(now - raw, now + _DAY_S, now - thinned)

    ticker = Ticker(feeds, notifier, clock, keep_house)
    books.tell(ticker)
    behind = Behind(book, books.aggregators)
    own = _own_views(books, store, mirrors, settings, clock)
    told = SubscriptionViews(subscriptions, feeds, notifier, settings)
    views = (*own, prices, flows, messages, told)
    throttle = Throttle(settings.requests_per_minute, clock.monotonic)
    everybody = (book, settings.edition, throttle, behind)
    homes = _homes_app(edge(*everybody), (*views, *more))
    proxied = None
    if settings.proxy is not None:
        passed = Passed(settings.proxy, judge, clock.now)
        proxied = _homes_app(edge(*everybody, passed.lfdi), (*views, *more))
    contracts = Contracts(fleet.memory, served)
    book.contracts = contracts
    desk = OrderDesk(
        store,
        books,
        fleet.memory,
        contracts=contracts,
        settings=settings.four_eyes,
        clock=clock,
    )
    every: tuple[Door, ...] = (
        EventDoor(desk, book, store, subscriptions),
        OperatorApi(book, store, mirrors, subscriptions, settings.edition),
        DerDoor(book, books.curves, books.defaults, store),
        PriceDoor(books.prices),
        FlowDoor(books.flows, store),
        MessageDoor(books.messages, store),
        AggregatorDoor(books.aggregators, book, settings.edition),
        BriefDoor(book, store),
        *fleet.doors,
        *doors,
    )
    operator = operators.app(every, token, remote=False)
    remote = operators.app(every, token, remote=True)
    return Assembly(homes, proxied, operator, remote, notifier, ticker, desk)


def _homes_app(first: Middleware, views: Sequence[Views]) -> web.Application:
    app = web.Application(middlewares=[first], client_max_size=MAX_BODY)
    for view in views:
        app.add_routes(view.routes())
    return app


def _own_views(
    books: Books,
    store: Store,
    mirrors: MirrorStore,
    settings: HeadEndSettings,
    clock: Clock,
) -> Sequence[Views]:
    """Return the views of which nothing can be subscribed to by their own means."""
    return (
        DeviceViews(
            books.book,
            books.flows,
            books.prices,
            store,
            mirrors,
            aggregators=books.aggregators,
            settings=settings,
            clock=clock,
        ),
        EventViews(
            books.book,
            books.curves,
            books.defaults,
            store,
            calendars={
                FunctionSet.PRICING: books.prices.prices,
                FunctionSet.FLOW_RESERVATION: books.flows.grants,
                FunctionSet.MESSAGING: books.messages.messages,
            },
            settings=settings,
            clock=clock,
        ),
        ShedViews(books.book, store, settings, clock),
        MirrorViews(mirrors, settings, clock),
    )
