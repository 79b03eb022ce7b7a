"""A run from its order to its end."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading, Setpoint
from hems.image import Image
from hems.needs.appliances import Appliances, followed
from hems.needs.habits import RunHabit
from hems.needs.orders import RunOrder
from programs.economy import Step

pytestmark = pytest.mark.requirement("ROLE-CEM")

PLUG = DeviceSpec("plug", DeviceKind.PLUG, "Dishwasher", Control.SWITCH, 0, 2_000)
HABIT = RunHabit("plug", (2_000.0, 100.0), 900.0)
ASKED = RunOrder(earliest=0.0, ready_by=10_000.0)


def plug(power_w: float, quality: Quality = Quality.GOOD) -> DeviceState:
    return DeviceState(PLUG, Reading(0, power_w), quality)


def test_it_waits_for_the_plan_or_the_last_moment() -> None:
    assert followed(ASKED, HABIT, plug(0), None, 8_199.0) == ASKED
    assert followed(ASKED, HABIT, plug(0), 5_000.0, 4_999.0) == ASKED
    for planned_at, now in ((5_000.0, 5_000.0), (None, 8_200.0), (9_000.0, 8_200.0)):
        assert followed(ASKED, HABIT, plug(0), planned_at, now) == replace(ASKED, released_at=now)


def test_it_has_begun_when_it_draws_power_and_lasts_from_then() -> None:
    let = replace(ASKED, released_at=5_000.0)
    assert followed(let, HABIT, plug(5), None, 5_300.0) == let, "its display alone is no run"
    assert followed(let, HABIT, plug(1_900, Quality.STALE), None, 5_300.0) == let
    assert followed(let, HABIT, None, None, 5_300.0) == let
    begun = followed(let, HABIT, plug(1_900), None, 5_300.0)
    assert begun == replace(let, began_at=5_300.0)
    assert begun is not None
    assert followed(begun, HABIT, plug(0), 9_000.0, 7_099.0) == begun, "nothing breaks it off"
    assert followed(begun, HABIT, plug(0), 9_000.0, 7_100.0) is None


def test_a_machine_that_nobody_made_ready_is_given_up() -> None:
    let = replace(ASKED, released_at=5_000.0)
    assert followed(let, HABIT, plug(0), None, 6_800.0) is None


def test_a_run_that_a_limit_holds_off_is_not_given_up() -> None:
    """The switch was let on by the run and held off by the utility: the run still waits for it."""
    held = replace(plug(0), setpoint=Setpoint(0.0, 60.0))
    order: RunOrder | None = replace(ASKED, released_at=5_000.0)
    for now in range(5_000, 9_000, 10):
        order = followed(order, HABIT, held, None, float(now)) if order else None
    assert order is not None
    assert (order.began_at, order.released_at) == (None, 8_900.0)
    begun = followed(order, HABIT, plug(1_900), None, 9_000.0)
    assert begun == replace(order, began_at=9_000.0)


def test_a_short_run_that_a_limit_holds_off_is_not_given_up_either() -> None:
    habit = RunHabit("plug", (2_000.0,), 60.0)
    held = replace(plug(0), setpoint=Setpoint(0.0, 60.0))
    order: RunOrder | None = replace(ASKED, released_at=5_000.0)
    for now in range(5_000, 5_600, 10):
        order = followed(order, habit, held, None, float(now)) if order else None
    assert order is not None


@pytest.mark.parametrize("began_at", [None, 5_300.0])
def test_a_clock_that_is_set_back_does_not_keep_a_switch_on_for_ever(
    began_at: float | None,
) -> None:
    order = replace(ASKED, released_at=5_000.0, began_at=began_at)
    again = followed(order, HABIT, plug(0), None, 1_000.0)
    assert again is not None
    assert (again.released_at, again.began_at) == (1_000.0, began_at and 1_000.0)
    assert followed(again, HABIT, plug(0), None, 2_800.0) is None


def test_a_plan_of_the_run_before_begins_no_other() -> None:
    """The plan still shows the run that is just over; the next one waits for a plan of its own."""
    appliances = Appliances([HABIT], ZoneInfo("UTC"))
    appliances.order("plug", RunOrder(earliest=2_650.0, ready_by=10_000.0))
    steps = {"plug": (Step(0, 900, 0), Step(900, 2_700, 1_050))}
    assert not appliances.take_image(Image(2_650.0, 1, {"plug": plug(0)}), steps)
    steps = {"plug": (Step(2_700, 3_600, 0), Step(3_600, 5_400, 1_050))}
    assert not appliances.take_image(Image(2_710.0, 2, {"plug": plug(0)}), steps)
    assert set(appliances.take_image(Image(3_600.0, 3, {"plug": plug(0)}), steps)) == {"plug"}


def test_the_owner_reads_the_plan_s_word_then_the_end() -> None:
    appliances = Appliances([HABIT], ZoneInfo("UTC"))
    appliances.order("plug", ASKED)
    assert [r.reason for r in appliances.runs(0.0)] == ["Waits to start; ready by 02:46"]
    steps = {"plug": (Step(0, 900, 0, None, "Starts at 00:15"), Step(900, 2_700, 1_050))}
    assert not appliances.take_image(Image(60.0, 1, {"plug": plug(0)}), steps)
    (run,) = appliances.runs(60.0)
    assert (run.ends_at, run.reason) == (None, "Starts at 00:15")
    assert [r.ready_by for r in appliances.requests()] == [10_000.0]
    assert set(appliances.take_image(Image(900.0, 2, {"plug": plug(0)}), steps)) == {"plug"}
    (run,) = appliances.runs(900.0)
    assert (run.ends_at, run.reason) == (2_700.0, "Runs until 00:45, without a break")
    assert appliances.requests() == ()
    assert appliances.take_image(Image(2_700.0, 3, {}), {}) == {"plug": None}
    assert appliances.runs(2_700.0) == ()


@given(
    st.lists(
        st.tuples(st.floats(1, 400), st.floats(0, 2_000), st.booleans()), min_size=1, max_size=60
    )
)
def test_once_begun_it_runs_on_without_a_break(course: list[tuple[float, float, bool]]) -> None:
    """Whatever the plan and the plug say, a run is let on once and for at least its length."""
    order: RunOrder | None = ASKED
    now, begun_at = 0.0, None
    for lasts_s, power_w, plans in course:
        now += lasts_s
        if order is None:
            break
        before = order
        order = followed(order, HABIT, plug(power_w), now if plans else None, now)
        if order is None:
            assert begun_at is not None
            assert now >= begun_at + HABIT.length_s
        elif before.released_at is None:
            begun_at = order.released_at
        else:
            assert order.released_at == before.released_at
