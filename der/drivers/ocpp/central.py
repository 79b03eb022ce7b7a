"""The OCPP central system (a CSMS): the one listener that all the home's chargers call.

A charger connects to `ws://HUB:PORT/ocpp/IDENTITY`, or `wss://` where there is a certificate, with
the subprotocol of the version that it is configured for. Only configured identities are let in,
and only if they prove who they are (see `security`).
"""

import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from aiohttp import WebSocketError, WSCloseCode, WSMessage, WSMsgType, hdrs, web

from der.addresses import CentralSettings, Shared, StationAddress
from der.description import Inspector, KeptOut, Now
from der.drivers.ocpp.callers import Caller, Callers
from der.drivers.ocpp.forbearance import Forbearance
from der.drivers.ocpp.frame import MAX_FRAME
from der.drivers.ocpp.said import Said, plain
from der.drivers.ocpp.security import refusal, tls_context
from der.drivers.ocpp.session import FRAMES
from der.drivers.ocpp.station import Station, Version
from der.errors import PermanentError
from der.model import DeviceSpec
from der.oddity import Oddity, Tell, What, untold
from der.peer import peer_of
from der.sentence import say

SUBPROTOCOL_16: Final = "ocpp1.6"
SUBPROTOCOL_201: Final = "ocpp2.0.1"
SUBPROTOCOLS: Final = (SUBPROTOCOL_201, SUBPROTOCOL_16)
"""Newest first."""

_REFUSED: Final = "refused a charger"
_CUT: Final = "ended the charger's connection"
_PING_S: Final = 10.0
_SHUTDOWN_S: Final = 1.0

log = logging.getLogger(__name__)


