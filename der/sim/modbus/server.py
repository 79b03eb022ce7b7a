"""A Modbus server for simulated devices (TCP, TLS, RTU over TCP), able to misbehave on request.

Written out rather than taken from the library that the hub's drivers use: so the two ends of the
wire do not share one reading of the protocol, a late answer keeps its own transaction number,
and faults happen on the socket itself. Modbus Application Protocol V1.1b3 is the reference, and
for TLS Modbus/TCP Security V2.1; functions 1 to 6, 15 and 16 are served.
"""

import asyncio
import ssl
import struct
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from functools import partial
from typing import Protocol

from der.sim.errors import ExceptionCode, ListenError, RefusedError
from der.sim.faults import Fault, FaultKind
from der.sim.modbus.framing import Framing, Mbap

HOST = "127.0.0.1"
MOST_REGISTERS_READ = 125
MOST_REGISTERS_WRITTEN = 123
MOST_BITS_READ = 2000


class Table(Enum):
    """The four address spaces of a Modbus device."""

    COIL = 1
    DISCRETE = 2
    HOLDING = 3
    INPUT = 4


class Unit(Protocol):
    """What a device answers; it raises RefusedError for addresses and values it does not take."""

    def read_bits(self, table: Table, address: int, count: int) -> list[bool]:
        """Return `count` coils or discrete inputs."""
        ...

    def read_registers(self, table: Table, address: int, count: int) -> list[int]:
        """Return `count` holding or input registers."""
        ...

    def write_coils(self, address: int, values: list[bool]) -> None:
        """Set coils."""
        ...

    def write_registers(self, address: int, values: list[int]) -> None:
        """Set holding registers."""
        ...


def answer(unit: Unit, request: bytes) -> bytes:
    """Answer a request PDU with a response PDU, an exception response if it is refused."""
    function = request[0]
    serve = FUNCTIONS.get(function)
    if serve is None:
        return bytes([function | 0x80, ExceptionCode.ILLEGAL_FUNCTION])
    try:
        return bytes([function]) + serve(unit, request[1:])
    except RefusedError as refusal:
        return bytes([function | 0x80, refusal.code])
    except struct.error:
        return bytes([function | 0x80, ExceptionCode.ILLEGAL_VALUE])


def _read_bits(table: Table, unit: Unit, body: bytes) -> bytes:
    address, count = struct.unpack(">HH", body)
    _check_count(count, MOST_BITS_READ)
    packed = _pack(unit.read_bits(table, address, count))
    return bytes([len(packed)]) + packed


def _read_registers(table: Table, unit: Unit, body: bytes) -> bytes:
    address, count = struct.unpack(">HH", body)
    _check_count(count, MOST_REGISTERS_READ)
    registers = unit.read_registers(table, address, count)
    return struct.pack(f">B{count}H", count * 2, *registers)


def _write_coil(unit: Unit, body: bytes) -> bytes:
    address, value = struct.unpack(">HH", body)
    if value not in {0x0000, 0xFF00}:
        raise RefusedError(ExceptionCode.ILLEGAL_VALUE, f"coil value {value:#06x}")
    unit.write_coils(address, [value == 0xFF00])  # noqa: PLR2004 - "on", as the protocol writes it
    return body


def _write_register(unit: Unit, body: bytes) -> bytes:
    address, value = struct.unpack(">HH", body)
    unit.write_registers(address, [value])
    return body


