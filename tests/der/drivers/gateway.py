"""A Modbus gateway with several units behind it, each of which may be well, silent or sick."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from pymodbus.framer import FramerRTU

from der.addresses import ModbusAddress, Transport
from tests.waiting import until

Behaviour = Callable[[bytes], bytes | None]
"""Answers a request PDU; None for no answer."""

READ_REQUEST = 8
"""Bytes of a read request in RTU framing."""


def holds(value: int) -> Behaviour:
    """Every register of the unit holds one value."""

    def answer(pdu: bytes) -> bytes:
        count = int.from_bytes(pdu[3:5], "big")
        return bytes([pdu[0], 2 * count]) + struct.pack(">H", value) * count

    return answer


def counts() -> Behaviour:
    """Every register of the unit holds how often the unit has been asked."""
    asked = 0

    def answer(pdu: bytes) -> bytes | None:
        nonlocal asked
        asked += 1
        return holds(asked)(pdu)

    return answer


def silent(pdu: bytes) -> bytes | None:
    """Never answer."""
    del pdu
    return None


def broken(pdu: bytes) -> bytes:
    """Answer with a function that nobody asked for."""
    del pdu
    return b"\x63ello, I am a web server"


@dataclass(slots=True)
class Gateway:
    """A running gateway.

    Attributes:
        units: Behaviour by unit; changes count at once.
        address: Where it listens, as its unit 1.
        connections: Accepted so far.
        open_now: Connections that stand.
        asked: Units in the order in which they were asked.
        most: Connections that it accepts at a time.
        unnumbered: It answers every MBAP request with the transaction number 0.
        delay: How late each answer is, in s.
    """

    units: dict[int, Behaviour]
    address: ModbusAddress
    connections: int = 0
    open_now: int = 0
    asked: list[int] = field(default_factory=list)
    most: int = 1
    unnumbered: bool = False
    delay: Callable[[], float] = float
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def hang_up(self) -> None:
        """Close all connections."""
        for writer in self.writers:
            writer.transport.abort()

    async def standing(self) -> int:
        """Return how many connections stand."""
        return self.open_now

    async def late(self, frame: bytes) -> None:
        """Send bytes that nobody waits for on the newest connection."""
        self.writers[-1].write(frame)
        await self.writers[-1].drain()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        if self.open_now >= self.most:
            writer.close()
            return
        self.connections += 1
        self.open_now += 1
        self.writers.append(writer)
        try:
            while True:
                await self._exchange(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open_now -= 1
            self.writers.remove(writer)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.address.transport is Transport.RTU_OVER_TCP:
            request = await reader.readexactly(READ_REQUEST)
            unit, pdu = request[0], request[1:-2]
        else:
            header = await reader.readexactly(7)
            number, _, length, unit = struct.unpack(">HHHB", header)
            pdu = await reader.readexactly(length - 1)
        self.asked.append(unit)
        answer = self.units[unit](pdu)
        if answer is None:
            return
        if self.address.transport is Transport.RTU_OVER_TCP:
            frame = rtu(unit, answer)
        else:
            number = 0 if self.unnumbered else number
            frame = struct.pack(">HHHB", number, 0, len(answer) + 1, unit) + answer
        # Who is late does not keep the others waiting: their questions are taken meanwhile.
        asyncio.get_running_loop().call_later(self.delay(), _send, writer, frame)


def _send(writer: asyncio.StreamWriter, frame: bytes) -> None:
    if not writer.is_closing():
        writer.write(frame)


def rtu(unit: int, pdu: bytes) -> bytes:
    """Frame an answer."""
    body = bytes([unit]) + pdu
    return body + FramerRTU.compute_CRC(body).to_bytes(2, "big")


@asynccontextmanager
async def serve_gateway(
    units: dict[int, Behaviour],
    transport: Transport = Transport.TCP,
    *,
    timeout_s: float = 0.3,
    most: int = 1,
) -> AsyncIterator[Gateway]:
    """Run a gateway."""
    address = ModbusAddress("127.0.0.1", 0, timeout_s=timeout_s, transport=transport)
    gateway = Gateway(units, address, most=most)
    server = await asyncio.start_server(gateway.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    gateway.address = ModbusAddress("127.0.0.1", port, timeout_s=timeout_s, transport=transport)
    try:
        async with server:
            yield gateway
    finally:
        gateway.hang_up()
        await until(gateway.standing, lambda now: now == 0, 5, "its connections end")
