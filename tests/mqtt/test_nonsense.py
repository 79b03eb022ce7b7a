"""What strangers put on the broker: one line each, never a set-point, never a zero."""

import asyncio
import logging

import pytest

from der.errors import TransientError
from der.model import DeviceKind, Setpoint
from der.sim.mqtt.node import Relay
from der.sim.mqtt.plugs import TasmotaPlug, ZigbeePlug
from tests.mqtt.broker import Mosquitto
from tests.mqtt.house import described, fails, hub, living, opened, reads
from tests.waiting import until

pytestmark = pytest.mark.requirement("LC-TEST", "SVC-READ")

PLUG = described("zigbee2mqtt", "kitchen")
STATE = "zigbee2mqtt/kitchen"
NONSENSE = [
    b"",
    b"\xff\x00",
    b"nonsense",
    b"[]",
    b'{"power": NaN}',
    b'{"power": 1e300}',
    b'{"power": "0"}',
    b'{"power": {}, "state": 3}',
    b"{" * 50_000,
    b"0" * 1_000_000,
]


async def test_a_device_goes_on_through_nonsense(
    broker: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    relay = Relay(800.0)
    async with (
        living(broker, ZigbeePlug("plug", "kitchen", relay, period_s=0.2)),
        hub(broker, PLUG) as registry,
        opened(registry) as handle,
    ):
        await reads(handle, lambda r: r.power_w == 800)
        for payload in NONSENSE:
            await broker.say(STATE, payload)
            try:
                assert (await handle.read()).power_w == 800
            except TransientError as error:
                assert str(error).startswith(f"it: {STATE}: no usable power")  # noqa: PT017
        await reads(handle, lambda r: r.power_w == 800)
        assert relay.on is True
        await handle.write(Setpoint(0, 60))
        assert relay.on is False
    said = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert said
    assert all(message.startswith(f"it: {STATE}: ") for message in said)
    assert len(said) <= 2, "two lines an hour, however many reasons there are"
    assert all(len(message) < 300 for message in said)


async def test_a_flood_of_nonsense_is_two_lines_and_a_count(
    broker: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    async with hub(broker, PLUG) as registry, opened(registry) as handle:
        async with broker.client() as client:
            for number in range(200):
                await client.publish(STATE, f"nonsense {number}", qos=0)
        await fails(handle, "(last: zigbee2mqtt/kitchen: is not JSON")
    first, _, count = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert first.startswith(f"it: {STATE}: is not JSON")
    assert count.startswith(f"it: {STATE}: ")
    assert count.endswith("(the 100th time within an hour)")


async def test_a_power_that_cannot_be_is_said_although_good_ones_follow_it(
    broker: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    async def said() -> list[str]:
        return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]

    async with (
        living(broker, ZigbeePlug("plug", "kitchen", Relay(800.0), period_s=0.2)),
        hub(broker, PLUG) as registry,
        opened(registry) as handle,
    ):
        await reads(handle, lambda r: r.power_w == 800)
        for _ in range(3):
            await broker.say(STATE, b'{"state": "ON", "power": 1000000}')
        await until(said, bool, 30.0, "it is said")
        await reads(handle, lambda r: r.power_w == 800)
    assert await said() == [f"it: {STATE}: a power of 1e+06 W cannot be"]


async def test_retained_values_are_of_nobody_knows_when(broker: Mosquitto) -> None:
    await broker.say(STATE, b'{"state": "ON", "power": 5}', retain=True)
    async with hub(broker, PLUG) as registry, opened(registry) as handle:
        why = await fails(handle, "no usable power")
        assert why == f"it: {STATE}: no usable power has been told"


@pytest.mark.parametrize(
    "kept",
    [
        b"nonsense",
        b'{"on": "yes"}',
        b'{"on": true, "ends_at": 1e300}',
        b'{"target_c": 900}',
        b"{}",
        b'{"on": true, "ends_at": [1]}',
    ],
)
async def test_a_damaged_keepsake_keeps_nothing(broker: Mosquitto, kept: bytes) -> None:
    await broker.say("hems/kept/it", kept, retain=True)
    relay = Relay(800.0, on=False)
    async with (
        living(broker, TasmotaPlug("plug", "kitchen", relay)),
        hub(broker, described("tasmota", "kitchen")) as registry,
        opened(registry) as handle,
    ):
        found = await reads(handle, lambda r: r.power_w == 0)
        assert found.limit_w is None
        await handle.write(None)
        assert relay.on is False


async def test_other_devices_topics_are_nothing_to_a_device(broker: Mosquitto) -> None:
    relay = Relay(800.0)
    async with (
        living(broker, ZigbeePlug("plug", "kitchen", relay, period_s=0.2)),
        hub(broker, PLUG) as registry,
        opened(registry) as handle,
    ):
        await reads(handle, lambda r: r.power_w == 800)
        for topic in ("zigbee2mqtt/kitchen/more", "zigbee2mqtt/Kitchen", "zigbee2mqtt/kitche"):
            await broker.say(topic, b'{"state": "OFF", "power": 7}')
        for _ in range(5):
            assert (await handle.read()).power_w == 800
            await asyncio.sleep(0.05)


async def test_a_device_that_is_not_there_is_one_clear_error(broker: Mosquitto) -> None:
    meter = described("shelly", "nowhere", DeviceKind.METER)
    async with hub(broker, meter) as registry, opened(registry) as handle:
        with pytest.raises(TransientError) as caught:
            await handle.read()
    assert str(caught.value) == "it: nowhere/status/em:0: no usable power has been told"
