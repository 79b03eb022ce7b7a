"""For how long loads could stay off, from what people want of them."""

import math
from dataclasses import replace

import pytest

from der.model import DeviceSpec, DeviceState, Quality, Reading
from hems.cem.memory import DeviceMemory, Memory
from hems.cem.needs import CarMode, CarNeed, HeatStore
from hems.image import Image
from hems.reserves.spare import spare
from tests.hems.cem.plant import CAR, HEATER, PUMP, T0

TANK = HeatStore("heater", 230.0, 2.0, 20.0, 1.0, 45.0, 60.0, 2_400.0)


def image(temp_c: float | None = 55.0) -> Image:
    def state(spec: DeviceSpec, power_w: float) -> DeviceState:
        return DeviceState(spec, Reading(T0, power_w, temp_c=temp_c), Quality.GOOD)

    return Image(T0, 1, {s.id: state(s, 2_000.0) for s in (CAR, HEATER, PUMP)})


@pytest.mark.requirement("BUC-8")
@pytest.mark.parametrize(
    ("need", "for_s"),
    [
        (CarNeed("car"), math.inf),
        (CarNeed("car", CarMode.NOW), 0.0),
        (CarNeed("car", CarMode.SOLAR, T0 + 60), math.inf),
        (CarNeed("car", ready_at=T0 + 7_200, energy_wh=7_400.0), 3_600.0),
        (CarNeed("car", ready_at=T0 + 7_200, energy_wh=7_400.0, taken_wh=3_700.0), 5_400.0),
        (CarNeed("car", ready_at=T0 + 7_200, energy_wh=3_700.0, power_w=3_700.0), 3_600.0),
        (CarNeed("car", ready_at=T0 + 7_200), 0.0),  # as much as usual: nobody knows here
        (CarNeed("other", ready_at=T0 + 7_200), 0.0),
    ],
)
def test_a_car_waits_as_long_as_it_is_still_ready(need: CarNeed, for_s: float) -> None:
    assert spare(image(), [need], [], Memory()).for_s[need.device] == pytest.approx(for_s)


@pytest.mark.requirement("BUC-8")
def test_heat_waits_until_it_is_at_its_bound() -> None:
    found = spare(image(), [], [TANK], Memory()).for_s["heater"]
    assert found == pytest.approx(10 * 230 / (35 * 2 + 100) * 3600)
    cellar = replace(TANK, cop=-2.0, low_c=2.0, high_c=58.0, surroundings_c=80.0)
    cools = spare(image(), [], [cellar], Memory()).for_s["heater"]
    assert cools == pytest.approx(3 * 230 / (25 * 2) * 3600)
    assert spare(image(44.0), [], [TANK], Memory()).for_s["heater"] == 0.0
    assert spare(image(None), [], [TANK], Memory()).for_s["heater"] == 0.0
    outside = replace(TANK, surroundings_c=None, draw_wh_per_day=0.0)
    assert spare(image(), [], [outside], Memory()).for_s["heater"] < math.inf


@pytest.mark.requirement("BUC-8")
def test_what_has_just_begun_may_not_be_stopped() -> None:
    memory = Memory({"pump": DeviceMemory(running=True, running_since=T0 - 60)})
    assert spare(image(), [], [], memory).held_on == {"pump"}
    memory = Memory({"pump": DeviceMemory(running=True, running_since=T0 - 600)})
    assert spare(image(), [], [], memory).held_on == set()
