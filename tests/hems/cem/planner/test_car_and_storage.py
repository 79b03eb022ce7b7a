"""Batteries do not feed cars, as the control has it; a plan that counts on it could not be kept."""

from dataclasses import replace

import numpy as np
import pytest

from hems.cem.forecast.past import Paths
from hems.cem.planner.milp.appliances import possible
from hems.cem.planner.milp.check import check
from hems.cem.planner.milp.fallback import simple
from hems.cem.planner.milp.frame import frame
from hems.cem.planner.milp.solve import solve
from hems.cem.planner.plan import Plan
from hems.cem.planner.problem import Battery, Car, Deadline, Problem
from hems.cem.planner.valued import valued
from programs.economy import Use
from tests.hems.cem.planner.problems import START, home

pytestmark = pytest.mark.requirement("ROLE-CEM")

CELL = Battery("cell", 10000.0, 0.0, 10000.0, 9000.0, 9000.0, 1.0, 1.0)
CAR = Car("car", 1400.0, 7000.0, (1.0,), (Deadline(START + 3600, 7000.0),), 7000.0)


def evening(**changed: object) -> Problem:
    """Return one dear hour in which a car has to be charged beside a house of 1 kW."""
    problem = home(buy=(0.5,), load_w=1000.0, batteries=(CELL,), cars=(CAR,))
    return replace(problem, **changed)  # type: ignore[arg-type]


def limited(problem: Problem, import_w: float) -> Problem:
    return replace(problem, limits=replace(problem.limits, import_w=(import_w,)))


def plan(problem: Problem) -> Plan:
    made = solve(problem, START)
    assert check(problem, made) == ()
    assert made.notes == ()
    return made


def behaves(problem: Problem) -> Plan:
    """Return the plan with the battery's manners, where the day is known."""
    only = problem.scenarios[0]
    load = np.array([only.load_w]) - np.array(problem.charging_w or (0.0,) * problem.slots.count)
    ways = Paths(np.ones(1), load, np.array([only.sun_w]))
    return valued(plan(problem), problem, ways)


def test_a_car_is_charged_from_the_grid_while_the_battery_feeds_the_house() -> None:
    for made in (plan(evening()), behaves(evening())):
        assert made.devices["car"].power_w == pytest.approx((7000.0,))
        assert made.devices["cell"].power_w == pytest.approx((-1000.0,))
        assert made.net_w == pytest.approx((7000.0,))


def test_it_may_be_fed_where_that_is_allowed() -> None:
    for made in (plan(evening(car_from_storage=True)), behaves(evening(car_from_storage=True))):
        assert made.devices["cell"].power_w == pytest.approx((-8000.0,))


def test_what_the_sun_leaves_over_goes_to_the_car_first() -> None:
    sunny = replace(evening(), scenarios=(replace(evening().scenarios[0], sun_w=(-4000.0,)),))
    for made in (plan(sunny), behaves(sunny)):
        assert made.devices["cell"].power_w == pytest.approx((0.0,))
        assert made.net_w == pytest.approx((4000.0,))


def test_a_car_that_is_charged_at_once_is_not_fed_either() -> None:
    now = evening(cars=(), charging_w=(7000.0,))
    now = replace(now, scenarios=(replace(now.scenarios[0], load_w=(8000.0,)),))
    for made in (plan(now), behaves(now)):
        assert made.devices["cell"].power_w == pytest.approx((-1000.0,))


def test_under_a_tight_limit_batteries_help_by_what_it_lacks() -> None:
    tight = limited(evening(), 3000.0)
    for made in (plan(tight), behaves(tight)):
        assert made.devices["car"].power_w == pytest.approx((7000.0,))
        assert made.devices["cell"].power_w == pytest.approx((-5000.0,))
        assert made.net_w == pytest.approx((3000.0,))


def test_the_room_under_a_limit_is_the_cars_first() -> None:
    made = behaves(limited(evening(), 7500.0))
    # 7 kW are the car's; what is kept for later still has to give the house 0.5 kW at the least.
    assert made.net_w[0] <= 7500.0 + 1.0
    dear_later = replace(limited(evening(), 7500.0), end_value_per_kwh=1.0)
    kept = behaves(dear_later)
    assert kept.devices["cell"].uses == (Use.SELL,)  # driven: that much and no more
    assert kept.devices["cell"].power_w == pytest.approx((-500.0,))


def test_the_plan_without_a_solver_does_not_feed_cars_either() -> None:
    shape = frame(evening())
    plain = simple(shape, possible(shape))
    assert plain.devices["cell"].power_w == pytest.approx((-1000.0,))


def test_a_plan_that_feeds_a_car_is_found_out() -> None:
    fed = solve(evening(car_from_storage=True), START)
    assert any("cars take 7000 W more than the sun leaves" in f for f in check(evening(), fed))


def test_runs_that_have_begun_are_known_to_what_is_worth_keeping() -> None:
    # A run under way stands in the load of the problem, and in no path of the past.
    problem = home(buy=(0.2, 0.5), load_w=(0.0, 4000.0), batteries=(replace(CELL, energy_wh=0.0),))
    ways = Paths(np.ones(1), np.zeros((1, 2)), np.zeros((1, 2)))
    made = valued(plan(problem), problem, ways)
    assert made.devices["cell"].level == pytest.approx((4000.0, 0.0))


def test_in_several_ways_at_once_it_is_bought_in_each() -> None:
    dull = evening().scenarios[0]
    ways = (replace(dull, weight=0.5), replace(dull, weight=0.5, sun_w=(-4000.0,)))
    made = plan(replace(evening(), scenarios=ways))
    # 7 kW without sun, 4 kW with 3 kW of it left over.
    assert made.net_w == pytest.approx((5500.0,))
