"""Relay boards on their sockets: permission, hold, measurement."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from pymodbus.client import AsyncModbusTcpClient

from der.sim.faults import Fault
from der.sim.journal import Journal
from der.sim.mapped.relay import Appliance, RelayBoard
from der.sim.modbus.server import Table
from der.sim.options import Options
from der.sim.runner import SimulatedHome

OPTIONS = Options(
    ocpp="", fixed_load=500, pv_w=0, tank_temp=45, room_temp=18, ev_soc=1.0, start_hour=18
)


@pytest.fixture
async def home() -> AsyncIterator[SimulatedHome]:
    async with SimulatedHome(OPTIONS) as home:
        yield home


@pytest.mark.requirement("PRO-IP")
async def test_hold_gives_the_appliance_back(
    home: SimulatedHome, eventually: Callable[..., Awaitable[None]]
) -> None:
    await eventually(lambda: home.house.now.meter.power_w == 500 + 3000 + 2000)
    port = home.devices.servers["water_heater"].port
    async with AsyncModbusTcpClient("127.0.0.1", port=port, retries=0) as client:
        power = (await client.read_input_registers(0, count=4)).registers
        assert power[0] << 16 | power[1] == 3000
        assert power[2] == pytest.approx(450, abs=5)
        assert power[3] == 0b111
        assert not (await client.write_register(0, 1)).isError()
        assert not (await client.write_coil(0, False)).isError()
        assert (await client.read_coils(0, count=1)).bits[0] is False
        await eventually(lambda: home.house.now.meter.power_w == 500 + 2000)
        status = (await client.read_input_registers(3, count=1)).registers
        assert status == [0b010]
        await eventually(lambda: home.house.now.meter.power_w == 500 + 3000 + 2000)
        assert (await client.read_coils(0, count=1)).bits[0] is True
        assert (await client.read_holding_registers(0, count=1)).registers == [1]
    assert [write.values for write in home.journal.writes()] == ["hold=1", "permission=0"]


async def test_addresses_that_are_not_there_are_refused(home: SimulatedHome) -> None:
    port = home.devices.servers["heat_pump"].port
    async with AsyncModbusTcpClient("127.0.0.1", port=port, retries=0) as client:
        assert (await client.read_input_registers(0, count=5)).exception_code == 2
        assert (await client.read_discrete_inputs(0, count=1)).exception_code == 2
        assert (await client.write_coil(1, True)).exception_code == 2
        assert (await client.write_coils(0, [True, True])).exception_code == 2
        assert (await client.write_registers(0, [1, 2])).exception_code == 2
        assert (
            await client.mask_write_register(address=0, and_mask=1, or_mask=1)
        ).exception_code == 1


def test_hold_of_zero_stays_and_each_write_starts_anew() -> None:
    now = 0.0
    appliance = Appliance(-5, -1.25, False)
    board = RelayBoard("relay", lambda: appliance, Fault("relay"), Journal(), lambda: now)
    board.take(Table.COIL, 0, [0])
    now = 1e6
    assert not board.allowed()
    board.take(Table.HOLDING, 0, [30])
    now += 29
    board.take(Table.COIL, 0, [0])
    now += 29
    assert not board.allowed()
    now += 1
    assert board.allowed()
    assert [*board.cells()[Table.INPUT].values()] == [0xFFFF, 0xFFFB, 0xFFF4, 0b100]


def test_a_restart_forgets_what_it_was_told() -> None:
    board = RelayBoard("relay", lambda: Appliance(0, 20, True), Fault("relay"), Journal(), float)
    board.take(Table.COIL, 0, [0])
    assert not board.allowed()
    board.restart()
    assert board.allowed()
