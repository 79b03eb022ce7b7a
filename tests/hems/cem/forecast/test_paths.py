"""Courses of load and sun: what they are made of, how likely each is, and what is said of them."""

import math
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.cem.forecast.past import Floats, Past, Paths, Weather
from hems.cem.forecast.paths import expected, load_quantiles, marginals, paths, sun_quantiles
from hems.cem.slots import Slots

ZONE = ZoneInfo("Europe/Berlin")
T0 = datetime(2025, 6, 2, tzinfo=UTC).timestamp()
"""A Monday."""
HOUR = 3600.0
SHARES = (0.1, 0.5, 0.9)


def home(load_w: Floats, sun_w: Floats, step_s: float = HOUR) -> Past:
    """Return a home whose past ends at T0."""
    slots = Slots(T0 - step_s * load_w.size, step_s, load_w.size)
    return Past(slots, ZONE, load_w, sun_w)


def coming(count: int = 36, step_s: float = HOUR) -> Slots:
    return Slots(T0, step_s, count)


def sunny(days: int, height_w: float = 4000.0) -> Floats:
    """Return the sun of days, by hour, passive sign."""
    hours = np.arange(24 * days) % 24
    return -height_w * np.maximum(0.0, np.sin(np.pi * (hours - 6) / 12))


def test_a_home_that_repeats_itself_is_foretold_exactly() -> None:
    day_w = np.array([200.0] * 6 + [900.0] * 3 + [300.0] * 8 + [1500.0] * 4 + [250.0] * 3)
    past = replace(home(np.tile(day_w, 15), sunny(15)), present_load_w=200.0, present_sun_w=0.0)
    made = paths(past, coming())
    assert made.load_w.shape == (15, 36)
    np.testing.assert_allclose(made.load_w, np.tile(np.tile(day_w, 2)[:36], (15, 1)))
    np.testing.assert_allclose(made.sun_w, np.tile(sunny(2)[:36], (15, 1)), atol=1e-9)
    for quantiles in (load_quantiles(made, SHARES), sun_quantiles(made, SHARES)):
        assert np.ptp(quantiles.values, axis=0).max() == pytest.approx(0.0, abs=1e-9)


def test_today_is_more_like_the_days_that_began_like_it() -> None:
    quiet, busy = np.full(24, 300.0), np.full(24, 2000.0)
    days = [quiet, busy] * 7
    past = home(np.concatenate([*days, busy[:0]]), np.zeros(24 * 14))
    evening = Slots(T0 + 12 * HOUR, HOUR, 10)
    for today, expected_w in ((quiet, 300.0), (busy, 2000.0)):
        known = replace(
            past,
            slots=Slots(past.slots.start, HOUR, past.slots.count + 12),
            load_w=np.append(past.load_w, today[:12]),
            sun_w=np.zeros(24 * 14 + 12),
            present_load_w=float(today[12]),
        )
        median_w = load_quantiles(paths(known, evening), SHARES).median
        np.testing.assert_allclose(median_w, expected_w)


def test_having_gone_along_one_path_it_goes_on_as_those_alike() -> None:
    busy = np.concatenate([np.full(12, 300.0), np.full(12, 2000.0)])
    past = home(np.tile(np.concatenate([np.full(24, 300.0), busy]), 8), np.zeros(24 * 16))
    made = paths(past, coming(24))
    assert made.turns is not None
    is_busy = made.load_w[:, 20] > 1000.0
    stays = made.turns[20][np.ix_(is_busy, is_busy)].sum(axis=1)
    assert (stays > 0.99).all()
    early = made.turns[5][np.ix_(is_busy, is_busy)].sum(axis=1)
    assert (early < 0.7).all()  # in the morning nobody can tell


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.one_of(st.floats(0.0, 9000.0), st.just(math.nan)), max_size=150),
    st.booleans(),
    st.one_of(st.none(), st.floats(0.0, 9000.0)),
    st.sampled_from([(HOUR, 30), (900.0, 60)]),
    st.integers(1, 10),
)
def test_whatever_is_known_there_are_paths_and_their_probabilities(
    load: list[float],
    has_sun: bool,
    present_w: float | None,
    steps: tuple[float, int],
    count: int,
) -> None:
    sun_w = -np.array(load[::-1]) if has_sun else np.full(len(load), math.nan)
    past = replace(home(np.array(load), sun_w), present_load_w=present_w)
    slots = coming(steps[1], steps[0])
    made = paths(past, slots, count)
    assert made.load_w.shape == made.sun_w.shape == (made.weights.size, slots.count)
    assert made.weights.sum() == pytest.approx(1.0)
    assert made.turns is not None
    assert (made.turns >= 0.0).all()
    np.testing.assert_allclose(made.turns.sum(axis=2), 1.0)
    np.testing.assert_allclose(marginals(made).sum(axis=0), 1.0)
    assert np.isfinite(made.load_w).all()
    assert (made.load_w >= 0.0).all()
    assert (made.sun_w <= 0.0).all()
    assert np.ptp(made.load_w[:, 0]) == 0.0
    if present_w is not None:
        assert made.load_w[0, 0] == present_w
    values = load_quantiles(made, SHARES).values
    assert (np.diff(values, axis=0) >= 0.0).all()


