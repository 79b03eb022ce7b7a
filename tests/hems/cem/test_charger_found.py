"""A hub that follows another within an event finds a charger that does not say what holds it."""

from dataclasses import replace

import pytest

from der.model import Setpoint
from tests.hems.cem.plant import BATTERY, CAR, METER, Loop, Plant, limit

pytestmark = pytest.mark.requirement("ROLE-CEM", "LC-COMMISSION")

LIMIT_W = 3_000.0


def found(drawn_w: float, base_w: float) -> Plant:
    """Return a home in which a car draws what it was let, beside a battery that evens it out."""
    plant = Plant(specs=(METER, BATTERY, CAR), base_w=base_w, wants={"car": 7_000.0})
    plant.told["car"] = Setpoint(drawn_w, 60.0)
    plant.told["battery"] = Setpoint(-drawn_w, 60.0)
    plant.power.update(car=drawn_w, battery=-drawn_w)
    return plant


@pytest.mark.parametrize("drawn_w", [1_400.0, 2_500.0, 3_600.0])
def test_it_has_the_batteries_help_for_what_it_is_told_first(drawn_w: float) -> None:
    plant = found(drawn_w, 2_800.0)
    loop = Loop(plant)
    made = loop.decide(limit(LIMIT_W))
    car, battery = made.orders["car"].setpoint, made.orders["battery"].setpoint
    assert car is not None
    assert battery is not None
    assert car.power_w > drawn_w + 500.0, "there is room for more"
    assert plant.base_w + car.power_w + battery.power_w <= LIMIT_W
    plant.step()
    assert max(loop.run(60, limit(LIMIT_W))) <= LIMIT_W


@pytest.mark.parametrize("says_wants", [True, False])
def test_one_that_was_stopped_comes_back_with_their_help(*, says_wants: bool) -> None:
    plant = found(0.0, 2_800.0)
    plant.says_wants = says_wants  # one that has only called again is asked for that last
    loop = Loop(plant)
    for _ in range(60):
        made = loop.decide(limit(LIMIT_W))
        car, battery = made.orders["car"].setpoint, made.orders["battery"].setpoint
        assert battery is not None
        assert plant.base_w + (7_000.0 if car is None else car.power_w) + battery.power_w <= LIMIT_W
        plant.step()
        assert plant.net_w <= LIMIT_W
    assert plant.power["car"] > 4_000.0


def test_one_that_nobody_stopped_need_not_rest_first() -> None:
    plant = found(0.0, 2_800.0)
    plant.specs = tuple(replace(s, min_off_s=300.0) if s is CAR else s for s in plant.specs)
    Loop(plant).run(5)
    assert plant.power["car"] == 7_000.0


def test_one_that_rests_has_no_help_before_it_draws() -> None:
    plant = found(0.0, 2_800.0)
    plant.wants["car"] = 0.0
    made = Loop(plant).decide(limit(LIMIT_W))
    order = made.orders["battery"].setpoint
    assert order is None or order.power_w > -100.0
