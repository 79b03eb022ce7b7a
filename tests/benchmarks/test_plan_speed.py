"""The problems that planning is measured on are what the benchmark says they are."""

import pytest

from hems.cem.planner.milp.check import check
from hems.cem.planner.milp.solve import solve
from tests.benchmarks.plan_speed import several
from tests.benchmarks.plan_speed_cases import HORIZONS, START, TARIFFS, as_emhass, case, equal


@pytest.mark.parametrize("horizon", HORIZONS)
def test_each_tariff_is_what_its_name_says(horizon: str) -> None:
    tou, dynamic, negative, trouble = (case(horizon, tariff) for tariff in TARIFFS)
    assert len(set(tou.prices.import_per_kwh)) == 3
    hours = round(dynamic.slots.count * dynamic.slots.hours)
    assert len(set(dynamic.prices.import_per_kwh)) == hours
    assert min(dynamic.prices.import_per_kwh) > 0
    assert min(negative.prices.import_per_kwh) < 0
    for problem in (tou, dynamic, negative):
        plan = solve(problem, START)
        assert plan.given_up == ()
        assert check(problem, plan) == ()
    plan = solve(trouble, START)
    assert {one.device for one in plan.given_up} == {"", "car"}
    assert check(trouble, plan) == ()


@pytest.mark.parametrize("horizon", HORIZONS)
def test_what_emhass_is_asked_is_the_same_problem(horizon: str) -> None:
    problem = equal(horizon)
    plan = solve(problem, START)
    assert plan.given_up == ()
    assert plan.devices["battery"].level[-1] == pytest.approx(problem.batteries[0].energy_wh)
    assert plan.devices["car"].level[-1] == pytest.approx(18500.0)
    asked = as_emhass(problem)
    assert {len(asked[key]) for key in ("load_w", "sun_w", "buy", "sell")} == {problem.slots.count}
    conf = asked["conf"]
    hours = conf["operating_hours_of_each_deferrable_load"][-1]
    assert hours * conf["nominal_power_of_deferrable_loads"][-1] == pytest.approx(18500.0)
    first = conf["start_timesteps_of_each_deferrable_load"][-1]
    last = conf["end_timesteps_of_each_deferrable_load"][-1]
    assert set(problem.cars[0].present[first:last]) == {1.0}
    assert sum(problem.cars[0].present) == last - first


def test_several_ways_are_as_likely_together_as_one() -> None:
    problem = several(case("24h-15min", "dynamic"), 5)
    assert len(problem.scenarios) == 5
    assert sum(one.weight for one in problem.scenarios) == pytest.approx(1.0)
    assert solve(problem, START).given_up == ()
