"""Descriptions of ours without a simulated device, against registers worked out by hand."""

import asyncio
import struct
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from der.addresses import MappedAddress, ModbusAddress, Wiring
from der.commands import Connect, Disconnect
from der.drivers.mapped.files import load
from der.drivers.mapped.link import Clocks, MappedLink, connect
from der.errors import PermanentError, RejectedError
from der.model import DeviceKind, DeviceSpec, PhaseReading, RunState, Setpoint
from der.registry import CONTROLS
from der.sim.faults import Fault
from der.sim.mapped.bank import BankUnit
from der.sim.modbus.server import ModbusServer, Table
from tests.der.drivers.mapped import Ticker

pytestmark = [pytest.mark.requirement("SVC-READ", "ROLE-SM")]


@dataclass
class Sheet:
    """A device that is nothing but registers; write-only ones are not among what is read."""

    registers: dict[Table, dict[int, int]]
    write_only: frozenset[int] = frozenset()
    writes: list[tuple[int, list[int]]] = field(default_factory=list)

    def cells(self) -> Mapping[Table, Mapping[int, int]]:
        return self.registers

    def take(self, table: Table, address: int, values: Sequence[int]) -> None:
        self.writes.append((address, list(values)))
        for place, value in enumerate(values, address):
            if place not in self.write_only:
                self.registers[table][place] = value

    def restart(self) -> None:
        raise NotImplementedError


def words(form: str, *numbers: float | bytes) -> list[int]:
    """Return numbers as registers, high byte and high register first."""
    data = struct.pack(f">{form}", *numbers)
    return [int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)]


def swapped(form: str, number: float) -> list[int]:
    """Return a number as two registers, the low one first."""
    return words(form, number)[::-1]


def sheet(table: Table, *parts: tuple[int, list[int]]) -> Sheet:
    return Sheet({table: {a + i: cell for a, cells in parts for i, cell in enumerate(cells)}})


@asynccontextmanager
async def linked(
    name: str, device: Sheet, kind: DeviceKind, low: float, high: float, *, most: int = 125
) -> AsyncIterator[tuple[MappedLink, Ticker]]:
    fault, clock = Fault(name), Ticker()
    server = ModbusServer(name, BankUnit(device, fault, most), fault)
    await server.start()
    spec = DeviceSpec("box", kind, "Box", CONTROLS[kind], low, high)
    bus = ModbusAddress("127.0.0.1", server.port)
    at = MappedAddress(bus, name, Wiring(phases=3, fallback_a=8.0))
    try:
        link = await connect(spec, at, load(name), clocks=Clocks(lambda: 7.0, clock))
        yield link, clock
        await link.close()
    finally:
        await server.stop()


async def test_eastron_of_one_phase() -> None:
    device = sheet(Table.INPUT, (0, [0] * 80))
    for address, number in ((0, 231.5), (12, -420.25), (24, 35.0), (70, 49.98), (72, 1.5), (74, 2)):
        device.registers[Table.INPUT] |= dict(enumerate(words("f", number), address))
    async with linked("eastron-sdm230", device, DeviceKind.SUBMETER, 0, 0) as (link, _):
        found = await link.read()
    assert (found.power_w, found.reactive_var, found.voltage_v) == (-420.25, 35, 231.5)
    assert found.frequency_hz == pytest.approx(49.98)
    assert (found.energy_import_wh, found.energy_export_wh) == (1500, 2000)
    assert found.phases == (PhaseReading(-420.25, 231.5),)


async def test_em24() -> None:
    device = sheet(Table.HOLDING, (0, [0] * 0x60))
    for address, number in {
        0x00: 2301, 0x02: 2312, 0x04: 2299, 0x12: 10005, 0x14: -7000, 0x16: 5, 0x28: 3010,
        0x34: 123456, 0x4E: 789,
    }.items():  # fmt: skip
        device.registers[Table.HOLDING] |= dict(enumerate(swapped("i", number), address))
    device.registers[Table.HOLDING][0x33] = 501
    async with linked("carlo-gavazzi-em24", device, DeviceKind.METER, 0, 0) as (link, _):
        found = await link.read()
    assert (found.power_w, found.voltage_v, found.frequency_hz) == (301, 230.1, 50.1)
    assert (found.energy_import_wh, found.energy_export_wh) == (12_345_600, 78_900)
    assert found.phases == (
        PhaseReading(1000.5, 230.1),
        PhaseReading(-700, 231.2),
        PhaseReading(0.5, 229.9),
    )


