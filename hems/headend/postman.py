"""Notifications on their way: kept-alive mutual TLS, several attempts, never to another device.

Each subscription has a lane of its own: what is newest goes first, and a subscriber that does not
answer delays nobody. After a few attempts it is left to its polling.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from enum import Enum
from ssl import SSLContext
from typing import Final

import aiohttp
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from certs.verify import peer_lfdi
from hems.clock import Clock
from hems.headend.records import SubscriptionRecord
from hems.sep2.xml import MEDIA_TYPE

RETRY_DELAYS_S: Final = (0.0, 0.5, 2.0, 8.0)
"""Waits before each further attempt; the first is at once, for a connection that had gone idle."""

SUBSCRIBERS: Final = 20_000
"""Of so many a TLS session is kept: to take it up again costs a third of a full handshake."""

_TIMEOUT: Final = aiohttp.ClientTimeout(total=10, sock_connect=3)
_KEEPALIVE_S: Final = 600.0
_GONE: Final = frozenset({404, 410})
_OK: Final = range(200, 300)

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


class Outcome(Enum):
    """What became of a letter."""

    TAKEN = "taken"
    GONE = "gone"
    """The subscriber knows the subscription no more."""
    LEFT = "left"
    """It does not take it now; it will poll."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A notification to one subscriber.

    Attributes:
        to: Whose it is.
        body: What is posted.
        mark: Of what it tells.
        events: mRIDs of the events that are why it is sent.
        recipient: LFDI of the device that must be at the address: the home, or who speaks for it.
        made_at: When it was made, epoch s.
    """

    to: SubscriptionRecord
    body: bytes
    mark: str
    events: frozenset[str]
    recipient: str
    made_at: float


Told = Callable[[Letter, Outcome, float], Awaitable[None]]
"""Takes a letter, what became of it, and when the attempt that ended it began, epoch s."""


@dataclass(slots=True)
class _Lane:
    """What one subscription still has to be sent."""

    letter: Letter
    fresh: asyncio.Event = field(default_factory=asyncio.Event)
    late: bool = False
    task: asyncio.Task[None] | None = None


class Postman:
    """Sends. Make it inside the running loop; close it at the end.

    Args:
        tls: Context of the server as a TLS client.
        clock: The utility's time.
        told: Told of each letter that is done with.

    Attributes:
        attempts: How often it has tried to deliver one.
    """

    def __init__(self, tls: SSLContext, clock: Clock, told: Told) -> None:
        self._clock = clock
        self._told = told
        self._session = aiohttp.ClientSession(
            connector=RecipientConnector(ssl=tls, limit=0, keepalive_timeout=_KEEPALIVE_S),
            timeout=_TIMEOUT,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self._lanes: dict[int, _Lane] = {}
        self.attempts = 0

    async def close(self) -> None:
        """Drop what is still unsent and close all connections."""
        tasks = [lane.task for lane in self._lanes.values() if lane.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._session.close()

    @property
    def busy(self) -> int:
        """How many subscriptions have something on its way for the first time.

        Those that did not take it at once are waited for by nobody.
        """
        return sum(not lane.late for lane in self._lanes.values())

    def send(self, letter: Letter) -> None:
        """Send a letter; one to the same subscription that is still on its way is replaced."""
        lane = self._lanes.get(letter.to.id)
        if lane is None:
            lane = self._lanes[letter.to.id] = _Lane(letter)
            lane.task = asyncio.create_task(self._run(lane), name=f"notify {letter.to.lfdi}")
        else:
            events = letter.events | lane.letter.events
            lane.letter = replace(letter, events=events)
            lane.fresh.set()

    async def _run(self, lane: _Lane) -> None:
        """Send the newest letter until it is taken, or given up; end when there is none."""
        attempt = 0
        try:
            while True:
                letter, at = lane.letter, self._clock.now()
                if lane.fresh.is_set():
                    attempt = 0
                    lane.fresh.clear()
                outcome = await self._post(letter)
                lane.late = outcome is None
                if outcome is None and attempt < len(RETRY_DELAYS_S):
                    await _wait(lane.fresh, RETRY_DELAYS_S[attempt])
                    attempt += 1
                    continue
                if outcome is None:
                    _log.warning("%s takes no notifications; it will poll", letter.to.uri)
                await self._told(letter, outcome or Outcome.LEFT, at)
                if lane.letter is letter:
                    return
        finally:
            self._lanes.pop(lane.letter.to.id, None)

    async def _post(self, letter: Letter) -> Outcome | None:
        """Post once; return None where it may be tried again."""
        self.attempts += 1
        _recipient.set(letter.recipient)
        uri = letter.to.uri
        try:
            async with self._session.post(
                uri,
                data=letter.body,
                headers={"Content-Type": MEDIA_TYPE},
                allow_redirects=False,
            ) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.info("notification to %s failed: %s", uri, error)
            return None
        if status in _OK:
            return Outcome.TAKEN
        if status in _GONE:
            return Outcome.GONE
        _log.info("notification to %s was answered %d", uri, status)
        return None


async def _wait(event: asyncio.Event, delay_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(delay_s):
            await event.wait()
