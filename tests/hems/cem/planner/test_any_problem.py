"""Whatever the problem: there is a plan, it can be carried out, and none is better."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hems.cem.planner.milp.check import check
from hems.cem.planner.milp.solve import solve
from hems.cem.planner.plan import Plan
from hems.cem.planner.problem import Problem, Scenario
from tests.examples import examples
from tests.hems.cem.planner.oracle import coarse, cost_of
from tests.hems.cem.planner.problems import START, any_problem

pytestmark = pytest.mark.requirement("ROLE-CEM")

slowly = settings(
    max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def plan(problem: Problem) -> Plan:
    made = solve(problem, START + 10.0, gap=1e-6)
    assert check(problem, made) == ()
    assert not made.notes, made.notes
    return made


@slowly
@given(any_problem())
def test_there_is_a_plan_and_it_can_be_carried_out(problem: Problem) -> None:
    plan(problem)


@slowly
@given(any_problem(most_slots=8), st.lists(st.floats(0.0, 2.0), min_size=1, max_size=2))
def test_there_is_a_plan_for_several_ways_at_once(problem: Problem, factors: list[float]) -> None:
    only, weight = problem.scenarios[0], 1.0 / (1 + len(factors))
    others = (
        Scenario(
            weight,
            tuple(factor * power for power in only.load_w),
            tuple(factor * power for power in reversed(only.sun_w)),
        )
        for factor in factors
    )
    plan(replace(problem, scenarios=(replace(only, weight=weight), *others)))


@slowly
@given(any_problem(most_slots=3, fine=False, devices=2))
def test_no_coarse_plan_is_better_and_its_cost_is_what_it_says(problem: Problem) -> None:
    made = plan(problem)
    assert made.objective == pytest.approx(cost_of(problem, made), abs=1e-4)
    assert made.objective <= coarse(problem) + 1e-4