def _write_coils(unit: Unit, body: bytes) -> bytes:
    address, count, size = struct.unpack_from(">HHB", body)
    if size != (count + 7) // 8 or len(body) != size + 5:
        raise RefusedError(ExceptionCode.ILLEGAL_VALUE, f"{count} coils in {size} bytes")
    unit.write_coils(address, [bool(body[5 + i // 8] >> i % 8 & 1) for i in range(count)])
    return body[:4]


def _write_registers(unit: Unit, body: bytes) -> bytes:
    address, count, size = struct.unpack_from(">HHB", body)
    _check_count(count, MOST_REGISTERS_WRITTEN)
    if size != count * 2:
        raise RefusedError(ExceptionCode.ILLEGAL_VALUE, f"{count} registers in {size} bytes")
    unit.write_registers(address, list(struct.unpack(f">{count}H", body[5:])))
    return body[:4]


def _check_count(count: int, most: int) -> None:
    if not 1 <= count <= most:
        raise RefusedError(ExceptionCode.ILLEGAL_VALUE, f"{count} points at once")


def _pack(bits: list[bool]) -> bytes:
    number = sum(bit << place for place, bit in enumerate(bits))
    return number.to_bytes((len(bits) + 7) // 8, "little")


FUNCTIONS: dict[int, Callable[[Unit, bytes], bytes]] = {
    1: partial(_read_bits, Table.COIL),
    2: partial(_read_bits, Table.DISCRETE),
    3: partial(_read_registers, Table.HOLDING),
    4: partial(_read_registers, Table.INPUT),
    5: _write_coil,
    6: _write_register,
    15: _write_coils,
    16: _write_registers,
}


def _nothing_to_forget() -> None:
    """Restart a device that keeps nothing."""


class ModbusServer:
    """Serves one unit, whatever unit number a peer asks for, on a loopback port.

    Attributes:
        unit: What answers.
        fault: What goes wrong with it.
        port: Where it listens, once started.
    """

    def __init__(
        self,
        device: str,
        unit: Unit,
        fault: Fault,
        port: int = 0,
        *,
        restart: Callable[[], None] = _nothing_to_forget,
        framing: Framing | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Make the server; `start` lets it listen.

        Args:
            device: Its name, for messages.
            unit: What answers.
            fault: What goes wrong with it.
            port: Where to listen; 0 for any free port.
            restart: Makes the device forget all that it was told (`FaultKind.REBOOT`).
            framing: How frames travel; None for Modbus TCP.
            tls: Its side of TLS; None for none.
        """
        self.device = device
        self.fault = fault
        self.port = port
        self.unit = unit
        self._restart = restart
        self._framing: Framing = framing or Mbap()
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._peers: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Listen.

        Raises:
            ListenError: The port is taken.
        """
        try:
            self._server = await asyncio.start_server(self._serve, HOST, self.port, ssl=self._tls)
        except OSError as error:
            raise ListenError(
                f"{self.device}: cannot listen on {HOST}:{self.port}: {error}"
            ) from error
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and drop every peer; may be started again on the same port."""
        if self._server is not None:
            self._server.close()
            self._server = None
        tasks = list(self._peers.values())
        for writer, task in list(self._peers.items()):
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def follow_fault(self) -> None:
        """Run for ever: leave the network while the fault is OFF or REBOOT, then come back.

        Raises:
            ListenError: The port was taken in the meantime.
        """
        while True:
            before = self.fault.kind
            await self.fault.until_changed()
            if FaultKind.EXCHANGED in {before, self.fault.kind}:
                self._restart()
                await self.stop()
            if self.fault.kind is FaultKind.REBOOT:
                self._restart()
            if self.fault.kind in {FaultKind.OFF, FaultKind.REBOOT}:
                await self.stop()
            elif self._server is None:
                await self.start()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:  # never: a server's callback runs in a task
            return
        self._peers[writer] = task
        try:
            # A peer that leaves in the middle of a frame is no concern of the device; and a stop
            # ends this task here, as nothing waits for it but the server.
            with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                while await self._exchange(reader, writer):
                    pass
        finally:
            del self._peers[writer]
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        request = await self._framing.take(reader)
        if request is None:
            return False  # out of step: only a new connection helps
        kind = self.fault.kind
        if kind is FaultKind.SILENCE:
            return True
        if kind is FaultKind.GARBAGE:
            writer.write(self.fault.garbage())
        else:
            if kind is FaultKind.EXCEPTION:
                response = bytes([request.pdu[0] | 0x80, ExceptionCode.DEVICE_FAILURE])
            else:
                response = answer(self.unit, request.pdu)
            if kind is FaultKind.DELAY:
                await asyncio.sleep(self.fault.delay_s)
            writer.write(self._framing.wrap(request, response))
        await writer.drain()
        return True
