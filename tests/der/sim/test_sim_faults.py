"""Each fault of a Modbus device as its peer sees it, on the raw socket."""

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from der.sim.faults import FaultKind
from der.sim.options import Options
from der.sim.runner import SimulatedHome

READ_MARKER = struct.pack(">HHHBBHH", 7, 0, 6, 1, 3, 40000, 2)
ANSWER = struct.pack(">HHHBBB", 7, 0, 7, 1, 3, 4) + b"SunS"


@pytest.fixture
async def home() -> AsyncIterator[SimulatedHome]:
    async with SimulatedHome(Options(ocpp="")) as home:
        yield home


class Peer:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, request: bytes = READ_MARKER, within_s: float = 0.5) -> bytes:
        self.writer.write(request)
        async with asyncio.timeout(within_s):
            return await self.reader.read(300)


@pytest.fixture
async def peer(home: SimulatedHome) -> AsyncIterator[Peer]:
    port = home.devices.servers["meter"].port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    yield Peer(reader, writer)
    writer.close()


async def test_sound_device_answers(peer: Peer) -> None:
    assert await peer.ask() == ANSWER


async def test_silence_takes_the_request_and_says_nothing(home: SimulatedHome, peer: Peer) -> None:
    home.devices.faults["meter"].set(FaultKind.SILENCE)
    with pytest.raises(TimeoutError):
        await peer.ask(within_s=0.2)
    home.devices.faults["meter"].set(FaultKind.NONE)
    assert await peer.ask() == ANSWER  # one answer: the unanswered request is forgotten


async def test_fault_ends_by_itself(
    home: SimulatedHome, peer: Peer, eventually: Callable[..., Awaitable[None]]
) -> None:
    fault = home.devices.faults["meter"]
    fault.set(FaultKind.EXCEPTION, seconds=0.2)
    assert (await peer.ask())[7:] == bytes([0x83, 4])
    await eventually(lambda: fault.kind is FaultKind.NONE)
    assert await peer.ask() == ANSWER


async def test_garbage_is_no_message(home: SimulatedHome, peer: Peer) -> None:
    home.devices.faults["meter"].set(FaultKind.GARBAGE)
    answer = await peer.ask()
    assert len(answer) == 24
    assert answer[2:4] != b"\0\0"


async def test_delay_obeys_but_answers_late_under_its_own_number(
    home: SimulatedHome, peer: Peer
) -> None:
    home.devices.faults["meter"].set(FaultKind.DELAY, delay_s=0.3)
    with pytest.raises(TimeoutError):
        await peer.ask(within_s=0.1)
    home.devices.faults["meter"].set(FaultKind.NONE)
    second = struct.pack(">H", 8) + READ_MARKER[2:]
    peer.writer.write(second)
    async with asyncio.timeout(1):
        both = await peer.reader.readexactly(2 * len(ANSWER))
    assert both == ANSWER + struct.pack(">H", 8) + ANSWER[2:]


async def test_off_leaves_the_network_and_returns_to_the_same_port(
    home: SimulatedHome, peer: Peer, eventually: Callable[..., Awaitable[None]]
) -> None:
    server = home.devices.servers["meter"]
    server.fault.set(FaultKind.OFF)

    async def refused() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        except ConnectionError:
            return True
        writer.close()
        return False

    await eventually(refused)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await peer.reader.readexactly(1)
    server.fault.set(FaultKind.NONE)

    async def back() -> bool:
        return not await refused()

    await eventually(back)


async def test_other_devices_go_on(home: SimulatedHome) -> None:
    home.devices.faults["meter"].set(FaultKind.OFF)
    port = home.devices.servers["pv"].port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert await Peer(reader, writer).ask() == ANSWER
    writer.close()


@pytest.mark.parametrize(
    ("request_bytes", "answer"),
    [
        (struct.pack(">HHHBB", 1, 0, 2, 1, 43), struct.pack(">HHHBBB", 1, 0, 3, 1, 171, 1)),
        (struct.pack(">HHHBB", 1, 0, 2, 1, 3), struct.pack(">HHHBBB", 1, 0, 3, 1, 131, 3)),
        (
            struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, 40000, 126),
            struct.pack(">HHHBBB", 1, 0, 3, 1, 131, 3),
        ),
        (
            struct.pack(">HHHBBHHBH", 1, 0, 9, 1, 16, 40000, 2, 2, 0),
            struct.pack(">HHHBBB", 1, 0, 3, 1, 144, 3),
        ),
        (
            struct.pack(">HHHBBHHBH", 1, 0, 9, 1, 16, 40000, 2, 4, 0),
            struct.pack(">HHHBBB", 1, 0, 3, 1, 144, 3),
        ),
        (struct.pack(">HHHB", 1, 9, 6, 1), b""),  # another protocol: it hangs up
        (struct.pack(">HHHB", 1, 0, 999, 1), b""),  # longer than any message
    ],
)
async def test_broken_requests_are_refused(
    home: SimulatedHome, peer: Peer, request_bytes: bytes, answer: bytes
) -> None:
    assert await peer.ask(request_bytes) == answer
    assert home.journal.writes() == []
