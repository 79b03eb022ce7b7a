"""OCPP 1.6J central system: the one listener that all the home's chargers call.

A charger connects to `ws://<hub>:<port>/ocpp/<identity>` with the subprotocol `ocpp1.6`. Only
configured identities are let in, with their password where they have one.
"""

import hmac
import logging
import os
import time
from base64 import b64encode
from collections.abc import Callable
from typing import Final

from aiohttp import WSCloseCode, WSMsgType, web

from der.addresses import Shared, StationAddress
from der.description import Now
from der.drivers.ocpp.frame import MAX_FRAME
from der.drivers.ocpp.session import Session
from der.drivers.ocpp.station import Station
from der.errors import PermanentError

SUBPROTOCOL: Final = "ocpp1.6"
_PING_S: Final = 10.0
_SHUTDOWN_S: Final = 1.0

log = logging.getLogger(__name__)


class CentralSystem:
    """Listens for chargers; one instance serves all of them.

    Attributes:
        host: Address to listen on.
        port: TCP port; 0 for any free one, and the one in use once started.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, now: Callable[[], float] = time.time
    ) -> None:
        self.host = host
        self.port = port
        self._now = now
        self._stations: dict[str, Station] = {}
        self._live: dict[str, tuple[web.WebSocketResponse, web.Request]] = {}
        self._runner: web.AppRunner | None = None

    def add(self, config: StationAddress) -> Station:
        """Let a charger in from now on.

        Raises:
            PermanentError: Another charger has this identity.
        """
        if config.identity in self._stations:
            raise PermanentError(f"two chargers have the OCPP identity {config.identity!r}")
        station = Station(config, self._now)
        self._stations[config.identity] = station
        return station

    async def start(self) -> None:
        """Listen.

        Raises:
            PermanentError: The port is taken or the address is not ours.
        """
        app = web.Application()
        app.router.add_get("/ocpp/{identity}", self._serve)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
        await runner.setup()
        site = web.TCPSite(runner, self.host, self.port)
        try:
            await site.start()
        except OSError as error:
            await runner.cleanup()
            cause = os.strerror(error.errno) if error.errno else str(error)
            raise PermanentError(
                f"OCPP central system: cannot listen on {self.host}:{self.port}: {cause}"
            ) from error
        self._runner = runner
        self.port = runner.addresses[0][1]

    async def stop(self) -> None:
        """Close all connections and stop listening; calling it again does nothing."""
        runner, self._runner = self._runner, None
        for socket, _ in list(self._live.values()):
            await socket.close(code=WSCloseCode.GOING_AWAY)
        if runner is not None:
            await runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        identity = request.match_info["identity"]
        station = self._stations.get(identity)
        if station is None:
            log.warning(
                "refused a charger of unknown identity %r from %s", identity, request.remote
            )
            raise web.HTTPNotFound
        if not _authenticated(request, station.config):
            log.warning("%s: refused a charger with a wrong password", identity)
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": 'Basic realm="ocpp"'})
        socket = web.WebSocketResponse(
            protocols=(SUBPROTOCOL,),
            heartbeat=_PING_S,
            max_msg_size=MAX_FRAME,
            timeout=_SHUTDOWN_S,
        )
        await socket.prepare(request)
        if socket.ws_protocol != SUBPROTOCOL:
            # OCPP-J 1.6, 3.1.2: complete the handshake without subprotocol, then close.
            log.warning("%s: refused a charger that does not speak %s", identity, SUBPROTOCOL)
            await socket.close(code=WSCloseCode.PROTOCOL_ERROR)
            return socket
        older = self._live.get(identity)
        if older is not None and older[1].transport is not None:
            older[1].transport.abort()  # the charger has left it; a farewell would go unanswered
        self._live[identity] = (socket, request)
        try:
            await self._converse(station, socket)
        finally:
            if self._live.get(identity, (None,))[0] is socket:
                del self._live[identity]
        return socket

    async def _converse(self, station: Station, socket: web.WebSocketResponse) -> None:
        identity = station.config.identity
        session = Session(identity, socket, station)
        station.attach(session)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await session.receive(message.data)
                else:
                    log.warning("%s: ignored a frame from the charger: not text", identity)
        except ConnectionError:
            log.info("%s: the charger went while it was answered", identity)
        finally:
            station.detach(session)


def service(shared: Shared, now: Now) -> CentralSystem:
    """Return the home's central system, not started."""
    return CentralSystem(shared.central.host, shared.central.port, now)


def _authenticated(request: web.Request, config: StationAddress) -> bool:
    if not config.password:
        return True
    expected = b64encode(f"{config.identity}:{config.password}".encode())
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "basic" and hmac.compare_digest(given.strip().encode(), expected)
