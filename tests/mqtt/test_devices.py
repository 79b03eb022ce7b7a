"""The driver against simulated devices on a real broker: read, restrict, give back, lapse."""

import asyncio
import json
import time

import pytest

from der.addresses import MqttAddress
from der.commands import Connect, Disconnect, FirmwareVersion, Identify, Options, Reset
from der.drivers.mqtt import keepsake
from der.drivers.mqtt.points import Settings
from der.drivers.mqtt.profiles import profile_of
from der.drivers.mqtt.twin import Twin
from der.errors import RejectedError
from der.model import DeviceKind, Expiry, Setpoint
from der.service import Handle, Mode
from der.sim.mqtt.node import MqttDevice, Node, Relay
from der.sim.mqtt.others import ShellyMeter
from der.sim.mqtt.plugs import ShellyPlug, TasmotaPlug, ZigbeePlug
from der.sim.physics.house import Flow
from tests.mqtt.broker import Mosquitto
from tests.mqtt.house import described, hub, living, opened, reads

PLUGS = [("tasmota", TasmotaPlug), ("shelly", ShellyPlug), ("zigbee2mqtt", ZigbeePlug)]
TIMED = PLUGS[:2]


def plug(kind: type, *, on: bool = True) -> tuple[MqttDevice, Relay]:
    relay = Relay(800.0, on)
    return kind("plug", "kitchen", relay), relay


async def told_off(node: Node) -> None:
    async with asyncio.timeout(8):
        while not any("OFF" in each.values for each in node.journal.writes()):  # noqa: ASYNC110 - it wakes nobody
            await asyncio.sleep(0.01)


async def kept(broker: Mosquitto) -> object:
    """Return what is retained for the device, None if nothing is."""
    async with broker.client() as client:
        await client.subscribe("hems/kept/it")
        try:
            async with asyncio.timeout(0.3):
                async for message in client.messages:
                    return json.loads(str(message.payload, "utf-8"))
        except TimeoutError:
            return None
    return None


@pytest.mark.requirement("SVC-READ", "SVC-WRITE", "SVC-OPEN")
@pytest.mark.parametrize(("profile", "kind"), PLUGS)
async def test_a_plug_is_read_switched_off_and_given_back(
    broker: Mosquitto, profile: str, kind: type
) -> None:
    device, relay = plug(kind)
    async with (
        living(broker, device),
        hub(broker, described(profile, "kitchen")) as registry,
        opened(registry) as handle,
    ):
        before = await reads(handle, lambda r: r.power_w == 800)
        assert (before.connected, before.limit_w, before.voltage_v) == (True, None, 230)
        await handle.write(Setpoint(0, 60))
        assert relay.on is False
        off = await reads(handle, lambda r: r.power_w == 0)
        assert (off.connected, off.limit_w, off.wants_power) == (False, 0.0, True)
        await handle.write(None)
        assert relay.on is True
        after = await reads(handle, lambda r: r.power_w == 800)
        assert after.limit_w is None
    assert await kept(broker) is None


@pytest.mark.requirement("SVC-WRITE")
@pytest.mark.parametrize(("profile", "kind"), PLUGS)
async def test_a_plug_that_its_owner_had_off_stays_off(
    broker: Mosquitto, profile: str, kind: type
) -> None:
    device, relay = plug(kind, on=False)
    async with (
        living(broker, device),
        hub(broker, described(profile, "kitchen")) as registry,
        opened(registry) as handle,
    ):
        idle = await reads(handle, lambda r: r.power_w == 0)
        assert (idle.limit_w, idle.wants_power) == (None, False)
        await handle.write(Setpoint(0, 0.5))
        await handle.write(None)
        assert relay.on is False
        assert relay.flips_at is None


@pytest.mark.requirement("SVC-WRITE")
@pytest.mark.parametrize(("profile", "kind"), TIMED)
async def test_a_silent_hub_leaves_the_plug_to_its_own_timer(
    broker: Mosquitto, profile: str, kind: type
) -> None:
    device, _ = plug(kind)
    async with (
        living(broker, device),
        hub(broker, described(profile, "kitchen")) as registry,
    ):
        async with opened(registry) as handle:
            assert handle.safeguard.expiry is Expiry.AUTO_OFF
            await reads(handle, lambda r: r.power_w == 800)
            await handle.write(Setpoint(0, 1.5))
            await reads(handle, lambda r: r.power_w == 0)
        async with (
            hub(broker, described(profile, "kitchen")) as anew,
            opened(anew) as handle,
        ):
            again = await reads(handle, lambda r: r.power_w == 800)
            assert again.limit_w is None


