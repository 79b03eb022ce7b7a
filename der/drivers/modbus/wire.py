"""One TCP or TLS connection that carries Modbus: one question at a time, and its answer.

pymodbus's own client is not used here, only its framers and messages: it swallows the cause for
which a connection failed (a refused certificate), does not let a TLS peer have another name than
its host, and takes an answer without a number for any question.
"""

import asyncio
import ipaddress
import logging
import os
import ssl
from collections.abc import Callable
from typing import Final

from pymodbus.pdu import ModbusPDU

from der.addresses import ModbusAddress
from der.drivers.modbus.framing import Framing, NotModbusError
from der.drivers.modbus.tls import tls_cause
from der.peer import Peer, peer_of

_log = logging.getLogger(__name__)

_LAST_NUMBER: Final = 0xFFFF
_SHOWN_BYTES: Final = 8
_BUFFER_BYTES: Final = 1024
_NEXT_ADDRESS_S: Final = 0.25
"""After so long the next of a name's addresses is tried beside the one before (RFC 8305): few
devices speak Modbus over IPv6, whatever their name says."""


class WireError(Exception):
    """The connection is of no more use, or never was; `str()` is the cause in words.

    Attributes:
        lasting: Whether trying again is useless until somebody changes something.
        alien: Whether what came was no Modbus, and no line that garbles can be the reason.
    """

    def __init__(self, cause: str, *, lasting: bool = False, alien: bool = False) -> None:
        super().__init__(cause)
        self.lasting = lasting
        self.alien = alien


class Wire(asyncio.BufferedProtocol):
    """A connection; made by `connect`."""

    def __init__(self, framing: Framing, on_closed: Callable[[str], None]) -> None:
        self._framing = framing
        self._on_closed = on_closed
        self._transport: asyncio.Transport | None = None
        self._incoming = bytearray(_BUFFER_BYTES)
        self._buffer = b""
        self._number = 0
        self._unit = 0
        self._answer: asyncio.Future[ModbusPDU] | None = None
        self._unanswered = False
        self._secured = False
        self._trusted = False
        self._gave_up = False
        self._numbered = framing.numbered
        self._ended: WireError | None = None
        self._peer = Peer()

    @property
    def peer(self) -> Peer:
        """Who is at the other end."""
        return self._peer

    @property
    def ended(self) -> str | None:
        """Why the connection is of no more use; None while it stands."""
        return None if self._ended is None else str(self._ended)

    @property
    def numbered(self) -> bool:
        """Whether answers say which question they belong to, as far as is known."""
        return self._numbered

    @property
    def unanswered(self) -> bool:
        """Whether the last question has no answer (yet)."""
        return self._unanswered

    async def ask(self, request: ModbusPDU) -> ModbusPDU:
        """Send a request and return its answer; the caller bounds the time and asks in turn.

        Raises:
            WireError: The connection ended.
        """
        if self._ended is not None or self._transport is None:
            raise self._ended or WireError("not connected")
        self._number = self._number % _LAST_NUMBER + 1
        self._unit = request.dev_id
        self._answer = asyncio.get_running_loop().create_future()
        self._unanswered = True
        try:
            self._transport.write(self._framing.frame(request, self._number))
            return await self._answer
        finally:
            self._answer = None

    def give_up(self) -> None:
        """Expect the answer of the last question no more; it may still come, and is dropped."""
        self._gave_up = True

    def release(self, cause: str) -> None:
        """End a question under way and keep the connection."""
        self._gave_up = True
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(WireError(cause))

    def end(self, cause: str) -> None:
        """Close the connection; a question under way ends with the cause."""
        self._fail(WireError(cause))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport over."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - the loop's promise
        self._transport = transport
        tls = transport.get_extra_info("ssl_object")
        self._secured = tls is not None
        self._peer = peer_of(transport.get_extra_info("peername"), tls)

    def connection_lost(self, exc: Exception | None) -> None:
        """End a question under way: the other end closed, or TLS failed."""
        if self._ended is not None:
            return
        cause = "the device closed the connection"
        if isinstance(exc, ssl.SSLError):
            cause = f"{cause} ({tls_cause(exc)})"
        elif self._secured and not self._trusted:
            # TLS 1.3 lets a device judge our certificate when our side is done already, and its
            # word may be lost with the connection.
            cause = f"{cause} before its first answer (it may want another certificate of ours)"
        self._fail(WireError(cause))
        self._on_closed(cause)

    def get_buffer(self, sizehint: int) -> bytearray:
        """Return where to put what comes: a buffer of our own saves the loop a large one."""
        del sizehint
        return self._incoming

    def buffer_updated(self, nbytes: int) -> None:
        """Take the answers out of what came; what is no Modbus ends the connection."""
        self._buffer += self._incoming[:nbytes]
        try:
            while self._buffer and self._ended is None:
                taken = self._framing.take(self._buffer)
                if taken is None:
                    return
                self._buffer = self._buffer[taken.size :]
                self._deliver(taken.unit, taken.transaction, taken.pdu)
        except NotModbusError as error:
            # Not in the error: that would be another one each time, and said each time.
            _log.debug("%s (%s)", self._buffer[:_SHOWN_BYTES].hex(" "), error)
            # Without numbers it is RTU: a bad wire behind the gateway garbles frames by itself.
            alien = self._framing.numbered
            self._fail(WireError("answered bytes that are not Modbus", alien=alien))

    def _deliver(self, unit: int, transaction: int | None, pdu: ModbusPDU) -> None:
        if self._answer is None or self._answer.done():
            return  # the late answer to a question that was given up
        if self._unit and unit != self._unit:
            return
        if transaction not in {None, self._number}:
            # Some devices never number their answers; borne as long as no late one may come.
            self._numbered = self._numbered and transaction != 0
            if transaction != 0 or self._gave_up:
                return
        self._unanswered = False
        self._trusted = True
        self._answer.set_result(pdu)

    def _fail(self, error: WireError) -> None:
        if self._ended is not None:
            return
        self._ended = error
        if self._transport is not None:
            self._transport.abort()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


async def connect(
    address: ModbusAddress,
    framing: Framing,
    context: ssl.SSLContext | None,
    on_closed: Callable[[str], None],
) -> Wire:
    """Connect; the caller bounds the time.

    Args:
        address: Where to.
        framing: How messages travel.
        context: For TLS; None for plain TCP.
        on_closed: Called with the cause when the other end closes the connection.

    Raises:
        WireError: Nobody listens there, or TLS failed; the cause says what.
    """
    name = None
    if context is not None:
        name = (address.tls.name if address.tls is not None else "") or address.host
    try:
        _, wire = await asyncio.get_running_loop().create_connection(
            lambda: Wire(framing, on_closed),
            address.host,
            address.port,
            ssl=context,
            server_hostname=name,
            happy_eyeballs_delay=_next_address_s(address.host),
        )
    except ssl.SSLError as error:
        raise WireError(tls_cause(error), lasting=True) from error
    except OSError as error:
        raise WireError(_words(error, context)) from error
    return wire


def _next_address_s(host: str) -> float | None:
    """Return when the next of a host's addresses is tried; None where there is one only."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return _NEXT_ADDRESS_S
    return None


def _words(error: OSError, context: ssl.SSLContext | None) -> str:
    """Return why no connection came about; Python's own text would repeat the address."""
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    if context is not None and isinstance(error, ConnectionError):
        return "TLS: the device broke the handshake off"
    return str(error) or type(error).__name__
