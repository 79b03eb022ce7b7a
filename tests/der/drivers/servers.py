"""Small real servers that drivers are tested against: pymodbus's own, and sick ones."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from der.addresses import ModbusAddress
from der.drivers.sunspec.model import FORMATS, Model, encode, load_model, not_implemented

BASE = 40000
ANY_SIZE = 65535
MODULE_REGISTERS = 20
"""Registers of one module in model 160."""
Points = Mapping[str, float | str]


@dataclass(slots=True)
class Frame:
    """One request as a server saw it."""

    function: int
    address: int
    count: int
    values: list[int] | None


@dataclass(slots=True)
class Served:
    """A running Modbus server.

    Attributes:
        address: Where it listens.
        frames: Requests so far.
        refuse: Exceptions that it answers, by (function, address).
        keep: It confirms writes and does not obey.
        most: Registers that it answers at once.
        borders: First registers of blocks, across which it answers nothing.
    """

    address: ModbusAddress
    frames: list[Frame] = field(default_factory=list)
    refuse: dict[tuple[int, int], ExcCodes] = field(default_factory=dict)
    keep: bool = False
    most: int = 125
    borders: frozenset[int] = frozenset()
    server: ModbusTcpServer | None = None

    @property
    def writes(self) -> list[Frame]:
        """Write requests so far."""
        return [frame for frame in self.frames if frame.values is not None]

    async def registers(self, address: int, count: int, function: int = 3) -> list[int]:
        """Return what the server holds."""
        assert self.server is not None
        values = await self.server.async_getValues(1, function, address, count)
        return [int(value) for value in values]

    async def put(self, address: int, values: Sequence[int]) -> None:
        """Set what the server holds."""
        assert self.server is not None
        await self.server.async_setValues(1, 16, address, list(values))

    async def on_access(  # noqa: PLR0917 - pymodbus's signature
        self,
        function: int,
        start: int,
        address: int,
        count: int,
        current: list[int],
        new: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        """Record a request; refuse or ignore it if told so."""
        values = None if new is None else [int(value) for value in new]
        self.frames.append(Frame(function, address, count, values))
        code = self.refuse.get((function, address))
        if count > self.most:
            code = ExcCodes.ILLEGAL_VALUE
        if any(address < border < address + count for border in self.borders):
            code = ExcCodes.ILLEGAL_ADDRESS
        if code is None and self.keep and new is not None:
            cast("list[int]", new)[:] = current[address - start : address - start + count]
        return code


@asynccontextmanager
async def serve_registers(
    start: int, values: Sequence[int], timeout_s: float = 0.5
) -> AsyncIterator[Served]:
    """Serve holding registers."""
    served = Served(ModbusAddress("127.0.0.1", 0))
    data = SimData(start, values=list(values), datatype=DataType.REGISTERS)
    async with _serve(SimDevice(1, [data], action=served.on_access), served, timeout_s):
        yield served


@asynccontextmanager
async def serve_board(inputs: Sequence[int], timeout_s: float = 0.5) -> AsyncIterator[Served]:
    """Serve a relay board: coil 0, holding register 0 and input registers."""
    served = Served(ModbusAddress("127.0.0.1", 0))
    blocks = (
        [SimData(0, values=[True] * 16, datatype=DataType.BITS)],
        [SimData(0, values=[False] * 16, datatype=DataType.BITS)],
        [SimData(0, values=[0], datatype=DataType.REGISTERS)],
        [SimData(0, values=list(inputs), datatype=DataType.REGISTERS)],
    )
    async with _serve(SimDevice(1, blocks, action=served.on_access), served, timeout_s):
        yield served


@asynccontextmanager
async def _serve(device: SimDevice, served: Served, timeout_s: float) -> AsyncIterator[None]:
    server = ModbusTcpServer(device, address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    listener = server.transport
    assert isinstance(listener, asyncio.Server)
    port = listener.sockets[0].getsockname()[1]
    served.address = ModbusAddress("127.0.0.1", port, timeout_s=timeout_s)
    served.server = server
    try:
        yield
    finally:
        server.close()


def laid_out(model_id: int, given: Points) -> Model:
    """Return a model with as many repetitions of its groups as the given counts say."""
    model = load_model(model_id)
    counts = {name: value for name, value in given.items() if isinstance(value, int)}
    size = model.end + MODULE_REGISTERS * counts.get("N", 0) if model_id == 160 else ANY_SIZE
    return model.lay_out(counts, size)


def sunspec_map(
    models: Mapping[int, Points], lengths: Mapping[int, int] | None = None, *, marked: bool = True
) -> list[int]:
    """Return the registers of a SunSpec map; points not given are "not implemented".

    Args:
        models: Unscaled values of points, by model and path.
        lengths: Shorter lengths of models, header not counted.
        marked: Whether the end marker stands at the end.
    """
    registers = [0x5375, 0x6E53]
    for model_id, given in models.items():
        body = model_registers(model_id, given)
        length = (lengths or {}).get(model_id, len(body) - 2)
        registers += [model_id, length, *body[2 : 2 + length]]
    return [*registers, 0xFFFF, 0] if marked else registers


def model_registers(model_id: int, given: Points) -> list[int]:
    """Return the registers of one model, header included."""
    body: list[int] = []
    for point in laid_out(model_id, given).points.values():
        value = given.get(point.name)
        if isinstance(value, str):
            raw = value.encode().ljust(2 * point.size, b"\0")
            body += [int.from_bytes(raw[i : i + 2], "big") for i in range(0, len(raw), 2)]
        elif point.type not in FORMATS:
            body += [0x8000] if point.type == "pad" else [0] * point.size
        else:
            body += encode(point, not_implemented(point) if value is None else value)
    return [model_id, len(body) - 2, *body[2:]]


def where(models: Mapping[int, Points], model_id: int, point: str) -> int:
    """Return the register of a point in a map that `sunspec_map` made."""
    address = BASE + 2
    for present, given in models.items():
        if present == model_id:
            return address + laid_out(model_id, given).points[point].offset
        address += laid_out(present, given).end
    raise KeyError(model_id)


Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serve_bytes(talk: Conversation, timeout_s: float = 0.2) -> AsyncIterator[ModbusAddress]:
    """Serve any bytes; for devices that are sick."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
            await reader.read()  # until the driver closes
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield ModbusAddress("127.0.0.1", port, timeout_s=timeout_s)


async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Accept and never answer."""
    await reader.read()


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer what no Modbus device says."""
    await reader.read(12)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close in the middle of an answer."""
    request = await reader.read(12)
    writer.write(request[:4] + b"\0\x20" + request[6:8])
    writer.close()


async def wrong_count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one register whatever was asked."""
    request = await reader.read(12)
    writer.write(request[:4] + b"\0\x05" + request[6:8] + b"\x02\0\0")


async def torn_frame(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Announce more bytes in the data than the frame has."""
    request = await reader.read(12)
    writer.write(request[:4] + b"\0\x05" + request[6:8] + b"\xfa\0\0")


async def wrong_function(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer another function than was asked."""
    request = await reader.read(12)
    count = request[11]
    body = request[6:7] + b"\x04" + bytes([2 * count]) + b"\0\0" * count
    writer.write(request[:4] + len(body).to_bytes(2, "big") + body)
