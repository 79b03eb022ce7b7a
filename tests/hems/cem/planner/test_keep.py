"""Plans that are made again from slightly other forecasts do not flutter."""

from dataclasses import replace

import numpy as np
import pytest

from hems.cem.planner.milp.solve import solve
from hems.cem.planner.plan import Plan
from hems.cem.planner.problem import Appliance, Car, Deadline, Problem, Scenario
from tests.hems.cem.planner.problems import START, heater, home

pytestmark = pytest.mark.requirement("ROLE-CEM")

SLOTS = 48
"""Twelve hours of quarters."""


def evening() -> Problem:
    """Return a night on a flat price by blocks, in which many plans cost the same."""
    car = Car("car", 1400.0, 3600.0, (1.0,) * SLOTS, (Deadline(START + 43200, 9000.0),), 20000.0)
    washer = Appliance("washer", (2000.0, 500.0, 500.0), START, START + 36000.0)
    tank = heater(SLOTS, gain=(3.0,) * SLOTS, power_w=800.0)
    return home(
        buy=(0.3,) * 12 + (0.2,) * 36,
        load_w=400.0,
        step_s=900.0,
        cars=(car,),
        appliances=(washer,),
        heats=(tank,),
    )


def noised(problem: Problem, seed: int) -> Problem:
    only = problem.scenarios[0]
    noise = np.random.default_rng(seed).normal(1.0, 0.1, SLOTS)
    load = tuple((np.array(only.load_w) * noise).tolist())
    return replace(problem, scenarios=(Scenario(1.0, load, only.sun_w),))


def kept(problem: Problem, plan: Plan) -> Problem:
    return replace(problem, keep={id_: one.power_w for id_, one in plan.devices.items()})


def flips(before: Plan, after: Plan) -> int:
    """Return in how many slots a device that was on is off, or the other way round."""
    return sum(
        (was > 1.0) != (power > 1.0)
        for id_, one in before.devices.items()
        for was, power in zip(one.power_w, after.devices[id_].power_w, strict=True)
    )


def test_a_plan_made_again_from_noised_forecasts_is_the_same() -> None:
    problem = evening()
    plan = solve(problem, START)
    for seed in range(10):
        again = solve(kept(noised(problem, seed), plan), START)
        assert flips(plan, again) == 0
        assert again.cost < plan.cost * 1.03
        plan = again


def test_what_is_known_of_the_plan_before_is_kept_and_the_rest_is_free() -> None:
    problem = evening()
    nothing = (float("nan"),) * SLOTS
    late = (0.0,) * 40 + (2000.0, 500.0, 500.0) + (0.0,) * 5
    # The plan before had it done too late, or not at all: it is not held to that.
    washer = replace(problem.appliances[0], ready_by=START + 18000.0)
    moved = replace(problem, appliances=(washer,), keep={"washer": late, "car": nothing})
    assert solve(moved, START).given_up == ()


def test_what_pays_is_changed_all_the_same() -> None:
    problem = evening()
    plan = solve(problem, START)
    cheaper = replace(problem.prices, import_per_kwh=(0.1,) * 12 + (0.2,) * 36)
    again = solve(kept(replace(problem, prices=cheaper), plan), START)
    assert sum(again.devices["car"].power_w[:12]) * 0.25 == pytest.approx(9000.0)


def test_a_plan_before_on_other_slots_is_a_hint_all_the_same() -> None:
    problem = evening()
    plan = solve(problem, START)
    earlier = replace(plan, slots=replace(plan.slots, start=START - 1800.0))
    other = replace(plan, slots=replace(plan.slots, step_s=300.0))
    for warm in (plan, earlier, other, replace(plan, devices={})):
        again = solve(problem, START, warm=warm)
        assert again.objective == pytest.approx(plan.objective, rel=2e-4)