@pytest.mark.requirement("SVC-WRITE")
@pytest.mark.parametrize(("profile", "kind"), PLUGS)
async def test_a_refreshed_set_point_outlives_its_first_timer(
    broker: Mosquitto, profile: str, kind: type
) -> None:
    device, relay = plug(kind)
    async with (
        living(broker, device),
        hub(broker, described(profile, "kitchen")) as registry,
        opened(registry) as handle,
    ):
        await reads(handle, lambda r: r.power_w == 800)
        for _ in range(4):
            await handle.write(Setpoint(0, 2))
            await asyncio.sleep(0.8)  # the time that passes is what is tested
            assert relay.on is False
        await handle.write(None)
        assert relay.on is True


@pytest.mark.requirement("SVC-WRITE")
@pytest.mark.parametrize(("profile", "kind"), PLUGS)
async def test_a_restarted_hub_knows_what_the_owner_had_set(
    broker: Mosquitto, profile: str, kind: type
) -> None:
    device, relay = plug(kind)
    async with (
        living(broker, device),
        hub(broker, described(profile, "kitchen")) as registry,
    ):
        async with opened(registry) as handle:
            await reads(handle, lambda r: r.power_w == 800)
            await handle.write(Setpoint(0, 60))
        assert await kept(broker) is not None
        async with (
            hub(broker, described(profile, "kitchen")) as anew,
            opened(anew) as handle,
        ):
            found = await reads(handle, lambda r: r.power_w == 0)
            assert (found.limit_w, found.wants_power) == (0.0, True)
            await handle.write(None)
            assert relay.on is True


@pytest.mark.requirement("SVC-WRITE")
async def test_what_the_owner_does_meanwhile_is_the_owners_wish(broker: Mosquitto) -> None:
    device, relay = plug(ZigbeePlug, on=False)
    async with (
        living(broker, device) as (node,),
        hub(broker, described("zigbee2mqtt", "kitchen")) as registry,
        opened(registry) as handle,
    ):
        await reads(handle, lambda r: r.power_w == 0)
        await handle.write(Setpoint(0, 60))
        await told_off(node)  # it was off: nothing that it says tells whether it has been told
        relay.set(on=True)
        await reads(handle, lambda r: r.power_w == 800)
        await handle.write(Setpoint(0, 60))
        assert relay.on is False
        await handle.write(None)
        assert relay.on is True


@pytest.mark.requirement("SVC-IOCTL")
@pytest.mark.parametrize(("profile", "kind"), PLUGS)
async def test_commands(broker: Mosquitto, profile: str, kind: type) -> None:
    device, relay = plug(kind)
    async with (
        living(broker, device),
        hub(broker, described(profile, "kitchen")) as registry,
        opened(registry) as handle,
    ):
        await reads(handle, lambda r: r.power_w == 800)
        assert await handle.ioctl(Disconnect()) == "off"
        assert (relay.on, relay.flips_at) == (False, None)
        assert "owner" in await handle.ioctl(Connect())
        assert relay.on is True
        assert (await handle.ioctl(Identify())).address.startswith("mqtt ")
        assert await handle.ioctl(FirmwareVersion()) == ""
        options = await handle.ioctl(Options())
        assert options.safeguard == handle.safeguard
        assert options.safeguard.risk
        if profile == "zigbee2mqtt":
            with pytest.raises(RejectedError, match=r"^it: has no command Reset"):
                await handle.ioctl(Reset())
        else:
            assert await handle.ioctl(Reset()) == "told to restart"


