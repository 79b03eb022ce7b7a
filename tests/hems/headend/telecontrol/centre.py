"""A control centre, written out by itself: it shares no reading of the protocol with the server."""

import asyncio
import contextlib
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

WITHIN_S = 40.0

START, START_CON = bytes.fromhex("680407000000"), bytes.fromhex("68040b000000")
STOP, STOP_CON = bytes.fromhex("680413000000"), bytes.fromhex("680423000000")
TEST, TEST_CON = bytes.fromhex("680443000000"), bytes.fromhex("680483000000")


class HungUpError(Exception):
    """The server ended the connection."""


@dataclass(frozen=True)
class Heard:
    """A data unit of the server, taken apart."""

    type: int
    cause: int
    negative: bool
    common: int
    body: bytes
    originator: int

    @property
    def address(self) -> int:
        return int.from_bytes(self.body[:3], "little")

    def objects(self, size: int) -> dict[int, bytes]:
        step = 3 + size
        parts = [self.body[n : n + step] for n in range(0, len(self.body), step)]
        return {int.from_bytes(part[:3], "little"): part[3:] for part in parts}

    def floats(self, size: int = 5) -> dict[int, tuple[float, int]]:
        """Values and qualities, by address."""
        return {at: struct.unpack("<fB", o[:5]) for at, o in self.objects(size).items()}


class Centre:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.sent = 0
        self.received = 0
        self.told: list[Heard] = []

    async def frame(self) -> bytes:
        """The next frame, whatever it is."""
        async with asyncio.timeout(WITHIN_S):
            try:
                head = await self.reader.readexactly(2)
                return head + await self.reader.readexactly(head[1])
            except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError) as error:
                raise HungUpError from error

    async def rest(self) -> list[bytes]:
        """All frames until the server ends it."""
        found = []
        with contextlib.suppress(HungUpError):
            while True:
                found.append(await self.frame())
        return found

    async def hung_up(self) -> bool:
        """Whether the server ends it."""
        await self.rest()
        return True

    def raw(self, octets: bytes) -> None:
        self.writer.write(octets)

    async def start(self) -> None:
        self.raw(START)
        assert await self.frame() == START_CON

    async def stop(self) -> None:
        """Stop, and acknowledge what comes until it is confirmed."""
        self.raw(STOP)
        while (got := await self.frame()) != STOP_CON:
            if not got[2] & 1:
                self._numbered(got)
                self.acknowledge()

    def acknowledge(self) -> None:
        self.raw(b"\x68\x04\x01\x00" + struct.pack("<H", self.received << 1))

    def ask(self, kind: int, cause: int, common: int, address: int, body: bytes) -> None:
        """Send a data unit of one object."""
        unit = struct.pack("<BBBBH", kind, 1, cause, 3, common)
        self.send(unit + address.to_bytes(3, "little") + body)

    def send(self, unit: bytes) -> None:
        control = struct.pack("<HH", self.sent << 1, self.received << 1)
        self.raw(bytes((0x68, 4 + len(unit))) + control + unit)
        self.sent = (self.sent + 1) % 32768

    def _numbered(self, frame: bytes) -> Heard:
        number = struct.unpack("<H", frame[2:4])[0] >> 1
        assert number == self.received, "the server's frames are not in order"
        self.received = (self.received + 1) % 32768
        kind, count, cause, originator, common = struct.unpack("<BBBBH", frame[6:12])
        assert 0 < count < 128
        return Heard(kind, cause & 63, bool(cause & 64), common, frame[12:], originator)

    async def hear(self) -> Heard:
        """The next data unit; tests are answered meanwhile."""
        while True:
            frame = await self.frame()
            if frame == TEST:
                self.raw(TEST_CON)
            elif not frame[2] & 1:
                heard = self._numbered(frame)
                self.acknowledge()
                return heard

    async def answer(self) -> Heard:
        """The next data unit that is an answer; what is told by itself is put by."""
        while (heard := await self.hear()).cause == 3:
            self.told.append(heard)
        return heard

    async def interrogate(self, common: int = 1, qualifier: int = 20) -> list[Heard]:
        """Ask for everything, and return it without the confirmations."""
        self.ask(100, 6, common, 0, bytes((qualifier,)))
        first = await self.answer()
        assert (first.type, first.cause, first.negative) == (100, 7, False)
        found = []
        while (heard := await self.answer()).type != 100:
            assert heard.cause == qualifier
            assert heard.originator == 3
            found.append(heard)
        assert heard.cause == 10
        return found

    async def values(self, good: Callable[[dict[int, Any]], bool]) -> dict[int, Any]:
        """Interrogate until what is told is good: figures are looked up every second."""
        async with asyncio.timeout(60):
            while True:
                found: dict[int, Any] = {}
                for one in await self.interrogate():
                    if one.type == 13:
                        found |= one.floats()
                    else:
                        found |= {at: bool(o[0] & 1) for at, o in one.objects(1).items()}
                if good(found):
                    return found
                await asyncio.sleep(0.1)

    async def set_point(
        self, address: int, value: float, *, select: bool = False, common: int = 1, cause: int = 6
    ) -> list[tuple[int, bool]]:
        """Send a set-point; returns causes and negations of the answers."""
        self.ask(50, cause, common, address, struct.pack("<fB", value, 0x80 * select))
        return await self._answers(select or cause == 8)

    async def command(
        self, address: int, *, on: bool, select: bool = False, common: int = 1
    ) -> list[tuple[int, bool]]:
        self.ask(45, 6, common, address, bytes((on | 0x80 * select,)))
        return await self._answers(select)

    async def _answers(self, short: bool) -> list[tuple[int, bool]]:
        first = await self.answer()
        found = [(first.cause, first.negative)]
        if not short and found == [(7, False)]:
            last = await self.answer()
            found.append((last.cause, last.negative))
        return found


@contextlib.asynccontextmanager
async def calling(
    place: str, tls: ssl.SSLContext | None = None, host: str = ""
) -> AsyncIterator[Centre]:
    """Call in."""
    name, _, port = place.rpartition(":")
    reader, writer = await asyncio.open_connection(
        name, int(port), ssl=tls, server_hostname=host or None
    )
    try:
        yield Centre(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()