def test_before_anything_is_known_a_day_is_typical_and_nothing_is_planned_on_the_sun() -> None:
    made = paths(home(np.zeros(0), np.zeros(0)), coming(24))
    per_day_wh = load_quantiles(made, SHARES).values.sum(axis=1)
    assert 2_000.0 < per_day_wh[0] < per_day_wh[1] < per_day_wh[2] < 40_000.0
    assert (made.sun_w == 0.0).all()


def test_what_was_seen_scales_the_typical_day() -> None:
    seen = np.full(12, 2500.0)
    small = paths(home(seen / 10.0, np.zeros(12)), coming(24))
    large = paths(home(seen, np.zeros(12)), coming(24))
    small_wh, large_wh = (load_quantiles(m, SHARES).median.sum() for m in (small, large))
    assert large_wh > 3.0 * small_wh


def test_typical_days_fade_as_the_homes_own_come() -> None:
    load_w = np.full(24 * 15, 50.0)
    rows = [paths(home(load_w[: 24 * n], sunny(n)), coming(24)).weights.size for n in range(16)]
    assert rows == [*range(3, 17), 14, 15]
    median_w = load_quantiles(paths(home(load_w[:72], sunny(3)), coming(24)), SHARES).median
    np.testing.assert_allclose(median_w, 50.0)


def test_a_gap_is_filled_with_the_other_days() -> None:
    load_w = np.tile(np.linspace(100.0, 2400.0, 24), 20)
    holed = load_w.copy()
    holed[24 * 15 + 3 : 24 * 15 + 10] = math.nan
    made = paths(home(holed, sunny(20)), coming(24))
    np.testing.assert_allclose(made.load_w[:, 1:], np.tile(load_w[1:24], (20, 1)))
    gone = load_w.copy()
    gone[24 * 15 : 24 * 16] = math.nan
    assert paths(home(gone, sunny(20)), coming(24)).weights.size == 19


def test_free_days_count_less_for_a_working_day() -> None:
    load_w = np.full(24 * 16, 500.0)
    free_day = np.array([True, True, False, False, False, False, False] * 2)  # Sunday back
    weights = paths(home(load_w, sunny(16)), coming(24), count=14).weights
    fresh = weights * np.exp(np.arange(14) / 21.0)
    assert fresh[free_day] == pytest.approx(0.5 * fresh[2])
    assert fresh[~free_day] == pytest.approx(fresh[2])


def test_where_all_days_went_alike_a_course_turns_to_each_as_often_as_it_counts() -> None:
    made = paths(home(np.full(24 * 16, 500.0), np.zeros(24 * 16)), coming(24), count=14)
    assert made.turns is not None
    np.testing.assert_array_equal(made.turns[0], np.tile(made.weights, (14, 1)))
    np.testing.assert_allclose(made.turns[5], np.tile(made.weights, (14, 1)))


