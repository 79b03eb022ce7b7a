"""What an island's energy carries, against a slow oracle that drains the battery bit by bit."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.microgrid.carry import Flexible, Stock, Stretch, carried, lasts_s
from programs.microgrid import MARKED

pytestmark = pytest.mark.requirement("BUC-14")

HOUR_S = 3600.0
hours = st.builds(
    Stretch, st.just(HOUR_S), st.integers(0, 3000).map(float), st.integers(0, 4000).map(float)
)
stocks = st.builds(Stock, st.integers(0, 10_000).map(float), st.integers(0, 5_000).map(float))


def drained(stock: Stock, ahead: list[Stretch], more_w: float) -> float:
    """Return when the battery is empty, in steps of 10 s and exact: thousands of them add up."""
    energy = Fraction(stock.energy_wh)
    most = energy + Fraction(stock.room_wh)
    passed = 0.0
    for part in ahead:
        for _ in range(int(part.seconds / 10)):
            energy -= Fraction(part.load_w + more_w - part.sun_w) / 360
            if energy < 0:
                return passed
            energy = min(energy, most)
            passed += 10
    return math.inf


@given(stocks, st.lists(hours, min_size=1, max_size=6), st.integers(0, 2000))
def test_the_time_that_energy_lasts_is_that_of_draining_it(
    stock: Stock, ahead: list[Stretch], more_w: int
) -> None:
    expected, found = drained(stock, ahead, more_w), lasts_s(stock, ahead, more_w)
    if math.isinf(expected) or math.isinf(found):
        assert expected == found
    else:
        assert found == pytest.approx(expected, abs=11.0)


loads = st.lists(
    st.builds(
        Flexible,
        st.integers(0, 1000).map(str),
        st.integers(1, 3000).map(float),
        st.integers(0, 9),
        st.booleans(),
    ),
    max_size=6,
    unique_by=lambda load: load.id,
)


@given(stocks, st.lists(hours, min_size=1, max_size=6), loads)
def test_what_is_marked_runs_and_the_rest_goes_strictly_by_essentiality(
    stock: Stock, ahead: list[Stretch], flexible: list[Flexible]
) -> None:
    found = carried(stock, ahead, flexible)
    held = [load for load in flexible if load.id in found.withheld]
    runs = [load for load in flexible if load.id not in found.withheld]
    assert all(load.essentiality < MARKED for load in held)
    for load in held:
        assert all(other.essentiality >= load.essentiality for other in runs)
    if any(load.essentiality < MARKED for load in runs):
        assert math.isinf(found.lasts_s), "nothing but what is marked may empty the battery"


@pytest.mark.parametrize(
    ("energy_wh", "withheld"),
    [
        (8000.0, set()),
        (3000.0, {"car"}),
        (1700.0, {"car", "pump"}),
        (100.0, {"car", "pump"}),
    ],
)
def test_the_least_essential_goes_first(energy_wh: float, withheld: set[str]) -> None:
    ahead = [Stretch(HOUR_S, 300.0)] * 4
    flexible = [
        Flexible("oxygen", 100.0, 9),
        Flexible("pump", 300.0, 5),
        Flexible("car", 1000.0, 2),
    ]
    assert set(carried(Stock(energy_wh, 0.0), ahead, flexible).withheld) == withheld


def test_what_was_held_back_comes_back_with_some_to_spare() -> None:
    ahead = [Stretch(HOUR_S, 0.0)] * 2
    stock = Stock(2100.0, 0.0)
    assert not carried(stock, ahead, [Flexible("car", 1000.0, 2)]).withheld
    assert carried(stock, ahead, [Flexible("car", 1000.0, 2, held=True)]).withheld


def test_the_sun_carries_what_the_battery_alone_could_not() -> None:
    night = [Stretch(HOUR_S, 500.0)] * 6
    day = [Stretch(HOUR_S, 500.0), *[Stretch(HOUR_S, 500.0, 2000.0)] * 5]
    stock = Stock(1000.0, 4000.0)
    assert lasts_s(stock, night) == pytest.approx(2 * HOUR_S)
    assert math.isinf(lasts_s(stock, day))
