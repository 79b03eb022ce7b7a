"""A radiator thermostat that sleeps: set back at its next wake, and given back its own."""

import logging
import time
from dataclasses import dataclass

import pytest

from der.errors import PermanentError, TransientError
from der.model import Comfort, DeviceKind, Expiry, Setpoint, Sleep
from der.registry import build
from der.sim.faults import FaultKind
from der.sim.mqtt.others import ZigbeeThermostat
from tests.mqtt.broker import Mosquitto
from tests.mqtt.house import described, fails, hub, living, opened, reads
from tests.waiting import until

pytestmark = pytest.mark.requirement("SVC-WRITE")

COMFORT = Comfort(17.0, 23.0)
TRV = described(
    "zigbee2mqtt",
    "bath",
    DeviceKind.THERMOSTAT,
    max_w=1500.0,
    max_age_s=10.0,
    comfort=COMFORT,
    sleep=Sleep(1.0, 0.3),
)


@dataclass
class Room:
    temp_c: float = 19.0


def thermostat(room: Room) -> ZigbeeThermostat:
    return ZigbeeThermostat("trv", "bath", lambda: room.temp_c, period_s=1.0, awake_s=0.3)


async def set_to(trv: ZigbeeThermostat, target_c: float) -> None:
    async def look() -> float:
        return trv.target_c

    await until(look, lambda c: c == target_c, 20, f"{target_c} degC")


async def test_set_back_at_its_next_wake_and_given_back(
    broker: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "der.drivers.mqtt")
    trv = thermostat(Room())
    trv.mode = "auto"
    async with (
        living(broker, trv),
        hub(broker, TRV) as registry,
        opened(registry) as handle,
    ):
        calling = await reads(handle, lambda r: r.temp_c == 19)
        assert (calling.power_w, calling.wants_power, calling.limit_w) == (1500, True, None)
        assert handle.safeguard.expiry is Expiry.GUARD
        assert "17 degC" in handle.safeguard.safe
        await handle.write(Setpoint(0, 60))  # returns at once: it is asleep
        await set_to(trv, 17.0)
        assert trv.mode == "heat"
        held = await reads(handle, lambda r: r.limit_w == 0)
        assert (held.power_w, held.wants_power) == (0, True)
        await handle.write(None)
        await set_to(trv, 21.0)
        assert trv.mode == "auto"
        await reads(handle, lambda r: r.limit_w is None and r.power_w == 1500)
    assert "it: asleep; it will be told at its next wake" in caplog.messages


async def test_a_restart_of_the_hub_loses_nothing(broker: Mosquitto) -> None:
    trv = thermostat(Room())
    async with living(broker, trv):
        async with hub(broker, TRV) as registry, opened(registry) as handle:
            await reads(handle, lambda r: r.temp_c == 19)
            await handle.write(Setpoint(0, 60))
            await set_to(trv, 17.0)
            await reads(handle, lambda r: r.limit_w == 0)
        async with hub(broker, TRV) as registry, opened(registry) as handle:
            await reads(handle, lambda r: r.limit_w == 0)
            await handle.write(None)
            await set_to(trv, 21.0)


async def test_one_that_is_colder_already_is_left_alone(broker: Mosquitto) -> None:
    trv = thermostat(Room())
    trv.target_c = 16.0
    async with (
        living(broker, trv),
        hub(broker, TRV) as registry,
        opened(registry) as handle,
    ):
        idle = await reads(handle, lambda r: r.temp_c == 19)
        assert (idle.power_w, idle.wants_power) == (0, False)
        await handle.write(Setpoint(0, 60))
        await handle.write(None)
        assert trv.target_c == 16.0


async def test_one_that_does_not_take_it_is_an_error_after_its_wake_period(
    broker: Mosquitto,
) -> None:
    trv = thermostat(Room())
    async with (
        living(broker, trv) as (node,),
        hub(broker, TRV) as registry,
        opened(registry) as handle,
    ):
        await reads(handle, lambda r: r.temp_c == 19)
        node.fault.set(FaultKind.EXCEPTION)
        await handle.write(Setpoint(0, 60))
        why = await fails(handle, "has not taken it within its wake period of 1 s")
        assert why.startswith("it: zigbee2mqtt/bath: told ")
        with pytest.raises(TransientError, match="wake period"):
            await handle.write(Setpoint(0, 60))
        node.fault.set(FaultKind.NONE)
        await set_to(trv, 17.0)
        await reads(handle, lambda r: r.limit_w == 0)


async def test_an_impossible_temperature_is_left_out(broker: Mosquitto) -> None:
    trv = thermostat(Room())
    async with (
        living(broker, trv) as (node,),
        hub(broker, TRV) as registry,
        opened(registry) as handle,
    ):
        await reads(handle, lambda r: r.temp_c == 19)
        node.fault.set(FaultKind.SCALE)
        odd = await reads(handle, lambda r: r.temp_c is None)
        assert odd.suspect == {"temp_c"}


def test_a_thermostat_needs_bounds_of_comfort() -> None:
    bare = described("zigbee2mqtt", "bath", DeviceKind.THERMOSTAT)
    with pytest.raises(PermanentError, match=r"^it: a thermostat is set back to its bounds"):
        build([bare], now=time.time)
