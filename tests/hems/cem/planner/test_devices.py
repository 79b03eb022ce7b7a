"""Each kind of device alone, against figures worked out by hand."""

from dataclasses import replace
from typing import Any

import pytest

from hems.cem.planner.milp.check import check
from hems.cem.planner.milp.solve import solve
from hems.cem.planner.plan import Plan
from hems.cem.planner.problem import Appliance, Battery, Car, Deadline, Problem
from tests.hems.cem.planner.problems import START, heater, home

pytestmark = pytest.mark.requirement("ROLE-CEM")

CELL = Battery("cell", 0.0, 0.0, 10000.0, 5000.0, 5000.0, 1.0, 1.0)
CAR = Car("car", 1400.0, 7000.0, (1.0,) * 4, room_wh=50000.0)
RISING = (0.1, 0.2, 0.3, 0.4)


def plan(problem: Problem, **options: Any) -> Plan:
    made = solve(problem, START, **options)
    assert check(problem, made) == ()
    assert made.notes == ()
    return made


def powers(made: Plan, device: str) -> list[int]:
    return [round(power) for power in made.devices[device].power_w]


@pytest.mark.parametrize(
    ("changed", "expected", "objective"),
    [
        ({}, [1000, 0, -1000], 0.1),
        ({"charge_efficiency": 0.8}, [1250, 0, -1000], 0.125),
        ({"discharge_efficiency": 0.8}, [1250, 0, -1000], 0.125),
        ({"wear_per_kwh": 0.3}, [1000, 0, -1000], 0.4),
        ({"wear_per_kwh": 0.5}, [0, 0, 0], 0.5),
        ({"charge_w": 600.0}, [600, 400, -1000], 0.06 + 0.4 * 0.4),
        ({"discharge_w": 600.0}, [600, 0, -600], 0.06 + 0.4 * 0.5),
        ({"most_wh": 700.0}, [700, 0, -700], 0.07 + 0.3 * 0.5),
        ({"energy_wh": 3000.0, "least_wh": 2500.0}, [500, 0, -1000], 0.05),
        ({"energy_wh": 1000.0, "committed_wh": (0.0, 1000.0, 0.0)}, [0, 0, -1000], 0.0),
        ({"energy_wh": 1000.0, "committed_wh": (0.0, 0.0, 1000.0)}, [1000, 0, -1000], 0.1),
        ({"energy_wh": 12000.0}, [0, 0, -1000], 0.0),  # a gauge beyond full means full
    ],
)
def test_a_battery_shifts_what_pays(
    changed: dict[str, Any], expected: list[int], objective: float
) -> None:
    problem = home(
        buy=(0.1, 0.4, 0.5), load_w=(0.0, 0.0, 1000.0), batteries=(replace(CELL, **changed),)
    )
    made = plan(problem)
    assert powers(made, "cell") == expected
    assert made.objective == pytest.approx(objective, abs=1e-4)


def test_a_battery_is_charged_from_the_sun_that_is_paid_least() -> None:
    problem = home(
        buy=(0.5,) * 3,
        sell=(0.1, 0.05, 0.0),
        load_w=(0.0, 0.0, 1000.0),
        sun_w=(-3000.0, -3000.0, 0.0),
        batteries=(CELL,),
    )
    assert powers(plan(problem), "cell") == [0, 1000, -1000]


@pytest.mark.parametrize(
    ("buy", "load_w", "value"),
    [
        ((0.2, 0.4), (1000.0, 1000.0), 0.3),
        ((0.2, 0.4), (3000.0, 1000.0), 0.25),  # weighted by what is lacking
        ((0.2, 0.4), (0.0, 0.0), 0.1),  # nothing to replace: it can be given
    ],
)
def test_what_is_left_is_worth_what_it_will_replace(
    buy: tuple[float, ...], load_w: tuple[float, ...], value: float
) -> None:
    full = replace(CELL, energy_wh=1000.0, discharge_w=0.0, charge_w=0.0)
    problem = home(buy=buy, sell=0.1, load_w=load_w, batteries=(full,), end_value_per_kwh=None)
    made = plan(problem)
    assert made.objective == pytest.approx(made.cost - value, abs=1e-6)