class CentralSystem:
    """Listens for chargers; one instance serves all of them, of both versions.

    Args:
        settings: Where to listen, and with which certificate.
        now: UTC epoch seconds.
        monotonic: Seconds that never step.

    Attributes:
        host: Address to listen on.
        port: TCP port; 0 for any free one, and the one in use once started.
    """

    def __init__(
        self,
        settings: CentralSettings | None = None,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings or CentralSettings()
        self.host = self._settings.host
        self.port = self._settings.port
        self._now, self._monotonic = now, monotonic
        self._stations: dict[str, Station] = {}
        self._callers = Callers()
        self._strangers = Said("OCPP", now)
        self._live: dict[str, tuple[web.WebSocketResponse, web.Request]] = {}
        self._runner: web.AppRunner | None = None
        self._inspector: Inspector | None = None
        self._tell: Tell = untold
        self._kept_out: KeptOut = lambda _: False
        self._forbearing: dict[str, Forbearance] = {}

    def tell_by(self, tell: Tell) -> None:
        """Have somebody told of who calls and is none of ours (`der.oddity.Telling`)."""
        self._tell = tell

    def keep_out_by(self, kept_out: KeptOut) -> None:
        """Have those sent away whose address is kept out.

        A charger that is called from where it last proved who it is comes in all the same: others
        at its address, or who write its address on what they send, must not end its charging.
        """
        self._kept_out = kept_out

    @property
    def callers(self) -> tuple[Caller, ...]:
        """The last chargers that called in and that no device stands for, the latest last."""
        return self._callers.all()

    def add(self, address: StationAddress, version: Version, spec: DeviceSpec) -> Station:
        """Let a charger in from now on.

        Args:
            address: Who it is.
            version: What it speaks.
            spec: The device that it is.

        Raises:
            PermanentError: Another charger has this identity.
        """
        if address.identity in self._stations:
            raise PermanentError(f"two chargers have the OCPP identity {address.identity!r}")
        station = Station(
            address, version, spec.id, spec.max_w, self._now, monotonic=self._monotonic
        )
        self._stations[address.identity] = station
        if self._inspector is not None:
            station.inspect = partial(self._inspector, spec.id)
        self._forbearing[address.identity] = Forbearance(
            self._now, lambda why: self._hostile(station, why)
        )
        self._callers.forget(address.identity)
        return station

    def inspect_by(self, inspector: Inspector) -> None:
        """Have each charger that calls in looked at, before anything is told to it."""
        self._inspector = inspector
        for station in self._stations.values():
            station.inspect = partial(inspector, station.name)

    def drop(self, device: str) -> None:
        """End a charger's connection, if there is one; it is looked at when it calls again."""
        for identity, station in self._stations.items():
            live = self._live.get(identity)
            if station.name == device and live is not None and live[1].transport is not None:
                live[1].transport.abort()

    async def start(self) -> None:
        """Listen.

        Raises:
            PermanentError: The port is taken, the address is not ours, or a certificate cannot be
                used.
        """
        context = tls_context(self._settings, self._unshaken)
        app = web.Application()
        app.router.add_get("/ocpp/{identity}", self._serve)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
        await runner.setup()
        site = web.TCPSite(runner, self.host, self.port, ssl_context=context)
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
        station = self._admit(request)
        identity, subprotocol = station.address.identity, station.version.subprotocol
        if subprotocol not in _offered(request):
            return await self._send_away(request, station)
        socket = web.WebSocketResponse(
            protocols=(subprotocol,),
            heartbeat=_PING_S,
            max_msg_size=MAX_FRAME,
            timeout=_SHUTDOWN_S,
        )
        await socket.prepare(request)
        station.said.over(_REFUSED)
        older = self._live.get(identity)
        if older is not None and older[1].transport is not None:
            older[1].transport.abort()  # the charger has left it; a farewell would go unanswered
        self._live[identity] = (socket, request)
        try:
            await self._converse(station, socket, request)
        finally:
            if self._live.get(identity, (None,))[0] is socket:
                del self._live[identity]
        return socket

    async def _send_away(self, request: web.Request, station: Station) -> web.WebSocketResponse:
        """Refuse one that speaks no version that it should.

        OCPP-J 1.6, 3.1.2: complete the handshake without subprotocol, then close.
        """
        offers = ", ".join(_offered(request)) or "no version of OCPP"
        why = f"it offers {offers}, and is configured for {station.version.subprotocol}"
        station.said.warn(_REFUSED, why)
        headers = request.headers.copy()
        headers.popall(hdrs.SEC_WEBSOCKET_PROTOCOL, None)  # aiohttp would say it again each time
        socket = web.WebSocketResponse(timeout=_SHUTDOWN_S)
        await socket.prepare(request.clone(headers=headers))
        await socket.close(code=WSCloseCode.PROTOCOL_ERROR)
        return socket

    def _admit(self, request: web.Request) -> Station:
        """Return the charger that calls; ends the request where it may not come in."""
        identity, remote = request.match_info["identity"], request.remote or ""
        station = self._stations.get(identity)
        proved_at = "" if station is None else station.record.connection.host
        if remote != proved_at and self._kept_out(remote):
            raise web.HTTPTooManyRequests
        if station is None:
            self._note_stranger(identity, request)
            raise web.HTTPNotFound
        settings, transport = self._settings, request.transport
        certificate = None if transport is None else transport.get_extra_info("peercert")
        why = refusal(
            station.address,
            request.headers.get(hdrs.AUTHORIZATION, ""),
            certificate,
            named=settings.tls is not None and settings.client_certificates,
        )
        if why is not None:
            station.said.warn(_REFUSED, f"{why} (from {remote})")
            self._tell(Oddity(What.IMPOSTOR, why, station.name, remote))
            raise web.HTTPUnauthorized(headers={hdrs.WWW_AUTHENTICATE: 'Basic realm="ocpp"'})
        peer = peer_of((remote,), _tls(request))
        # What it said of itself before still counts: it may not say it again on this connection.
        shown = replace(station.record.connection, host=peer.host, key=peer.key)
        why = station.inspect(shown)
        if why is not None:
            station.said.warn(_REFUSED, f"{why} (from {remote})")
            raise web.HTTPForbidden
        station.record.called(peer.host, peer.key)
        return station

    def _note_stranger(self, identity: str, request: web.Request) -> None:
        offered = _offered(request)
        newest = next((known for known in SUBPROTOCOLS if known in offered), "")
        caller = Caller(identity, request.remote or "", newest, self._now())
        if self._callers.note(caller):
            self._strangers.warn(
                _REFUSED, f"unknown identity {identity!r} from {caller.remote} ({newest or '?'})"
            )
            why = say("a charger called in that no device stands for")
            self._tell(Oddity(What.STRANGER, why, identity, caller.remote))

    def _unshaken(self, why: str) -> None:
        self._tell(Oddity(What.HANDSHAKE, why))

    def _hostile(self, station: Station, why: str) -> None:
        self._tell(Oddity(What.HOSTILE, why, station.name, station.record.connection.host))

    async def _converse(
        self, station: Station, socket: web.WebSocketResponse, request: web.Request
    ) -> None:
        orders = station.attach(socket, partial(_end, request))
        forbearance = self._forbearing[station.address.identity]
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    forbearance.frame(usable=await orders.session.receive(message.data))
                else:
                    _unusable(message, station, forbearance)
        except ConnectionError:
            log.info("%s: the charger went while it was answered", station.name)
        finally:
            station.detach(orders)


def service(shared: Shared, now: Now) -> CentralSystem:
    """Return the home's central system, not started."""
    return CentralSystem(shared.central, now)


def _tls(request: web.Request) -> object:
    return None if request.transport is None else request.transport.get_extra_info("ssl_object")


def _unusable(message: WSMessage, station: Station, forbearance: Forbearance) -> None:
    """Count and say what came instead of text."""
    if message.type is not WSMsgType.ERROR:
        forbearance.frame(usable=False)
        station.said.often(FRAMES, "not text")
    elif isinstance(message.data, WebSocketError):
        forbearance.broke()
        forbearance.frame(usable=False)
        station.said.warn(_CUT, _broken(message.data))
    else:  # the line is dead, as lines at times are; that is nothing that the charger sent
        log.info("%s: the charger does not answer any more", station.name)


def _broken(error: WebSocketError) -> str:
    if error.code == WSCloseCode.MESSAGE_TOO_BIG:
        return f"a message of over {MAX_FRAME} bytes"
    return "what it sent is no message of a WebSocket"


def _end(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _offered(request: web.Request) -> Sequence[str]:
    """Return the subprotocols that a caller offers, those of any sense."""
    header = request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL, "")
    return [plain(name) for name in header[:200].split(",") if name.strip()]
