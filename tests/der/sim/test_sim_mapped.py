"""Devices by their maker's registers, as pymodbus's client sees them."""

from collections.abc import Awaitable, Callable

import pytest
from pymodbus.client import AsyncModbusTcpClient

from der.sim.errors import OptionError
from der.sim.journal import Journal
from der.sim.mapped.sg_ready import SgReadyHeatPump
from der.sim.modbus.server import Table
from der.sim.options import Options, parse
from der.sim.runner import SimulatedHome
from tests.der.drivers.mapped import Ticker, doors

Client = AsyncModbusTcpClient


@pytest.mark.requirement("PRO-IP")
async def test_a_home_serves_what_is_named(eventually: Callable[..., Awaitable[None]]) -> None:
    options = Options(
        ocpp="", fixed_load=500, pv_w=2000, described="sdm630, sma,luna2000", tank_temp=60
    )
    async with SimulatedHome(options) as home:
        at = home.addresses()
        assert at["sdm630"].protocol == "modbus eastron-sdm630"
        assert "victron" not in at
        async with Client("127.0.0.1", port=at["sma"].port, retries=0) as client:
            await eventually(lambda: home.house.now.pv.power_w == -2000)
            power = (await client.read_holding_registers(30775, count=2)).registers
            assert power == [0, 2000]
            assert not (await client.write_register(40016, 25)).isError()
            await eventually(lambda: home.house.now.pv.power_w == -1000)
        async with Client("127.0.0.1", port=at["luna2000"].port, retries=0) as client:
            for address, values in ((47083, [1]), (47247, [0, 1500]), (47100, [1])):
                assert not (await client.write_registers(address, values)).isError()
            await eventually(lambda: home.house.now.battery.power_w == 1500)
            assert not (await client.write_register(47100, 0)).isError()
            await eventually(lambda: home.house.now.battery.power_w == 0)


def test_a_device_that_there_is_not() -> None:
    with pytest.raises(
        OptionError, match=r"--described toaster: .*there is no toaster; there are: "
    ):
        parse(["--described", "toaster"])


async def test_what_is_not_there_or_not_allowed_is_refused() -> None:
    async with doors("sdm630", "sma", "heidelberg", "victron", "luna2000", "sg_ready") as at:
        clients = {}
        for name, server in at.home.servers.items():
            clients[name] = Client("127.0.0.1", port=server.port, retries=0)
            await clients[name].connect()
        meter, sma, box = clients["sdm630"], clients["sma"], clients["heidelberg"]
        assert (await meter.read_input_registers(0, count=81)).exception_code == 3
        assert (await meter.write_register(0, 1)).exception_code == 2
        assert (await meter.read_holding_registers(0, count=2)).exception_code == 2
        assert (await sma.read_holding_registers(40016, count=1)).exception_code == 2
        assert (await sma.write_register(40016, 101)).exception_code == 3
        assert (await box.write_register(261, 59)).exception_code == 3
        assert (await box.write_register(258, 1)).exception_code == 3
        assert (await box.write_registers(261, [60, 60])).exception_code == 1
        assert (await clients["victron"].write_register(38, 2)).exception_code == 3
        assert (await clients["luna2000"].write_register(47247, 1)).exception_code == 2
        assert (await clients["sg_ready"].write_coil(2, True)).exception_code == 2
        assert (await clients["sg_ready"].write_register(0, 1)).exception_code == 2
        for client in clients.values():
            client.close()


async def test_the_wallbox_goes_back_to_its_failsafe_current() -> None:
    async with (
        doors("heidelberg") as at,
        Client("127.0.0.1", port=at.home.servers["heidelberg"].port, retries=0) as box,
    ):
        assert not (await box.write_register(262, 80)).isError()
        at.step(3)
        assert at.house.now.ev.power_w == 16 * 230
        at.wait(14)
        assert (await box.read_input_registers(5, count=1)).registers == [7]
        at.wait(14)
        assert at.house.now.ev.power_w == 16 * 230
        at.wait(2)
        at.step(3)
        assert at.house.now.ev.power_w == 8 * 230
        assert not (await box.write_register(259, 0)).isError()
        at.step(3)
        assert at.house.now.ev.power_w == 0


def test_the_heat_pump_ends_a_block_after_two_hours() -> None:
    clock = Ticker()
    pump = SgReadyHeatPump(Journal(), clock)
    pump.take(Table.COIL, 0, [1])
    clock.seconds += 7199
    assert not pump.allowed()
    clock.seconds += 1
    assert pump.allowed()
    pump.take(Table.COIL, 0, [1])  # still the same block
    assert pump.allowed()
    pump.take(Table.COIL, 0, [0, 0])
    pump.take(Table.COIL, 0, [1])
    assert not pump.allowed()
    pump.take(Table.COIL, 1, [1])
    assert pump.allowed()  # ordered to run
    pump.restart()
    assert pump.cells() == {Table.COIL: {0: 0, 1: 0}}
