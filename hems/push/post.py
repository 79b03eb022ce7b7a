"""Hands sealed messages to push services (RFC 8030), patiently and within bounds."""

import asyncio
import hashlib
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import aiohttp
from yarl import URL

from hems.clock import Clock
from hems.outward import Ring, RingResolver
from hems.push.sealing import Signer, seal
from hems.push.subscription import Subscription

_log = logging.getLogger(__name__)

MOST_WAITING: Final = 64
_AT_ONCE: Final = 4
_TRIES: Final = 6
FIRST_WAIT_S: Final = 5.0
_LONGEST_WAIT_S: Final = 900.0
_ANSWER_S: Final = 20.0
_LONGEST_TTL_S: Final = 86_400.0
_SHORTEST_TTL_S: Final = 60.0
_GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on its way.

    Attributes:
        subscription: To whom.
        content: What, before it is sealed.
        topic: A newer letter on the same topic takes the place of one not delivered yet.
        urgent: Whether the phone may be woken for it.
        until: After this it is worth nothing, UTC epoch seconds.
    """

    subscription: Subscription
    content: bytes
    topic: str
    urgent: bool
    until: float


class Post:
    """Sends letters; an open one must be closed.

    Args:
        signer: Says who we are.
        clock: The hub's.
        gone: Told of a subscription that its push service knows no more.
        private: Whether push services at private addresses are spoken to.
        trust: Whom push services' certificates must come from; None for the system's roots.
        first_wait_s: Pause after a first failure, doubled after each further one.
    """

    def __init__(
        self,
        signer: Signer,
        clock: Clock,
        gone: Callable[[Subscription], Awaitable[None]],
        *,
        private: bool = False,
        trust: ssl.SSLContext | None = None,
        first_wait_s: float = FIRST_WAIT_S,
    ) -> None:
        self._signer = signer
        self._clock = clock
        self._gone = gone
        self._private = private
        self._trust = trust
        self._first_wait_s = first_wait_s
        self._under_way: set[asyncio.Task[None]] = set()
        self._lines = asyncio.Semaphore(_AT_ONCE)
        self._session: aiohttp.ClientSession | None = None

    @property
    def waiting(self) -> int:
        """How many letters are on their way."""
        return len(self._under_way)

    @property
    def room(self) -> int:
        """How many letters can be taken now."""
        return MOST_WAITING - self.waiting

    def send(self, letter: Letter) -> None:
        """Take a letter; one beyond the room there is, is lost, and said."""
        if self.room <= 0:
            _log.warning("too many messages wait for push services: one is lost")
            return
        task = asyncio.create_task(self._deliver(letter))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        """End all deliveries."""
        under_way = tuple(self._under_way)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _deliver(self, letter: Letter) -> None:
        wait_s = self._first_wait_s
        for _ in range(_TRIES):
            if self._clock.now() >= letter.until:
                return
            try:
                async with self._lines, asyncio.timeout(_ANSWER_S):
                    again_s = await self._hand_over(letter)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                _log.info("a push service does not answer: %s", error)
                again_s = 0.0
            if again_s is None:
                return
            await asyncio.sleep(min(max(wait_s, again_s), _LONGEST_WAIT_S))
            wait_s *= 2
        _log.warning("a message could not be pushed: its push service does not take it")

    async def _hand_over(self, letter: Letter) -> float | None:
        """Hand a letter over once; returns None when done with it, else how long to wait, s."""
        url = URL(letter.subscription.endpoint, encoded=True)
        now = self._clock.now()
        ttl_s = min(max(letter.until - now, _SHORTEST_TTL_S), _LONGEST_TTL_S)
        headers = {
            **self._signer.header(str(url.origin()), now),
            "TTL": f"{ttl_s:.0f}",
            "Urgency": "high" if letter.urgent else "normal",
            "Topic": hashlib.sha256(letter.topic.encode()).hexdigest()[:32],
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
        }
        sealed = seal(letter.content, letter.subscription)
        async with self._client().post(
            url, data=sealed, headers=headers, allow_redirects=False
        ) as answer:
            status = answer.status
            asked = answer.headers.get("Retry-After", "")
        if status < HTTPStatus.MULTIPLE_CHOICES:
            return None
        if status in _GONE:
            await self._gone(letter.subscription)
            return None
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return float(asked) if asked.isdigit() else 0.0
        _log.warning("%s does not take a message: status %d", url.host, status)
        return None

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=_AT_ONCE,
                    resolver=None if self._private else RingResolver(Ring.INTERNET),
                    ssl=True if self._trust is None else self._trust,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        return self._session
