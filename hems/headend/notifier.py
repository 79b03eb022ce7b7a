"""Notifications: a changed resource goes to its subscribers at once, over kept-alive mutual TLS.

It is written once for all subscribers who get the same. Each subscription has a lane of its
own: what is newest goes first, a subscriber that does not answer delays nobody, and after a few
attempts it is left to its polling.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Hashable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from ssl import SSLContext
from xml.sax.saxutils import escape

import aiohttp
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from certs.verify import peer_lfdi
from hems.clock import Clock
from hems.headend import hrefs
from hems.headend.book import Book
from hems.headend.errors import BusyError
from hems.headend.exchange import encode
from hems.headend.feeds import Feeds, Sight
from hems.headend.modes import Edition
from hems.headend.records import Home, SubscriptionRecord
from hems.sep2.resources import Notification
from hems.sep2.xml import MEDIA_TYPE

RETRY_DELAYS_S = (0.0, 0.5, 2.0, 8.0)
"""Waits before each further attempt; the first is at once, for a connection that had gone idle."""

_TIMEOUT = aiohttp.ClientTimeout(total=10, sock_connect=3)
_KEEPALIVE_S = 600.0
_GONE = frozenset({404, 410})
_OK = range(200, 300)

_log = logging.getLogger(__name__)
_recipient: ContextVar[str] = ContextVar("recipient")


class RecipientError(aiohttp.ClientConnectionError):
    """Behind a notification's address stands another device than the subscriber."""


