"""What of a source's word is gone by: covered, fresh, kept over the days."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.cem.forecast.past import Weather
from hems.cem.forecast.weather import expected, merged
from hems.cem.planner.question import WeatherTold
from hems.cem.slots import Slots
from tests.examples import examples

HOUR_S = 3600.0
DAY_S = 86400.0
NOW = 20_000 * DAY_S
NAN = math.nan


def told(hours: range, *, at: float = NOW, warm: bool = True) -> WeatherTold:
    """Return the word of a source for hours from `NOW` on; irradiance is the hour's number."""
    return WeatherTold(
        NOW + hours.start * HOUR_S,
        HOUR_S,
        tuple(abs(float(hour)) for hour in hours),
        tuple(float(hour % 24) for hour in hours) if warm else (),
        at,
    )


@pytest.mark.requirement("ROLE-CEM")
def test_a_fresh_word_is_taken_over_the_coming_slots() -> None:
    weather = merged(None, told(range(48)), NOW)
    hourly = expected(weather, Slots(NOW, HOUR_S, 24), NOW)
    assert np.allclose(hourly.irradiance_w_m2, np.arange(24.0))
    assert np.allclose(hourly.outdoor_c, np.arange(24.0))
    assert hourly.notes == ("too little is known of past radiation: the sun mostly by history",)
    assert hourly.seen_days == 0.0
    assert hourly.measured_c
    assert not hourly.guessed_c
    coarse = expected(weather, Slots(NOW, 2 * HOUR_S, 12), NOW)
    assert np.allclose(coarse.irradiance_w_m2, 2 * np.arange(12.0) + 0.5)
    fine = expected(weather, Slots(NOW + HOUR_S, 900.0, 4), NOW)
    assert np.allclose(fine.irradiance_w_m2, [0.625, 0.875, 1.125, 1.375])


def test_half_hours_of_a_zone_between_are_means_of_their_neighbours() -> None:
    weather = merged(None, told(range(48)), NOW)
    found = expected(weather, Slots(NOW + 1800.0, HOUR_S, 3), NOW)
    assert np.allclose(found.irradiance_w_m2, [0.5, 1.5, 2.5])


@pytest.mark.requirement("ROLE-CEM")
def test_a_stale_word_leaves_the_sun_to_history_and_the_warmth_to_the_last_days() -> None:
    weather = merged(None, told(range(-72, 48), at=NOW - 7 * HOUR_S), NOW)
    found = expected(weather, Slots(NOW, HOUR_S, 24), NOW)
    assert np.isnan(found.irradiance_w_m2).all()
    assert np.allclose(found.outdoor_c, np.arange(24.0))
    assert found.notes == ("the weather was told 7 h ago: the sun by history alone",)
    assert found.guessed_c


def test_a_word_with_enough_of_the_past_needs_no_note() -> None:
    weather = merged(None, told(range(-240, 48)), NOW)
    found = expected(weather, Slots(NOW, HOUR_S, 24), NOW + 5.9 * HOUR_S)
    assert found.notes == ()
    assert found.seen_days == pytest.approx(10.0, abs=0.5)


def test_hours_that_were_never_told_are_as_warm_as_the_last_day_was() -> None:
    few = WeatherTold(NOW - 200 * HOUR_S, HOUR_S, (), (30.0, 30.0), NOW - 200 * HOUR_S)
    weather = merged(None, few, NOW)
    few = WeatherTold(NOW - 6 * HOUR_S, HOUR_S, (), (3.0, 5.0), NOW - 4 * HOUR_S)
    weather = merged(weather, few, NOW)
    found = expected(weather, Slots(NOW, HOUR_S, 24), NOW + 4 * HOUR_S)
    assert found.outdoor_c.tolist() == [4.0] * 18 + [3.0, 5.0] + [4.0] * 4


def test_beyond_what_is_covered_history_goes_on() -> None:
    weather = merged(None, told(range(12)), NOW)
    found = expected(weather, Slots(NOW, HOUR_S, 24), NOW)
    assert np.isfinite(found.irradiance_w_m2).tolist() == [True] * 12 + [False] * 12
    assert "tells of 12 h ahead" in found.notes[0]
    assert np.isfinite(found.outdoor_c).all()


