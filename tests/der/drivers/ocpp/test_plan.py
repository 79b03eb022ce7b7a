"""Limits and phases as tables, and against what must hold of any."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.addresses import RateUnit, Wiring
from der.commands import ChargingStep
from der.drivers.ocpp.phases import HOLD_S, PhaseChoice, choose, preferred
from der.drivers.ocpp.plan import (
    CLOCK_MARGIN_S,
    Plan,
    Rating,
    fallback_plan,
    in_force,
    limit_plan,
    rate,
    steps_plan,
    watts,
)
from der.drivers.ocpp.schedule import start_text, steps
from der.drivers.ocpp.v16.profiles import profile as profile16
from der.drivers.ocpp.v201.profiles import profile as profile201
from der.model import Setpoint

ONE = Rating(Wiring(), 32.0)
THREE = Rating(Wiring(phases=3), 16.0)
WATTS = Rating(Wiring(unit=RateUnit.WATTS), 32.0)
BOTH = Rating(Wiring(phases=3, switches_phases=True), 16.0)
RATINGS = (ONE, THREE, WATTS, BOTH)
NOW = 1_700_000_000.7


@pytest.mark.parametrize(
    ("power_w", "rating", "phases", "limit"),
    [
        (2300, ONE, 1, 10.0),
        (2299, ONE, 1, 9.9),
        (1380, ONE, 1, 6.0),
        (1379, ONE, 1, 0.0),
        (0, ONE, 1, 0.0),
        (-5, ONE, 1, 0.0),
        (math.nan, ONE, 1, 0.0),
        (math.inf, ONE, 1, 32.0),
        (11040, THREE, 3, 16.0),
        (22080, THREE, 3, 16.0),
        (4000, THREE, 3, 0.0),
        (4140, THREE, 3, 6.0),
        (11040, BOTH, 1, 16.0),  # one phase carries no more than each of three
        (2299.94, WATTS, 1, 2299.9),
        (1000, WATTS, 1, 0.0),
        (9999, WATTS, 1, 7360.0),
        (2530, replace(ONE, measured_v=253.0), 1, 10.0),  # a high voltage makes more of a current
        (2300, replace(ONE, measured_v=210.0), 1, 10.0),  # a low one is gone in a minute
        (1400, replace(ONE, measured_v=253.0), 1, 6.0),  # no stop and go at the least
        (2530, replace(WATTS, measured_v=253.0), 1, 2530.0),
    ],
)
def test_rates(power_w: float, rating: Rating, phases: int, limit: float) -> None:
    assert rate(power_w, rating, phases) == limit


@given(st.floats(allow_nan=True), st.sampled_from(RATINGS), st.sampled_from([1, 3]))
def test_a_rate_never_allows_more(power_w: float, rating: Rating, phases: int) -> None:
    limit = rate(power_w, rating, phases)
    allowed_w = watts(limit, rating.wiring.unit, rating.wiring, phases)
    assert limit == 0 or allowed_w <= power_w + 0.01
    least_w = rating.wiring.least_a * rating.wiring.voltage_v * phases
    assert limit == 0 or allowed_w >= least_w - 0.1 * rating.wiring.voltage_v * phases
    assert allowed_w <= rating.most_a * rating.wiring.voltage_v * phases + 0.01


def test_a_limit_began_before_now_and_ends_with_its_lapse() -> None:
    plan = limit_plan(Setpoint(2300, 29.5), ONE, 1, NOW)
    assert (plan.start, plan.duration_s) == (1_699_999_940.0, 90)
    assert start_text(plan) == "2023-11-14T22:12:20Z"
    assert [(s.start_s, s.limit, s.phases) for s in plan.steps] == [(0, 10, 1)]
    assert in_force(plan, NOW + 28) == plan.steps[0]
    assert in_force(plan, NOW + 30) is None


def test_a_limit_may_be_followed_by_another() -> None:
    plan = limit_plan(Setpoint(2300, 30, revert_w=1380), ONE, 1, NOW)
    assert plan.duration_s is None
    assert [(s.start_s, s.limit) for s in plan.steps] == [(0, 10), (90, 6)]
    again = limit_plan(Setpoint(2300, 30), ONE, 1, NOW, ends_in_fallback=True)
    assert again == plan
    told = limit_plan(Setpoint(2300, 30, revert_w=2070), ONE, 1, NOW, ends_in_fallback=True)
    assert told.steps[-1].limit == 9


def test_the_fallback_is_weaker_and_has_no_end() -> None:
    fallback, limit = fallback_plan(THREE), limit_plan(Setpoint(0, 1), THREE, 3, 0)
    assert fallback.level < limit.level
    assert fallback.id != limit.id
    assert (fallback.duration_s, fallback.start) == (None, None)
    assert [(s.limit, s.phases) for s in fallback.steps] == [(6, 3)]


def test_a_fallback_too_weak_for_three_phases_uses_one() -> None:
    wiring = replace(BOTH.wiring, fallback_a=2.0)
    assert [(s.limit, s.phases) for s in fallback_plan(Rating(wiring, 16)).steps] == [(6, 1)]
    alone = replace(wiring, switches_phases=False)
    assert [(s.limit, s.phases) for s in fallback_plan(Rating(alone, 16)).steps] == [(0, 3)]


@pytest.mark.parametrize(
    "wrong",
    [
        (),
        (ChargingStep(1, 2300),),
        (ChargingStep(0, 2300), ChargingStep(0, 1840)),
        (ChargingStep(0, 2300), ChargingStep(9, 1840), ChargingStep(8, 1840)),
        (ChargingStep(0, math.nan),),
        (ChargingStep(0, -1),),
        (ChargingStep(0, 2300), ChargingStep(math.inf, 1840)),
    ],
)
def test_steps_that_make_no_sense(wrong: tuple[ChargingStep, ...]) -> None:
    with pytest.raises(ValueError, match="step"):
        steps_plan(wrong, 600, ONE, NOW)


@given(
    st.lists(st.floats(0, 20_000), min_size=1, max_size=5),
    st.integers(1, 900),
    st.sampled_from(RATINGS),
    st.integers(0, 1200),
)
def test_steps_hold_what_was_told_when_it_was_told(
    powers: list[float], apart_s: int, rating: Rating, at_s: int
) -> None:
    told = tuple(ChargingStep(n * apart_s, power_w) for n, power_w in enumerate(powers))
    plan = steps_plan(told, 900, rating, 1e9)
    found = in_force(plan, 1e9 + at_s)
    if at_s >= 900:
        assert found is None
        return
    assert found is not None
    wanted_w = powers[min(at_s // apart_s, len(powers) - 1)]
    allowed_w = watts(found.limit, rating.wiring.unit, rating.wiring, found.phases)
    assert allowed_w <= wanted_w + 0.01


@given(st.sampled_from(RATINGS), st.floats(0, 1e9), st.booleans())
def test_both_versions_write_the_same(rating: Rating, power_w: float, reverts: bool) -> None:
    setpoint = Setpoint(power_w, 60, 1380.0 if reverts else None)
    for plan in (
        limit_plan(setpoint, rating, preferred(power_w, rating.wiring), NOW),
        fallback_plan(rating),
        replace(fallback_plan(rating), transaction="7"),
    ):
        old, new = profile16(plan), profile201(plan)
        (schedule,) = new.charging_schedule
        assert (old.charging_profile_id, old.stack_level) == (new.id, new.stack_level)
        assert str(old.charging_profile_purpose) == str(new.charging_profile_purpose)
        assert str(old.charging_profile_kind) == str(new.charging_profile_kind)
        first = old.charging_schedule
        assert (first.duration, first.start_schedule) == (
            schedule.duration,
            schedule.start_schedule,
        )
        assert str(first.charging_rate_unit) == str(schedule.charging_rate_unit)
        assert [
            (p.start_period, p.limit, p.number_phases) for p in first.charging_schedule_period
        ] == [(p.start_period, p.limit, p.number_phases) for p in schedule.charging_schedule_period]
        assert (old.transaction_id, new.transaction_id) in {(None, None), (7, "7")}


@pytest.mark.parametrize(
    ("schedule", "found"),
    [
        (None, []),
        ({}, []),
        ({"charging_schedule_period": [7, {"limit": 1}, {"start_period": 0, "limit": "x"}]}, []),
        (
            {
                "charging_rate_unit": "A",
                "charging_schedule_period": [{"start_period": 0, "limit": 6}],
            },
            [(0, 4140.0)],
        ),
        (
            {
                "charging_rate_unit": "W",
                "charging_schedule_period": [
                    {"start_period": 9, "limit": 1840, "number_phases": 1}
                ],
            },
            [(9, 1840.0)],
        ),
        (
            {
                "charging_rate_unit": "A",
                "charging_schedule_period": [{"start_period": 0, "limit": 8, "number_phases": 1}],
            },
            [(0, 1840.0)],
        ),
    ],
)
def test_schedules_of_chargers(schedule: object, found: list[tuple[int, float]]) -> None:
    assert [(s.start_s, s.limit) for s in steps(schedule, BOTH.wiring)] == found


def test_a_fallback_is_always_in_force() -> None:
    plan = fallback_plan(ONE)
    assert in_force(plan, 0) == in_force(plan, 1e12) == plan.steps[0]
    later = Plan(1, 5, RateUnit.AMPERES, plan.steps, start=100.0)
    assert in_force(later, 99) is None


SWITCHING = BOTH.wiring


@pytest.mark.parametrize(
    ("before", "power_w", "waited_s", "phases", "waits"),
    [
        (None, 4139, 0, 1, False),
        (None, 4140, 0, 3, False),
        (None, 0, 0, 1, False),
        (1, 4140, 1e6, 1, False),  # around the border it stays as it is
        (1, 4340, 1e6, 1, False),
        (1, 4347, 1e6, 3, False),
        (3, 4140, 1e6, 3, False),
        (3, 4139, 1e6, 1, False),
        (3, 2000, HOLD_S - 1, 3, True),
        (1, 9000, HOLD_S - 1, 1, True),
        (3, 2000, HOLD_S, 1, False),
        (3, 1379, 1e6, 3, False),  # a pause wears no contactor
        (3, 0, 1e6, 3, False),
        (3, 2000, -1, 1, False),  # the clock was set back
    ],
)
def test_phases(
    before: int | None, power_w: float, waited_s: float, phases: int, *, waits: bool
) -> None:
    known = None if before is None else PhaseChoice(before, NOW - waited_s)
    choice = choose(power_w, SWITCHING, known, NOW)
    assert choice.phases == phases
    assert (choice.again_at is not None) is waits


@pytest.mark.parametrize("wiring", [ONE.wiring, THREE.wiring])
@given(power_w=st.floats(0, 20_000))
def test_a_charger_that_cannot_switch_never_does(wiring: Wiring, power_w: float) -> None:
    choice = choose(power_w, wiring, PhaseChoice(wiring.phases, 0.0), NOW)
    assert (choice.phases, choice.again_at) == (wiring.phases, None)


@given(st.lists(st.tuples(st.floats(0, 900), st.floats(0, 12_000)), min_size=2, max_size=40))
def test_phases_never_flutter_and_a_limit_is_never_exceeded(
    course: list[tuple[float, float]],
) -> None:
    now, choice, switched = 0.0, None, -math.inf
    for passed_s, power_w in course:
        now += passed_s
        before, choice = choice, choose(power_w, SWITCHING, choice, now)
        if before is not None and choice.phases != before.phases:
            assert now - switched >= HOLD_S
        if before is None or choice.phases != before.phases:
            switched = now
        allowed_w = rate(power_w, BOTH, choice.phases) * 230 * choice.phases
        assert allowed_w <= power_w + 0.01
        if choice.again_at is not None:
            # What waits comes to pass: told again then, the phases suit the power.
            later = choose(power_w, SWITCHING, choice, choice.again_at)
            assert later.phases != choice.phases
            assert later.again_at is None
            assert rate(power_w, BOTH, later.phases) > 0


def test_margin_covers_a_clock_that_is_well() -> None:
    plan = limit_plan(Setpoint(2300, 60), ONE, 1, NOW)
    for ahead_s in (-30, 0, 30):
        assert in_force(plan, NOW + ahead_s) is not None
    assert CLOCK_MARGIN_S > 30
