"""Binaries for directions stand only where prices make them pay; elsewhere they change nothing."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from numpy.typing import NDArray

from hems.cem.planner.milp import appliances, battery
from hems.cem.planner.milp.build import build
from hems.cem.planner.milp.frame import Frame, frame
from hems.cem.planner.milp.model import Kind
from hems.cem.planner.milp.solve import solve
from hems.cem.planner.problem import Battery, Problem
from tests.examples import examples
from tests.hems.cem.planner.problems import START, any_problem, home

pytestmark = pytest.mark.requirement("ROLE-CEM")

CELL = Battery("cell", 5000.0, 0.0, 10000.0, 5000.0, 5000.0, 0.9, 0.9)


def binaries(problem: Problem) -> int:
    shape = frame(problem)
    programme, _ = build(shape, appliances.possible(shape))
    return int((programme.kind == Kind.WHOLE).sum())


def every_slot(frame: Frame, *_: object) -> NDArray[np.intp]:
    return np.arange(frame.count)


@pytest.mark.parametrize(
    ("buy", "sell", "export_w", "curtailable", "expected"),
    [
        ((0.1, 0.3), 0.05, 5000.0, True, 0),
        ((0.1, 0.3), 0.0, 5000.0, True, 0),
        ((0.1, 0.3), 0.2, 5000.0, True, 1),  # the meter's, where giving is paid more
        ((0.1, -0.3), -0.4, 0.0, True, 2),  # the battery's: both before it and in it
        ((0.1, -0.3), (0.05, -0.4), 5000.0, True, 1),  # before, giving gets rid of it
        ((-0.3, 0.1), (-0.4, 0.05), 5000.0, True, 1),  # after, nothing is wanted gone
        ((0.1, 0.3), -0.1, 5000.0, False, 2),
    ],
)
def test_there_are_no_more_binaries_than_prices_ask_for(
    buy: tuple[float, ...],
    sell: tuple[float, ...] | float,
    export_w: float,
    curtailable: bool,
    expected: int,
) -> None:
    problem = home(
        buy=buy, sell=sell, export_w=export_w, curtailable=curtailable, batteries=(CELL,)
    )
    assert binaries(problem) == expected


@settings(max_examples=examples(200), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_problem(most_slots=8))
def test_with_a_binary_in_every_slot_no_plan_costs_more(problem: Problem) -> None:
    lean = solve(problem, START, gap=1e-7)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(battery, "burns", every_slot)
        full = solve(problem, START, gap=1e-7)
    assert lean.notes == full.notes == ()
    assert lean.objective == pytest.approx(full.objective, rel=1e-6, abs=1e-5)
