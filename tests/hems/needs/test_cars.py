"""What cars still need, by habit and by what they usually take."""

from dataclasses import replace
from datetime import time

import pytest

from der.model import DeviceKind
from hems.cem.needs import CarMode
from hems.needs.cars import Cars, habits_of
from hems.needs.habits import CarHabit
from hems.needs.orders import CarOrder
from hems.needs.stay import Stay
from programs.ready_by import Departure
from tests.hems.needs.home import NOW, SEVEN, ZONE

pytestmark = pytest.mark.requirement("ROLE-CEM")

HABIT = CarHabit("ev", CarMode.CHEAPEST, time(7))
PLUGGED = Stay(plugged=True, taken_wh=1_000.0, at=NOW, before=(8_000.0, 9_000.0, 20_000.0))


def cars(habit: CarHabit = HABIT, stay: Stay = PLUGGED) -> Cars:
    found = Cars([habit], ZONE)
    found.restore("ev", stay)
    return found


def test_who_says_nothing_gets_what_the_car_usually_takes() -> None:
    assert cars().departures(NOW) == (Departure("ev", SEVEN, 19_000.0, None, "07:00"),)


@pytest.mark.parametrize(
    ("habit", "stay"),
    [
        (HABIT, replace(PLUGGED, plugged=False)),
        (HABIT, replace(PLUGGED, before=())),
        (replace(HABIT, ready_by=None), PLUGGED),
        (replace(HABIT, mode=CarMode.NOW), PLUGGED),
        (replace(HABIT, mode=CarMode.SOLAR), PLUGGED),
        (replace(HABIT, energy_wh=1_000.0), PLUGGED),
    ],
)
def test_who_needs_nothing_by_a_time_does_not_press(habit: CarHabit, stay: Stay) -> None:
    assert cars(habit, stay).departures(NOW) == ()


def test_days_of_the_week_count() -> None:
    """It is Monday evening: a car that leaves on Wednesdays has a day more."""
    (departure,) = cars(replace(HABIT, days=frozenset({2}))).departures(NOW)
    assert (departure.ready_at, departure.words) == (SEVEN + 86_400, "Wed 07:00")


def test_an_order_that_is_past_gives_way_to_the_habit() -> None:
    found = cars()
    found.order("ev", CarOrder(CarMode.SOLAR, ready_at=NOW + 60, until=NOW + 600))
    assert found.need("ev", NOW).ready_at == NOW + 60
    assert found.need("ev", NOW + 61).ready_at == SEVEN
    assert found.solar() == {"ev"}


def test_the_car_s_own_power_counts_where_it_is_known() -> None:
    assert cars(stay=replace(PLUGGED, full_w=3_700.0)).need("ev", NOW).power_w == 3_700
    told = replace(HABIT, power_w=7_400.0)
    assert cars(told, replace(PLUGGED, full_w=3_700.0)).need("ev", NOW).power_w == 7_400


def test_a_charger_without_a_habit_charges_as_it_comes() -> None:
    kinds = {"ev": DeviceKind.EVSE, "guest": DeviceKind.EVSE, "pv": DeviceKind.PV}
    assert habits_of(kinds, [HABIT]) == (HABIT, CarHabit("guest", CarMode.NOW))
