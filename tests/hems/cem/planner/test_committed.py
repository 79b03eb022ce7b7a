"""A plan with a reserve committed: never under it where it can be met; else that is named."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hems.cem.forecast.past import Paths
from hems.cem.planner.milp.solve import solve
from hems.cem.planner.plan import Plan
from hems.cem.planner.problem import Battery, Car, Deadline, Problem
from hems.cem.planner.valued import valued
from tests.examples import examples
from tests.hems.cem.planner.problems import START, home

BATTERY = Battery("battery", 5_000.0, 1_000.0, 10_000.0, 3_000.0, 3_000.0, 0.95, 0.95)


def planned(problem: Problem, spread_w: float = 0.0) -> Plan:
    """Plan for a day that is known, or that is one of two by a load that is more or less."""
    load = np.array(problem.scenarios[0].load_w)
    sun = np.array(problem.scenarios[0].sun_w)
    count = len(load)
    load_w = np.maximum(np.array([load - spread_w, load + spread_w]), 0.0)
    ways = Paths(
        np.array([0.5, 0.5]), load_w, np.array([sun, sun]), np.full((count - 1, 2, 2), 0.5)
    )
    return valued(solve(problem, START), problem, ways)


def reachable(battery: Battery, hold: np.ndarray, hours: float) -> bool:
    """Return whether charging all the time would have what is held back at each slot's end."""
    stored = battery.charge_w * battery.charge_efficiency * hours
    most = battery.energy_wh + stored * np.arange(1, len(hold) + 1)
    return bool((np.minimum(most, battery.most_wh) >= hold - 1e-6).all())


@pytest.mark.requirement("BUC-8", "BUC-9")
@given(
    prices=st.lists(st.floats(0.05, 0.6), min_size=8, max_size=8),
    loads=st.lists(st.floats(0.0, 4_000.0), min_size=8, max_size=8),
    begins=st.integers(0, 7),
    lasts=st.integers(1, 8),
    committed_wh=st.floats(100.0, 8_000.0),
    energy_wh=st.floats(1_000.0, 10_000.0),
    spread_w=st.sampled_from([0.0, 800.0]),
)
@settings(max_examples=examples(100), deadline=None)
def test_a_plan_is_never_under_what_is_committed(
    *,
    prices: list[float],
    loads: list[float],
    begins: int,
    lasts: int,
    committed_wh: float,
    energy_wh: float,
    spread_w: float,
) -> None:
    row = tuple(committed_wh if begins <= i < begins + lasts else 0.0 for i in range(8))
    battery = replace(BATTERY, energy_wh=energy_wh, committed_wh=row)
    hold = np.minimum(battery.least_wh + np.array(row), battery.most_wh)
    hold[np.array(row) == 0.0] = 0.0
    assume(reachable(battery, hold, 1.0))
    problem = home(buy=tuple(prices), load_w=tuple(loads), import_w=20_000.0, batteries=(battery,))
    plan = planned(problem, spread_w)
    level = np.array(plan.devices["battery"].level)
    assert (level >= hold - 1.0).all()
    assert not any("promised" in each.words for each in plan.given_up)


@pytest.mark.requirement("BUC-8")
def test_what_is_held_back_is_used_where_nothing_is_committed() -> None:
    problem = home(buy=(0.1, 0.6, 0.6), load_w=2_000.0, batteries=(BATTERY,))
    free = planned(problem).devices["battery"].level
    held = replace(BATTERY, committed_wh=(0.0, 3_000.0, 0.0))
    kept = planned(replace(problem, batteries=(held,))).devices["battery"].level
    assert kept[1] >= 4_000.0 - 1.0
    assert kept[2] < 4_000.0, "and given afterwards"
    assert free[2] <= kept[2] + 1.0


@pytest.mark.requirement("BUC-8")
def test_what_cannot_be_held_is_named() -> None:
    battery = replace(BATTERY, energy_wh=1_000.0, committed_wh=(6_000.0, 6_000.0))
    plan = planned(home(buy=(0.2, 0.2), load_w=500.0, batteries=(battery,)))
    (given_up,) = plan.given_up
    assert given_up.device == "battery"
    assert given_up.words == "3.2 kWh short of the reserve that is promised of it"
    assert given_up.because == "it charges no faster"


@pytest.mark.requirement("BUC-8", "BUC-1")
def test_a_limit_comes_before_a_reserve_and_a_reserve_before_a_car() -> None:
    # Two hours in which 4 kW may be taken: 2 are the house's, 2 are wanted twice.
    car = Car(
        "car", 1_000.0, 4_000.0, (1.0, 1.0), (Deadline(START + 7_200.0, 4_000.0),), room_wh=4_000.0
    )
    battery = replace(
        BATTERY, energy_wh=1_000.0, charge_efficiency=1.0, committed_wh=(0.0, 4_000.0)
    )
    plan = planned(
        home(buy=(0.3, 0.3), load_w=2_000.0, import_w=4_000.0, batteries=(battery,), cars=(car,))
    )
    assert max(plan.net_w) <= 4_000.0 + 1.0
    assert plan.devices["battery"].level[1] >= 5_000.0 - 5.0
    assert [each.device for each in plan.given_up] == ["car"]


@pytest.mark.requirement("BUC-8")
def test_two_batteries_keep_each_its_own() -> None:
    one = replace(BATTERY, committed_wh=(3_000.0,) * 4)
    other = replace(BATTERY, id="other", committed_wh=())
    plan = planned(home(buy=(0.5,) * 4, load_w=1_500.0, batteries=(one, other)))
    assert min(plan.devices["battery"].level) >= 4_000.0 - 1.0
    assert plan.devices["other"].level[-1] <= 2_000.0
