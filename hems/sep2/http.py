"""The client's way to one IEEE 2030.5 server: requests, paging, limits, and errors by kind.

Every request ends in a record or in one error of `hems.sep2.errors` within its deadline. Bodies
are read up to `MAX_BODY` and no further; compressed ones are not asked for, so that a small body
cannot unfold into a great one. Nothing is sent to another host than the one given, whatever a
link or a redirect says.
"""

import asyncio
import os
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self, TypeVar

import aiohttp
from yarl import URL

from certs.errors import PeerError
from certs.explain import explain
from certs.identity import lfdi
from hems.sep2.errors import (
    DeadlineError,
    MalformedError,
    OversizedError,
    PermanentError,
    RedirectError,
    TrustError,
    UnreachableError,
)
from hems.sep2.paging import ListOf, Pages
from hems.sep2.resources.base import Error
from hems.sep2.resources.wire import Record
from hems.sep2.status import error_of, retry_after_s
from hems.sep2.xml import MAX_BODY, MEDIA_TYPE, BadItem, OnBad, parse, serialize

MAX_REDIRECTS: Final = 5
MAX_LIST: Final = 16 * MAX_BODY
"""Greatest length of all pages of a list in octets."""
DEFAULT_PAGE: Final = 50
_CHUNK: Final = 1 << 16
_REDIRECTS: Final = (301, 302, 307, 308)
_XML_TYPES: Final = (MEDIA_TYPE, "application/xml", "text/xml")
"""Some servers give plain XML types; what is inside decides."""

VerifyPeer = Callable[[ssl.SSLObject], None]
"""Looks at a peer at the end of its handshake; raises `TrustError` to refuse it."""