async def test_abb_with_two_phases_missing() -> None:
    none = [0x7FFF, 0xFFFF]
    device = sheet(
        Table.HOLDING,
        (0x5000, [*words("Q", 150), *words("Q", 25), *[0] * 0x18]),
        (0x5B00, [*words("III", 2305, 0xFFFFFFFF, 0xFFFFFFFF), *[0] * 14]),
        (0x5B14, [*words("ii", -123456, -123456), *none, *none, *words("i", 700), *[0] * 14]),
        (0x5B2C, [4999]),
    )
    async with linked("abb-b24", device, DeviceKind.METER, 0, 0) as (link, _):
        found = await link.read()
    assert (found.power_w, found.reactive_var) == (-1234.56, 7)
    assert (found.energy_import_wh, found.energy_export_wh) == (1500, 250)
    assert found.frequency_hz == 49.99
    assert found.phases == (PhaseReading(-1234.56, 230.5),)


async def test_victron_gx_as_meter() -> None:
    device = sheet(
        Table.HOLDING, (800, words("12s", b"c0ffee123456")), (820, words("3h", -5, 100, 250))
    )
    async with linked("victron-gx", device, DeviceKind.METER, 0, 0) as (link, _):
        found = await link.read()
        assert link.connection.serial == "c0ffee123456"
    assert found.power_w == 345
    assert [phase.power_w for phase in found.phases] == [-5, 100, 250]


def solaredge(*, advanced: int) -> Sheet:
    return sheet(
        Table.HOLDING,
        (40069, [101, 50, *[0] * 8, *words("3Hh", 2301, 0, 0, -1)]),
        (40083, [*words("hhHh", 2750, 0, 4998, -2), *[0] * 6, *words("Ih", 123456, 0)]),
        (40107, [4]),
        (0xF142, swapped("i", advanced)),
        (0xF300, [0, 0, 0, 0, *swapped("f", 5000.0)]),
        (0xF310, [*swapped("I", 300), *swapped("f", 100.0)]),
        (0xF322, swapped("f", 100.0)),
    )


@pytest.mark.requirement("SVC-WRITE")
async def test_solaredge_is_limited_in_percent_of_its_greatest_power() -> None:
    device = solaredge(advanced=1)
    async with linked("solaredge-inverter", device, DeviceKind.PV, -5000, 0) as (link, clock):
        found = await link.read()
        assert (found.power_w, found.voltage_v, found.frequency_hz) == (-2750, 230.1, 49.98)
        assert (found.energy_export_wh, found.state) == (123456, RunState.RUNNING)
        assert found.limit_w is None
        await link.write(Setpoint(-1250, 900, revert_w=-2500))
        assert device.writes == [
            (0xF310, swapped("I", 60)),
            (0xF300, [1]),
            (0xF312, swapped("f", 50.0)),
            (0xF322, swapped("f", 25.0)),
        ]
        assert (await link.read()).limit_w == -1250
        clock.seconds += 21
        await link.read()  # feeds the inverter's timeout: the fallback stands already
        assert device.writes[4:] == [(0xF322, swapped("f", 25.0))]
        await link.write(None)
        assert (await link.read()).limit_w is None


async def test_solaredge_says_what_is_to_be_enabled() -> None:
    device = solaredge(advanced=0)
    async with linked("solaredge-inverter", device, DeviceKind.PV, -5000, 0) as (link, _):
        with pytest.raises(
            PermanentError, match=r"^box: advanced is not .* with the maker's SetApp"
        ):
            await link.write(Setpoint(-1250, 900))
    assert device.writes == []


