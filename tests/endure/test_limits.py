"""Who watches the limits sees each time in which one does not hold, and no other."""

from functools import partial
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.endure.limits import SETTLED_S, TOLERANCE_W, Limits, share
from tests.endure.plan import Order

STEP_S, ANSWER_S = 5.0, 10.0


def order(name: str, starts_at: float, lasts_s: float, *, cut_at: float | None = None) -> Order:
    """A limit of import, told a minute before."""
    return Order(name, starts_at - 60, starts_at, lasts_s, "Peak Saver", {}, cut_at=cut_at)


def watched(limits: Limits, course: list[float]) -> None:
    """Have a home import what a course says, step by step from 0 on."""
    for number, net_w in enumerate(course, 1):
        limits.see(number * STEP_S, net_w, STEP_S, partial("it took {:g}".format, net_w))


def test_too_much_is_told_with_what_was_the_matter_at_its_worst() -> None:
    limits = Limits(ANSWER_S)
    limits.hold(order("peak", 0.0, 200.0), 3000.0)
    watched(limits, [9000.0] * 2 + [2900.0] * 10 + [3200.0, 3600.0, 3100.0] + [2900.0] * 5)
    (breach,) = limits.breaches
    assert (breach.begins_at, breach.ends_at) == (60.0, 75.0)
    assert (breach.most_w, breach.then) == (3600.0, "it took 3600")
    assert (limits.answered_s, limits.broken_s) == (10.0, 5.0)
    assert limits.kept_s == 15 * STEP_S
    assert breach.told(0.0) == (
        "peak: 3000 W not kept for 15 s from 60 s on, at most 3600 W, then it took 3600"
    )


def test_of_two_limits_the_stricter_counts_and_what_was_cut_does_not() -> None:
    limits = Limits(ANSWER_S)
    limits.hold(order("weaker", 0.0, 400.0, cut_at=100.0), 5000.0)
    limits.hold(order("stronger", 100.0, 100.0), 2500.0)
    watched(limits, [3000.0] * 100)
    assert [breach.name for breach in limits.breaches] == ["stronger"]
    assert limits.breaches[0].limit_w == 2500.0
    assert limits.broken_s == 100.0 - SETTLED_S - ANSWER_S


@pytest.mark.parametrize(("over_w", "broken"), [(TOLERANCE_W, False), (TOLERANCE_W + 1, True)])
def test_a_meter_is_no_exact_thing(over_w: float, *, broken: bool) -> None:
    limits = Limits(ANSWER_S)
    limits.hold(order("peak", 0.0, 100.0), 3000.0)
    watched(limits, [3000.0 + over_w] * 10)
    assert bool(limits.broken_s) is bool(limits.breaches) is broken


def test_what_nobody_could_have_kept_to_is_told_apart() -> None:
    limits = Limits(ANSWER_S)
    limits.hold(order("peak", -100.0, 1e6), 3000.0)
    for number in range(1, 21):
        least_w = 3500.0 if number <= 12 else 3000.0 + TOLERANCE_W
        limits.see(number * STEP_S, 4000.0, STEP_S, str, least_w=least_w)
    assert (limits.answered_s, limits.helpless_s, limits.broken_s) == (10.0, 50.0, 40.0)
    assert [breach.ends_at for breach in limits.breaches] == [100.0]


def test_a_home_without_a_limit_is_not_judged() -> None:
    limits = Limits(ANSWER_S)
    watched(limits, [20_000.0] * 50)
    assert (limits.kept_s, limits.answered_s, limits.broken_s) == (0.0, 0.0, 0.0)
    assert limits.breaches == []


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_all_time_under_a_limit_is_judged_once(kept: list[bool]) -> None:
    limits = Limits(ANSWER_S)
    limits.hold(order("peak", -100.0, 1e6), 3000.0)
    watched(limits, [2000.0 if each else 4000.0 for each in kept])
    runs = [len(list(run)) for good, run in groupby(kept) if not good]
    may = int(ANSWER_S / STEP_S)
    assert limits.kept_s == STEP_S * sum(kept)
    assert limits.answered_s == STEP_S * sum(min(run, may) for run in runs)
    assert limits.broken_s == STEP_S * sum(max(run - may, 0) for run in runs)
    assert sum(breach.ends_at > breach.begins_at for breach in limits.breaches) <= len(runs)


@pytest.mark.parametrize(
    ("parts", "expected"), [((0.0, 0.0), 0.0), ((1.0, 3.0), 0.25), ((1.0,), 1.0)]
)
def test_shares(parts: tuple[float, ...], expected: float) -> None:
    assert share(*parts) == expected