def test_a_dull_morning_foretells_a_dull_day() -> None:
    days = 16
    dull = np.repeat(np.array([1.0, 0.2] * (days // 2)), 24)
    past = home(np.full(24 * days, 500.0), sunny(days) * dull)
    noon = Slots(T0 + 11 * HOUR, HOUR, 6)
    for today in (1.0, 0.2):
        seen = sunny(1) * today
        known = replace(
            past,
            slots=Slots(past.slots.start, HOUR, past.slots.count + 11),
            load_w=np.full(24 * days + 11, 500.0),
            sun_w=np.append(past.sun_w, seen[:11]),
            present_sun_w=float(seen[11]),
        )
        median_w = sun_quantiles(paths(known, noon), SHARES).median
        np.testing.assert_allclose(median_w, seen[11:17])


def test_when_the_clocks_change_the_load_follows_them_and_the_sun_does_not() -> None:
    changed = datetime(2025, 3, 30, 1, tzinfo=UTC).timestamp()
    slots = Slots(changed - 24 * 20 * HOUR, HOUR, 24 * 20)
    local = [datetime.fromtimestamp(start, ZONE).hour for start in slots]
    utc = [datetime.fromtimestamp(start, UTC).hour for start in slots]
    past = Past(
        slots,
        ZONE,
        np.array([1000.0 + 10.0 * hour for hour in local]),
        np.array([-10.0 * hour for hour in utc]),
    )
    after = Slots(changed + 3 * HOUR, HOUR, 12)
    made = paths(past, after, 5)
    for slot, start in list(enumerate(after))[1:]:
        hour = datetime.fromtimestamp(start, ZONE).hour
        np.testing.assert_allclose(made.load_w[:, slot], 1000.0 + 10.0 * hour)
        np.testing.assert_allclose(
            made.sun_w[:, slot], -10.0 * datetime.fromtimestamp(start, UTC).hour
        )


def test_the_sun_of_past_days_is_moved_into_the_weather_that_is_expected() -> None:
    days = 16
    irradiance = -sunny(days) / 5.0
    bright = np.repeat(np.array([1.0, 0.4] * (days // 2)), 24)
    past = home(np.full(24 * days, 500.0), sunny(days) * bright)
    slots = past.slots
    past = replace(past, weather=Weather(slots, irradiance * bright, irradiance * math.nan, T0))
    expected = -sunny(1) / 5.0 * 0.7
    made = paths(past, coming(24), irradiance_w_m2=expected)
    np.testing.assert_allclose(made.sun_w, np.tile(sunny(1) * 0.7, (days, 1)), atol=1e-6)
    unknown = paths(past, coming(24), irradiance_w_m2=np.full(24, math.nan))
    np.testing.assert_allclose(unknown.sun_w, paths(past, coming(24)).sun_w)


@given(
    st.lists(
        st.tuples(st.floats(0.01, 1.0), st.floats(0.0, 5000.0), st.floats(0.0, 5000.0)),
        min_size=1,
        max_size=8,
    ),
    st.floats(0.0, 1.0),
)
def test_a_quantile_is_the_least_value_that_so_many_do_not_exceed(
    rows: list[tuple[float, float, float]], share: float
) -> None:
    weights = np.array([row[0] for row in rows])
    weights /= weights.sum()
    values = np.array([row[1:] for row in rows])
    made = Paths(weights, values, -values)
    found = load_quantiles(made, (share,)).values[0]
    for column, quantile in zip(values.T, found, strict=True):
        assert weights[column <= quantile].sum() >= share - 1e-9
        assert weights[column < quantile].sum() <= share + 1e-9
    mirrored = sun_quantiles(made, (share,)).values[0]
    assert (mirrored <= 0.0).all()


def test_what_is_known_now_fades() -> None:
    """The home is sure to be on the first path now; from there it turns to the second one."""
    turns = np.array([[[1.0, 0.0], [1.0, 0.0]], [[0.5, 0.5], [0.0, 1.0]], [[0.5, 0.5], [0.0, 1.0]]])
    load_w = np.array([[100.0] * 4, [100.0, 500.0, 500.0, 500.0]])
    made = Paths(np.array([1.0, 0.0]), load_w, -load_w / 10.0, turns)
    np.testing.assert_allclose(marginals(made)[0], [1.0, 1.0, 0.5, 0.25])
    load, sun = expected(made)
    np.testing.assert_allclose(load, [100.0, 100.0, 300.0, 400.0])
    np.testing.assert_allclose(sun, -load / 10.0)
    to_its_end = replace(made, turns=None)
    np.testing.assert_allclose(marginals(to_its_end)[0], 1.0)


def test_with_shorter_slots_a_course_is_left_less_often_at_each() -> None:
    rng = np.random.default_rng(4)
    by_quarter = paths(
        home(rng.gamma(1.0, 500.0, 96 * 20), np.zeros(96 * 20), 900.0), coming(8, 900.0)
    )
    assert by_quarter.turns is not None
    stays = np.diagonal(by_quarter.turns[1:], axis1=1, axis2=2)
    assert (stays >= 0.75).all()