def test_an_owners_reserve_is_filled_again_when_it_costs_least() -> None:
    low = replace(CELL, energy_wh=500.0, least_wh=2000.0)
    made = plan(home(buy=(0.5, 0.1, 0.5), batteries=(low,)))
    assert powers(made, "cell") == [0, 1500, 0]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"deadlines": (Deadline(START + 4 * 3600, 9000.0),)}, [7000, 2000, 0, 0]),
        ({"deadlines": (Deadline(START + 4 * 3600, 7500.0),)}, [6100, 1400, 0, 0]),
        ({"deadlines": (Deadline(START + 4 * 3600, 9000.0),), "least_w": 0.0}, [7000, 2000, 0, 0]),
        (
            {
                "present": (0.5, 0.0, 1.0, 1.0),
                "deadlines": (Deadline(START + 4 * 3600, 9000.0),),
            },
            [3500, 0, 5500, 0],
        ),
        (
            {
                "present": (0.0, 0.0, 1.0, 1.0),
                "deadlines": (
                    Deadline(START + 3 * 3600, 2000.0),
                    Deadline(START + 4 * 3600, 9000.0),
                ),
            },
            [0, 0, 7000, 2000],
        ),
        ({"worth_per_kwh": 0.25, "room_wh": 9000.0}, [7000, 2000, 0, 0]),
        ({"worth_per_kwh": 0.25, "room_wh": 20000.0}, [7000, 7000, 0, 0]),
        ({"deadlines": (Deadline(START - 60.0, 9000.0),)}, [7000, 2000, 0, 0]),  # as soon as can be
        ({"deadlines": (Deadline(START + 90 * 60, 9000.0),)}, [7000, 4000, 0, 0]),
        ({}, [0, 0, 0, 0]),
    ],
)
def test_a_car_charges_when_it_costs_least(changed: dict[str, Any], expected: list[int]) -> None:
    made = plan(home(buy=RISING, cars=(replace(CAR, **changed),)))
    assert powers(made, "car") == expected


def test_a_deadline_after_the_plan_asks_only_for_what_cannot_wait() -> None:
    late = replace(CAR, deadlines=(Deadline(START + 5 * 3600, 9000.0),))
    assert powers(plan(home(buy=RISING, cars=(late,))), "car") == [2000, 0, 0, 0]


@pytest.mark.parametrize(
    ("sun_w", "expected"),
    [
        ((-3000.0, -1300.0, -2500.0, 0.0), [2600, 0, 2100, 0]),
        ((-400.0, -1700.0, -1900.0, -9000.0), [0, 0, 1500, 7000]),
    ],
)
def test_a_car_on_surplus_takes_what_the_sun_leaves_over(
    sun_w: tuple[float, ...], expected: list[int]
) -> None:
    car = replace(CAR, surplus_only=True, deadlines=(Deadline(START + 4 * 3600, 20000.0),))
    made = plan(home(buy=RISING, load_w=400.0, sun_w=sun_w, cars=(car,)))
    assert powers(made, "car") == expected


def test_a_car_on_surplus_leaves_it_to_a_run_that_takes_it() -> None:
    car = replace(CAR, surplus_only=True, deadlines=(Deadline(START + 4 * 3600, 20000.0),))
    run = Appliance("washer", (2000.0,), START, START + 3600.0)
    problem = home(buy=RISING, sun_w=(-3000.0, -3000.0, 0.0, 0.0), cars=(car,), appliances=(run,))
    made = plan(problem)
    assert powers(made, "washer") == [2000, 0, 0, 0]
    assert powers(made, "car") == [0, 3000, 0, 0]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, [0, 0, 2000, 1000]),
        ({"ready_by": START + 3 * 3600.0}, [0, 2000, 1000, 0]),
        ({"earliest": START + 600.0, "ready_by": START + 3 * 3600.0}, [0, 2000, 1000, 0]),
        ({"ready_by": START + 3600.0}, [2000, 1000, 0, 0]),  # cannot be met: as soon as can be
        ({"earliest": START + 3 * 3600.0}, [0, 0, 0, 2000]),  # longer than the plan
        ({"earliest": START + 9 * 3600.0}, [0, 0, 0, 0]),  # after the plan
    ],
)
def test_a_run_begins_once_and_goes_on_to_its_end(
    changed: dict[str, Any], expected: list[int]
) -> None:
    washer = Appliance("washer", (2000.0, 1000.0), START, START + 4 * 3600.0)
    made = plan(home(buy=(0.4, 0.3, 0.1, 0.2), appliances=(replace(washer, **changed),)))
    assert powers(made, "washer") == expected


