"""What several batteries do beside the rest of the plan."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.cem.forecast.past import Paths
from hems.cem.planner.drive import drive
from hems.cem.planner.problem import Battery, Limits, Prices, Problem
from hems.cem.slots import Slots
from programs.economy import Use

COUNT = 12
SLOTS = Slots(0.0, 900.0, COUNT)
FREE = (math.inf,) * COUNT
LARGE = Battery("large", 4000.0, 500.0, 8000.0, 4000.0, 4000.0, 0.95, 0.95)
SMALL = Battery("small", 500.0, 0.0, 2000.0, 1000.0, 1000.0, 0.9, 0.9)
FLAT = Prices((0.3,) * COUNT, (0.0,) * COUNT)


def problem(*batteries: Battery, prices: Prices = FLAT) -> Problem:
    return Problem(SLOTS, prices, Limits(FREE, FREE), (), batteries)


def certain(net_w: float) -> Paths:
    net = np.full((1, COUNT), net_w)
    return Paths(np.ones(1), np.maximum(net, 0.0), np.minimum(net, 0.0))


NOTHING = (0.0,) * COUNT


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-4000.0, 4000.0), min_size=COUNT, max_size=COUNT),
    st.lists(st.floats(0.0, 0.5), min_size=COUNT, max_size=COUNT),
    st.floats(0.0, 9000.0),
    st.floats(-100.0, 2500.0),
)
def test_each_battery_keeps_to_its_bounds_and_loses_nothing_unaccounted(
    other_w: list[float], buy: list[float], large_wh: float, small_wh: float
) -> None:
    batteries = (replace(LARGE, energy_wh=large_wh), replace(SMALL, energy_wh=small_wh))
    prices = Prices(tuple(buy), (0.0,) * COUNT)
    planned = drive(problem(*batteries, prices=prices), certain(800.0), other_w)
    for battery in batteries:
        made = planned[battery.id]
        before = min(max(battery.energy_wh, battery.least_wh), battery.most_wh)
        for power, level in zip(made.power_w, made.level, strict=True):
            assert -battery.discharge_w - 1e-6 <= power <= battery.charge_w + 1e-6
            assert battery.least_wh - 1e-6 <= level <= battery.most_wh + 1e-6
            loss = battery.charge_efficiency if power > 0 else 1 / battery.discharge_efficiency
            assert level - before == pytest.approx(power * loss / 4.0, abs=1e-6)
            before = level
    assert planned["large"].uses == planned["small"].uses


def test_what_the_house_lacks_is_shared_by_what_each_can_give() -> None:
    planned = drive(problem(LARGE, SMALL), certain(2500.0), NOTHING)
    assert planned["large"].uses[0] is Use.EVEN_OUT
    assert planned["large"].power_w[0] == pytest.approx(-2000.0)
    assert planned["small"].power_w[0] == pytest.approx(-500.0)


def test_what_other_devices_draw_is_part_of_what_the_house_lacks() -> None:
    planned = drive(problem(LARGE), certain(500.0), (1000.0,) * COUNT)
    assert planned["large"].power_w[0] == pytest.approx(-1500.0)


def test_a_battery_without_room_rests() -> None:
    stuck = replace(SMALL, id="stuck", least_wh=2000.0)
    planned = drive(problem(LARGE, stuck), certain(1000.0), NOTHING)
    assert set(planned["stuck"].uses) == {Use.REST}
    assert planned["stuck"].power_w == NOTHING
    assert planned["large"].power_w[0] == pytest.approx(-1000.0)
    assert drive(problem(), certain(1000.0), NOTHING) == {}
    assert set(drive(problem(stuck), certain(1000.0), NOTHING)) == {"stuck"}
