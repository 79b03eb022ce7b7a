"""One request and its answer: who asks, which media type, how large, and every error's status."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from ssl import SSLObject
from typing import Final, TypeVar
from weakref import WeakKeyDictionary

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from certs.verify import peer_lfdi
from hems.headend.aggregators.behind import Behind
from hems.headend.bodies import octets_of
from hems.headend.book import Book
from hems.headend.errors import (
    BusyError,
    ForbiddenError,
    RequestError,
    ThrottledError,
    UnknownItemError,
)
from hems.headend.fleet.access import ALL, Access
from hems.headend.fleet.needs import needed
from hems.headend.forms import Form
from hems.headend.profiles import offers
from hems.headend.records import Edition, Home
from hems.headend.throttle import Throttle
from hems.sep2.errors import MalformedError, OversizedError
from hems.sep2.resources import Resource
from hems.sep2.xml import MAX_BODY, MEDIA_TYPE, parse

RETRY_AFTER_S = 5

SMALL_BODY = 16 * 1024
"""Greatest length of a body of which a home may leave us many, octets."""

BODY_WITHIN_S = 60.0
"""In which a body must have come; who sends it octet by octet would hold memory for ever."""

_LOGGED = 200
_NOT_MODIFIED = 304
_UNSUPPORTED = 415
_NOT_ACCEPTABLE = 406
_TOO_LARGE = 413
_NEVER: Final = re.compile(r"q\s*=\s*0(\.0{0,3})?", re.IGNORECASE)
"""The weight of a media type that is not wanted (RFC 9110, 12.4.2)."""

_log = logging.getLogger(__name__)
_R = TypeVar("_R", bound=Resource)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose certificate stands behind a connection.

    Attributes:
        lfdi: The certificate's LFDI.
        home: The registered home, None if it is not registered.
        edition: The dialect it is spoken to in.
        access: What it is served.
        behind: Finds whom it speaks for.
    """

    lfdi: str
    home: Home | None
    edition: Edition
    access: Access
    behind: Behind

    def registered(self) -> Home:
        """Return the home.

        Raises:
            ForbiddenError: It is not registered.
        """
        if self.home is None:
            raise ForbiddenError(f"device {self.lfdi} is not registered here")
        return self.home

    def owned(self, number: str, need: Access) -> Home:
        """Return the home of an EndDevice's number: the caller's, or one that it speaks for.

        Another's number and one that does not exist get the same answer, so that a home cannot
        find out about others.

        Args:
            number: As in the path.
            need: What one that it speaks for must be served; for itself that is judged already.

        Raises:
            ForbiddenError: It is another's, or not served this.
        """
        home = self.registered()
        if number == str(home.id):
            return home
        other = self.behind.numbered(home.lfdi, number, need)
        if other is None:
            raise ForbiddenError(f"device {self.lfdi} may see its own resources only")
        return other

    def named(self, lfdi: str | None, need: Access) -> Home:
        """Return the home that a posted LFDI says it is of; see `owned`.

        Raises:
            ForbiddenError: It is another's, or not served this.
        """
        home = self.registered()
        if lfdi == home.lfdi:
            return home
        other = None if lfdi is None else self.behind.named(home.lfdi, lfdi, need)
        if other is None:
            raise ForbiddenError(f"the certificate is of {home.lfdi}, not of {lfdi}")
        return other

    @property
    def agent(self) -> str | None:
        """Its LFDI, if it is an aggregator; None if it speaks for itself only."""
        return self.lfdi if self.behind.speaks(self.lfdi) else None


CALLER = web.RequestKey("caller", Caller)


def caller(request: web.Request) -> Caller:
    """Return who asks."""
    return request[CALLER]


def own(request: web.Request) -> Home:
    """Return the home whose EndDevice's number is in the path.

    Raises:
        ForbiddenError: The caller does not speak for it, or it is not served this.
    """
    need = needed(request.method, request.path)
    return caller(request).owned(request.match_info["home"], need)


Passed = Callable[[web.Request], str]
"""Returns the LFDI of the device behind a request that came by a proxy."""


def edge(
    book: Book,
    default_edition: Edition,
    throttle: Throttle,
    behind: Behind,
    passed: Passed | None = None,
) -> Middleware:
    """Return the middleware that knows the caller and turns errors into statuses.

    Args:
        book: The registered homes.
        default_edition: Dialect for those who are not registered.
        throttle: How often a device may ask.
        behind: Finds whom a caller speaks for.
        passed: Says who is behind requests by a proxy; None where homes come by TLS of our own.
    """
    lfdi_of = _by_handshake if passed is None else passed

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            request[CALLER] = who = _identify(lfdi_of(request), book, default_edition, behind)
            throttle.admit(who.lfdi, behind.count(who.lfdi))
            _check_served(request, who)
            if not offers(who.edition, request.path):
                raise UnknownItemError(f"{who.edition} has nothing at {request.path[:80]}")
            _check_accept(request)
            return await handler(request)
        except (MalformedError, OversizedError, RequestError, BusyError) as error:
            return _refusal(request, error)

    return middleware


