"""The page on the home's network: by HTTPS, and by plain HTTP only how a browser comes to trust it.

Plain HTTP serves everything to who asks at this machine's loopback address, and to nobody else.
"""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from aiohttp import web
from yarl import URL

from der.sentence import say
from hems.lan.presence import Presence
from web.answers import error_answer
from web.handler import Handler
from web.listening import listen

TRUST_PATH: Final = "/trust"
CHECK_PATH: Final = "/trust/check"
"""Answered by HTTPS alone, to a page of any origin: who gets it trusts the hub's certificate."""
_SHELL: Final = ("/assets/", "/icon", "/api/lan/")
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})
_SAFE: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class LanDoor:
    """The way in from the home's network.

    Attributes:
        presence: The hub's name and certificate there.
        https_port: Where HTTPS is served; 0 takes a free port.
        alarm: Told in one sentence what is wrong with them; None when they are well again.
    """

    presence: Presence
    https_port: int
    alarm: Callable[[str | None], None]


LAN = web.AppKey("lan", LanDoor)


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports that were taken.

    Attributes:
        http: Of plain HTTP.
        https: Of HTTPS.
    """

    http: int
    https: int


async def open_sites(runner: web.BaseRunner, host: str, port: int, door: LanDoor) -> Ports:
    """Listen on the home's network, and on the loopback address for this machine.

    Args:
        runner: What is served.
        host: An address of the home's network, or an unspecified one: "::" for both families.
        port: Of plain HTTP; 0 takes a free one.
        door: The way in.

    Raises:
        AddressError: An address is in use, forbidden or not this machine's.
    """
    everywhere = host in {"0.0.0.0", "::"}  # noqa: S104 - asked for in the configuration
    listened = None if host == "::" else host
    http = port
    for each in (listened,) if everywhere else ("127.0.0.1", listened):
        place = f"{each or host} port {http}"
        http = await listen(runner, web.TCPSite(runner, each, http), place, "web.port")
    context = door.presence.identity.context
    site = web.TCPSite(runner, listened, door.https_port, ssl_context=context)
    place = f"{host} port {door.https_port}"
    return Ports(http, await listen(runner, site, place, "web.https_port"))


def from_this_machine(request: web.Request) -> bool:
    """Return whether a request came in at the loopback address, which no other machine reaches."""
    if request.transport is None:
        return False
    name = request.transport.get_extra_info("sockname")
    return isinstance(name, tuple) and name[0] in _LOOPBACK


@web.middleware
async def https_alone(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Serve the home's network by HTTPS alone, but for the way to trust its certificate.

    There is no Strict-Transport-Security: it would close that way to a browser that needs it again.
    """
    if request.secure or from_this_machine(request):
        return await handler(request)
    path = request.path
    if request.method not in _SAFE:
        return error_answer(
            HTTPStatus.FORBIDDEN, say("On this network the hub is used by HTTPS only.")
        )
    if path == "/":
        return web.Response(status=HTTPStatus.FOUND, headers={"Location": TRUST_PATH})
    if path in {TRUST_PATH, "/api/lan"} or path.startswith(_SHELL):
        return await handler(request)
    to = URL(f"{_https(request)}{request.rel_url}", encoded=True)
    return web.Response(status=HTTPStatus.TEMPORARY_REDIRECT, headers={"Location": str(to)})


async def answer_check(request: web.Request) -> web.StreamResponse:
    """Answer whoever asks whether the certificate is trusted: by answering at all."""
    if not request.secure:
        raise web.HTTPNotFound
    return web.Response(status=HTTPStatus.NO_CONTENT)


async def open_check(request: web.Request, response: web.StreamResponse) -> None:
    """Open the check, and nothing else, to the plain page that explains trust."""
    if request.path == CHECK_PATH:
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        response.headers["Cache-Control"] = "no-store"
    elif request.path == TRUST_PATH and not request.secure:
        policy = response.headers.get("Content-Security-Policy", "")
        response.headers["Content-Security-Policy"] = policy.replace(
            "connect-src 'self'", f"connect-src 'self' {_https(request)}"
        )


def _https(request: web.Request) -> str:
    """Return the origin of the page by HTTPS, under the name that it was asked for by."""
    name = request.url.host or ""
    host = f"[{name}]" if ":" in name else name
    return f"https://{host}:{request.app[LAN].presence.https_port}"
