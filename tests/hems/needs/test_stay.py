"""What a car has drawn since it was plugged in."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.model import Reading
from hems.needs.kept import KeptStay, text
from hems.needs.stay import Stay, followed

pytestmark = pytest.mark.requirement("ROLE-CEM")


def run(stay: Stay, *readings: Reading) -> Stay:
    for reading in readings:
        stay = followed(stay, reading)
    return stay


def plugged(at: float, power_w: float = 0.0, register_wh: float | None = None) -> Reading:
    return Reading(at, power_w, energy_import_wh=register_wh, connected=True)


def test_the_charger_s_register_counts_even_what_nobody_saw() -> None:
    stay = run(Stay(), plugged(0, 7_000, 1_000), plugged(1, 7_000, 1_002), plugged(9_000, 0, 9_000))
    assert stay.known_wh == 8_000


def test_without_a_register_the_power_does_while_it_is_seen() -> None:
    stay = run(Stay(), *(plugged(at, 3_600) for at in range(0, 101, 10)))
    assert stay.known_wh == pytest.approx(100)
    assert followed(stay, plugged(5_000, 3_600)).known_wh == pytest.approx(100)


def test_a_register_that_begins_anew_is_not_believed() -> None:
    stay = run(Stay(), plugged(0, 3_600, 5_000), plugged(10, 3_600, 5_010), plugged(20, 3_600, 0))
    assert stay.known_wh == pytest.approx(20)


def test_each_stay_begins_at_nothing_and_is_remembered() -> None:
    stay = Stay()
    for number in range(20):
        at = number * 100.0
        stay = run(stay, plugged(at, 0, 0.0), plugged(at + 1, 0, 1_000.0 * number))
        stay = followed(stay, Reading(at + 2, 0.0, connected=False))
        assert stay.known_wh == 0
    assert stay.before == tuple(1_000.0 * n for n in range(8, 20))
    assert stay.usual_wh == 16_000


def test_what_is_not_told_is_not_known() -> None:
    assert run(Stay(), Reading(0, 3_000.0), Reading(60, 3_000.0)).known_wh is None
    stay = run(Stay(), plugged(0, 3_600), Reading(10, 3_600.0))
    assert stay.known_wh == 0, "a charger that is silent for a moment ends no stay"


def test_a_clock_that_is_set_back_adds_nothing() -> None:
    stay = run(Stay(), plugged(10_000, 3_600), plugged(6_400, 3_600), plugged(6_410, 3_600))
    assert stay.known_wh == pytest.approx(10)


def test_what_the_car_can_take_shows_when_it_may_and_is_steady() -> None:
    stay = Stay(plugged=True, taken_wh=600.0)
    course = [
        (7_400, False),
        (7_400, False),
        (600, True),
        (3_700, True),
        (3_690, True),
        (2_000, True),
    ]
    for at, (power_w, free) in enumerate(course):
        stay = followed(stay, plugged(at, power_w), free=free)
    assert stay.full_w == 3_690


def test_a_car_that_comes_all_but_full_does_not_show_what_it_can_take() -> None:
    stay = run(Stay(), plugged(0))
    for at in range(1, 60):
        stay = followed(stay, plugged(at, 2_000), free=True)
    assert stay.full_w == 0


def test_a_car_that_is_held_back_shows_it_where_it_takes_more_than_was_known() -> None:
    stay = Stay(plugged=True, taken_wh=600.0, full_w=2_000.0)
    for at, power_w in enumerate((1_500, 1_500, 4_140, 4_140)):
        stay = followed(stay, plugged(at, power_w))
    assert stay.full_w == 4_140


@pytest.mark.parametrize("wrong_wh", [4e6, float("nan"), float("inf")])
def test_a_register_of_another_meter_is_not_believed(wrong_wh: float) -> None:
    """A car that had all it needs by a wrong register would not be ready."""
    stay = run(Stay(), plugged(0, 3_600, 100), plugged(10, 3_600, wrong_wh))
    assert stay.known_wh == pytest.approx(10)
    stay = run(stay, plugged(20, 3_600, 8e6), plugged(30, 3_600, 8e6 + 10))
    assert stay.known_wh == pytest.approx(30)
    text(KeptStay, stay)


@given(st.lists(st.tuples(st.floats(0, 11_000), st.floats(0.1, 50)), max_size=40))
def test_energy_is_that_of_the_powers(course: list[tuple[float, float]]) -> None:
    stay, at, expected_wh = followed(Stay(), plugged(0.0, 0.0)), 0.0, 0.0
    before_w = 0.0
    for power_w, lasts_s in course:
        at += lasts_s
        expected_wh += before_w * lasts_s / 3_600
        stay = followed(stay, plugged(at, power_w))
        assert followed(stay, plugged(at, power_w)) == stay, "the same reading counts once"
        before_w = power_w
    assert stay.known_wh == pytest.approx(expected_wh)


def test_the_usual_stands_on_stays_that_say_something() -> None:
    assert Stay().usual_wh is None
    assert replace(Stay(), before=(4.0, 1.0, 3.0, 2.0)).usual_wh == 3.0
