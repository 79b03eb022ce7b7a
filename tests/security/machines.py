"""Attacks by devices that have turned hostile: on the wires that the hub asks by."""

import asyncio
import struct
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.security.attack import Attack, Entry, Kind, Where
from tests.security.den import Den
from tests.security.relay import Serve
from tests.waiting import until

_KNOWN_WITHIN_S: Final = 40.0
_HEAD: Final = 7
_READ: Final = frozenset({3, 4})
Answer = Callable[[int, int, int, int], bytes]
"""Makes the answer to a request for registers: transaction, unit, function, count."""


def _frame(
    transaction: int, unit: int, body: bytes, *, protocol: int = 0, length: int | None = None
) -> bytes:
    said = len(body) + 1 if length is None else length
    return struct.pack(">HHHB", transaction, protocol, said, unit) + body


def _registers(function: int, count: int, value: bytes) -> bytes:
    return bytes([function, 2 * count & 0xFF]) + value * count


def _wire(answer: Answer) -> Serve:
    """Return a Modbus device that answers each request in a way of its own."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readexactly(_HEAD)
            transaction, _, length, unit = struct.unpack(">HHHB", head)
            body = await reader.readexactly(length - 1)
            function = body[0]
            count = struct.unpack(">H", body[3:5])[0] if function in _READ else 1
            writer.write(answer(transaction, unit, function, count))
            await writer.drain()

    async def calm(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except asyncio.IncompleteReadError:
            return

    return calm


async def _floods(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers for good, whatever is asked and whether anything is."""
    while True:
        writer.write(_frame(1, 1, _registers(3, 100, b"\x7f\xff")) * 200)
        await writer.drain()
        await asyncio.sleep(0)


async def _drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers an octet at a time, slower than anybody waits."""
    head = await reader.read(100)
    answer = _frame(struct.unpack(">H", head[:2])[0], head[6], _registers(3, 120, b"\0\1"))
    for octet in answer:
        writer.write(bytes([octet]))
        await writer.drain()
        await asyncio.sleep(0.5)


async def _hangs_up(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Takes each call and hangs up at once."""


async def _silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Listens, and says nothing."""
    while await reader.read(1000):
        pass


async def _tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Speaks HTTP."""
    await reader.read(100)
    writer.write(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n" * 50)
    await writer.drain()


@dataclass(frozen=True, slots=True)
class Turn:
    """How a device turns hostile."""

    id: str
    does: str
    serve: Serve
    quick: bool = False


TURNS: Final = (
    Turn(
        "length-huge",
        "says that 65,535 octets come, and sends none",
        _wire(lambda t, u, _f, _n: _frame(t, u, b"", length=65_535)),
        quick=True,
    ),
    Turn(
        "length-zero",
        "says that no octet comes",
        _wire(lambda t, u, _f, _n: _frame(t, u, b"", length=0)),
    ),
    Turn(
        "length-short",
        "sends more registers than were asked for",
        _wire(lambda t, u, f, n: _frame(t, u, _registers(f, n + 5, b"\0\1"))),
    ),
    Turn(
        "length-bomb",
        "sends 250 octets for each register",
        _wire(lambda t, u, f, _n: _frame(t, u, bytes([f, 250]) + b"\x55" * 250)),
    ),
    Turn(
        "count-lies",
        "says another number of octets than it sends",
        _wire(lambda t, u, f, _n: _frame(t, u, bytes([f, 255, 0, 1]))),
    ),
    Turn(
        "transaction",
        "answers another transaction",
        _wire(lambda t, u, f, n: _frame(t ^ 0x5555, u, _registers(f, n, b"\0\1"))),
        quick=True,
    ),
    Turn(
        "unit",
        "answers for another unit",
        _wire(lambda t, u, f, n: _frame(t, u ^ 3, _registers(f, n, b"\0\1"))),
    ),
    Turn(
        "function",
        "answers another function",
        _wire(lambda t, u, f, n: _frame(t, u, _registers(f ^ 7, n, b"\0\1"))),
    ),
    Turn(
        "protocol",
        "speaks another protocol",
        _wire(lambda t, u, f, n: _frame(t, u, _registers(f, n, b"\0\1"), protocol=77)),
    ),
    Turn(
        "exceptions",
        "answers each request with an error that does not exist",
        _wire(lambda t, u, f, _n: _frame(t, u, bytes([f | 0x80, 0xEE]))),
    ),
    Turn(
        "not-a-number",
        "answers that no value is one",
        _wire(lambda t, u, f, n: _frame(t, u, _registers(f, n, b"\x80\x00"))),
    ),
    Turn(
        "zeroes",
        "answers zero to all, its model too",
        _wire(lambda t, u, f, n: _frame(t, u, _registers(f, n, b"\0\0"))),
    ),
    Turn("flood", "answers without an end", _floods),
    Turn("drip", "answers an octet at a time", _drips),
    Turn("hang-up", "hangs up at each call", _hangs_up),
    Turn("silent", "listens and says nothing", _silent),
    Turn("http", "speaks HTTP, and sends the hub elsewhere", _tls),
)


def _turns(turn: Turn, device: str) -> Callable[[Den], Awaitable[str]]:
    async def attempt(den: Den) -> str:
        wire = den.wires[device]
        wire.taken_over(turn.serve)

        async def said() -> str:
            tile = (await den.hub.home()).tile(device)
            return (tile.error or "") if tile.quality != "good" else ""

        error = await until(said, bool, _KNOWN_WITHIN_S, f"{device} is known to be gone")
        assert wire.calls, "nobody called"
        home = await den.hub.home()
        others = [tile.id for tile in home.devices if tile.id != device and tile.quality != "good"]
        assert not others, f"it took {others} along"
        return f"shut out: {error}"

    return attempt


def _well(device: str) -> Callable[[Den], Awaitable[str]]:
    async def rightly(den: Den) -> str:
        return await den.well(device)

    return rightly


ROWS: Final[Sequence[Attack[Den]]] = [
    Attack(
        f"device-{device}-{turn.id}",
        Kind.DEVICES,
        f"The {device} {turn.does}",
        _turns(turn, device),
        "^shut out: ",
        Entry(Where.HUB, f"WARNING.* {device}: "),
        _well(device),
        "^good",
        deep=not turn.quick,
    )
    for number, turn in enumerate(TURNS)
    for device in ("pv" if number % 2 else "battery",)
]