def test_a_source_of_radiation_alone_says_nothing_of_warmth() -> None:
    weather = merged(None, told(range(24), warm=False), NOW)
    found = expected(weather, Slots(NOW, HOUR_S, 24), NOW)
    assert not found.measured_c
    assert (found.outdoor_c == 10.0).all()
    assert len(found.notes) == 1


@pytest.mark.parametrize(
    "weather", [None, Weather(Slots(NOW, 1.0, 0), np.empty(0), np.empty(0), NOW)]
)
def test_without_a_source_nothing_is_expected(weather: Weather | None) -> None:
    found = expected(weather, Slots(NOW, HOUR_S, 4), NOW)
    assert np.isnan(found.irradiance_w_m2).all()
    assert (found.outdoor_c == 10.0).all()
    assert not found.measured_c


def test_a_clock_set_years_ahead_costs_nothing() -> None:
    weather = merged(None, told(range(-48, 48)), NOW)
    later = NOW + 30_000 * DAY_S
    found = expected(weather, Slots(later, HOUR_S, 24), later)
    assert np.isnan(found.irradiance_w_m2).all()
    assert np.allclose(found.outdoor_c, 11.5, atol=0.5)


@pytest.mark.requirement("ROLE-CEM")
def test_a_source_of_the_future_alone_comes_to_have_a_past() -> None:
    weather = merged(None, told(range(48)), NOW)
    weather = merged(weather, told(range(24, 72), at=NOW + DAY_S), NOW + DAY_S)
    assert weather.slots == Slots(NOW, HOUR_S, 72)
    assert np.allclose(weather.irradiance_w_m2, np.arange(72.0))
    assert weather.told_at == NOW + DAY_S


def test_what_is_told_anew_counts_and_a_gap_in_it_does_not() -> None:
    weather = merged(None, told(range(4)), NOW)
    newer = WeatherTold(NOW + HOUR_S, HOUR_S, (500.0, NAN), (), NOW + 60.0)
    weather = merged(weather, newer, NOW + 60.0)
    assert weather.irradiance_w_m2.tolist() == [0.0, 500.0, 2.0, 3.0]
    assert weather.outdoor_c.tolist() == [0.0, 1.0, 2.0, 3.0]


def test_another_step_is_taken_over() -> None:
    weather = merged(None, told(range(4)), NOW)
    finer = WeatherTold(NOW + 3 * HOUR_S, 1800.0, (7.0, 8.0), (), NOW)
    found = merged(weather, finer, NOW)
    assert found.slots.step_s == 1800.0
    assert np.allclose(found.irradiance_w_m2, [0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 7.0, 8.0])


numbers = st.one_of(st.just(NAN), st.floats(0.0, 1200.0))


@settings(max_examples=examples(150), deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(-2000, 2000),
            st.sampled_from([300.0, 900.0, 3600.0, 10800.0]),
            st.lists(numbers, max_size=30),
            st.lists(numbers, max_size=30),
        ),
        max_size=4,
    ),
    st.sampled_from([300.0, 900.0, 3600.0]),
    st.integers(1, 200),
)
def test_it_stays_bounded_and_warmth_finite_whatever_is_told(
    words: list[tuple[int, float, list[float], list[float]]], step_s: float, count: int
) -> None:
    weather: Weather | None = None
    for hour, told_step_s, light, warm in words:
        word = WeatherTold(NOW + hour * HOUR_S, told_step_s, tuple(light), tuple(warm), NOW)
        weather = merged(weather, word, NOW)
        assert weather.slots.count * told_step_s <= 77 * DAY_S
        assert len(weather.irradiance_w_m2) == len(weather.outdoor_c) == weather.slots.count
    found = expected(weather, Slots(NOW, step_s, count), NOW)
    assert found.irradiance_w_m2.shape == (count,)
    assert np.isfinite(found.outdoor_c).all()
    known = found.irradiance_w_m2[np.isfinite(found.irradiance_w_m2)]
    assert ((known >= 0.0) & (known <= 1200.0)).all()
