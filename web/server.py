"""The homeowner's page: an aiohttp application over the home's surface."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiohttp import web

from hems.clock import Clock, SystemClock
from hems.surface import HomeSurface
from web.answers import errors_in_words
from web.api import HomeApi
from web.document_api import DocumentApi
from web.door import witnessed
from web.health_api import HealthApi
from web.lan import (
    CHECK_PATH,
    LAN,
    TRUST_PATH,
    LanDoor,
    answer_check,
    https_alone,
    open_check,
    open_sites,
)
from web.later import Later
from web.listening import listen
from web.marking import marked
from web.noticing import SENTINEL, Clerk, Sentinel, noticed
from web.operation import DOOR, Doorkeeper, OpenDoor, Part, limits, routes
from web.pages import Pages
from web.security import GATE, LIMITS, add_headers, gate_of, guard
from web.settings import WebSettings
from web.stream import Streams
from web.words import use_language

_SHUTDOWN_S = 2.0
_CLOCK = SystemClock()
_OPEN = OpenDoor()


def create_app(
    surface: HomeSurface,
    settings: WebSettings,
    clock: Clock = _CLOCK,
    parts: Iterable[Part | Later] = (),
    door: Doorkeeper = _OPEN,
    *,
    lan: LanDoor | None = None,
    sentinel: Sentinel | None = None,
) -> web.Application:
    """Return the application that serves the page and its API.

    Args:
        surface: The running home.
        settings: How it is served.
        clock: Where "today" and the health check take the time from.
        parts: What else of the home the API offers.
        door: Knows who asks.
        lan: The way in from the home's network, if there is one.
        sentinel: Takes note of what is refused; None for nobody.
    """
    app = web.Application(
        middlewares=[marked, use_language, witnessed, noticed, errors_in_words, guard],
        client_max_size=settings.max_body_bytes,
    )
    app.on_response_prepare.append(add_headers)
    if lan is None:
        app[GATE] = gate_of(settings)
    else:
        app[LAN] = lan
        app[GATE] = gate_of(settings, lambda: lan.presence.names)
        app.middlewares.append(https_alone)
        app.on_response_prepare.append(open_check)
        app.add_routes([web.get(CHECK_PATH, answer_check)])

    pages = Pages(settings.static_dir)
    streams = Streams(surface, settings)

    async def end_streams(_app: web.Application) -> None:
        streams.close()

    app.on_shutdown.append(end_streams)
    health = HealthApi(surface, clock, settings.stall_s)
    served: list[Part | Later] = [*parts, HomeApi(surface, settings, clock), health, streams]
    served.append(DocumentApi([*served, DocumentApi]))
    app[DOOR] = door
    app[SENTINEL] = sentinel or Sentinel(clock)
    app[LIMITS] = limits(part for part in served if not isinstance(part, Later))
    for part in served:
        if isinstance(part, Later):
            part.join(app.router, app[LIMITS])
        else:
            app.add_routes(routes(part))
    if lan is not None:
        app.add_routes([web.get(TRUST_PATH, pages.trust)])
    app.add_routes([web.get("/", pages.index), web.get("/{path:.+}", pages.file)])
    return app


@asynccontextmanager
async def serving(
    surface: HomeSurface,
    settings: WebSettings,
    clock: Clock = _CLOCK,
    parts: Iterable[Part | Later] = (),
    door: Doorkeeper = _OPEN,
    *,
    lan: LanDoor | None = None,
    sentinel: Sentinel | None = None,
) -> AsyncIterator[str]:
    """Serve the page while the context lasts.

    Yields:
        The page's address as a URL, with the port that was taken; with `lan` the one for this
        machine.

    Raises:
        AddressError: The address is in use, forbidden or not this machine's.
    """
    runner = web.AppRunner(
        create_app(surface, settings, clock, parts, door, lan=lan, sentinel=sentinel),
        access_log=None,
        logger=Clerk(sentinel or Sentinel(clock)),
        shutdown_timeout=_SHUTDOWN_S,
    )
    await runner.setup()
    try:
        if lan is not None:
            ports = await open_sites(runner, settings.host, settings.port, lan)
            async with lan.presence.kept_up(ports.https, ports.http, lan.alarm):
                yield f"http://127.0.0.1:{ports.http}"
            return
        site = web.TCPSite(runner, settings.host, settings.port)
        place = f"{settings.host} port {settings.port}"
        port = await listen(runner, site, place, "--port or web.port")
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
