"""The homeowner's page: an aiohttp application over the home's surface."""

import errno
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from aiohttp import web

from hems.clock import Clock, SystemClock
from hems.surface import HomeSurface
from web.answers import errors_in_words
from web.api import Api
from web.errors import AddressError
from web.pages import Pages
from web.security import GATE, add_headers, gate_of, guard
from web.settings import WebSettings
from web.stream import Streams

_SHUTDOWN_S = 2.0
_CLOCK = SystemClock()


class Part(Protocol):
    """A part of the API, with handlers of its own."""

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """Return where it answers."""
        ...


def create_app(
    surface: HomeSurface,
    settings: WebSettings,
    clock: Clock = _CLOCK,
    parts: Iterable[Part] = (),
) -> web.Application:
    """Return the application that serves the page and its API.

    Args:
        surface: The running home.
        settings: How it is served.
        clock: Where "today" and the health check take the time from.
        parts: What else of the home the API offers.
    """
    app = web.Application(
        middlewares=[errors_in_words, guard], client_max_size=settings.max_body_bytes
    )
    app[GATE] = gate_of(settings)
    app.on_response_prepare.append(add_headers)

    api = Api(surface, settings, clock)
    pages = Pages(settings.static_dir)
    streams = Streams(surface, settings)

    async def end_streams(_app: web.Application) -> None:
        streams.close()

    app.on_shutdown.append(end_streams)
    for part in parts:
        app.add_routes(part.routes())
    app.add_routes(
        [
            web.get("/api/home", api.home),
            web.get("/api/health", api.health),
            web.get("/api/history", api.history),
            web.get("/api/stream", streams.serve, allow_head=False),
            web.post("/api/events/{id}/opt-out", api.opt_out),
            web.post("/api/events/{id}/opt-in", api.opt_in),
            web.post("/api/messages/{id}/acknowledge", api.acknowledge),
            web.post("/api/devices/{id}/wish", api.wish),
            web.delete("/api/devices/{id}/wish", api.end_wish),
            web.get("/", pages.index),
            web.get("/{path:.+}", pages.file),
        ]
    )
    return app


@asynccontextmanager
async def serving(
    surface: HomeSurface,
    settings: WebSettings,
    clock: Clock = _CLOCK,
    parts: Iterable[Part] = (),
) -> AsyncIterator[str]:
    """Serve the page while the context lasts.

    Yields:
        The page's address as a URL, with the port that was taken.

    Raises:
        AddressError: The address is in use, forbidden or not this machine's.
    """
    runner = web.AppRunner(
        create_app(surface, settings, clock, parts),
        access_log=None,
        shutdown_timeout=_SHUTDOWN_S,
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, settings.host, settings.port).start()
        except OSError as error:
            raise AddressError(_why(error, settings)) from error
        port = int(runner.addresses[0][1])
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


def _why(error: OSError, settings: WebSettings) -> str:
    reasons = {
        errno.EADDRINUSE: "another program is using it; choose another web.port",
        errno.EACCES: "this user may not listen there; choose a web.port above 1023",
        errno.EADDRNOTAVAIL: "this machine does not have that address; check web.host",
    }
    why = reasons.get(error.errno or 0, error.strerror or str(error))
    return f"the page cannot be served on {settings.host} port {settings.port}: {why}"
