"""The client's way to one IEEE 2030.5 server: requests, paging, redirects, and errors by kind.

Every request ends in a record or in one error of `hems.sep2.errors` within its deadline. Bodies
are read up to `MAX_BODY` and no further; compressed ones are not asked for, so that a small body
cannot unfold into a great one. Nothing is sent to another host than the one given, whatever a
link or a redirect says: a redirect that leads away is a `MovedError`, and who gets it decides
whether to begin with that host as with any other, from its certificate on.

What is read twice and has not changed is not sent twice, or not parsed twice, and comes as the
same record (`validated`). A server that asks to be left alone is (`quiet`).
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType, TracebackType
from typing import Final, Self, TypeVar

from yarl import URL

from hems.sep2.errors import (
    BusyError,
    DeadlineError,
    MalformedError,
    MovedError,
    OtherPeerError,
    OversizedError,
    PermanentError,
    RedirectError,
    TransientError,
)
from hems.sep2.resources.devices import Time
from hems.sep2.resources.wire import Record
from hems.sep2.transport.connections import Answer, Connections, Limits, VerifyPeer, peer_lfdi
from hems.sep2.transport.moves import Moves
from hems.sep2.transport.paging import MAX_STARTS, ListOf, Pages, names_of
from hems.sep2.transport.pieces import Piece, piece_of
from hems.sep2.transport.quiet import Quiet
from hems.sep2.transport.status import error_of, reason_code, retry_after_s
from hems.sep2.transport.validated import Known, Validated, digest
from hems.sep2.xml import MAX_BODY, MEDIA_TYPE, BadItem, OnBad, parse, serialize

__all__ = ["Limits", "Transport", "VerifyPeer", "peer_lfdi"]

MAX_REDIRECTS: Final = 5
MAX_LIST: Final = 16 * MAX_BODY
"""Greatest length of all pages of a list in octets."""
DEFAULT_PAGE: Final = 50
_REDIRECTS: Final = (301, 302, 307, 308)
_PERMANENT: Final = (301, 308)
_ELSEWHERE: Final = (*_REDIRECTS, 404, 410)
"""Answers after which a place that was once given for good is asked no more."""
_XML_TYPES: Final = (MEDIA_TYPE, "application/xml", "text/xml")
"""Some servers give plain XML types; what is inside decides."""

_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})

T = TypeVar("T", bound=Record)
L = TypeVar("L", bound=ListOf)


@dataclass(frozen=True, slots=True)
class _Reply:
    """An answer, where it came from, and what was known of the place when it was asked."""

    answer: Answer
    url: URL
    known: Known | None = None


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
        self._connections = Connections(self.host, ssl_context, verify_peer, self._limits)
        self._validated = Validated()
        self._moves = Moves()
        self._quiet = Quiet(self.host, time.monotonic)

    @property
    def host(self) -> str:
        """Host and port of the server, for messages."""
        return f"{self._base.host}:{self._base.port}"

    def is_peer(self, peer: str | None) -> bool:
        """Whether somebody is the server that this transport is or was connected to.

        Args:
            peer: Its LFDI; None if it showed no certificate, as the server of one without TLS may.
        """
        return self._connections.is_peer(peer)

    @property
    def peers(self) -> frozenset[str]:
        """LFDIs of the certificates by which the server is known."""
        return self._connections.peers

    @property
    def certificate(self) -> bytes | None:
        """What the server showed last and was believed by, DER; None before."""
        return self._connections.certificate

    def believe(self, proven: Collection[str], on_other: Callable[[OtherPeerError], None]) -> None:
        """Set what other certificates the server may show; see `Connections.believe`."""
        self._connections.believe(proven, on_other)

    def reach(self, href: str) -> None:
        """Check that a link can be gone to.

        Raises:
            RedirectError: It leads to another server.
            PermanentError: It leads nowhere.
        """
        self._target(self._base, href)

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
        await self._connections.close()

    async def get(self, href: str, expected: type[T], *, on_bad: OnBad | None = None) -> T:
        """Get a resource.

        Args:
            href: As in a link: a path, or an absolute URI on this server.
            expected: Its class.
            on_bad: Told of unreadable items if it is a list; see `hems.sep2.xml.parse`.

        Returns:
            The resource; the very record returned before if it has not changed since.

        Raises:
            Sep2Error: See `hems.sep2.errors` for the kinds.
        """
        record, _ = await self._got(href, expected, on_bad)
        return record

    async def _got(self, href: str, expected: type[T], on_bad: OnBad | None) -> tuple[T, int]:
        """Return a resource and the length of its body in octets."""
        reply = await self._request("GET", href, expected=expected)
        answer, known = reply.answer, reply.known
        if answer.status == HTTPStatus.NOT_MODIFIED and known is not None:
            return _as(expected, known), known.length
        if answer.status == HTTPStatus.NO_CONTENT or not answer.body:
            raise MalformedError(f"{self.host}{href}", "the answer has no content")
        media = answer.headers.get("Content-Type", MEDIA_TYPE).partition(";")[0].strip().lower()
        if media not in _XML_TYPES:
            raise MalformedError(f"{self.host}{href}", f"it is of type {media!r}, not {MEDIA_TYPE}")
        if known is not None and known.digest == digest(answer.body):
            record = _as(expected, known)
        else:
            record, whole = self._parsed(href, answer.body, expected, on_bad)
            if not whole or issubclass(expected, Time):  # a clock is never what it was
                self._validated.drop(str(reply.url), expected)
                return record, len(answer.body)
        self._validated.keep(str(reply.url), expected, record, answer.body, answer.headers)
        return record, len(answer.body)

    def _parsed(
        self, href: str, body: bytes, expected: type[T], on_bad: OnBad | None
    ) -> tuple[T, bool]:
        """Return a record, and whether all of it could be read."""
        bad: list[BadItem] = []
        try:
            record = parse(body, expected, on_bad=bad.append if on_bad is not None else None)
        except MalformedError as error:
            where = f"{self.host}{href.partition('?')[0]}"
            raise type(error)(f"{where}: {error.element or 'document'}", error.reason) from None
        if on_bad is not None:
            for item in bad:
                on_bad(item)
        return record, not bad

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
            on_bad: Told, at the end, of the items that could not be read; also, once and without
                an mRID, if the server persists in counting more items than it shows.

        Returns:
            The list; the very record returned before if no page has changed since.

        Raises:
            TransientError: If it never stood still, or took too long in all; if it shows fewer
                items than it counts, and `on_bad` is not there to be told.
            OversizedError: If it has more items or octets than any honest list.
            Sep2Error: As for `get`.
        """
        place = f"{self.host}{href}"
        try:
            async with asyncio.timeout(self._limits.list_s):
                pages = await self._whole(href, expected, page, collect=on_bad is not None)
        except TimeoutError:
            raise DeadlineError(f"{place}: not whole within {self._limits.list_s:g} s") from None
        bad = list(pages.bad)
        if pages.missing:
            why = MalformedError(place, f"it counts {pages.missing} items that it does not show")
            if on_bad is None:
                raise TransientError(str(why))
            bad.append(BadItem(error=why, kind="", mrid=None, reply_to=None, xml=""))
        if on_bad is not None:
            for item in bad:
                on_bad(item)
        merged = self._validated.same_list(href, pages.parts, pages.merged())
        if not isinstance(merged, expected):
            raise TypeError(f"{href} was kept as {type(merged).__name__}")
        return merged

    async def _whole(self, href: str, expected: type[L], page: int, *, collect: bool) -> Pages[L]:
        """Read a list; where an item is missing that was there, until two readings miss it.

        Between two pages one item may leave the front of a list and another join its end: its
        length is as before, and an item slips through that is neither gone nor read.
        """
        place, before = f"{self.host}{href}", self._validated.last_list(href, expected)
        known = names_of(before) if before is not None else frozenset[str]()
        missed: frozenset[str] = frozenset()
        for _ in range(MAX_STARTS):
            pages = Pages(expected, place)
            await self._read(pages, href, expected, page, collect=collect)
            missing = known - names_of(pages.merged())
            if len(pages.parts) < 2 or missing <= missed:  # noqa: PLR2004 - one page
                return pages
            missed = missing
        raise TransientError(f"{place}: the list changed each time it was read")

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
        reply = await self._request("POST", href, self._body(resource))
        return reply.answer.headers.get("Location")

    async def put(self, href: str, resource: Record) -> None:
        """Replace a resource; errors as for `post`."""
        await self._request("PUT", href, self._body(resource))

    async def delete(self, href: str) -> None:
        """Delete a resource; errors as for `post`."""
        await self._request("DELETE", href)

    async def piece(
        self, href: str, start: int, length: int, *, unchanged: str | None = None
    ) -> Piece:
        """Get part of a file, which is no resource and may be of any media type.

        Args:
            href: As in `File.fileURI`.
            start: First octet wanted, from 0.
            length: Octets wanted, at most `MAX_BODY`.
            unchanged: Validator of an earlier piece; of a file that has changed since then, the
                whole comes.

        Raises:
            OversizedError: The server gives more than `MAX_BODY` at a time.
            Sep2Error: As for `get`.
        """
        more = {"Accept": "*/*", "Range": f"bytes={start}-{start + length - 1}"}
        if unchanged is not None:
            more["If-Range"] = unchanged
        reply = await self._request("GET", href, more=more)
        return piece_of(f"{self.host}{href}", reply.answer, start)

    def _body(self, resource: Record) -> bytes:
        return serialize(resource, schema_ver=self._schema_ver)

    async def _request(
        self,
        method: str,
        href: str,
        body: bytes | None = None,
        expected: type[Record] | None = None,
        more: Mapping[str, str] = _NO_HEADERS,
    ) -> _Reply:
        """Return the answer to a request, if it is a good one, after redirects."""
        self._quiet.check()
        place = f"{self.host}{href}"
        path = place.partition("?")[0]
        reply = await self._connections.within_deadline(
            path, lambda: self._followed(method, href, body, expected, more)
        )
        answer = reply.answer
        unchanged = answer.status == HTTPStatus.NOT_MODIFIED and reply.known is not None
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES and not unchanged:
            error = error_of(
                f"{method} {place}",
                answer.status,
                retry_after_s(answer.headers, time.time()),
                reason_code(answer.body),
            )
            if isinstance(error, BusyError):
                self._quiet.refused(path, error)
            else:
                self._quiet.served()
            raise error
        self._quiet.served()
        return reply

    async def _followed(
        self,
        method: str,
        href: str,
        body: bytes | None,
        expected: type[Record] | None,
        more: Mapping[str, str],
    ) -> _Reply:
        start = self._target(self._base, href)
        url = self._moves.where(start) if method == "GET" else start
        if url != start:
            reply = await self._once(method, url, body, expected, more)
            if reply.answer.status not in _ELSEWHERE:
                return reply
            self._moves.forget(start)  # the old place may know better by now
        url, for_good = start, True
        for _ in range(MAX_REDIRECTS + 1):
            reply = await self._once(method, url, body, expected, more)
            status = reply.answer.status
            if status not in _REDIRECTS:
                return reply
            location = reply.answer.headers.get("Location")
            if not location:
                raise RedirectError(f"{url}: redirected without a Location")
            url = self._target(url, location, redirect=True)
            for_good = for_good and status in _PERMANENT
            if for_good and method == "GET":
                self._moves.learn(start, url)
        self._moves.forget(start)
        raise RedirectError(f"{self.host}{href}: more than {MAX_REDIRECTS} redirects")

    def _target(self, base: URL, href: str, *, redirect: bool = False) -> URL:
        """Return the absolute form of a reference, if it is on this server."""
        try:
            url = base.join(URL(href, encoded=True)).with_fragment(None)
            at_home = (url.scheme, url.host, url.port) == self._origin
        except ValueError as error:
            raise PermanentError(f"{href!r} is not a usable address: {error}") from error
        if at_home:
            return url
        away = f"{href} leads away from {self._base.origin()} and is not followed"
        if redirect and url.scheme == self._base.scheme and url.host:
            raise MovedError(away, str(url))
        raise RedirectError(away)

    async def _once(
        self,
        method: str,
        url: URL,
        body: bytes | None,
        expected: type[Record] | None,
        more: Mapping[str, str],
    ) -> _Reply:
        known: Known | None = None
        headers = dict(more)
        if body is not None:
            headers["Content-Type"] = MEDIA_TYPE
        if expected is not None:
            known = self._validated.find(str(url), expected)
            if known is not None:
                headers.update(known.conditions)
        answer = await self._connections.exchange(method, url, body, headers)
        if answer.status == HTTPStatus.NOT_MODIFIED and (known is None or not known.conditions):
            known = None
        return _Reply(answer, url, known)


def _as(expected: type[T], known: Known) -> T:
    if not isinstance(known.record, expected):
        raise TypeError(f"a {type(known.record).__name__} was kept as {expected.__name__}")
    return known.record


def _with_query(href: str, **query: int) -> str:
    join = "&" if "?" in href else "?"
    return href + join + "&".join(f"{name}={value}" for name, value in query.items())
