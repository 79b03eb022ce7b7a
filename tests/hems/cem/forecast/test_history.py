"""The rolling past: against a dictionary of all that was told, under repeats, gaps and clocks."""

import math
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.cem.forecast.history import History, plugged
from hems.cem.forecast.past import Floats
from hems.cem.planner.question import Role, Stay, Stretch
from hems.cem.slots import Slots
from tests.examples import examples

UTC = ZoneInfo("UTC")
STEP_S = 900.0
NOW = 2_000_000 * STEP_S
NAN = math.nan
DAYS = 86400.0


def told(history: History, role: Role, ago: int, powers: Sequence[float]) -> None:
    """Tell what a device measured in the slots that began so many before `NOW`."""
    history.take(Stretch(role.value, role, NOW - ago * STEP_S, tuple(powers)))


def same(found: Floats, wanted: Sequence[float]) -> bool:
    return np.allclose(found, np.array(wanted), equal_nan=True)


@pytest.mark.requirement("ROLE-CEM")
def test_the_past_of_a_home() -> None:
    history = History(STEP_S)
    told(history, Role.METER, 4, [1000.0, -2500.0, 9000.0, 2000.0])
    told(history, Role.SUN, 4, [0.0, -3000.0, -200.0, NAN])
    told(history, Role.CAR, 4, [0.0, 0.0, 7000.0, 0.0])
    told(history, Role.HEAT, 4, [600.0, 0.0, 0.0, 0.0])
    told(history, Role.BATTERY, 4, [100.0, 0.0, 1000.0, -500.0])
    told(history, Role.RUN, 4, [0.0, 0.0, 0.0, 1900.0])
    past = history.past(NOW + 100.0, UTC)
    assert past.slots == Slots(NOW - 4 * STEP_S, STEP_S, 4)
    assert same(past.load_w, [300.0, 500.0, 1200.0, 600.0])  # the inverter sleeps at last
    assert same(past.sun_w, [0.0, -3000.0, -200.0, 0.0])
    assert same(past.cars["car"].power_w, [0.0, 0.0, 7000.0, 0.0])
    assert same(past.heats["heat"], [600.0, 0.0, 0.0, 0.0])


def test_a_home_without_meter_has_no_load_but_sun_and_cars() -> None:
    history = History(STEP_S)
    told(history, Role.SUN, 2, [-100.0, -200.0])
    past = history.past(NOW, UTC)
    assert np.isnan(past.load_w).all()
    assert same(past.sun_w, [-100.0, -200.0])


def test_without_panels_there_is_no_sun() -> None:
    history = History(STEP_S)
    told(history, Role.METER, 2, [100.0, 200.0])
    past = history.past(NOW, UTC)
    assert same(past.sun_w, [0.0, 0.0])
    assert same(past.load_w, [100.0, 200.0])


def test_before_there_is_anything_the_past_is_empty() -> None:
    history = History(STEP_S)
    assert history.end is None
    history.take(Stretch("meter", Role.METER, math.inf, (1.0,)))
    assert history.end is None
    assert history.past(NOW, UTC).slots.count == 0
    told(history, Role.METER, 2, [])
    told(history, Role.METER, 2, [NAN, NAN])
    past = history.past(NOW, UTC)
    assert past.slots == Slots(NOW, STEP_S, 0)
    assert past.load_w.shape == past.sun_w.shape == (0,)


@pytest.mark.parametrize(("silent_days", "known"), [(6, False), (8, True)])
def test_panels_that_are_silent_for_a_week_have_been_removed(silent_days: int, known: bool) -> None:
    history = History(STEP_S)
    noon_w = [-3000.0] * 4
    silent = silent_days * 96
    told(history, Role.SUN, silent + 4, noon_w)
    told(history, Role.METER, silent + 4, [500.0 + w for w in noon_w] + [500.0] * silent)
    past = history.past(NOW, UTC)
    assert same(past.load_w[:4], [500.0] * 4)
    assert same(past.load_w[4:], [500.0 if known else NAN] * silent)
    assert history.end == NOW + STEP_S


