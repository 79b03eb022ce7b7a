"""Tie and forming inverter on real sockets, by their descriptions."""

import asyncio
import time

import pytest

from der.addresses import MappedAddress
from der.commands import Ability, Connect, Disconnect, FollowGrid, FormGrid, Options
from der.description import DeviceDescription
from der.errors import RejectedError, TransientError
from der.model import Alarm, Expiry, Setpoint
from der.registry import Driver, build
from der.service import Mode
from der.sim.faults import FaultKind
from der.sim.physics.house import HouseConfig
from tests.der.drivers.mapped import Doors, doors, spec

pytestmark = pytest.mark.requirement("BUC-14")

QUIET = HouseConfig(
    fixed_load_w=800.0, fixed_pv_w=0.0, tank_temp_c=60.0, room_temp_c=23.0, ev_soc=1.0
)


def described(found: Doors, name: str) -> DeviceDescription:
    """Return a device as the registry wants it described."""
    at: MappedAddress = found.at(name)
    return DeviceDescription(spec(name), Driver.MODBUS, at)


async def test_a_tie_shows_both_sides_opens_and_closes_in_step() -> None:
    async with doors("tie", "former", config=QUIET) as found:
        tie, former = await found.link("tie"), await found.link("former")
        reading = await tie.read()
        assert reading.connected is True
        assert reading.grid_voltage_v == pytest.approx(230.0, abs=3.0)
        assert reading.grid_frequency_hz == pytest.approx(50.0, abs=0.1)
        assert reading.angle_deg == 0.0
        assert tie.safeguard.expiry is Expiry.NOTHING_TO_END
        await tie.ioctl(Disconnect())
        found.step(1.0)
        reading = await tie.read()
        assert (reading.connected, reading.voltage_v, reading.frequency_hz) == (False, 0.0, 0.0)
        assert reading.angle_deg is None, "there is no phase in a dark home"
        assert "forms 49.95 Hz" in str(await former.ioctl(FormGrid(49.95, 230.0)))
        found.step(2.0)
        assert (await former.read()).forming is True
        reading = await tie.read()
        assert reading.frequency_hz == pytest.approx(49.92, abs=0.03)
        assert reading.angle_deg is not None
        await tie.ioctl(Connect())
        found.step(25.0)
        assert (await tie.read()).connected is True
        assert [abs(angle) <= 10 for angle in found.house.island.closings] == [True]
        await former.ioctl(FollowGrid())
        found.step(1.0)
        assert (await former.read()).forming is False
        await tie.close()
        await former.close()


async def test_a_forming_inverter_takes_no_set_point_and_says_when_it_gave_up() -> None:
    async with doors("tie", "former", config=QUIET) as found:
        former = await found.link("former")
        options = await former.ioctl(Options())
        assert Ability.FORMING in getattr(options, "abilities", ())
        await former.write(Setpoint(-2000.0, 30.0))
        found.step(1.0)
        assert (await former.read()).power_w == pytest.approx(-2000.0)
        found.house.supply.out = True
        found.house.island.open_tie()
        await former.ioctl(FormGrid())
        found.step(2.0)
        assert (await former.read()).power_w == pytest.approx(-800.0), "it carries the home"
        found.house.fixed_load_w = 12_000.0
        found.step(2.0)
        reading = await former.read()
        assert reading.forming is False
        assert Alarm.FAULT in (reading.alarms or ())
        found.house.fixed_load_w = 500.0
        await former.ioctl(FormGrid())
        found.step(2.0)
        reading = await former.read()
        assert (reading.forming, reading.alarms) == (True, frozenset())
        await former.close()


async def test_it_refuses_what_it_cannot_form_and_others_cannot_form_at_all() -> None:
    async with doors("former", "victron", config=QUIET) as found:
        former, other = await found.link("former"), await found.link("victron")
        await former.ioctl(FormGrid(90.0, 230.0))  # beyond its bounds: brought to them
        assert found.house.island.hz == pytest.approx(53.0)
        for nonsense in (float("nan"), float("inf")):
            with pytest.raises((RejectedError, TransientError)):
                await former.ioctl(FormGrid(nonsense, 230.0))
        with pytest.raises(RejectedError):
            await other.ioctl(FormGrid())
        await former.close()
        await other.close()


async def test_a_tie_is_switched_through_its_handle_and_takes_no_set_point() -> None:
    async with doors("tie", config=QUIET) as found:
        registry = build([described(found, "tie")], now=time.time)
        await registry.start()
        handle = await registry.devices["tie"].open(Mode.READ_WRITE)
        with pytest.raises(RejectedError, match="cannot be controlled"):
            await handle.write(Setpoint(0.0, 30.0))
        await handle.ioctl(Disconnect())
        assert not found.house.island.tie_closed
        found.faults["tie"].set(FaultKind.SILENCE)
        with pytest.raises(TransientError):
            await handle.ioctl(Connect())
        assert not found.house.island.armed
        found.faults["tie"].set(FaultKind.NONE)
        await asyncio.sleep(0)
        await handle.close()
        await registry.stop()
