"""The connections to one server: kept open, checked at each handshake, bounded in time and size.

One exchange goes in and one answer comes out, or one error of `hems.sep2.errors`. What the answer
means is not asked here.
"""

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import aiohttp
from yarl import URL

from certs.errors import PeerError
from certs.explain import explain
from certs.identity import lfdi
from certs.tls import SepContext
from hems.sep2.errors import (
    DeadlineError,
    OtherPeerError,
    OversizedError,
    Sep2Error,
    TrustError,
    UnreachableError,
)
from hems.sep2.xml import MAX_BODY, MEDIA_TYPE

_CHUNK: Final = 1 << 16
_HUNG: Final = 64
"""So many places that did not answer in time are remembered."""

R = TypeVar("R")

VerifyPeer = Callable[[ssl.SSLObject], None]
"""Looks at a peer at the end of its handshake; raises `TrustError` to refuse it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds in time and number.

    Attributes:
        total_s: For a whole request, redirects included, from when there is a connection for it.
        list_s: For a whole list, however many pages it comes in.
        connect_s: For a TCP connection with its TLS handshake: three times to the server and back.
        connections: Greatest number of connections at a time.
        keepalive_s: How long an idle connection is kept for the next request.
    """

    total_s: float = 30.0
    list_s: float = 120.0
    connect_s: float = 15.0
    connections: int = 4
    keepalive_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers (matched without regard to case) and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class _Pool:
    """Connections that were opened under one identity.

    Attributes:
        session: The HTTP library's.
        renewals: Of the TLS context when the first was opened.
        users: Requests that are under way on it.
        done: Whether it is to be closed when the last of them ends.
    """

    session: aiohttp.ClientSession
    renewals: int
    users: int = 0
    done: bool = False


