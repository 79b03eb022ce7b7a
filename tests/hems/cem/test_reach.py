"""When a battery is taken at what it does, and when its silence says nothing about it."""

import pytest

from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading, Setpoint
from hems.cem.memory import DeviceMemory, Given, Memory
from hems.cem.observe import observe
from hems.cem.policy import AllocatorPolicy
from hems.image import Image

NOW = 1_000.0
POLICY = AllocatorPolicy()
BATTERY = DeviceSpec("battery", DeviceKind.BATTERY, "Battery", Control.TARGET, -5000.0, 5000.0)
TOLD = Setpoint(-4000.0, POLICY.drive_lapse_s)


@pytest.mark.requirement("LC-TEST")
@pytest.mark.parametrize(
    ("given", "power_w", "lower_w"),
    [
        pytest.param(Given(TOLD, NOW - 6.0), -4000.0, -float("inf"), id="does as told"),
        pytest.param(Given(TOLD, NOW - 6.0), -1000.0, -1000.0, id="falls short"),
        pytest.param(Given(TOLD, NOW - 1.0), 0.0, -float("inf"), id="told only just now"),
        pytest.param(Given(TOLD, NOW - 31.0), 0.0, -float("inf"), id="it has lapsed meanwhile"),
        pytest.param(Given(TOLD, NOW - 6.0, doubtful=True), 0.0, -float("inf"), id="was away"),
        pytest.param(Given(Setpoint(-500.0, 30.0), NOW - 6.0), 0.0, -float("inf"), id="other"),
    ],
)
def test_a_battery_that_falls_short_is_taken_at_what_it_does(
    given: Given, power_w: float, lower_w: float
) -> None:
    state = DeviceState(BATTERY, Reading(NOW, power_w, soc=0.5), Quality.GOOD)
    past = DeviceMemory(target_w=-4000.0, changed_at=NOW - 60.0)
    memory = Memory(devices={"battery": past}, given={"battery": given})
    seen = observe(Image(NOW, 1, {"battery": state}), memory, NOW, POLICY)
    assert seen.memory.devices["battery"].reach.lower_w == lower_w
