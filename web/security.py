"""Who may ask, and what a browser may do with the answer.

Who it is that asks, `web.door` finds out. Here every foreign site is kept out that a browser has
open beside the page: by name (DNS rebinding), by origin (CSRF), by frame.
"""

import asyncio
import ipaddress
from collections.abc import Callable, Collection
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import SplitResult, urlsplit

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from der.sentence import say
from hems.page_files import SAFE_HEADERS
from web.answers import TOO_LARGE, error_answer
from web.handler import Handler
from web.settings import WebSettings

SESSION_COOKIE: Final = "hems-session"
SESSION_COOKIE_BY_HTTPS: Final = "__Host-hems-session"
"""The prefix has browsers take it by HTTPS only, and for this one host (RFC 6265bis 4.1.3.2)."""
SESSION_COOKIES: Final = (SESSION_COOKIE, SESSION_COOKIE_BY_HTTPS)
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_SAFE_METHODS = frozenset({"GET", "HEAD"})
_OWN_SITE = frozenset({"same-origin", "none"})
_BODY_TIMEOUT_S = 10.0
_SLOWEST_BYTES_PER_S = 100_000.0


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets a request through or says in one sentence why not.

    Attributes:
        names: Host names, lower case, under which the page is served; IPv6 without brackets.
        max_body_bytes: Largest request body, where the operation sets none of its own.
        network_names: Asked for the names that the hub has on the home's network at present.
    """

    names: Collection[str]
    max_body_bytes: int
    network_names: Callable[[], Collection[str]] = tuple

    def refusal(self, request: web.Request, max_body_bytes: int) -> tuple[HTTPStatus, str] | None:
        """Return status and sentence for a request that is refused, else None.

        Args:
            request: The request, nothing of its body read yet.
            max_body_bytes: Largest body that its operation takes.
        """
        host = _authority(request.headers.getall("Host", []))
        if host is None:
            return HTTPStatus.BAD_REQUEST, say("The request does not name one host.")
        if host.hostname not in self.names and host.hostname not in self.network_names():
            return (
                HTTPStatus.MISDIRECTED_REQUEST,
                say("This page is not served under that host name."),
            )
        if request.headers.get("Sec-Fetch-Site", "none") not in _OWN_SITE and (
            request.method not in _SAFE_METHODS or request.path.startswith("/api/")
        ):
            return HTTPStatus.FORBIDDEN, say("Another site may not use this page.")
        if request.method not in _SAFE_METHODS and not _same_origin(request, host):
            return HTTPStatus.FORBIDDEN, say("Another site may not act on this page.")
        if (request.content_length or 0) > max_body_bytes:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE
        return None


def gate_of(settings: WebSettings, network_names: Callable[[], Collection[str]] = tuple) -> Gate:
    """Return the gate that the settings ask for.

    Args:
        settings: How the page is served.
        network_names: Asked for the names that the hub has on the home's network at present.
    """
    names = LOOPBACK_NAMES | set(settings.names)
    if not _unspecified(settings.host):
        names |= {settings.host.lower()}
    return Gate(names, settings.max_body_bytes, network_names)


GATE = web.AppKey("gate", Gate)
LIMITS = web.AppKey("limits", dict[tuple[str, str], int])
"""Largest body of each operation that sets one of its own, by method and path with its names;
what is loaded later adds its own."""


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse foreign requests, and read what body there is, within the limit and in time."""
    gate = request.app[GATE]
    own = request.app[LIMITS].get(_operation(request))
    limit = gate.max_body_bytes if own is None else own
    refused = gate.refusal(request, limit)
    if refused is not None:
        return error_answer(*refused)
    if own is not None:
        request = request.clone(client_max_size=own)
    if request.can_read_body:
        try:
            async with asyncio.timeout(_BODY_TIMEOUT_S + limit / _SLOWEST_BYTES_PER_S):
                await request.read()
        except TimeoutError:
            return error_answer(
                HTTPStatus.REQUEST_TIMEOUT, say("The request's body did not come in time.")
            )
        except (web.RequestPayloadError, HttpProcessingError):
            return error_answer(
                HTTPStatus.BAD_REQUEST, say("The request's body cannot be unpacked.")
            )
    return await handler(request)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put the security headers on every answer, streams and errors too."""
    response.headers.update(SAFE_HEADERS)
    if request.path.startswith("/api/") or response.status >= HTTPStatus.BAD_REQUEST:
        response.headers["Cache-Control"] = "no-store"


def _operation(request: web.Request) -> tuple[str, str]:
    resource = request.match_info.route.resource
    return request.method, "" if resource is None else resource.canonical


def _authority(values: list[str]) -> SplitResult | None:
    """Parse the one Host header; None if there is not exactly one good one."""
    if len(values) != 1 or set(values[0]) & set("/\\@?# \t"):
        return None
    try:
        parts = urlsplit(f"//{values[0]}")
        _ = parts.port  # raises on a port that is no number
    except ValueError:
        return None
    return parts if parts.hostname else None


def _same_origin(request: web.Request, host: SplitResult) -> bool:
    """Whether the request comes from the page itself, or from no page at all.

    Browsers send Origin with every POST; without it the client is a program, which no foreign
    site steers. A program has a token; one that shows a session's cookie says where it is from.
    """
    values = request.headers.getall("Origin", [])
    if not values:
        own = request.headers.get("Sec-Fetch-Site") == "same-origin"
        return own or not any(name in request.cookies for name in SESSION_COOKIES)
    try:
        origin = urlsplit(values[0])
        pair = (origin.hostname, origin.port)
    except ValueError:
        return False
    return (
        len(values) == 1
        # A proxy before the hub may speak HTTPS for it; no page by HTTP acts on one by HTTPS.
        and origin.scheme in {"https", request.scheme}
        and pair == (host.hostname, host.port)
    )


def _unspecified(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return not host