def _by_handshake(request: web.Request) -> str:
    """Return whose certificate the connection was made with."""
    transport = request.transport
    connection = None if transport is None else transport.get_extra_info("ssl_object")
    if connection is None:
        raise ForbiddenError("the connection is gone or is not TLS")
    lfdi = _lfdis.get(connection)
    if lfdi is None:
        lfdi = _lfdis[connection] = peer_lfdi(connection)
    return lfdi


def _identify(lfdi: str, book: Book, default_edition: Edition, behind: Behind) -> Caller:
    home = book.home(lfdi)
    if home is not None:
        book.contacts.seen(lfdi)
    edition = default_edition if home is None else home.edition
    return Caller(lfdi, home, edition, book.served(lfdi), behind)


def _check_served(request: web.Request, who: Caller) -> None:
    if who.access is not ALL and needed(request.method, request.path) not in who.access:
        raise ForbiddenError(f"device {who.lfdi} is not served this as its hub stands")


_lfdis: Final[WeakKeyDictionary[SSLObject, str]] = WeakKeyDictionary()
"""By connection: a peer shows its certificate once, and asks many times."""


def _refusal(
    request: web.Request, error: MalformedError | OversizedError | RequestError | BusyError
) -> web.Response:
    headers: dict[str, str] = {}
    if isinstance(error, BusyError):
        status, headers["Retry-After"] = 503, str(RETRY_AFTER_S)
    elif isinstance(error, ThrottledError):
        status, headers["Retry-After"] = error.status, str(error.again_s)
    elif isinstance(error, OversizedError):
        status = _TOO_LARGE
    elif isinstance(error, RequestError):
        status = error.status
    else:
        status = 400
    # What is quoted of a header need not be text.
    reason = str(error).encode(errors="backslashreplace").decode()
    # As it came: unquoted it may hold line breaks.
    _log.warning("%s %r: %d: %s", request.method, request.raw_path[:_LOGGED], status, reason)
    return web.Response(status=status, text=f"{reason}\n", headers=headers)


class _MediaError(RequestError):
    """The media type is not ours, either way."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def _check_accept(request: web.Request) -> None:
    accepted = request.headers.get(hdrs.ACCEPT, "*/*")
    if accepted == MEDIA_TYPE:  # as nearly all say it
        return
    types = [
        part.split(";")[0].strip().lower()
        for part in accepted.split(",")
        if not any(_NEVER.fullmatch(p.strip()) for p in part.split(";")[1:])
    ]
    if not {"*/*", "application/*", MEDIA_TYPE} & set(types):
        raise _MediaError(_NOT_ACCEPTABLE, f"only {MEDIA_TYPE} is spoken here, not {accepted[:80]}")


async def body_of(request: web.Request, most: int = MAX_BODY) -> bytes:
    """Return the body of a POST or PUT.

    Args:
        request: The request.
        most: Its greatest length, octets.

    Raises:
        RequestError: Its media type is not ours (415).
        BodyError: It did not come as a whole; see `hems.headend.bodies.octets_of`.
    """
    if request.content_type != MEDIA_TYPE:
        raise _MediaError(
            _UNSUPPORTED, f"the body must be {MEDIA_TYPE}, not {request.content_type}"
        )
    return await octets_of(request, most, BODY_WITHIN_S)


async def read(request: web.Request, expected: type[_R]) -> _R:
    """Return the body as a record; see `body_of` and `hems.sep2.xml.parse` for errors."""
    return parse(await body_of(request), expected)


def answer(request: web.Request, record: Resource) -> web.Response:
    """Answer 200 with a record, or 304 where the caller has just this (RFC 9110, 13.1.2)."""
    return answer_form(request, Form.of(record, caller(request).edition))


def answer_form(request: web.Request, form: Form) -> web.Response:
    """Answer with what is written already; see `answer`."""
    headers = {hdrs.ETAG: form.etag}
    if hdrs.IF_NONE_MATCH in request.headers:
        known = {f'"{tag.value}"' for tag in request.if_none_match or ()}
        if form.etag in known:
            return web.Response(status=_NOT_MODIFIED, headers=headers)
    headers[hdrs.CONTENT_TYPE] = MEDIA_TYPE
    return web.Response(body=form.body, headers=headers)


def created(location: str) -> web.Response:
    """Answer 201 with the new resource's address."""
    return web.Response(status=201, headers={"Location": location})


def changed(location: str | None = None) -> web.Response:
    """Answer 204, with the address of what was changed if the client may not know it."""
    return web.Response(status=204, headers={} if location is None else {"Location": location})


MANY: Final = 2**63 - 1
"""Greatest number of what comes without end (responses, log events), as the database has it."""

_FEW: Final = 2**31 - 1
_MAX_DIGITS: Final = 19


def number_of(request: web.Request, name: str, most: int = _FEW) -> int:
    """Return a number in the path.

    Args:
        request: The request.
        name: Of the part of its path.
        most: The greatest that can have been handed out.

    Raises:
        UnknownItemError: It is no number, hence nothing that was ever handed out.
    """
    text = request.match_info[name]
    digits = text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
    if not digits or int(text) > most:
        raise UnknownItemError(f"there is nothing at {request.path[:80]}")
    return int(text)