def test_a_meter_that_replaces_another_goes_on_from_it() -> None:
    history = History(STEP_S)
    history.take(Stretch("old", Role.METER, NOW - 3 * STEP_S, (1.0, 2.0)))
    history.take(Stretch("new", Role.METER, NOW - 2 * STEP_S, (7.0, 3.0)))
    assert same(history.past(NOW, UTC).load_w, [1.0, 2.0, 3.0])


def test_what_was_held_back_is_forgotten_once_it_is_measured_anew() -> None:
    history = History(3600.0)
    day = tuple(-np.maximum(np.sin((np.arange(24) - 6) / 12 * np.pi), 0.0) * 4000.0)
    start = NOW - 2 * DAYS
    history.take(Stretch("pv", Role.SUN, start, day))
    limited = tuple(max(w, -1000.0) for w in day)
    held = tuple(w < -1000.0 for w in day)
    history.take(Stretch("pv", Role.SUN, start + DAYS, limited, held))
    filled = history.past(NOW, UTC)
    assert np.allclose(filled.sun_w[24:], day, atol=1.0)
    history.take(Stretch("pv", Role.SUN, start + DAYS, limited))
    assert np.allclose(history.past(NOW, UTC).sun_w[24:], limited)


@pytest.mark.requirement("TIME-STAMP")
def test_what_lies_ahead_of_a_clock_set_back_is_measured_again() -> None:
    history = History(STEP_S)
    told(history, Role.METER, 8, [float(i) for i in range(8)])
    past = history.past(NOW - 3600.0, UTC)
    assert same(past.load_w, [0.0, 1.0, 2.0, 3.0])
    told(history, Role.METER, 4, [50.0, 51.0])
    assert same(history.past(NOW - 1800.0, UTC).load_w, [0.0, 1.0, 2.0, 3.0, 50.0, 51.0])


@pytest.mark.requirement("TIME-STAMP")
def test_a_clock_set_ahead_leaves_a_gap_and_one_years_ahead_costs_nothing() -> None:
    history = History(STEP_S)
    told(history, Role.METER, 4, [1.0, 2.0, 3.0, 4.0])
    told(history, Role.METER, -4, [5.0])
    assert same(history.past(NOW + 5 * STEP_S, UTC).load_w, [1.0, 2.0, 3.0, 4.0, *[NAN] * 4, 5.0])
    assert history.past(NOW + 3000 * DAYS, UTC).slots.count == 0
    assert len(history.past(NOW + 5 * STEP_S, UTC).load_w) == 9


def test_only_the_span_is_kept_and_devices_of_which_nothing_is_left_go() -> None:
    history = History(STEP_S, span_s=86400.0)
    told(history, Role.METER, 200, [float(i) for i in range(200)])
    assert same(history.past(NOW, UTC).load_w, [float(i) for i in range(104, 200)])
    told(history, Role.CAR, 96, [1.0] * 10)
    assert list(history.past(NOW, UTC).cars) == ["car"]
    told(history, Role.METER, -50, [7.0])
    past = history.past(NOW + 51 * STEP_S, UTC)
    assert len(past.load_w) <= 96
    assert past.cars == {}


class Oracle:
    """All that was told, slot by slot, in a span whose last slot is the one that runs now."""

    def __init__(self, span: int) -> None:
        self._span = span
        self._end: int | None = None
        self._seen: dict[int, float] = {}

    def take(self, first: int, powers: Sequence[float]) -> None:
        last = first + len(powers)
        self._trim(last if self._end is None else max(self._end, last))
        end = self._end or 0
        for number, power_w in enumerate(powers, start=first):
            if not math.isnan(power_w) and end - self._span <= number < end:
                self._seen[number] = power_w

    def _trim(self, end: int) -> None:
        self._end = end
        self._seen = {n: w for n, w in self._seen.items() if end - self._span <= n < end}

    def past(self, now: int) -> list[float]:
        if self._end is None or now - self._end >= self._span:
            return []
        self._trim(now + 1)
        return [self._seen.get(n, NAN) for n in range(min(self._seen, default=now), now)]


