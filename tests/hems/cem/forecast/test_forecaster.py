"""All forecasts together: whatever is missing or wrong, something sound comes out, and says so."""

import math
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.cem.forecast.forecaster import Forecaster
from hems.cem.forecast.past import CarPast, Floats, Outlook, Past, Quantiles, Weather
from hems.cem.forecast.score import YESTERDAY, Score
from hems.cem.needs import HeatStore
from hems.cem.planner.question import WeatherTold
from hems.cem.slots import Slots
from tests.examples import examples

STEP_S = 1800.0
DAY = 48
DAY_S = 86400.0
BERLIN = ZoneInfo("Europe/Berlin")
NAN = math.nan
TANK = HeatStore("tank", 350.0, 2.0, 18.0, 2.5, 45.0, 60.0, 6000.0)
HOUSE = HeatStore("house", 5000.0, 150.0, None, 3.5, 19.0, 22.0)


def at(text: str, zone: ZoneInfo = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def cloudiness(days: int) -> Floats:
    """Return how much of a clear day's sun each day has; the same for every seed-free run."""
    return np.repeat(np.random.default_rng(7).uniform(0.2, 1.0, days), DAY)


def lived(now: float, days: int, zone: ZoneInfo = BERLIN) -> Past:
    """A home that draws 300 W and 1500 W from 18:00 to 21:00 by its clock, with 4 kW of sun."""
    slots = Slots(now - days * DAY_S, STEP_S, days * DAY)
    hours = np.array([datetime.fromtimestamp(begins, zone).hour for begins in slots])
    utc = np.array([begins % DAY_S / 3600.0 for begins in slots])
    load_w = np.where((hours >= 18) & (hours < 21), 1500.0, 300.0)
    clear_w = np.maximum(np.sin((utc - 6.0) / 12.0 * np.pi), 0.0) * 4000.0
    away = (hours >= 8) & (hours < 17)
    return Past(
        slots,
        zone,
        load_w,
        -clear_w * cloudiness(days),
        cars={"car": CarPast(np.where(hours == 19, 5000.0, 0.0), np.where(away, 0.0, 1.0))},
        heats={"tank": np.where(hours == 4, 2400.0, 0.0)},
    )


def assert_sound(found: Outlook, slots: Slots) -> None:
    """Check what every forecast has to be."""
    count = slots.count
    assert found.slots == slots
    for quantiles, sign in ((found.load, 1.0), (found.sun, -1.0)):
        assert_ascending(quantiles, count)
        assert (quantiles.values * sign >= 0.0).all()
    paths = found.paths
    assert paths.weights.sum() == pytest.approx(1.0)
    assert paths.load_w.shape == paths.sun_w.shape == (len(paths.weights), count)
    assert np.isfinite(paths.load_w).all()
    assert np.isfinite(paths.sun_w).all()
    assert (paths.load_w >= 0.0).all()
    assert (paths.sun_w <= 0.0).all()
    for car in found.cars.values():
        assert car.present.shape == (count,)
        assert ((car.present >= 0.0) & (car.present <= 1.0)).all()
        assert car.leaves_at is None or slots.start <= car.leaves_at < slots.end
        assert_ascending(car.need_wh, 1)
    for drawn in found.heat_draw_w.values():
        assert_ascending(drawn, count)
        assert (drawn.values >= 0.0).all()
    assert found.outdoor_c is not None
    assert found.outdoor_c.shape == (count,)
    assert np.isfinite(found.outdoor_c).all()
    assert all("  " not in note and not note.endswith(".") for note in found.notes)


def assert_ascending(quantiles: Quantiles, count: int) -> None:
    assert quantiles.values.shape == (len(quantiles.shares), count)
    assert np.isfinite(quantiles.values).all()
    assert (np.diff(quantiles.values, axis=0) >= 0.0).all()


@pytest.mark.requirement("ROLE-CEM")
def test_a_home_that_lives_by_the_clock_is_foretold() -> None:
    now = at("2026-11-18T12:00")
    slots = Slots(now, STEP_S, DAY)
    found = Forecaster().forecast(lived(now, 40), slots, plugged={"car": False}, stores=[TANK])
    assert_sound(found, slots)
    evening, night = slots.at(at("2026-11-18T19:00")), slots.at(at("2026-11-19T02:00"))
    assert found.load.median[evening] == pytest.approx(1500.0)
    assert found.load.median[night] == pytest.approx(300.0)
    assert found.sun.median[night] == 0.0
    assert found.cars["car"].present[evening] > 0.7
    assert found.heat_draw_w["tank"].median.sum() > 0.0
    assert found.notes == ()


@pytest.mark.requirement("ROLE-CEM")
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"])
@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25", "2026-10-04", "2026-04-05"])
def test_breakfast_stays_breakfast_when_clocks_are_set(zone: str, day: str) -> None:
    """On days of 23, 23.5, 24.5 and 25 hours."""
    home = ZoneInfo(zone)
    now = at(f"{day}T00:00", home)
    slots = Slots(now, STEP_S, DAY)
    found = Forecaster().forecast(lived(now, 28, home), slots, stores=[TANK, HOUSE])
    assert_sound(found, slots)
    assert found.load.median[slots.at(at(f"{day}T17:00", home))] == pytest.approx(300.0)
    assert found.load.median[slots.at(at(f"{day}T19:30", home))] == pytest.approx(1500.0)


def test_a_home_without_a_past_has_a_usual_day_and_says_so() -> None:
    now = at("2026-11-18T12:00")
    slots = Slots(now, STEP_S, 2 * DAY)
    nothing = Past(Slots(now, STEP_S, 0), BERLIN, np.empty(0), np.empty(0))
    found = Forecaster().forecast(nothing, slots, plugged={"car": True}, stores=[TANK, HOUSE])
    assert_sound(found, slots)
    assert found.load.median.max() > 100.0
    assert not found.sun.values.any()
    assert found.load.source == found.sun.source == "cold start"
    assert found.cars["car"].leaves_at == at("2026-11-19T07:00")
    assert "nothing is known of the load yet: reckoned with a usual one" in found.notes
    assert "nothing is known of the sun: none is planned on" in found.notes
    assert "nobody tells the temperature outside: reckoned with 10 degC" in found.notes
    assert found.scores == {}


@pytest.mark.requirement("ROLE-CEM")
def test_a_missing_meter_leaves_sun_and_cars() -> None:
    now = at("2026-11-18T12:00")
    slots = Slots(now, STEP_S, DAY)
    past = lived(now, 28)
    found = Forecaster().forecast(replace(past, load_w=np.full(28 * DAY, NAN)), slots)
    assert_sound(found, slots)
    assert found.sun.median.min() < -500.0
    assert found.cars["car"].need_wh.source == "history"
    assert "nothing is known of the load yet: reckoned with a usual one" in found.notes


def test_a_meter_that_has_been_silent_for_hours_is_said() -> None:
    now = at("2026-11-18T12:00")
    past = lived(now, 28)
    past.load_w[-10:] = NAN
    found = Forecaster().forecast(past, Slots(now, STEP_S, DAY))
    assert found.notes == ("nothing is known of the load of the last 5 h",)


def of_sky(past: Past, tomorrow: float) -> WeatherTold:
    """Return a source's word: the past days as they were, and so much of a clear day to come."""
    days = past.slots.count // DAY
    light = np.concatenate([cloudiness(days), np.full(2 * DAY, tomorrow)])
    utc = (past.slots.start + STEP_S * np.arange(len(light))) % DAY_S / 3600.0
    clear = np.maximum(np.sin((utc - 6.0) / 12.0 * np.pi), 0.0) * 500.0
    return WeatherTold(past.slots.start, STEP_S, tuple(clear * light), (), past.slots.end)


@pytest.mark.requirement("ROLE-CEM")
@pytest.mark.parametrize("tomorrow", [0.25, 0.9])
def test_weather_tells_tomorrows_sun_and_stale_weather_does_not(tomorrow: float) -> None:
    now = at("2026-11-18T00:00")
    past, slots = lived(now, 28), Slots(now, STEP_S, DAY)
    came_w = 4000.0 * tomorrow
    without = Forecaster().forecast(past, slots)
    forecaster = Forecaster()
    forecaster.hear(of_sky(past, tomorrow), now)
    by_weather = forecaster.forecast(past, slots)
    assert by_weather.sun.source == "weather"
    assert -by_weather.sun.median.min() == pytest.approx(came_w, rel=0.1)
    assert abs(without.sun.median.min() + came_w) > 2 * abs(by_weather.sun.median.min() + came_w)
    stale = Forecaster()
    stale.hear(replace(of_sky(past, tomorrow), told_at=now - 8 * 3600.0), now)
    found = stale.forecast(past, slots)
    assert np.array_equal(found.sun.values, without.sun.values)
    assert found.notes == ("the weather was told 8 h ago: the sun by history alone",)


@pytest.mark.requirement("ROLE-CEM")
def test_it_scores_itself_beside_yesterday() -> None:
    """Its load is the same every day; its sun is not, and yesterday tells little of it."""
    start = at("2026-06-01T00:00")
    whole = lived(start + 30 * DAY_S, 30)
    forecaster = Forecaster()
    found = None
    for hour in range(27 * 24, 30 * 24, 2):
        seen = hour * 2
        past = replace(
            whole,
            slots=Slots(whole.slots.start, STEP_S, seen),
            load_w=whole.load_w[:seen],
            sun_w=whole.sun_w[:seen],
            cars={},
            heats={},
        )
        found = forecaster.forecast(past, Slots(past.slots.end, STEP_S, DAY))
    assert found is not None
    ours, yesterdays = found.scores["load"]
    assert ours < 5.0
    assert yesterdays == 0.0
    ours, yesterdays = found.scores["sun"]
    assert 0.0 < ours < yesterdays
    assert forecaster.sun.pinball_w() is not None


def test_a_rehearsal_judges_as_if_it_had_lived_through_the_week() -> None:
    now = at("2026-06-30T00:00")
    whole = lived(now, 30)
    lived_through, rehearsed = Forecaster(), Forecaster()
    for ago in range(9 * DAY, 0, -6):
        count = whole.slots.count - ago
        past = replace(
            whole,
            slots=Slots(whole.slots.start, STEP_S, count),
            load_w=whole.load_w[:count],
            sun_w=whole.sun_w[:count],
            cars={},
            heats={},
        )
        lived_through.forecast(past, Slots(past.slots.end, STEP_S, DAY))
    rehearsed.rehearse(whole, STEP_S)
    slots = Slots(now, STEP_S, DAY)
    scores = rehearsed.forecast(whole, slots).scores
    assert scores == lived_through.forecast(whole, slots).scores
    assert scores["sun"][0] > 0.0
    Forecaster().rehearse(replace(whole, slots=Slots(now, STEP_S, 0)), STEP_S)


def test_another_forecast_moves_no_course(monkeypatch: pytest.MonkeyPatch) -> None:
    now = at("2026-11-18T00:00")
    past, slots = lived(now, 28), Slots(now, STEP_S, DAY)
    past.load_w[-DAY:] += 700.0
    own = Forecaster().forecast(past, slots)
    monkeypatch.setattr(Score, "leaning", lambda _: (YESTERDAY, 1.0))
    found = Forecaster().forecast(past, slots)
    assert_sound(found, slots)
    assert np.allclose(found.load.median[1:], past.load_w[-DAY + 1 :])
    assert found.load.median[0] == own.load.median[0]
    assert np.abs(found.sun.median - own.sun.median).max() > 100.0
    assert np.array_equal(found.paths.load_w, own.paths.load_w)
    assert np.array_equal(found.paths.sun_w, own.paths.sun_w)


def test_a_home_that_draws_and_makes_nothing_is_expected_to_go_on_so() -> None:
    now = at("2026-11-18T00:00")
    past, slots = lived(now, 28), Slots(now, STEP_S, DAY)
    still = np.zeros(past.slots.count)
    found = Forecaster().forecast(replace(past, load_w=still, sun_w=still), slots)
    for values in (found.load.values, found.sun.values, found.paths.load_w, found.paths.sun_w):
        assert not values.any()


broken = st.sampled_from([NAN, math.inf, -math.inf, -1e12, 1e12, -500.0, 500.0])


@pytest.mark.requirement("ROLE-CEM")
@settings(max_examples=examples(120), deadline=None)
@given(
    zone=st.sampled_from(
        ["UTC", "Asia/Kolkata", "Australia/Adelaide", "Australia/Lord_Howe", "America/St_Johns"]
    ),
    day=st.integers(0, 700),
    days=st.integers(0, 12),
    clock_s=st.sampled_from([0.0, 3600.0, -3600.0, 40 * DAY_S, -40 * DAY_S]),
    step_s=st.sampled_from([300.0, 900.0, 3600.0]),
    holes=st.lists(st.tuples(st.integers(0, 575), st.integers(1, 200), broken), max_size=5),
    missing=st.sets(st.sampled_from(["load", "sun", "car", "tank", "weather"])),
    plugged=st.one_of(st.none(), st.booleans()),
    present=st.one_of(st.none(), broken),
)
def test_it_is_sound_whatever_is_broken(
    *,
    zone: str,
    day: int,
    days: int,
    clock_s: float,
    step_s: float,
    holes: list[tuple[int, int, float]],
    missing: set[str],
    plugged: bool | None,
    present: float | None,
) -> None:
    home = ZoneInfo(zone)
    now = (1_760_000_000 // 3600) * 3600.0 + day * DAY_S
    past = lived(now, days, home)
    for begin, length, value in holes:
        for row in (past.load_w, past.sun_w, past.heats["tank"], past.cars["car"].plugged):
            row[begin : begin + length] = value
    unknown = np.full(past.slots.count, NAN)
    past = replace(
        past,
        load_w=unknown if "load" in missing else past.load_w,
        sun_w=unknown if "sun" in missing else past.sun_w,
        cars={} if "car" in missing else past.cars,
        heats={} if "tank" in missing else past.heats,
        present_load_w=present,
        present_sun_w=present,
    )
    forecaster = Forecaster()
    if "weather" not in missing:
        forecaster.hear(of_sky(past, 0.5), now)
    for at_ in (now, now + clock_s):
        slots = Slots.around(at_, step_s, DAY_S)
        found = forecaster.forecast(past, slots, plugged={"car": plugged}, stores=[TANK, HOUSE])
        assert_sound(found, slots)


def test_rows_of_another_length_are_taken_from_their_end() -> None:
    now = at("2026-11-18T00:00")
    past, slots = lived(now, 14), Slots(now, STEP_S, DAY)
    whole = Forecaster().forecast(past, slots)
    longer = np.concatenate([np.full(7, 9e5), past.load_w])
    assert np.array_equal(
        Forecaster().forecast(replace(past, load_w=longer), slots).load.values, whole.load.values
    )
    assert_sound(Forecaster().forecast(replace(past, load_w=past.load_w[30:]), slots), slots)


@pytest.mark.parametrize(
    ("panels", "stores", "notes"),
    [
        (False, (), ()),
        (False, (TANK,), ()),
        (False, (HOUSE,), ("the temperature outside is taken from the last days",)),
        (True, (TANK,), ("the weather was told 9 h ago: the sun by history alone",)),
    ],
)
def test_notes_go_to_those_whom_they_concern(
    panels: bool, stores: tuple[HeatStore, ...], notes: tuple[str, ...]
) -> None:
    now = at("2026-11-18T00:00")
    past = lived(now, 14)
    if not panels:
        past = replace(past, sun_w=np.zeros(past.slots.count))
    forecaster = Forecaster()
    told = replace(of_sky(past, 0.5), outdoor_c=(7.0,) * 100, told_at=now - 9 * 3600.0)
    forecaster.hear(told, now)
    found = forecaster.forecast(past, Slots(now, STEP_S, DAY), stores=stores)
    assert found.notes == notes
    assert found.outdoor_c is not None
    assert np.array_equal(found.outdoor_c, np.full(DAY, 7.0))


def test_weather_of_the_past_itself_goes_first() -> None:
    now = at("2026-11-18T00:00")
    past, slots = lived(now, 14), Slots(now, STEP_S, DAY)
    told = Weather(Slots(now, STEP_S, DAY), np.full(DAY, NAN), np.full(DAY, -3.0), now)
    forecaster = Forecaster()
    forecaster.hear(WeatherTold(now, STEP_S, (), (20.0,) * DAY, now), now)
    heard = forecaster.forecast(past, slots)
    assert heard.outdoor_c is not None
    assert np.array_equal(heard.outdoor_c, np.full(DAY, 20.0))
    found = forecaster.forecast(replace(past, weather=told), slots)
    assert found.outdoor_c is not None
    assert np.array_equal(found.outdoor_c, told.outdoor_c)