T = TypeVar("T", bound=Record)
L = TypeVar("L", bound=ListOf)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds in time and number.

    Attributes:
        total_s: For a whole request, redirects included.
        list_s: For a whole list, however many pages it comes in.
        connect_s: For a TCP connection with its TLS handshake.
        connections: Greatest number of connections at a time.
        keepalive_s: How long an idle connection is kept for the next request.
    """

    total_s: float = 20.0
    list_s: float = 120.0
    connect_s: float = 10.0
    connections: int = 4
    keepalive_s: float = 60.0


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """A client of one server; an async context manager that owns its connections.

    Args:
        base: The server's origin, such as "https://utility.example:8443"; a path is ignored.
        ssl_context: For an https origin. The transport adds its peer check to it, so give each
            transport a context of its own.
        verify_peer: Called once for each new connection, before anything is sent over it.
        limits: Bounds in time and number.
        schema_ver: Sent as schemaVer in bodies; "2.2" to a server of 2023, None to one of 2018.

    Raises:
        ValueError: If the origin is none, or is https without a context.
    """

    def __init__(
        self,
        base: str,
        ssl_context: ssl.SSLContext | None = None,
        *,
        verify_peer: VerifyPeer | None = None,
        limits: Limits | None = None,
        schema_ver: str | None = None,
    ) -> None:
        self._base = URL(base)
        if self._base.scheme not in ("http", "https") or not self._base.host:
            raise ValueError(f"{base!r} is not the address of a server")
        if (ssl_context is None) != (self._base.scheme == "http"):
            raise ValueError(f"{base}: https takes a TLS context, and http none")
        self._origin = (self._base.scheme, self._base.host, self._base.port)
        self._limits = limits or Limits()
        self._schema_ver = schema_ver
        self._ssl = ssl_context
        self._peers: set[str] = set()
        if ssl_context is not None:
            if verify_peer is not None:
                _add_check(ssl_context, verify_peer)
            _add_check(ssl_context, self._note_peer)  # last: of those that were not refused
        self._session: aiohttp.ClientSession | None = None

    @property
    def host(self) -> str:
        """Host and port of the server, for messages."""
        return f"{self._base.host}:{self._base.port}"

    def is_peer(self, peer: str | None) -> bool:
        """Whether somebody is the server that this transport is or was connected to.

        Args:
            peer: Its LFDI, by its certificate; None if it showed none, which nobody but the
                server of a transport without TLS may.
        """
        return peer is None if self._ssl is None else peer in self._peers

    def _note_peer(self, connection: ssl.SSLObject) -> None:
        peer = peer_lfdi(connection)
        if peer is not None:
            self._peers.add(peer)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections; the next request would open new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def get(self, href: str, expected: type[T], *, on_bad: OnBad | None = None) -> T:
        """Get a resource.

        Args:
            href: As in a link: a path, or an absolute URI on this server.
            expected: Its class.
            on_bad: Told of unreadable items if it is a list; see `hems.sep2.xml.parse`.

        Raises:
            Sep2Error: See `hems.sep2.errors` for the kinds.
        """
        record, _ = await self._got(href, expected, on_bad)
        return record

    async def _got(self, href: str, expected: type[T], on_bad: OnBad | None) -> tuple[T, int]:
        """Return a resource and the length of its body in octets."""
        answer = await self._request("GET", href)
        if answer.status == 204 or not answer.body:  # noqa: PLR2004 - No Content
            raise MalformedError(f"{self.host}{href}", "the answer has no content")
        media = answer.headers.get("Content-Type", MEDIA_TYPE).partition(";")[0].strip().lower()
        if media not in _XML_TYPES:
            raise MalformedError(f"{self.host}{href}", f"it is of type {media!r}, not {MEDIA_TYPE}")
        try:
            return parse(answer.body, expected, on_bad=on_bad), len(answer.body)
        except MalformedError as error:
            where = f"{self.host}{href.partition('?')[0]}"
            raise MalformedError(f"{where}: {error.element or 'document'}", error.reason) from None

    async def get_list(
        self,
        href: str,
        expected: type[L],
        *,
        page: int = DEFAULT_PAGE,
        on_bad: OnBad | None = None,
    ) -> L:
        """Get a whole list, page by page, as one record.

        A list that changes while it is read is read again from its start, a few times.

        Args:
            href: As in a link.
            expected: Class of the list.
            page: Items asked for at a time.
            on_bad: Told, at the end, of the items that could not be read.

        Raises:
            TransientError: If it never stood still, or took too long in all.
            OversizedError: If it has more items or octets than any honest list.
            Sep2Error: As for `get`.
        """
        place = f"{self.host}{href}"
        pages = Pages(expected, place)
        try:
            async with asyncio.timeout(self._limits.list_s):
                await self._read(pages, href, expected, page, collect=on_bad is not None)
        except TimeoutError:
            raise DeadlineError(f"{place}: not whole within {self._limits.list_s:g} s") from None
        if on_bad is not None:
            for item in pages.bad:
                on_bad(item)
        return pages.merged()

    async def _read(
        self, pages: Pages[L], href: str, expected: type[L], page: int, *, collect: bool
    ) -> None:
        """Read page after page until the list is complete."""
        octets = 0
        while not pages.complete:
            bad: list[BadItem] = []
            got, length = await self._got(
                _with_query(href, s=pages.start, l=page), expected, bad.append if collect else None
            )
            octets += length
            if octets > MAX_LIST:
                raise OversizedError(
                    f"{self.host}{href}: the list is longer than {MAX_LIST} octets"
                )
            pages.add(got, bad)

    async def post(self, href: str, resource: Record) -> str | None:
        """Post a resource to a list.

        Returns:
            The Location that the server gave the new resource; None if it named none.

        Raises:
            Sep2Error: See `hems.sep2.errors` for the kinds.
        """
        answer = await self._request("POST", href, self._body(resource))
        return answer.headers.get("Location")

    async def put(self, href: str, resource: Record) -> None:
        """Replace a resource; errors as for `post`."""
        await self._request("PUT", href, self._body(resource))

    async def delete(self, href: str) -> None:
        """Delete a resource; errors as for `post`."""
        await self._request("DELETE", href)

    def _body(self, resource: Record) -> bytes:
        return serialize(resource, schema_ver=self._schema_ver)

    async def _request(self, method: str, href: str, body: bytes | None = None) -> _Answer:
        """Return the answer to a request, if it is of the 2xx kind, after redirects."""
        place = f"{self.host}{href}"
        try:
            async with asyncio.timeout(self._limits.total_s):
                answer = await self._followed(method, href, body)
        except aiohttp.ServerTimeoutError:
            raise DeadlineError(
                f"{self.host}: no connection within {self._limits.connect_s:g} s"
            ) from None
        except TimeoutError:
            raise DeadlineError(f"{place}: no answer within {self._limits.total_s:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise self._connection_error(place, error) from error
        if answer.status >= 300:  # noqa: PLR2004 - all that is no success
            raise error_of(
                f"{method} {place}",
                answer.status,
                retry_after_s(answer.headers, time.time()),
                _reason_code(answer.body),
            )
        return answer

    async def _followed(self, method: str, href: str, body: bytes | None) -> _Answer:
        url = self._target(self._base, href)
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._once(method, url, body)
            if answer.status not in _REDIRECTS:
                return answer
            location = answer.headers.get("Location")
            if not location:
                raise RedirectError(f"{url}: redirected without a Location")
            url = self._target(url, location)
        raise RedirectError(f"{self.host}{href}: more than {MAX_REDIRECTS} redirects")

    def _target(self, base: URL, href: str) -> URL:
        """Return the absolute form of a reference, if it is on this server."""
        try:
            url = base.join(URL(href, encoded=True)).with_fragment(None)
            at_home = (url.scheme, url.host, url.port) == self._origin
        except ValueError as error:
            raise PermanentError(f"{href!r} is not a usable address: {error}") from error
        if not at_home:
            raise RedirectError(f"{href} leads away from {self._base.origin()} and is not followed")
        return url

    async def _once(self, method: str, url: URL, body: bytes | None) -> _Answer:
        headers = {"Content-Type": MEDIA_TYPE} if body is not None else None
        async with self._open().request(
            method, url, data=body, headers=headers, allow_redirects=False
        ) as response:
            return _Answer(response.status, response.headers, await _bounded(response))

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                ssl=self._ssl if self._ssl is not None else False,
                limit=self._limits.connections,
                keepalive_timeout=self._limits.keepalive_s,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(connect=self._limits.connect_s),
                headers={"Accept": MEDIA_TYPE, "Accept-Encoding": "identity"},
                auto_decompress=False,
            )
        return self._session

    def _connection_error(self, place: str, error: Exception) -> Exception:
        if _is_tls(error):
            return TrustError(f"{self.host}: {explain(error)}")
        if isinstance(error, aiohttp.ServerDisconnectedError):
            return UnreachableError(f"{place}: the server closed the connection")
        if isinstance(error, aiohttp.ClientConnectorError):
            # Of the host and not of the path: it is one trouble for all who meet it.
            return UnreachableError(f"{self.host}: no connection: {_why(error.os_error)}")
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


def _why(error: OSError) -> str:
    """Return a connection error in the system's own words, without the address it repeats."""
    if error.errno and error.errno > 0:  # a name that is not found has a code below zero
        return os.strerror(error.errno)
    return error.strerror or str(error)


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


def _with_query(href: str, **query: int) -> str:
    join = "&" if "?" in href else "?"
    return href + join + "&".join(f"{name}={value}" for name, value in query.items())


def _reason_code(body: bytes) -> int | None:
    """Return the reason code of an Error resource, None if the body is none."""
    try:
        return parse(body, Error).reason_code
    except PermanentError:
        return None
