"""Where the utility's notifications come in: one POST route over mutual TLS."""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from hems.sep2.errors import (
    MalformedError,
    NotFoundError,
    OversizedError,
    Sep2Error,
    StrangerError,
)
from hems.sep2.noticed import Notice, Noticed, What, unnoticed
from hems.sep2.transport.http import peer_lfdi
from hems.sep2.xml import MAX_BODY, MEDIA_TYPE

_log = logging.getLogger(__name__)

PATH: Final = "/notify"
_TYPES: Final = frozenset({MEDIA_TYPE, "application/xml", "text/xml"})
_GRACE_S: Final = 1.0
_READ_S: Final = 20.0
"""In this time a notification must be there as a whole; nobody holds a connection by drips."""
_AGAIN_S: Final = 5
"""When a notification that came too early is to be sent again."""


class Listener:
    """A small HTTPS server for notifications.

    Args:
        handle: Takes the body of a notification and the LFDI of who sent it (None without TLS);
            raises MalformedError (answered 400), StrangerError (403), NotFoundError (404: no such
            subscription, the server should drop it) or TransientError (503: it should try again).
        ssl_context: The server side of mutual TLS; None only on a trusted loopback in tests.
        host: Address to listen on.
        port: Port to listen on; 0 for any free one.
        read_s: In what time a notification's body must be there.
        public_host: Name or address under which the utility reaches this home; the address
            listened on if None.
        public_port: Port under which the utility reaches it, where a router maps ports.
        notice: Told of each notification that is not taken.
    """

    def __init__(
        self,
        handle: Callable[[bytes, str | None], Awaitable[None]],
        ssl_context: ssl.SSLContext | None,
        *,
        host: str,
        port: int = 0,
        public_host: str | None = None,
        public_port: int | None = None,
        read_s: float = _READ_S,
        notice: Notice = unnoticed,
    ) -> None:
        self._read_s = read_s
        self._handle = handle
        self._ssl = ssl_context
        self._host = host
        self._port = port
        self._public_host = public_host or host
        self._public_port = public_port
        self._notice = notice
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        """Listen; returns the absolute notificationURI.

        Raises:
            OSError: The port is taken or the address is not ours.
        """
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_post(PATH, self._post)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_GRACE_S)
        await runner.setup()
        site = web.TCPSite(runner, self._host, self._port, ssl_context=self._ssl)
        try:
            await site.start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        port = self._public_port or runner.addresses[0][1]
        scheme = "https" if self._ssl is not None else "http"
        host = f"[{self._public_host}]" if ":" in self._public_host else self._public_host
        return f"{scheme}://{host}:{port}{PATH}"

    async def close(self) -> None:
        """Stop listening; calling it again does nothing."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _post(self, request: web.Request) -> web.Response:
        _log.debug("a notification comes in, %s octets", request.content_length)
        if request.content_type not in _TYPES:
            raise web.HTTPUnsupportedMediaType(text=f"only {MEDIA_TYPE} is taken here\n")
        try:
            async with asyncio.timeout(self._read_s):
                body = await request.read()
        except TimeoutError:
            self._refused(request, "it does not come to its end")
            raise web.HTTPRequestTimeout(headers={"Connection": "close"}) from None
        except web.HTTPRequestEntityTooLarge:
            raise self._too_large(request) from None
        try:
            await self._handle(body, _sender(request))
        except OversizedError:
            raise self._too_large(request) from None
        except MalformedError as error:
            self._refused(request, str(error), error)
            raise web.HTTPBadRequest(text=f"{error}\n") from None
        except StrangerError as error:
            self._refused(request, str(error), error)
            raise web.HTTPForbidden(text="only this home's own server may notify it\n") from None
        except NotFoundError as error:
            self._refused(request, str(error), error)
            raise web.HTTPNotFound(text=f"{error}\n") from None
        except Sep2Error as error:  # what it led to could not be had now
            _log.info("a notification from %s must wait: %s", request.remote, error)
            raise web.HTTPServiceUnavailable(
                text=f"{error}\n", headers={"Retry-After": str(_AGAIN_S)}
            ) from None
        return web.Response(status=204)

    def _refused(self, request: web.Request, why: str, error: Sep2Error | None = None) -> None:
        _log.warning("a notification from %s is refused: %s", request.remote, why)
        source = request.remote or ""
        self._notice(Noticed(What.NOTIFICATION, why, source, error=error))

    def _too_large(self, request: web.Request) -> web.HTTPRequestEntityTooLarge:
        why = f"the body is longer than {MAX_BODY} octets"
        self._refused(request, why)
        return web.HTTPRequestEntityTooLarge(MAX_BODY, MAX_BODY + 1, text=f"{why}\n")


def _sender(request: web.Request) -> str | None:
    connection = request.get_extra_info("ssl_object")
    return None if connection is None else peer_lfdi(connection)
