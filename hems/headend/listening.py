"""Where a worker listens, and from where whoever calls in calls."""

import os
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack
from contextvars import ContextVar
from ssl import SSLContext
from typing import Any, Final, Protocol

from aiohttp import web
from aiohttp.typedefs import Middleware

from hems.headend.errors import SettingsError

KEEPALIVE_S: Final = 3600.0
"""A home polls once a minute or slower; a handshake for each poll would cost it more than this."""

_BACKLOG: Final = 1024
"""Connections waiting to be accepted: after a restart all homes come at once."""

_SHUTDOWN_S: Final = 1.0

PEER: Final[ContextVar[str]] = ContextVar("peer", default="")
"""Address of the peer of the connection that is at work: in its handshake, and in all requests
over it; empty elsewhere."""


class Watch(Protocol):
    """Who looks at everything that comes in."""

    def middleware(self, door: str) -> Middleware:
        """Return what each request of a door goes through first."""
        ...

    def opened(self, door: str, runner: web.AppRunner) -> None:
        """Take note of who holds a door's connections."""
        ...


class _Listener(socket.socket):
    """A listening socket that says where each connection comes from.

    The event loop makes a connection, with its handshake and its requests, in a copy of the
    context in which it was accepted.
    """

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection."""
        accepted, address = super().accept()
        PEER.set(str(address[0]) if isinstance(address, tuple) else "")
        return accepted, address


class Listening:
    """Opens doors.

    Args:
        stack: Closes them.
        watch: Who looks at what comes in.
        shared: Whether several workers of this machine listen at the same ports.
    """

    def __init__(self, stack: AsyncExitStack, watch: Watch, *, shared: bool) -> None:
        self._stack = stack
        self._watch = watch
        self._shared = shared
        self.sockets: list[socket.socket] = []
        """All listening sockets, open as long as the doors are."""

    async def at(
        self,
        door: str,
        app: web.Application,
        place: tuple[str, int],
        tls: SSLContext | None,
        *,
        keepalive_s: float = KEEPALIVE_S,
    ) -> int:
        """Listen; returns the port.

        Args:
            door: What the door is called.
            app: What stands behind it.
            place: Host, and port; 0 takes any free one.
            tls: Its TLS; None for none.
            keepalive_s: How long a connection may be silent.

        Raises:
            SettingsError: It cannot listen there.
        """
        app.middlewares.insert(0, self._watch.middleware(door))
        runner = web.AppRunner(
            app, access_log=None, keepalive_timeout=keepalive_s, shutdown_timeout=_SHUTDOWN_S
        )
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        host, port = place
        try:
            for listener in _listeners(host, port, shared=self._shared):
                await web.SockSite(runner, listener, ssl_context=tls, backlog=_BACKLOG).start()
                self.sockets.append(listener)
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else error.strerror
            raise SettingsError(f"cannot listen on {host} port {port}: {why}") from error
        self._watch.opened(door, runner)
        return int(runner.addresses[0][1])


def _listeners(host: str, port: int, *, shared: bool) -> Sequence[socket.socket]:
    """Return bound sockets for all addresses of a host, as the event loop itself makes them.

    Raises:
        OSError: One cannot be bound; none is left open.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    made: list[_Listener] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(found):
            each = _Listener(family, kind, protocol)
            made.append(each)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6:
                each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            each.bind(address)
            each.setblocking(False)
    except OSError:
        for one in made:
            one.close()
        raise
    return made