def test_a_run_is_late_only_where_the_limit_leaves_no_other_way() -> None:
    washer = Appliance("washer", (2000.0,), START, START + 2 * 3600.0)
    load = (1500.0, 1500.0, 1500.0, 0.0)
    free = plan(home(buy=(0.9, 0.9, 0.9, 0.1), load_w=load, appliances=(washer,)))
    assert powers(free, "washer").index(2000) < 2
    tight = plan(home(buy=(0.9, 0.9, 0.9, 0.1), load_w=load, import_w=3000.0, appliances=(washer,)))
    assert powers(tight, "washer") == [0, 0, 0, 2000]
    assert [one.device for one in tight.given_up] == ["washer"]


def test_heat_is_made_when_it_costs_least_and_no_more_than_comfort_takes() -> None:
    tank = heater(
        4, temp_c=50.0, loss_w_per_k=0.0, wh_per_k=200.0, draw_w=(0.0, 0.0, 1000.0, 1000.0)
    )
    made = plan(home(buy=(0.3, 0.1, 0.5, 0.5), heats=(tank,)))
    assert powers(made, "tank") == [0, 2000, 0, 0]
    assert made.devices["tank"].level == pytest.approx((50.0, 60.0, 55.0, 50.0))


def test_a_heat_pump_that_modulates_takes_what_is_needed_at_its_best_hour() -> None:
    tank = heater(
        3,
        temp_c=45.0,
        loss_w_per_k=0.0,
        wh_per_k=200.0,
        draw_w=(0.0, 0.0, 1200.0),
        gain=(2.0, 4.0, 3.0),
        modulates=True,
    )
    made = plan(home(buy=(0.3,) * 3, heats=(tank,)))
    assert powers(made, "tank") == [0, 300, 0]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"on_for_s": 900.0, "least_on_s": 2700.0}, [1, 1, 0, 0, 0, 0]),
        ({"on_for_s": -900.0, "least_off_s": 4500.0, "temp_c": 40.0}, [0, 0, 0, 0, 1, 1]),
        ({"least_on_s": 2700.0, "temp_c": 44.0}, [1, 1, 1, 0, 0, 0]),
        ({"temp_c": 44.0}, [1, 0, 0, 0, 0, 0]),
    ],
)
def test_a_heater_keeps_its_least_times(changed: dict[str, Any], expected: list[int]) -> None:
    tank = heater(6, loss_w_per_k=0.0, wh_per_k=800.0, draw_w=(0.0,) * 6, gain=(5.0,) * 6)
    made = plan(home(buy=(0.3,) * 6, step_s=900.0, heats=(replace(tank, **changed),)))
    assert [power // 2000 for power in powers(made, "tank")] == expected


@pytest.mark.parametrize(
    ("temp_c", "drawn_w", "named"), [(45.0, 92.0, []), (40.0, 0.0, ["up to 5.0 K too cold"])]
)
def test_discomfort_is_named_where_somebody_would_feel_it(
    temp_c: float, drawn_w: float, named: list[str]
) -> None:
    cold = heater(1, temp_c=temp_c, power_w=0.0, loss_w_per_k=0.0, draw_w=(drawn_w,))
    made = plan(home(buy=(0.3,), heats=(cold,)))
    assert [one.words for one in made.given_up] == named
