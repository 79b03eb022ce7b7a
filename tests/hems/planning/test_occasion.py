from hypothesis import given
from hypothesis import strategies as st

from hems.cem.planner.plan import Plan
from hems.cem.slots import Slots
from hems.planning.occasion import Occasion, Pace, foretold_w

PACE = Pace()


def settled(basis: object = "b") -> Occasion:
    return Occasion().asked(100.0, basis)


def test_the_first_time_it_is_planned_at_once() -> None:
    assert Occasion().due(0.0, "b", 0.0, PACE)


def test_nothing_new_waits_for_the_regular_time() -> None:
    assert not settled().due(100 + PACE.every_s - 1, "b", 0.0, PACE)
    assert settled().due(100 + PACE.every_s, "b", 0.0, PACE)


def test_a_change_is_planned_at_once_but_not_twice_in_a_breath() -> None:
    assert not settled().due(100 + PACE.least_s - 0.1, "other", 0.0, PACE)
    assert settled().due(100 + PACE.least_s, "other", 0.0, PACE)


def watched(error_w: float, seconds: int) -> Occasion:
    occasion = settled()
    for _ in range(seconds):
        occasion = occasion.seen(error_w, 1.0, PACE)
    return occasion


def test_a_kettle_is_no_reason_and_a_lasting_difference_is() -> None:
    assert not watched(2_000.0, 60).due(100 + 170, "b", 500.0, PACE)
    assert watched(2_000.0, 180).due(100 + 181, "b", 500.0, PACE)
    assert not watched(400.0, 1_000).due(100 + 181, "b", 500.0, PACE)
    assert not watched(2_000.0, 200).due(100 + 181, "b", 9_000.0, PACE), "a share of what is large"


def test_what_cannot_be_measured_says_nothing() -> None:
    occasion = watched(5_000.0, 300).seen(None, 1.0, PACE)
    assert not occasion.due(100 + 200, "b", 0.0, PACE)


@given(st.lists(st.floats(-1e4, 1e4), min_size=400, max_size=400))
def test_errors_of_both_signs_that_even_out_over_minutes_are_no_reason(errors: list[float]) -> None:
    occasion = settled()
    for error_w in errors:
        occasion = occasion.seen(error_w, 1.0, PACE).seen(-error_w, 1.0, PACE)
    assert not occasion.due(100 + 290, "b", 0.0, PACE)


def test_what_is_foretold_is_load_and_sun_of_the_slot() -> None:
    slots = Slots(0.0, 900.0, 2)
    plan = Plan(0.0, slots, {}, (500.0, 600.0), (-100.0, -200.0), (0, 0), 0.0, 0.0)
    assert foretold_w(plan, 899.0) == 400.0
    assert foretold_w(plan, 900.0) == 400.0
    assert foretold_w(plan, 1_800.0) is None
    assert foretold_w(plan, -1.0) is None
    assert foretold_w(None, 0.0) is None
