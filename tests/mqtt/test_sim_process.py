"""The simulated home's devices on MQTT, as a process, driven by the hub's driver."""

import asyncio
import sys

import pytest

from der.model import Comfort, DeviceKind, Setpoint, Sleep
from der.sim.errors import OptionError
from der.sim.mqtt.home import TOPICS
from der.sim.options import parse
from tests.mqtt.broker import Mosquitto
from tests.mqtt.house import described, fails, hub, opened, reads


@pytest.mark.parametrize("at", ["1883", "host:", "host:0", "host:70000", ":1883", "host:x"])
def test_a_broker_that_cannot_be_is_one_clear_error(at: str) -> None:
    with pytest.raises(OptionError, match=r"--mqtt .*HOST:PORT"):
        parse(["--mqtt", at])


@pytest.mark.requirement("SVC-READ", "SVC-WRITE", "PD-TIERS")
async def test_five_devices_of_the_process_answer(broker: Mosquitto) -> None:
    sim = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "der.sim", "--ocpp", "", "--mqtt", f"127.0.0.1:{broker.port}"),
        *(
            "--fixed-load",
            "500",
            "--pv-w",
            "0",
            "--room-temp",
            "19",
            "--tank-temp",
            "60",
            "--ev-soc",
            "1",
        ),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        descriptions = [
            described("tasmota", TOPICS["tasmota_plug"], device="one"),
            described("shelly", TOPICS["shelly_plug"], device="two"),
            described("zigbee2mqtt", TOPICS["zigbee_plug"], device="three"),
            described(
                "shelly", TOPICS["shelly_meter"], DeviceKind.METER, device="meter", max_w=2e4
            ),
            described(
                "zigbee2mqtt",
                TOPICS["zigbee_trv"],
                DeviceKind.THERMOSTAT,
                device="trv",
                comfort=Comfort(17, 23),
                sleep=Sleep(3.0, 0.5),
            ),
        ]
        async with hub(broker, *descriptions) as registry, opened(registry, "meter") as meter:
            async with opened(registry, "trv") as trv, opened(registry, "three") as plug:
                # 500 W, three plugs of 2420 W, and the heat pump that the radiator calls for.
                await reads(meter, lambda r: r.power_w > 500 + 2420 + 1500)
                await trv.write(Setpoint(0, 60))
                await reads(trv, lambda r: r.limit_w == 0)
                await reads(meter, lambda r: r.power_w == pytest.approx(2920, abs=100))
                await reads(plug, lambda r: r.power_w == 1500)
                await plug.write(Setpoint(0, 60))
                await reads(meter, lambda r: r.power_w == pytest.approx(1420, abs=100))
            for device, power_w in (("one", 800.0), ("two", 120.0)):
                async with opened(registry, device) as handle:
                    found = await reads(handle, lambda r: r.power_w > 0)
                    assert found.power_w == power_w
            sim.kill()
            why = await fails(meter, "says that it is offline")
            assert why.startswith(f"meter: {TOPICS['shelly_meter']}/online: ")
    finally:
        if sim.returncode is None:
            sim.kill()
        await sim.wait()
