"""Each device in each fault: one clear error of device, point and reason, and then well again."""

import asyncio
import json
import logging

import pytest

from der.errors import DeviceError, PermanentError, TransientError
from der.model import DeviceKind, Setpoint
from der.service import Handle
from der.sim.faults import FaultKind
from der.sim.mqtt.node import MqttDevice, Relay
from der.sim.mqtt.others import ShellyMeter
from der.sim.mqtt.plugs import ShellyPlug, TasmotaPlug, ZigbeePlug
from der.sim.physics.house import Flow
from tests.mqtt.broker import Mosquitto
from tests.mqtt.house import described, fails, hub, living, opened, reads

TOPIC = "kitchen"
POINTS = {
    "tasmota": f"tele/{TOPIC}/SENSOR",
    "shelly": f"{TOPIC}/status/switch:0",
    "zigbee2mqtt": f"zigbee2mqtt/{TOPIC}",
    "meter": f"{TOPIC}/status/em:0",
}
OFFLINE = {
    "tasmota": f"tele/{TOPIC}/LWT",
    "shelly": f"{TOPIC}/online",
    "zigbee2mqtt": f"zigbee2mqtt/{TOPIC}/availability",
    "meter": f"{TOPIC}/online",
}
LOSING = {
    FaultKind.SILENCE: "no new power for",
    FaultKind.GARBAGE: "no new power for",
    FaultKind.OFF: "says that it is offline",
    FaultKind.REBOOT: "says that it is offline",
    FaultKind.SCALE: "W cannot be",
}


def made(profile: str) -> MqttDevice:
    relay = Relay(800.0)
    match profile:
        case "tasmota":
            return TasmotaPlug("it", TOPIC, relay, 0.2)
        case "shelly":
            return ShellyPlug("it", TOPIC, relay, 0.2)
        case "zigbee2mqtt":
            return ZigbeePlug("it", TOPIC, relay, 0.2)
        case _:
            return ShellyMeter("it", TOPIC, lambda: Flow(800.0, 10.0), 0.2)


def asked(profile: str) -> tuple[str, DeviceKind]:
    return ("shelly", DeviceKind.METER) if profile == "meter" else (profile, DeviceKind.PLUG)


@pytest.mark.requirement("SVC-READ", "LC-TEST")
@pytest.mark.parametrize("fault", LOSING)
@pytest.mark.parametrize("profile", POINTS)
async def test_a_device_that_is_lost_is_one_clear_error(
    broker: Mosquitto, profile: str, fault: FaultKind, caplog: pytest.LogCaptureFixture
) -> None:
    name, kind = asked(profile)
    description = described(name, TOPIC, kind, max_age_s=1.0)
    async with (
        living(broker, made(profile)) as (node,),
        hub(broker, description) as registry,
        opened(registry) as handle,
    ):
        await reads(handle, lambda r: r.power_w == 800)
        node.fault.set(fault)
        why = await fails(handle, LOSING[fault])
        point = OFFLINE if "offline" in why else POINTS
        assert why.startswith(f"it: {point[profile]}: "), why
        if fault is FaultKind.GARBAGE:
            assert "(last: " in why
        node.fault.set(FaultKind.NONE)
        await reads(handle, lambda r: r.power_w == 800)
    ours = (r for r in caplog.records if r.name.startswith("der."))
    said = [r.getMessage() for r in ours if r.levelno >= logging.WARNING]
    assert len(said) <= 2, said


@pytest.mark.requirement("SVC-READ")
@pytest.mark.parametrize("fault", [FaultKind.CLOCK, FaultKind.STUCK, FaultKind.EXCEPTION])
@pytest.mark.parametrize("profile", POINTS)
async def test_a_device_with_these_is_read_as_before(
    broker: Mosquitto, profile: str, fault: FaultKind
) -> None:
    name, kind = asked(profile)
    description = described(name, TOPIC, kind, max_age_s=1.0)
    async with (
        living(broker, made(profile)) as (node,),
        hub(broker, description) as registry,
        opened(registry) as handle,
    ):
        first = await reads(handle, lambda r: r.power_w == 800)
        node.fault.set(fault)
        later = await reads(handle, lambda r: r.at > first.at + 1.5)
        assert later.power_w == 800
        assert later.at < first.at + 60, "its own clock is nothing to us"


