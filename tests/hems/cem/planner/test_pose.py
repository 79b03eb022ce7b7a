"""From question and outlook to the problem: tables, and energy kept whatever the steps."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.cem.forecast.past import CarOutlook, Outlook, Paths, Quantiles
from hems.cem.needs import CarMode, CarNeed, HeatStore, RunRequest
from hems.cem.planner.plan import Plan, PlannedDevice
from hems.cem.planner.pose import pose
from hems.cem.planner.problem import Limits, Prices
from hems.cem.planner.question import CarNow, HeatNow, Question
from hems.cem.slots import Slots

SLOTS = Slots(0.0, 900.0, 8)
N = SLOTS.count
FLAT = (0.5,) * N


def quantiles(*medians: float) -> Quantiles:
    return Quantiles((0.5,), np.array([medians]))


def outlook(*, present: float = 1.0, leaves_at: float | None = None) -> Outlook:
    load, sun = np.array([[400.0] * N, [800.0] * N]), np.array([[0.0] * N, [-100.0] * N])
    return Outlook(
        SLOTS,
        quantiles(*[500.0] * N),
        quantiles(*[-50.0] * N),
        Paths(np.array([0.25, 0.75]), load, sun),
        {"car": CarOutlook(np.full(N, present), leaves_at, quantiles(7_000.0))},
        {"tank": quantiles(*[150.0] * N)},
        np.full(N, 3.0),
    )


def question(**more: object) -> Question:
    asked = Question(
        1, 0.0, "UTC", SLOTS, Prices(FLAT, FLAT), Limits((9e3,) * N, (5e3,) * N, ("breaker",) * N)
    )
    return replace(asked, **more)  # type: ignore[arg-type]


def car(
    mode: CarMode | None = CarMode.CHEAPEST,
    *,
    plugged: bool | None = True,
    wants: bool | None = True,
    ready_at: float | None = None,
    energy_wh: float | None = None,
    taken_wh: float | None = None,
) -> CarNow:
    need = None if mode is None else CarNeed("car", mode, ready_at, energy_wh, taken_wh)
    return CarNow("car", 1_380.0, 7_400.0, plugged, wants, need)


def test_load_and_sun_are_what_is_expected_and_not_the_middle() -> None:
    (only,) = pose(question(), outlook(), None).scenarios
    assert only.load_w == (700.0,) * N
    assert only.sun_w == (-75.0,) * N
    assert only.weight == 1.0


@pytest.mark.parametrize(
    ("now", "leaves_at", "deadline", "energy_wh"),
    [
        (car(ready_at=3_600.0, energy_wh=5_000.0), None, 3_600.0, 5_000.0),
        (car(ready_at=3_600.0, energy_wh=5_000.0, taken_wh=2_000.0), None, 3_600.0, 3_000.0),
        (car(energy_wh=5_000.0), 2_700.0, 2_700.0, 5_000.0),
        (car(ready_at=3_600.0), 900.0, 3_600.0, 7_000.0),  # its owner knows better than habit
        (car(None), 2_700.0, 2_700.0, 7_000.0),
        (car(), None, SLOTS.end, 7_000.0),
        (car(ready_at=3_600.0, plugged=False), None, SLOTS.end, 7_000.0),  # of another stay
    ],
)
def test_what_a_car_needs_and_by_when(
    now: CarNow, leaves_at: float | None, deadline: float, energy_wh: float
) -> None:
    (posed,) = pose(question(cars=(now,)), outlook(leaves_at=leaves_at), None).cars
    assert [(d.at, d.energy_wh) for d in posed.deadlines] == [(deadline, energy_wh)]
    assert posed.room_wh == energy_wh
    assert not posed.surplus_only


@pytest.mark.parametrize(
    "now",
    [
        car(CarMode.NOW),
        car(wants=False),
        car(energy_wh=4_000.0, taken_wh=9_000.0, wants=False),
    ],
)
def test_a_car_that_needs_no_plan_has_none(now: CarNow) -> None:
    assert pose(question(cars=(now,)), outlook(), None).cars == ()


@pytest.mark.parametrize("taken_wh", [4_000.0, 9_000.0])
def test_a_car_that_has_what_its_owner_said_takes_more_from_the_sun_alone(taken_wh: float) -> None:
    asked = question(cars=(car(energy_wh=4_000.0, taken_wh=taken_wh, ready_at=3_600.0),))
    (posed,) = pose(asked, outlook(), None).cars
    assert posed.surplus_only
    assert posed.deadlines == ()


@pytest.mark.parametrize(
    ("taken_wh", "energy_wh"),
    [
        (6_999.0, 1.0),  # up to what it usually takes
        (7_000.0, 2_000.0),  # then up to what it takes on one day of ten
        (8_500.0, 500.0),
        (9_000.0, 1_850.0),  # more than ever: a quarter of an hour at a time
        (20_000.0, 1_850.0),
    ],
)
def test_a_car_that_wants_more_than_usual_still_waits_for_cheap_hours(
    taken_wh: float, energy_wh: float
) -> None:
    often = Quantiles((0.5, 0.9), np.array([[7_000.0], [9_000.0]]))
    expected = outlook()
    known = {"car": replace(expected.cars["car"], need_wh=often)}
    asked = question(cars=(car(taken_wh=taken_wh, ready_at=3_600.0),))
    (posed,) = pose(asked, replace(expected, cars=known), None).cars
    assert [(d.at, d.energy_wh) for d in posed.deadlines] == [(3_600.0, energy_wh)]
    assert not posed.surplus_only


def test_a_car_that_is_away_and_not_expected_has_no_plan() -> None:
    asked = question(cars=(car(plugged=False),))
    assert pose(asked, outlook(present=0.2), None).cars == ()


def test_a_car_charged_at_once_is_part_of_the_load_until_it_is_full() -> None:
    asked = question(cars=(car(CarMode.NOW, energy_wh=3_000.0),))
    posed = pose(asked, outlook(), None)
    (only,) = posed.scenarios
    added = [w - 700.0 for w in only.load_w]
    assert added == pytest.approx([7_400, 4_600, 0, 0, 0, 0, 0, 0])
    assert posed.charging_w == pytest.approx(tuple(added)), "no battery is to feed it"


def test_a_car_on_sun_alone_has_no_deadline_and_pays_more_than_selling() -> None:
    asked = question(cars=(car(CarMode.SOLAR),))
    (posed,) = pose(asked, outlook(), None).cars
    assert posed.surplus_only
    assert posed.deadlines == ()
    assert posed.worth_per_kwh > max(asked.prices.export_per_kwh)


def test_a_car_that_its_owner_expects_to_stay_is_there_until_then() -> None:
    asked = question(cars=(car(ready_at=2_700.0, energy_wh=1_000.0),))
    (posed,) = pose(asked, outlook(present=0.1), None).cars
    assert posed.present == (1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@given(
    st.lists(st.floats(0, 3_000), min_size=1, max_size=20),
    st.sampled_from([60.0, 300.0, 700.0, 900.0, 1_800.0, 3_600.0]),
)
def test_a_runs_energy_is_that_of_its_profile(profile_w: list[float], step_s: float) -> None:
    run = RunRequest("plug", tuple(profile_w), step_s, 0.0, 7_200.0)
    (posed,) = pose(question(runs=(run,)), outlook(), None).appliances
    assert sum(posed.profile_w) * 900.0 == pytest.approx(sum(profile_w) * step_s, abs=1e-6)
    assert len(posed.profile_w) * 900.0 >= len(profile_w) * step_s - 1e-6
    assert max(posed.profile_w) <= max(profile_w) + 1e-9


def test_heat_stands_where_it_is_said_to_or_outside() -> None:
    tank = HeatNow(HeatStore("tank", 230, 2, 20.0, 1.0, 45, 60), 2_000.0, 50.0, on_for_s=60.0)
    house = HeatNow(HeatStore("house", 9e3, 150, None, 3.0, 20, 22), 2_000.0, 21.0)
    posed = pose(question(heats=(tank, house)), outlook(), None).heats
    assert posed[0].ambient_c == (20.0,) * N
    assert posed[0].draw_w == (150.0,) * N
    assert posed[0].on_for_s == 60.0
    assert posed[1].ambient_c == (3.0,) * N
    assert posed[1].draw_w == (0.0,) * N


def test_what_was_planned_before_is_kept_slot_by_slot() -> None:
    before = Slots(-1_800.0, 900.0, 4)
    last = Plan(0, before, {"car": PlannedDevice((1.0, 2.0, 3.0, 4.0))}, (), (), (), 0, 0)
    kept = pose(question(), outlook(), last).keep["car"]
    assert kept[:2] == (3.0, 4.0)
    assert np.isnan(kept[2:]).all()
    assert pose(question(), outlook(), replace(last, slots=Slots(0, 300.0, 4))).keep == {}
