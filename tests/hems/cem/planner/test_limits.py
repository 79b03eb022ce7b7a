"""The connection point: limits that are kept, limits that cannot be, prices below zero, peaks."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from hems.cem.planner.milp.check import check
from hems.cem.planner.milp.solve import solve
from hems.cem.planner.plan import Plan
from hems.cem.planner.problem import Appliance, Battery, Car, Deadline, Limits, Problem
from tests.hems.cem.planner.problems import START, heater, home

pytestmark = [pytest.mark.requirement("ROLE-CEM"), pytest.mark.requirement("BUC-11")]

CELL = Battery("cell", 5000.0, 0.0, 10000.0, 5000.0, 5000.0, 0.9, 0.9)
CAR = Car("car", 1400.0, 7000.0, (1.0,) * 4, (Deadline(START + 4 * 3600, 20000.0),), 50000.0)


def plan(problem: Problem) -> Plan:
    made = solve(problem, START, zone=ZoneInfo("Europe/Berlin"))
    assert check(problem, made) == ()
    assert made.notes == ()
    return made


def test_a_car_stays_under_the_limit_and_its_shortfall_is_named() -> None:
    made = plan(
        home(buy=(0.3,) * 4, load_w=1000.0, import_w=(4000.0,) * 3 + (9000.0,), cars=(CAR,))
    )
    assert max(made.net_w[:3]) == pytest.approx(4000.0)
    (short,) = made.given_up
    assert short.device == "car"
    assert short.words == "80 % of what it needs"
    assert short.at == START + 4 * 3600
    assert short.because == "import limit until 05:00"  # 03:00 UTC
    assert short.amount == pytest.approx(4000.0)


def test_the_limit_is_named_by_whose_it_is() -> None:
    problem = home(buy=(0.3,) * 4, import_w=3000.0, cars=(CAR,))
    by = ("import limit", "import limit", "Peak Saver", "Peak Saver")
    made = plan(replace(problem, limits=Limits((3000.0,) * 4, (5000.0,) * 4, by)))
    assert made.given_up[0].because == "Peak Saver until 06:00"


def test_time_is_what_a_car_lacks_where_no_limit_binds() -> None:
    made = plan(home(buy=(0.3,) * 4, cars=(replace(CAR, present=(0.0, 0.0, 1.0, 1.0)),)))
    assert made.given_up[0].words == "70 % of what it needs"
    assert made.given_up[0].because == "it is there no longer, and charges no faster"


def test_a_load_above_the_limit_is_named_and_the_battery_does_what_it_can() -> None:
    problem = home(
        buy=(0.3,) * 3, load_w=(500.0, 9000.0, 500.0), import_w=3000.0, batteries=(CELL,)
    )
    made = plan(problem)
    assert made.devices["cell"].power_w[1] == pytest.approx(-5000.0)
    assert made.net_w[1] == pytest.approx(4000.0)
    (over,) = made.given_up
    assert over.device == ""
    assert over.words == "1.0 kW above the import limit"
    assert over.amount == pytest.approx(1000.0)


def test_nothing_else_goes_beyond_a_limit_that_the_load_has_broken() -> None:
    tank = heater(2, temp_c=20.0, draw_w=(0.0, 0.0))
    made = plan(home(buy=(0.3,) * 2, load_w=4000.0, import_w=3000.0, heats=(tank,)))
    assert made.net_w == pytest.approx((4000.0, 4000.0))
    assert {one.device for one in made.given_up} == {"", "tank"}


def test_a_run_is_never_dropped_even_at_a_limit_of_nothing() -> None:
    washer = Appliance("washer", (2000.0,), START, START + 7200.0)
    made = plan(home(buy=(0.3, 0.2), import_w=0.0, appliances=(washer,)))
    assert sum(made.devices["washer"].power_w) == 2000.0
    assert made.given_up[0].words == "2.0 kW above the import limit"


def test_sun_is_held_back_at_the_export_limit_where_it_can_be() -> None:
    problem = home(buy=(0.3,), sell=0.1, sun_w=-6000.0, export_w=4000.0)
    held = plan(problem)
    assert held.sun_w == pytest.approx((-4000.0,))
    assert held.given_up == ()
    free = plan(replace(problem, curtailable=False))
    assert free.net_w == pytest.approx((-6000.0,))
    assert free.given_up[0].words == "2.0 kW above the export limit"


@pytest.mark.parametrize(
    ("buy", "sell", "sun_w", "net_w"),
    [
        (0.3, 0.1, -3000.0, -1000.0),
        (0.3, -0.1, -2000.0, 0.0),  # giving costs: no more is taken of the sun than is used
        (-0.1, -0.2, 0.0, 2000.0),  # taking pays: the sun is not wanted at all
        (-0.1, 0.3, -3000.0, -1000.0),
        (-0.1, 0.1, 0.0, 2000.0),
    ],
)
def test_prices_below_zero_hold_the_sun_back(
    buy: float, sell: float, sun_w: float, net_w: float
) -> None:
    made = plan(home(buy=(buy,), sell=sell, load_w=2000.0, sun_w=-3000.0))
    assert made.sun_w == pytest.approx((sun_w,))
    assert made.net_w == pytest.approx((net_w,))


def test_a_capacity_charge_spreads_what_is_drawn() -> None:
    car = replace(CAR, least_w=0.0, deadlines=(Deadline(START + 4 * 3600, 8000.0),))
    problem = home(buy=(0.30, 0.31, 0.32, 0.33), load_w=(1000.0, 0.0, 0.0, 0.0), cars=(car,))
    assert max(plan(problem).net_w) == pytest.approx(8000.0)
    charged = replace(problem, prices=replace(problem.prices, peak_per_kw=1.0))
    made = plan(charged)
    assert max(made.net_w) == pytest.approx(9000.0 / 4)
    assert made.cost == pytest.approx(
        sum(n * p for n, p in zip(made.net_w, problem.prices.import_per_kwh, strict=True)) / 1000.0
        + 2.25
    )
    before = replace(charged, prices=replace(charged.prices, peak_so_far_w=5000.0))
    assert max(plan(before).net_w) == pytest.approx(5000.0)


def test_dear_export_is_not_bought_and_sold_in_one_breath() -> None:
    made = plan(home(buy=(0.1,) * 2, sell=0.4, load_w=1000.0, sun_w=-3000.0, batteries=(CELL,)))
    # It sells all that is in the battery, but cannot take and give at once.
    assert made.cost == pytest.approx(-0.4 * (2 * 2.0 + 4.5))


def test_carbon_counts_where_the_owner_gives_it_a_price() -> None:
    car = replace(CAR, deadlines=(Deadline(START + 4 * 3600, 7000.0),))
    problem = home(buy=(0.30, 0.31, 0.32, 0.33), cars=(car,))
    dirty = replace(problem.prices, carbon_kg_per_kwh=(0.5, 0.5, 0.1, 0.5), carbon_price_per_kg=0.1)
    made = plan(replace(problem, prices=dirty))
    assert made.devices["car"].power_w == pytest.approx((0.0, 0.0, 7000.0, 0.0))
    assert made.cost == pytest.approx(7 * 0.32)
