"""Each battery's part of what several do together."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.cem.planner.problem import Battery
from hems.cem.planner.worth.manner import Manner
from hems.cem.planner.worth.shares import shared
from programs.economy import Use

LARGE = Battery("large", 4000.0, 500.0, 8000.0, 4000.0, 4000.0, 0.95, 0.95)
SMALL = Battery("small", 500.0, 0.0, 2000.0, 1000.0, 1000.0, 0.9, 0.9)
QUARTER = 0.25


def together(power_w: float) -> Manner:
    return Manner(Use.EVEN_OUT, power_w, 0.0, 0.25, 0.0, 0.0, 0.0, 0.0)


@given(st.lists(st.floats(-8000.0, 8000.0), min_size=1, max_size=40))
def test_each_keeps_to_its_bounds_and_loses_nothing_unaccounted(powers: list[float]) -> None:
    planned = shared([LARGE, SMALL], [together(w) for w in powers], QUARTER)
    for battery in (LARGE, SMALL):
        made, before = planned[battery.id], battery.energy_wh
        for power, level in zip(made.power_w, made.level, strict=True):
            assert -battery.discharge_w - 1e-6 <= power <= battery.charge_w + 1e-6
            assert battery.least_wh - 1e-6 <= level <= battery.most_wh + 1e-6
            stored = battery.charge_efficiency if power > 0 else 1 / battery.discharge_efficiency
            assert level - before == pytest.approx(power * stored * QUARTER, abs=1e-6)
            before = level
    for slot, power in enumerate(powers):
        total = planned["large"].power_w[slot] + planned["small"].power_w[slot]
        assert abs(total) <= abs(power) + 1e-6
        assert total * power >= 0.0


def test_a_power_is_shared_by_what_each_can_do_and_each_behaves_alike() -> None:
    planned = shared([LARGE, SMALL], [together(-2500.0), together(3000.0)], QUARTER)
    assert planned["large"].power_w == pytest.approx((-2000.0, 2400.0))
    assert planned["small"].power_w == pytest.approx((-500.0, 600.0))
    assert planned["small"].uses == planned["large"].uses == (Use.EVEN_OUT, Use.EVEN_OUT)
    assert planned["large"].worth_per_kwh == (0.25, 0.25)


def test_where_one_is_empty_the_other_gives() -> None:
    planned = shared([LARGE, replace(SMALL, energy_wh=0.0)], [together(-3000.0)], QUARTER)
    assert planned["small"].power_w == (0.0,)
    assert planned["large"].power_w == pytest.approx((-3000.0,))
    empty = shared([replace(SMALL, energy_wh=0.0)], [together(-3000.0)], QUARTER)
    assert empty["small"].power_w == (0.0,)
