"""The description of a relay board against pymodbus's server."""

import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pymodbus.constants import ExcCodes

from der.addresses import MappedAddress
from der.commands import Connect, Disconnect, Identify, Reset
from der.drivers.mapped.device_map import DeviceMap
from der.drivers.mapped.files import load, parse
from der.drivers.mapped.link import Clocks, MappedLink, connect
from der.errors import PermanentError, RejectedError, TransientError
from der.model import Control, DeviceKind, DeviceSpec, Reading, Setpoint
from tests.der.drivers.servers import (
    Conversation,
    Served,
    garbage,
    hang,
    hang_up,
    serve_board,
    serve_bytes,
)

BOARD = load("relay-board")
TANK = DeviceSpec("tank", DeviceKind.WATER_HEATER, "Tank", Control.SWITCH, 0, 2000)


async def joined(served: Served, board: DeviceMap = BOARD) -> MappedLink:
    at = MappedAddress(served.address, board.name)
    return await connect(TANK, at, board, clocks=Clocks(now=lambda: 7.0))


def inputs(power_w: int, temperature: int, status: int) -> list[int]:
    return list(struct.unpack(">4H", struct.pack(">ihH", power_w, temperature, status)))


@asynccontextmanager
async def linked(registers: list[int]) -> AsyncIterator[tuple[MappedLink, Served]]:
    async with serve_board(registers) as served:
        link = await joined(served)
        served.frames.clear()
        try:
            yield link, served
        finally:
            await link.close()


@pytest.mark.requirement("SVC-READ")
@pytest.mark.parametrize(
    ("registers", "reading"),
    [
        (
            inputs(1987, 553, 0b111),
            Reading(7.0, 1987, temp_c=55.3, connected=True, wants_power=True),
        ),
        (
            inputs(0, -15, 0b010),
            Reading(7.0, 0, temp_c=-1.5, connected=False, wants_power=True, limit_w=0),
        ),
        (
            inputs(-3, -0x8000, 0b100),
            Reading(7.0, -3, temp_c=None, connected=False, wants_power=False),
        ),
    ],
)
async def test_reading_in_one_frame(registers: list[int], reading: Reading) -> None:
    async with linked(registers) as (link, served):
        assert await link.read() == reading
        assert len(served.frames) == 1


@pytest.mark.requirement("SVC-WRITE")
@pytest.mark.parametrize(("power_w", "coil"), [(2000, 1), (1999, 0), (0, 0)])
async def test_hold_time_goes_before_permission(power_w: float, coil: int) -> None:
    async with linked(inputs(0, 500, 4)) as (link, served):
        await link.write(Setpoint(power_w, 29.1))
        hold, permission = served.writes
        assert (hold.function, hold.address, hold.values) == (16, 0, [30])
        assert (permission.function, permission.address, permission.values) == (5, 0, [coil])


@pytest.mark.requirement("SVC-WRITE")
async def test_none_allows() -> None:
    async with linked(inputs(0, 500, 0)) as (link, served):
        await link.write(Setpoint(0, 30))
        await link.write(None)
        assert await served.registers(0, 1, function=1) == [1]


async def test_a_lapse_beyond_the_board_is_rejected() -> None:
    async with linked(inputs(0, 500, 4)) as (link, served):
        with pytest.raises(RejectedError, match=r"^tank: hold takes 1 to 65535, not 70000$"):
            await link.write(Setpoint(0, 70000))
        assert served.writes == []


@pytest.mark.requirement("SVC-IOCTL")
async def test_ioctl() -> None:
    async with linked(inputs(0, 500, 4)) as (link, served):
        assert "off" in str(await link.ioctl(Disconnect()))
        assert await served.registers(0, 1, function=1) == [0]
        assert await served.registers(0, 1) == [65535]
        assert await link.ioctl(Connect()) == "allowed to run"
        assert await served.registers(0, 1, function=1) == [1]
        assert await link.ioctl(Identify()) == link.connection
        assert "127.0.0.1" in link.connection.address
        with pytest.raises(RejectedError, match=r"tank: has no command Reset"):
            await link.ioctl(Reset())


async def test_another_board_needs_only_another_description() -> None:
    board = parse(
        """
        title = "Another board"
        manufacturer = "Somebody"
        kinds = ["water_heater"]
        source = "its label"
        [points]
        heat = { table = "input", address = 0, type = "s16", scale = 0.1 }
        power = { table = "input", address = 1, type = "s32" }
        on = { table = "input", address = 3, type = "u16", bits = [7, 1] }
        [read]
        power_w = "power"
        temp_c = "heat"
        connected = "on"
        """,
        "another.toml",
    )
    async with serve_board([215, 0, 800, 0x80]) as served:
        link = await joined(served, board)
        reading = await link.read()
        await link.close()
    assert (reading.power_w, reading.temp_c, reading.connected) == (800, 21.5, True)


async def test_a_temperature_that_cannot_be_costs_no_more_than_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with linked(inputs(1800, 9999, 7)) as (link, _):
        for _again in range(2):
            reading = await link.read()
        assert (reading.power_w, reading.temp_c, reading.connected) == (1800, None, True)
        await link.write(Setpoint(0, 30))
    assert reading.suspect == {"temp_c"}
    said = [r.getMessage() for r in caplog.records if "sense" in r.getMessage()]
    assert said == ["tank: its temp_c makes no sense and is left out"]


async def test_a_board_without_these_registers() -> None:
    async with serve_board([0]) as served:
        with pytest.raises(
            PermanentError, match=r"^tank: power, temperature, closed and 2 more at .* exception 2"
        ):
            await joined(served)


async def test_a_refused_coil_names_the_point() -> None:
    async with linked(inputs(0, 500, 4)) as (link, served):
        served.refuse[5, 0] = ExcCodes.DEVICE_BUSY
        with pytest.raises(TransientError, match=r"^tank: permission at .* busy"):
            await link.write(Setpoint(0, 30))


@pytest.mark.parametrize("talk", [hang, garbage, hang_up])
async def test_sick_boards_do_not_open(talk: Conversation) -> None:
    async with serve_bytes(talk) as address:
        with pytest.raises(
            TransientError, match=r"^tank: power, temperature, closed .* at 127.0.0.1:"
        ):
            await joined(Served(address))