class RecipientConnector(aiohttp.TCPConnector):
    """Connections over which nothing is sent before the peer is known as the subscriber."""

    async def connect(
        self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        """Connect, and compare the peer's LFDI with that of the subscription.

        Raises:
            RecipientError: It is another's.
        """
        connection = await super().connect(req, traces, timeout)
        transport = connection.transport
        tls = None if transport is None else transport.get_extra_info("ssl_object")
        wanted = _recipient.get()
        if tls is None or peer_lfdi(tls) != wanted:
            connection.close()
            raise RecipientError(f"the device at {req.url.host} is not {wanted}")
        return connection


@dataclass(slots=True)
class _Lane:
    """What one subscription still has to be sent."""

    body: bytes | None = None
    events: set[str] = field(default_factory=set)
    fresh: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Notifier:
    """Tells subscribers of changed resources. Make it inside the running loop; close it at the end.

    Args:
        book: Homes and subscriptions.
        feeds: What they may subscribe to.
        tls: Context of the server as a TLS client.
        clock: The utility's time.

    Attributes:
        base_url: The server's own origin, for the absolute subscriptionURI.
        sent: By mRID and LFDI, when the notification that the event caused was begun to be
            sent, epoch s; only of homes that then took it. A connection that had to be opened
            first comes after it, and a list longer than the subscription's limit may leave the
            event itself to the home's next poll.
    """

    def __init__(self, book: Book, feeds: Feeds, tls: SSLContext, clock: Clock) -> None:
        self._book = book
        self._feeds = feeds
        self._clock = clock
        self._session = aiohttp.ClientSession(
            connector=RecipientConnector(ssl=tls, limit=0, keepalive_timeout=_KEEPALIVE_S),
            timeout=_TIMEOUT,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self._lanes: dict[int, _Lane] = {}
        self._told: dict[tuple[str, Edition], Hashable] = {}
        self.base_url = ""
        self.sent: dict[str, dict[str, float]] = {}

    async def close(self) -> None:
        """Drop what is still unsent and close all connections."""
        tasks = [lane.task for lane in self._lanes.values() if lane.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._session.close()

    def subscribed(self, item: SubscriptionRecord) -> None:
        """Send a new subscription the resource as it is, unless it is empty.

        The home read it before it subscribed, and an event dispatched in between was told to
        nobody. What was cancelled in between is still in the list.
        """
        home = self._book.home(item.lfdi)
        sight = None if home is None else self._feeds.sight(item.resource, home)
        if home is not None and sight is not None:
            self._told.setdefault((item.resource, home.edition), sight.signature)
            if not sight.empty:
                self._send(sight, [(home, item)], None)

    def announce(self, resource: str, mrid: str | None = None) -> None:
        """Send a resource to its subscribers, if it changed since it was last sent.

        Args:
            resource: Its path.
            mrid: The event that was just accepted or cancelled, if that is the cause.
        """
        alike: dict[Edition, list[tuple[Home, SubscriptionRecord]]] = {}
        for item in self._book.subscriptions_to(resource):
            home = self._book.home(item.lfdi)
            if home is not None:
                alike.setdefault(home.edition, []).append((home, item))
        for edition, items in alike.items():
            sight = self._feeds.sight(resource, items[0][0])
            if sight is not None and self._told.get((resource, edition)) != sight.signature:
                self._told[resource, edition] = sight.signature
                self._send(sight, items, mrid)

    def forget(self, keep: Callable[[str], bool]) -> None:
        """Let go of the times of events that `keep` refuses."""
        self.sent = {mrid: times for mrid, times in self.sent.items() if keep(mrid)}

    def _send(
        self, sight: Sight, items: Sequence[tuple[Home, SubscriptionRecord]], mrid: str | None
    ) -> None:
        """Send what homes of one edition see."""
        forms: dict[int, _Form] = {}
        for home, item in items:
            form = forms.get(item.limit)
            if form is None:
                form = forms[item.limit] = self._form(sight, item, home.edition)
            uri = self.base_url + hrefs.subscription(home.id, item.id)
            self._hand(item, form.filled(uri), mrid)

    def _form(self, sight: Sight, item: SubscriptionRecord, edition: Edition) -> "_Form":
        """Write the notification once; only subscriptionURI differs between subscribers."""
        place = f"urn:{secrets.token_hex(8)}"
        body = encode(
            Notification(
                subscribed_resource=item.resource,
                created_date_time=int(self._clock.now()) if edition is Edition.Y2023 else None,
                resource=sight.write(item.limit),
                status=0,
                subscription_uri=place,
            ),
            edition,
        )
        before, _, after = body.partition(place.encode())
        return _Form(before, after)

    def _hand(self, item: SubscriptionRecord, body: bytes, mrid: str | None) -> None:
        lane = self._lanes.setdefault(item.id, _Lane())
        lane.body = body
        if mrid is not None:
            lane.events.add(mrid)
        lane.fresh.set()
        if lane.task is None or lane.task.done():
            lane.task = asyncio.create_task(self._run(item.id, lane), name=f"notify {item.lfdi}")

    async def _run(self, number: int, lane: _Lane) -> None:
        """Send the newest body until it is taken, or given up; end when there is none."""
        attempt = 0
        while lane.body is not None:
            item = self._book.subscription(number)
            if item is None:
                break
            if lane.fresh.is_set():
                attempt = 0
                lane.fresh.clear()
            body, events = lane.body, frozenset(lane.events)
            if await self._post(item, body, events):
                done = True
            elif attempt < len(RETRY_DELAYS_S):
                done = False
                await _wait(lane.fresh, RETRY_DELAYS_S[attempt])
                attempt += 1
            else:
                done = True
                _log.warning("%s does not take notifications; it will poll", item.uri)
            if done and lane.body is body:
                lane.body = None
                lane.events -= events
        self._lanes.pop(number, None)

    async def _post(self, item: SubscriptionRecord, body: bytes, events: frozenset[str]) -> bool:
        """Post once; return whether this body is done with."""
        _recipient.set(item.lfdi)
        at = self._clock.now()
        try:
            async with self._session.post(
                item.uri,
                data=body,
                headers={"Content-Type": MEDIA_TYPE},
                allow_redirects=False,
            ) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.info("notification to %s failed: %s", item.uri, error)
            return False
        if status in _OK:
            for mrid in events:
                self.sent.setdefault(mrid, {}).setdefault(item.lfdi, at)
            return True
        if status in _GONE:
            await self._end(item)
            _log.warning("%s answered %d: subscription %d ends", item.uri, status, item.id)
            return True
        _log.info("notification to %s was answered %d", item.uri, status)
        return False

    async def _end(self, item: SubscriptionRecord) -> None:
        try:
            await self._book.unsubscribe(item.id)
        except BusyError as error:
            _log.warning("subscription %d stays: %s", item.id, error)


@dataclass(frozen=True, slots=True)
class _Form:
    """A notification with a gap for its subscriptionURI."""

    before: bytes
    after: bytes

    def filled(self, uri: str) -> bytes:
        return b"".join((self.before, escape(uri).encode(), self.after))


async def _wait(event: asyncio.Event, delay_s: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), delay_s)
    except TimeoutError:
        return
