"""Several ways in which the day may go: what is decided once is decided for all of them."""

from dataclasses import replace

import pytest

from hems.cem.planner.milp.check import check
from hems.cem.planner.milp.solve import solve
from hems.cem.planner.problem import Battery, Car, Deadline, Problem, Scenario
from tests.hems.cem.planner.problems import START, heater, home

pytestmark = pytest.mark.requirement("ROLE-CEM")

CELL = Battery("cell", 0.0, 0.0, 10000.0, 5000.0, 5000.0, 1.0, 1.0)
SUNNY = Scenario(0.5, (0.0, 0.0, 3000.0), (0.0, -6000.0, 0.0))
DULL = Scenario(0.5, (0.0, 0.0, 3000.0), (0.0, 0.0, 0.0))


def either_way(problem: Problem, *ways: Scenario) -> Problem:
    return replace(problem, scenarios=ways)


def test_a_battery_follows_each_way_and_the_plan_tells_the_mean() -> None:
    problem = either_way(home(buy=(0.2, 0.3, 0.5), batteries=(CELL,)), SUNNY, DULL)
    made = solve(problem, START)
    assert check(problem, made) == ()
    # Dull: 3 kWh at 0.2 now. Sunny: for nothing an hour later, and 3 kW more than it needs.
    assert made.devices["cell"].power_w == pytest.approx((1500.0, 1500.0, -3000.0))
    assert made.net_w == pytest.approx((1500.0, -1500.0, 0.0))
    assert made.cost == pytest.approx(0.5 * 3 * 0.2)


def test_a_car_does_the_same_in_all_ways() -> None:
    car = Car("car", 1400.0, 3000.0, (1.0,) * 3, (Deadline(START + 3 * 3600, 3000.0),), 9000.0)
    problem = home(buy=(0.2, 0.3, 0.5), cars=(car,))
    # With the sun it would charge in the second hour, without in the first: 0.2 or half of 0.3.
    made = solve(either_way(problem, SUNNY, DULL), START)
    assert made.devices["car"].power_w == pytest.approx((0.0, 3000.0, 0.0))
    rare = replace(SUNNY, weight=0.2), replace(DULL, weight=0.8)
    made = solve(either_way(problem, *rare), START)
    assert made.devices["car"].power_w == pytest.approx((3000.0, 0.0, 0.0))


def test_a_car_on_surplus_takes_what_there_is_in_each_way() -> None:
    car = Car("car", 1400.0, 7000.0, (1.0,) * 3, room_wh=9000.0, surplus_only=True, worth_per_kwh=1)
    made = solve(either_way(home(buy=(0.3,) * 3, cars=(car,)), SUNNY, DULL), START)
    assert made.devices["car"].power_w == pytest.approx((0.0, 3000.0, 0.0))


def test_several_equal_ways_are_as_good_as_one() -> None:
    tank = heater(3, temp_c=46.0)
    problem = home(buy=(0.2, 0.3, 0.5), batteries=(CELL,), heats=(tank,))
    one = solve(either_way(problem, replace(DULL, weight=1.0)), START)
    three = [replace(DULL, weight=weight) for weight in (0.5, 0.3, 0.2)]
    assert solve(either_way(problem, *three), START).objective == pytest.approx(one.objective)