class Connections:
    """A client's connections to one server.

    When the identity of the TLS context is renewed, requests under way end on the connections that
    they have, and new ones open others: a server knows a connection by the certificate that it
    began with.

    The first certificate that a server shows is the only one that goes: what it has proved, it has
    proved for that one. Those that were believed before go together (see `believe`).

    There are never more requests under way than connections: on a slow line the others wait for
    their turn, and the time until then is not held against the server.

    A place that once did not answer in time gets at most half of the connections, together with
    all others of its kind, until it answers: however many hang, there is a way for the rest.

    Args:
        host: The server, for messages.
        ssl_context: For TLS; the peer check is added to it. None for plain HTTP.
        verify_peer: Called once for each new connection, before anything is sent over it.
        limits: Bounds in time and number.

    Attributes:
        certificate: What the server showed last and was believed by, DER; None before.
    """

    def __init__(
        self,
        host: str,
        ssl_context: ssl.SSLContext | None,
        verify_peer: VerifyPeer | None,
        limits: Limits,
    ) -> None:
        self._host = host
        self._ssl = ssl_context
        self._limits = limits
        self.certificate: bytes | None = None
        self._peers: frozenset[str] = frozenset()
        self._believed: frozenset[str] = frozenset()
        self._on_other: Callable[[OtherPeerError], None] = lambda _error: None
        if ssl_context is not None:
            if verify_peer is not None:
                _add_check(ssl_context, verify_peer)
            _add_check(ssl_context, self._check_same)  # last: of those that were not refused
        self._pool: _Pool | None = None
        self._turns = asyncio.Semaphore(limits.connections)
        self._hung: dict[str, None] = {}
        self._few = asyncio.Semaphore(max(1, limits.connections // 2))

    def is_peer(self, peer: str | None) -> bool:
        """Whether an LFDI is of a server connected to; None is, where there is no TLS."""
        return peer is None if self._ssl is None else peer in self._peers

    @property
    def peers(self) -> frozenset[str]:
        """LFDIs of the certificates by which the server is known; none before it showed one."""
        return self._peers

    def believe(self, proven: Collection[str], on_other: Callable[[OtherPeerError], None]) -> None:
        """Set by which certificates the server may be known besides the first that it shows.

        Args:
            proven: LFDIs; they count only where the first certificate is one of them: else who
                has proved nothing could have another answer for it.
            on_other: Told of another certificate, to which nothing is sent.
        """
        self._believed, self._on_other = frozenset(proven), on_other
        if not self._peers.isdisjoint(self._believed):
            self._peers |= self._believed

    def _check_same(self, connection: ssl.SSLObject) -> None:
        peer = peer_lfdi(connection)
        if peer is None:
            return
        if not self._peers:
            self._peers = self._believed | {peer} if peer in self._believed else frozenset({peer})
        elif peer not in self._peers:
            error = OtherPeerError(
                f"{self._host}: its certificate is another one now, of LFDI {peer}; nothing is "
                "sent to it before its PIN is checked"
            )
            self._on_other(error)
            raise error
        self.certificate = connection.getpeercert(binary_form=True)

    async def within_deadline(self, place: str, work: Callable[[], Awaitable[R]]) -> R:
        """Do what a request takes, in the time allowed.

        Args:
            place: Host and path, for messages; what hangs is known by it.
            work: Makes the exchanges, by `exchange`.

        Raises:
            DeadlineError: It took longer.
            UnreachableError: There is no connection, or it was cut.
            TrustError: One side does not trust the other.
            Sep2Error: As `work` raises.
        """
        if place not in self._hung:
            async with self._turns:
                return await self._timed(place, work)
        async with self._few, self._turns:
            return await self._timed(place, work)

    async def _timed(self, place: str, work: Callable[[], Awaitable[R]]) -> R:
        try:
            async with asyncio.timeout(self._limits.total_s):
                done = await work()
        except aiohttp.ServerTimeoutError:
            raise DeadlineError(
                f"{self._host}: no connection within {self._limits.connect_s:g} s"
            ) from None
        except TimeoutError:
            self._hung[place] = None
            if len(self._hung) > _HUNG:
                del self._hung[next(iter(self._hung))]
            raise DeadlineError(f"{place}: no answer within {self._limits.total_s:g} s") from None
        except (aiohttp.ClientError, OSError, UnicodeError) as error:
            # A UnicodeError is of a host name that cannot be looked up, as a redirect may have.
            raise self._error(place, error) from error
        self._hung.pop(place, None)
        return done

    async def exchange(
        self, method: str, url: URL, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        """Send one request and read its answer; to be called within `within_deadline`."""
        pool = await self._open()
        pool.users += 1
        try:
            async with pool.session.request(
                method, url, data=body, headers=headers, allow_redirects=False
            ) as response:
                return Answer(response.status, response.headers, await _bounded(response))
        finally:
            pool.users -= 1
            if pool.done and not pool.users:
                await pool.session.close()

    async def close(self) -> None:
        """Close all connections; the next request would open new ones."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.session.close()

    async def _open(self) -> _Pool:
        renewals = self._ssl.renewals if isinstance(self._ssl, SepContext) else 0
        pool = self._pool
        if pool is not None and pool.renewals != renewals:
            self._pool, pool.done = None, True
            if not pool.users:
                await pool.session.close()
        if self._pool is None:
            self._pool = _Pool(self._new_session(), renewals)
        return self._pool

    def _new_session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            ssl=self._ssl if self._ssl is not None else False,
            limit=self._limits.connections,
            keepalive_timeout=self._limits.keepalive_s,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(sock_connect=self._limits.connect_s),
            headers={"Accept": MEDIA_TYPE, "Accept-Encoding": "identity"},
            auto_decompress=False,
        )

    def _error(self, place: str, error: Exception) -> Sep2Error:
        if (other := _other_peer(error)) is not None:
            return other
        if _is_tls(error):
            return TrustError(f"{self._host}: {explain(error)}")
        if isinstance(error, aiohttp.ServerDisconnectedError):
            return UnreachableError(f"{place}: the server closed the connection")
        if isinstance(error, aiohttp.ClientConnectorError):
            # Of the host and not of the path: it is one trouble for all who meet it.
            return UnreachableError(f"{self._host}: no connection: {_why(error.os_error)}")
        # The HTTP library's own words may go over several lines.
        return UnreachableError(f"{place}: {' '.join(str(error).split()) or type(error).__name__}")


def peer_lfdi(connection: ssl.SSLObject) -> str | None:
    """Return the LFDI of the certificate that the other side showed; None if it showed none."""
    certificate = connection.getpeercert(binary_form=True)
    return lfdi(certificate) if certificate else None


def _add_check(context: ssl.SSLContext, verify_peer: VerifyPeer) -> None:
    """Have each connection of a context checked at the end of its handshake.

    A check after the first answer would come too late: the request would have been sent.
    """
    made = context.sslobject_class

    def do_handshake(self: ssl.SSLObject) -> None:
        made.do_handshake(self)
        try:
            verify_peer(self)
        except TrustError as error:
            raise PeerError(str(error)) from error

    context.sslobject_class = type("PinnedObject", (made,), {"do_handshake": do_handshake})


def _is_tls(error: BaseException) -> bool:
    """Whether a connection failed over trust, and not because it was merely cut."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError) and not isinstance(
            seen, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError
        ):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _other_peer(error: BaseException) -> OtherPeerError | None:
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, OtherPeerError):
        seen = seen.__cause__ or seen.__context__
    return seen


def _why(error: OSError) -> str:
    """Return a connection error in the system's own words, without the address it repeats."""
    if error.errno and error.errno > 0:  # a name that is not found has a code below zero
        return os.strerror(error.errno)
    # Of a connection that ends in the middle of its handshake, asyncio says nothing.
    return error.strerror or str(error) or "it was closed during the handshake"


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    """Return the body; stop as soon as it is known to be too long."""
    too_long = f"{response.url}: the body is longer than {MAX_BODY} octets"
    if (response.content_length or 0) > MAX_BODY:
        raise OversizedError(too_long)
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > MAX_BODY:
            raise OversizedError(too_long)
    return bytes(body)