@pytest.mark.requirement("SVC-WRITE", "SVC-IOCTL")
async def test_keba_reads_one_value_a_frame_and_is_written_blindly() -> None:
    numbers = {1000: 3, 1004: 7, 1020: 4_140_000, 1036: 51_234, 1040: 230, 1100: 16_000}
    device = sheet(Table.HOLDING, *((at, words("I", number)) for at, number in numbers.items()))
    device.write_only = frozenset({5004, 5014, 5016, 5018})
    async with linked("keba-p30", device, DeviceKind.EVSE, 0, 11_040, most=2) as (link, _):
        found = await link.read()
        assert (found.power_w, found.energy_import_wh, found.voltage_v) == (4140, 5123.4, 230)
        assert (found.connected, found.wants_power, found.limit_w) == (True, True, 11_040)
        await link.write(Setpoint(6900, 600))
        assert device.writes == [(5016, [8000]), (5018, [60]), (5004, [10_000]), (5014, [1])]
        await link.write(Setpoint(4139, 600))
        assert device.writes[4:] == [(5014, [0])]
        await link.write(None)
        assert device.writes[5:] == [(5016, [8000]), (5004, [8000]), (5014, [1])]
        await link.ioctl(Disconnect())
        await link.ioctl(Connect())
        assert device.writes[8:] == [(5014, [0]), (5016, [0]), (5016, [8000]), (5014, [1])]


@pytest.mark.requirement("SVC-WRITE")
@pytest.mark.parametrize("turns", range(0, 48, 3))
async def test_an_old_set_point_that_is_being_fed_never_undoes_a_new_one(turns: int) -> None:
    numbers = {1000: 5, 1004: 7, 1020: 0, 1036: 0, 1040: 230, 1100: 16_000}
    device = sheet(Table.HOLDING, *((at, words("I", number)) for at, number in numbers.items()))
    device.write_only = frozenset({5004, 5014, 5016, 5018})
    async with linked("keba-p30", device, DeviceKind.EVSE, 0, 11_040, most=2) as (link, clock):
        assert (await link.read()).wants_power  # it was switched off: its car would charge
        await link.write(Setpoint(6900, 600))
        clock.seconds += 21
        reading = asyncio.create_task(link.read())  # and feeding
        for _ in range(turns):
            await asyncio.sleep(0)
        await asyncio.gather(reading, link.write(Setpoint(0, 600)))
        assert device.writes[-1] == (5014, [0])


@pytest.mark.requirement("SVC-WRITE")
async def test_solaredge_that_is_left_to_itself_is_not_limited_by_its_old_fallback() -> None:
    device = solaredge(advanced=1)
    async with linked("solaredge-inverter", device, DeviceKind.PV, -5000, 0) as (link, _):
        await link.write(Setpoint(-1250, 900, revert_w=-2500))
        await link.write(None)
        assert device.writes[4:] == [(0xF312, swapped("f", 100.0)), (0xF322, swapped("f", 100.0))]
        await link.ioctl(Disconnect())
        assert device.writes[6:] == [(0xF312, swapped("f", 0.0)), (0xF322, swapped("f", 0.0))]
        await link.ioctl(Connect())
        assert device.writes[8:] == [(0xF312, swapped("f", 100.0)), (0xF322, swapped("f", 100.0))]


async def test_a_greater_set_point_than_the_device_can_take_is_cut_to_what_it_can() -> None:
    device = sheet(Table.INPUT, (5, [7]), (10, [230, 230, 230]), (14, [0]), (17, [0, 0]))
    device.registers[Table.HOLDING] = {257: 15_000, 258: 4, 261: 0, 262: 80}
    async with linked("heidelberg-energy-control", device, DeviceKind.EVSE, 0, 22_000) as (link, _):
        await link.write(Setpoint(22_000, 600))
        assert device.writes == [(261, [160])]
        with pytest.raises(RejectedError, match=r"^box: current takes 6 to 16, not nan$"):
            await link.write(Setpoint(float("nan"), 600))
    assert device.writes == [(261, [160])]