async def write_fails(handle: Handle) -> DeviceError:
    with pytest.raises(DeviceError) as caught:
        await handle.write(Setpoint(0, 60))
    return caught.value


@pytest.mark.requirement("SVC-WRITE")
@pytest.mark.parametrize("fault", [FaultKind.SILENCE, FaultKind.STUCK, FaultKind.EXCEPTION])
@pytest.mark.parametrize("profile", ["tasmota", "shelly", "zigbee2mqtt"])
async def test_a_write_is_done_only_when_the_device_says_so(
    broker: Mosquitto, profile: str, fault: FaultKind
) -> None:
    description = described(profile, TOPIC, max_age_s=1.0)
    async with (
        living(broker, made(profile)) as (node,),
        hub(broker, description) as registry,
        opened(registry) as handle,
    ):
        await reads(handle, lambda r: r.power_w == 800)
        node.fault.set(fault)
        error = await write_fails(handle)
        assert str(error).startswith(f"it: {POINTS[profile]}: it "), str(error)
        refused = (profile, fault) == ("shelly", FaultKind.EXCEPTION)
        assert isinstance(error, PermanentError if refused else TransientError)
        node.fault.set(FaultKind.NONE)
        await handle.write(Setpoint(0, 60))
        await reads(handle, lambda r: r.power_w == 0 and r.limit_w == 0)


@pytest.mark.requirement("SVC-WRITE")
async def test_a_late_answer_is_an_answer(broker: Mosquitto) -> None:
    async with (
        living(broker, made("shelly")) as (node,),
        hub(broker, described("shelly", TOPIC)) as registry,
        opened(registry) as handle,
    ):
        await reads(handle, lambda r: r.power_w == 800)
        node.fault.set(FaultKind.DELAY, delay_s=0.4)
        await handle.write(Setpoint(0, 60))
        node.fault.set(FaultKind.DELAY, delay_s=10)
        assert isinstance(await write_fails(handle), TransientError)


@pytest.mark.requirement("SVC-WRITE")
async def test_a_refusal_of_an_earlier_call_refuses_nothing(broker: Mosquitto) -> None:
    async with (
        living(broker, made("shelly")) as (node,),
        hub(broker, described("shelly", TOPIC)) as registry,
        opened(registry) as handle,
    ):
        await reads(handle, lambda r: r.power_w == 800)
        node.fault.set(FaultKind.DELAY, delay_s=0.4)
        writing = asyncio.create_task(handle.write(Setpoint(0, 60)))
        stale = {"id": 10**9, "error": {"code": -103, "message": "Internal error"}}
        await broker.say(f"hems/rpc/{TOPIC}/rpc", json.dumps(stale))
        await writing


@pytest.mark.requirement("SVC-WRITE")
@pytest.mark.parametrize("profile", ["tasmota", "shelly"])
async def test_a_restart_in_an_event_is_known_and_mended(broker: Mosquitto, profile: str) -> None:
    device = made(profile)
    async with (
        living(broker, device) as (node,),
        hub(broker, described(profile, TOPIC, max_age_s=1.0)) as registry,
        opened(registry) as handle,
    ):
        await reads(handle, lambda r: r.power_w == 800)
        await handle.write(Setpoint(0, 60))
        node.fault.set(FaultKind.REBOOT, 1.0)
        await fails(handle, "says that it is offline")
        found = await reads(handle, lambda r: r.power_w == 0)
        assert found.wants_power is True
        await handle.write(Setpoint(0, 60))
        await handle.write(None)
        await reads(handle, lambda r: r.power_w == 800)