@pytest.mark.requirement("SVC-READ", "ROLE-SM")
async def test_a_three_phase_meter(broker: Mosquitto) -> None:
    meter = ShellyMeter("meter", "shellypro3em", lambda: Flow(-1000.0, 500.0, 700.0))
    description = described("shelly", "shellypro3em", DeviceKind.METER, max_w=20_000)
    async with (
        living(broker, meter),
        hub(broker, description) as registry,
        opened(registry) as handle,
    ):
        found = await reads(handle, lambda r: r.energy_export_wh is not None)
        assert found.power_w == -1000
        assert [p.power_w for p in found.phases] == [-500, -300, -200]
        assert (found.energy_import_wh, found.energy_export_wh) == (500, 700)
        with pytest.raises(RejectedError):
            await handle.write(None)
        assert handle.safeguard.expiry is Expiry.NOTHING_TO_END


@pytest.mark.requirement("TIME-STAMP")
@pytest.mark.parametrize("step_s", [14_400.0, -14_400.0])
async def test_what_it_has_told_is_as_old_as_it_is_when_the_clock_is_set(
    broker: Mosquitto, step_s: float
) -> None:
    ahead_s = [0.0]
    device, relay = plug(ZigbeePlug)
    async with (
        living(broker, device),
        hub(
            broker,
            described("zigbee2mqtt", "kitchen"),
            now=lambda: time.time() + ahead_s[0],
        ) as registry,
        opened(registry) as handle,
    ):
        await reads(handle, lambda r: r.power_w == 800)
        await handle.write(Setpoint(0, 60))
        ahead_s[0] = step_s
        reading = await handle.read()
        assert reading.at == pytest.approx(time.time() + step_s, abs=3)
        await handle.write(None)  # it knows what its owner had set
        assert relay.on is True


async def test_what_a_hub_kept_before_it_lost_the_time_ends_when_it_said() -> None:
    ahead_s = [-7_200.0]
    spec = described("zigbee2mqtt", "kitchen").spec
    profile = profile_of(spec, MqttAddress("zigbee2mqtt", "kitchen"))
    twin = Twin(spec, profile, lambda: time.time() + ahead_s[0])
    over = keepsake.Keepsake(Settings(on=True), time.time() - 60.0)
    message = keepsake.message(spec.id, over)
    twin.take(message.topic, message.payload.encode(), retained=True)
    ahead_s[0] = 0.0
    twin.take("zigbee2mqtt/kitchen", b'{"state": "OFF", "power": 0}', retained=False)
    assert twin.own.on is False


async def test_two_devices_of_a_broker_do_not_disturb_each_other(broker: Mosquitto) -> None:
    one, two = Relay(100.0), Relay(200.0)
    descriptions = [
        described("tasmota", "one", device="one"),
        described("zigbee2mqtt", "two", device="two"),
    ]
    devices = (TasmotaPlug("one", "one", one), ZigbeePlug("two", "two", two))
    async with living(broker, *devices), hub(broker, *descriptions) as registry:
        handles: list[Handle] = []
        for device, power_w in (("one", 100), ("two", 200)):
            async with opened(registry, device) as handle:
                await reads(handle, lambda r, power_w=power_w: r.power_w == power_w)  # type: ignore[misc]
                await handle.write(Setpoint(0, 60))
                handles.append(handle)
        assert (one.on, two.on) == (False, False)
        again = await registry.devices["one"].open(Mode.READ_WRITE)
        await again.write(None)
        assert (one.on, two.on) == (True, False)
        await again.close()


@pytest.mark.requirement("SVC-WRITE")
async def test_who_only_gives_back_finds_what_is_to_be_given_back(broker: Mosquitto) -> None:
    """A guard opens the device for nothing else, and never reads it."""
    device, relay = plug(ZigbeePlug)
    async with living(broker, device):
        async with (
            hub(broker, described("zigbee2mqtt", "kitchen")) as registry,
            opened(registry) as handle,
        ):
            await reads(handle, lambda r: r.power_w == 800)
            await handle.write(Setpoint(0, 60))
            assert relay.on is False
        for _ in range(30):  # retained messages that are nothing to it, before its own
            await broker.say(f"hems/kept/another{_}", '{"on": true}', retain=True)
        async with hub(broker, described("zigbee2mqtt", "kitchen")) as guard:
            handle = await guard.devices["it"].open(Mode.WRITE_ONLY)
            await handle.write(None)
            await handle.close()
            assert relay.on is True