powers = st.lists(st.one_of(st.just(NAN), st.floats(0.0, 1e4)), min_size=1, max_size=12)


@settings(max_examples=examples(300), deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("take"), st.integers(-60, 30), powers),
            st.tuples(st.just("past"), st.integers(-40, 60), st.just([])),
        ),
        max_size=14,
    )
)
def test_it_is_what_was_told_whatever_the_order(
    steps: list[tuple[str, int, list[float]]],
) -> None:
    history, oracle = History(STEP_S, span_s=24 * STEP_S), Oracle(25)
    for what, at, values in steps:
        if what == "take":
            told(history, Role.METER, -at, values)
            told(history, Role.METER, -at, values)
            oracle.take(2_000_000 + at, values)
        else:
            past = history.past(NOW + at * STEP_S, UTC)
            assert same(past.load_w, oracle.past(2_000_000 + at))
            assert past.slots.end == NOW + at * STEP_S


stay = st.tuples(st.floats(-5e4, 1e4), st.one_of(st.none(), st.floats(0.0, 5e4)))


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(stay, max_size=4), st.integers(0, 40))
def test_plugged_is_the_time_within_stays(
    drawn: list[tuple[float, float | None]], count: int
) -> None:
    slots = Slots(NOW - count * STEP_S, STEP_S, count)
    stays = [
        Stay("car", NOW + came, None if lasts is None else NOW + came + lasts)
        for came, lasts in drawn
    ]
    found = plugged(slots, np.zeros(count), [*stays, Stay("other", NOW - 1e5)], "car")
    for i, begins in enumerate(slots):
        within_s = 0.0
        for one in stays:
            left_at = slots.end if one.left_at is None else one.left_at
            within_s += max(0.0, min(begins + STEP_S, left_at) - max(begins, one.came_at))
        assert found[i] == pytest.approx(min(within_s / STEP_S, 1.0))


def test_a_car_that_draws_is_there_and_a_hub_that_was_off_saw_nothing() -> None:
    slots = Slots(NOW, STEP_S, 4)
    stays = [Stay("car", NOW + 3 * STEP_S)]
    found = plugged(slots, np.array([3000.0, 0.0, NAN, NAN]), stays, "car")
    assert same(found, [1.0, 0.0, NAN, 1.0])


def test_temperatures_are_kept_by_slot_the_last_of_each() -> None:
    history = History(STEP_S)
    told(history, Role.METER, 3, [1.0, 1.0, 1.0])
    told(history, Role.HEAT, 3, [0.0, 0.0, 0.0])
    for ago_s, temp_c in ((2600.0, 50.0), (1900.0, 51.0), (600.0, 49.0), (300.0, NAN)):
        history.take_temperature("heat", Role.HEAT, NOW - ago_s, temp_c)
    assert same(history.past(NOW, UTC).heat_temps_c["heat"], [51.0, NAN, 49.0])


def test_the_temperature_of_the_slot_that_runs_now_is_there_once_it_is_over() -> None:
    history = History(STEP_S)
    told(history, Role.HEAT, 2, [0.0, 0.0])
    for ahead_s, temp_c in ((100.0, 48.0), (400.0, 47.0)):
        history.take_temperature("heat", Role.HEAT, NOW + ahead_s, temp_c)
        assert same(history.past(NOW + ahead_s, UTC).heat_temps_c["heat"], [NAN, NAN])
    told(history, Role.HEAT, 0, [500.0])
    past = history.past(NOW + STEP_S, UTC)
    assert same(past.heat_temps_c["heat"], [NAN, NAN, 47.0])
    assert same(past.heats["heat"], [0.0, 0.0, 500.0])
