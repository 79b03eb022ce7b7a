"""The check of plans: it finds what is wrong with one."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from hems.cem.planner.milp.check import check
from hems.cem.planner.milp.solve import solve
from hems.cem.planner.plan import Plan
from hems.cem.planner.problem import Appliance, Battery, Car, Deadline, Problem
from tests.hems.cem.planner.problems import START, heater, home

pytestmark = pytest.mark.requirement("ROLE-CEM")


def problem() -> Problem:
    return home(
        buy=(0.1, 0.2, 0.3, 0.4),
        load_w=500.0,
        sun_w=(0.0, -1000.0, -2000.0, 0.0),
        batteries=(Battery("cell", 1000.0, 500.0, 5000.0, 2000.0, 2000.0),),
        cars=(Car("car", 1400.0, 7000.0, (1.0,) * 4, (Deadline(START + 9000, 3000.0),), 6000.0),),
        appliances=(Appliance("washer", (500.0, 300.0), START, START + 14400.0),),
        heats=(heater(4, on_for_s=600.0, least_on_s=3600.0),),
    )


def power(device: str, *powers: float) -> Callable[[Plan], Plan]:
    def change(plan: Plan) -> Plan:
        other = replace(plan.devices[device], power_w=powers)
        return replace(plan, devices={**plan.devices, device: other})

    return change


def level(device: str, *levels: float) -> Callable[[Plan], Plan]:
    def change(plan: Plan) -> Plan:
        other = replace(plan.devices[device], level=levels)
        return replace(plan, devices={**plan.devices, device: other})

    return change


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda plan: replace(plan, devices={}), "plans []"),
        (lambda plan: replace(plan, net_w=plan.net_w[:-1]), "4 slots"),
        (lambda plan: replace(plan, net_w=(float("nan"),) * 4), "not finite"),
        (lambda plan: replace(plan, cost=float("inf")), "not finite"),
        (lambda plan: replace(plan, net_w=(0.0,) * 4), "meter: 0 W in slot 0, not"),
        (lambda plan: replace(plan, sun_w=(0.0, -1500.0, -2000.0, 0.0)), "sun: -1500 W in slot 1"),
        (power("cell", 9000.0, 0.0, 0.0, 0.0), "cell: 9000 W in slot 0"),
        (level("cell", 100.0, 100.0, 100.0, 100.0), "cell: 100 Wh after slot 0"),
        (power("car", 500.0, 0.0, 0.0, 0.0), "below its least"),
        (power("car", 9000.0, 0.0, 0.0, 0.0), "car: 9000 W in slot 0"),
        (power("car", 7000.0, 0.0, 0.0, 0.0), "more than its room"),
        (power("washer", 500.0, 0.0, 0.0, 300.0), "washer: not one whole run"),
        (power("washer", 0.0, 0.0, 0.0, 0.0), "washer: not one whole run"),
        (power("tank", 1000.0, 0.0, 0.0, 0.0), "tank: 1000 W in slot 0"),
        (power("tank", 0.0, 0.0, 0.0, 0.0), "tank: goes off in slot 0, after 600 s"),
        (level("tank", 50.0, 50.0, 50.0, 50.0), "tank: 50.00 degC after slot 0"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_found_out(
    change: Callable[[Plan], Plan], fault: str
) -> None:
    plan = solve(problem(), START)
    assert check(problem(), plan) == ()
    assert any(fault in found for found in check(problem(), change(plan)))


def test_a_plan_beyond_the_limits_is_found_out() -> None:
    plan = solve(problem(), START)
    tight = replace(problem().limits, import_w=(600.0,) * 4)
    assert any("of import" in found for found in check(replace(problem(), limits=tight), plan))
    sunny = home(buy=(0.1,), sell=0.1, sun_w=-3000.0)
    plan = solve(sunny, START)
    tight = replace(sunny.limits, export_w=(600.0,))
    assert any("of export" in found for found in check(replace(sunny, limits=tight), plan))


def test_a_car_on_surplus_that_takes_more_is_found_out() -> None:
    plan = solve(problem(), START)
    only = replace(problem().cars[0], surplus_only=True)
    found = check(replace(problem(), cars=(only,)), plan)
    assert any("left over" in fault for fault in found)
