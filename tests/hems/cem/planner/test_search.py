"""The search for whole numbers, and what there is if it finds nothing."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hems.cem.planner.milp import appliances
from hems.cem.planner.milp import solve as solving
from hems.cem.planner.milp.build import build
from hems.cem.planner.milp.check import check
from hems.cem.planner.milp.frame import frame
from hems.cem.planner.milp.model import Kind, Model, Pulse
from hems.cem.planner.milp.search import Effort, Found, search
from hems.cem.planner.milp.solve import solve
from hems.cem.planner.milp.tree import pulsed
from hems.cem.planner.problem import Problem
from tests.examples import examples
from tests.hems.cem.planner.problems import START, any_problem, heater, home

pytestmark = pytest.mark.requirement("ROLE-CEM")


def found(problem: Problem, effort: Effort) -> Found:
    shape = frame(problem)
    programme, _ = build(shape, appliances.possible(shape))
    return search(programme, effort, np.full(len(programme.cost), np.nan))


def heaters(count: int) -> Problem:
    """Return a home whose heaters go on and off all day under one limit: hard to search."""
    price = tuple(0.2 + 0.1 * ((7 * t) % 5) for t in range(count))
    tanks = tuple(
        heater(count, id=f"tank-{n}", temp_c=47.0 + n, draw_w=(150.0 + 40.0 * n,) * count)
        for n in range(3)
    )
    return home(buy=price, import_w=4500.0, step_s=900.0, heats=tanks)


def test_a_small_programme_by_hand() -> None:
    model = Model()
    whole = model.columns(0.0, 9.0, [-5.0, -4.0], 2, kind=Kind.WHOLE)
    semi = model.columns(0.0, 3.0, -1.0, 1, kind=Kind.NONE_OR_LEAST, least=2.0)
    row = model.rows(-np.inf, 7.0, 1)
    model.put(row, whole, [3.0, 2.0])
    model.put(row, semi, 1.0)
    best = search(model.finish(), Effort(gap=0.0), np.full(3, np.nan)).best
    assert best is not None
    assert best.objective == pytest.approx(-13.0)  # 5 + 4 * 2, and no room for the last
    assert best.values == pytest.approx([1.0, 2.0, 0.0])


def pulse(count: int, least_on: int, least_off: int, *, kept: float = 1.0) -> Pulse:
    columns = np.arange(count, dtype=np.int32)
    return Pulse(columns, least_on, least_off, False, kept, columns, np.ones(count))


@pytest.mark.parametrize(
    ("values", "least_on", "least_off", "expected"),
    [
        ([0.5] * 6, 2, 1, [1, 1, 0, 0, 1, 1]),
        ([0.5] * 6, 1, 1, [1, 0, 1, 0, 1, 0]),
        ([0.0, 0.0, 0.4, 0.0, 0.0, 0.4], 1, 1, [0, 0, 1, 0, 0, 0]),
        ([0.2, 1.0, 1.0, 0.0, 0.0, 0.0], 1, 3, [1, 1, 1, 0, 0, 0]),
    ],
)
def test_pulses_follow_what_was_asked_on_the_mean(
    values: list[float], least_on: int, least_off: int, expected: list[int]
) -> None:
    count = len(values)
    states = pulsed(
        np.array(values), pulse(count, least_on, least_off), np.zeros(count), np.ones(count)
    )
    assert states.tolist() == expected


@given(
    st.lists(st.floats(0.0, 1.0), min_size=1, max_size=40),
    st.integers(1, 5),
    st.integers(1, 5),
    st.sampled_from([1.0, 0.9]),
)
def test_pulses_are_never_behind_and_keep_their_least_times(
    values: list[float], least_on: int, least_off: int, kept: float
) -> None:
    count = len(values)
    one = pulse(count, least_on, least_off, kept=kept)
    states = pulsed(np.array(values), one, np.zeros(count), np.ones(count))
    ahead = 0.0
    for state, value in zip(states, values, strict=True):
        ahead = kept * ahead + state - value
        assert ahead > -1e-4
    runs = [(on, len(list(slots))) for on, slots in itertools.groupby(states)]
    assert all(length >= least_on for on, length in runs[:-1] if on)
    assert all(length >= least_off for on, length in runs[1:-1] if not on)


def test_what_is_hard_is_handed_over_and_comes_back_no_worse() -> None:
    problem = heaters(24)
    quick = found(problem, Effort(gap=1e-3))
    assert quick.handed_over
    assert quick.best is not None
    assert quick.bound <= quick.best.objective + 1e-9
    if quick.complete:
        assert quick.gap <= 1e-3 + 1e-9
    assert check(problem, solve(problem, START, gap=1e-3)) == ()


def test_without_time_there_is_a_plan_that_says_so() -> None:
    problem = heaters(96)
    made = solve(problem, START, time_limit_s=0.0)
    assert made.notes == ("no plan was found within 0 s: this one looks at no price",)
    assert check(problem, made) == ()
    assert made.gap == 1.0


@pytest.mark.parametrize(
    ("apart", "gap", "notes"),
    [
        (0.04, 0.5, ()),
        (0.4, 0.009, ()),
        (0.4, 0.02, ("the search was cut short: up to 0.40 from the best",)),
        (np.inf, np.inf, ("the search was cut short",)),
    ],
)
def test_of_a_search_cut_short_only_a_real_doubt_is_told(
    monkeypatch: pytest.MonkeyPatch, apart: float, gap: float, notes: tuple[str, ...]
) -> None:
    problem = heaters(4)
    best = found(problem, Effort()).best
    assert best is not None
    ended = Found(best, best.objective - apart, gap, 1, handed_over=True, complete=False)
    monkeypatch.setattr(solving, "search", lambda *_: ended)
    assert solve(problem, START).notes == notes


def test_a_plan_that_is_not_sound_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solving, "check", lambda *_: ("meter: 5 W",))
    made = solve(heaters(4), START)
    assert made.notes == (
        "the plan that was found was not sound (meter: 5 W): this one looks at no price",
    )


def test_no_slots_and_no_devices_are_problems_too() -> None:
    nothing = solve(home(buy=()), START)
    assert nothing.net_w == ()
    bare = solve(home(buy=(0.3, 0.2), load_w=1000.0), START)
    assert bare.net_w == pytest.approx((1000.0, 1000.0))
    assert bare.cost == pytest.approx(0.5)


@pytest.mark.parametrize("count", [92, 100])
def test_days_of_23_and_25_hours(count: int) -> None:
    problem = heaters(count)
    made = solve(replace(problem, heats=problem.heats[:1]), START, time_limit_s=5.0)
    assert len(made.net_w) == count


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_problem())
def test_the_simple_plan_can_be_carried_out_whatever_the_problem(problem: Problem) -> None:
    assert check(problem, solve(problem, START, time_limit_s=0.0)) == ()
