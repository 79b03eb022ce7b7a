"""When cars are at home and what they take, against counting days one by one."""

import math
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.cem.forecast.cars import SHARES, foretell, stays_wh
from hems.cem.forecast.past import CarPast, Floats, Past
from hems.cem.slots import Slots
from tests.examples import examples

STEP_S = 1800.0
BERLIN = ZoneInfo("Europe/Berlin")
NAN = math.nan


def at(text: str, zone: ZoneInfo = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def home_with(car: CarPast, now: float, zone: ZoneInfo = BERLIN) -> Past:
    count = len(car.plugged)
    unknown = np.full(count, NAN)
    slots = Slots(now - count * STEP_S, STEP_S, count)
    return Past(slots, zone, unknown, unknown, cars={"car": car})


def without_past(now: float) -> Past:
    return home_with(CarPast(np.empty(0), np.empty(0)), now)


def commuter(now: float, days: int, zone: ZoneInfo = BERLIN) -> CarPast:
    """Away from 07:30 to 17:30 on workdays, charges 6 kWh from 18:00 on; at home on week-ends."""
    there, power_w = [], []
    for begins in Slots(now - days * 86400.0, STEP_S, int(days * 86400.0 / STEP_S)):
        when = datetime.fromtimestamp(begins, zone)
        hour = when.hour + when.minute / 60
        away = when.weekday() < 5 and 7.5 <= hour < 17.5
        there.append(0.0 if away else 1.0)
        power_w.append(6000.0 if when.weekday() < 5 and 18.0 <= hour < 19.0 else 0.0)
    return CarPast(np.array(power_w), np.array(there))


@pytest.mark.requirement("ROLE-CEM")
@pytest.mark.parametrize(
    ("now", "leaves"),
    [
        ("2026-11-18T20:00", "2026-11-19T07:00"),
        ("2026-11-19T03:00", "2026-11-19T07:00"),
        ("2026-11-19T07:00", "2026-11-20T07:00"),
        ("2026-11-20T20:00", "2026-11-21T10:00"),
        ("2026-11-22T12:00", "2026-11-23T07:00"),
        ("2026-03-28T20:00", "2026-03-29T10:00"),
        ("2026-10-24T20:00", "2026-10-25T10:00"),
    ],
)
def test_an_unknown_car_stays_until_the_morning(now: str, leaves: str) -> None:
    slots = Slots(at(now), STEP_S, 96)
    found = foretell(without_past(slots.start), "car", slots, plugged=True)
    assert found.leaves_at == at(leaves)
    until = round((at(leaves) - slots.start) / STEP_S)
    assert (found.present[:until] == 1.0).all()
    assert (found.present[until:] == 0.0).all()
    assert found.need_wh.source == "cold start"
    assert found.need_wh.median[0] == pytest.approx(12_000.0)


def test_an_unknown_car_that_is_away_is_not_expected() -> None:
    slots = Slots(at("2026-11-18T20:00"), STEP_S, 96)
    found = foretell(without_past(slots.start), "car", slots, plugged=False)
    assert found.leaves_at is None
    assert not found.present.any()
    assert foretell(without_past(slots.start), "another", slots).leaves_at is None


def test_a_holiday_is_lived_as_a_sunday() -> None:
    slots = Slots(at("2026-11-18T20:00"), STEP_S, 48)
    past = Past(
        Slots(slots.start, STEP_S, 0),
        BERLIN,
        np.empty(0),
        np.empty(0),
        holidays=frozenset({date(2026, 11, 19).toordinal()}),
    )
    assert foretell(past, "car", slots, plugged=True).leaves_at == at("2026-11-19T10:00")


@pytest.mark.requirement("ROLE-CEM")
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"])
@pytest.mark.parametrize("day", ["2026-03-31", "2026-10-27", "2026-10-06", "2026-06-16"])
def test_a_commuter_is_known_by_the_clock_on_the_wall(zone: str, day: str) -> None:
    """Though clocks were set within the last weeks: these are Tuesdays after such changes."""
    home = ZoneInfo(zone)
    now = at(f"{day}T20:00", home)
    slots = Slots(now, STEP_S, 60)
    past = home_with(commuter(now, 42, home), now, home)
    found = foretell(past, "car", slots)
    tomorrow = (datetime.fromisoformat(day) + timedelta(days=1)).date().isoformat()
    assert found.leaves_at is not None
    assert abs(found.leaves_at - at(f"{tomorrow}T07:30", home)) <= STEP_S
    noon = slots.at(at(f"{tomorrow}T12:00", home))
    evening = slots.at(at(f"{tomorrow}T18:00", home))
    assert found.present[0] == 1.0
    assert found.present[noon] < 0.12
    assert found.present[evening] > 0.85
    assert found.need_wh.source == "history"
    assert found.need_wh.median[0] == pytest.approx(6000.0, rel=0.02)


def test_a_car_that_is_away_is_expected_when_it_usually_comes() -> None:
    now = at("2026-11-18T12:00")
    slots = Slots(now, STEP_S, 48)
    found = foretell(home_with(commuter(now, 42), now), "car", slots)
    assert found.present[0] == 0.0
    assert found.present[slots.at(at("2026-11-18T15:00"))] < 0.05
    assert found.present[slots.at(at("2026-11-18T18:00"))] > 0.8
    assert found.leaves_at is not None
    assert abs(found.leaves_at - at("2026-11-19T07:30")) <= STEP_S


def test_a_week_end_is_not_a_workday() -> None:
    now = at("2026-11-20T20:00")
    slots = Slots(now, STEP_S, 96)
    found = foretell(home_with(commuter(now, 42), now), "car", slots)
    assert found.present[slots.at(at("2026-11-21T12:00"))] > 0.8
    assert found.present[slots.at(at("2026-11-22T12:00"))] > 0.8


def test_it_leaves_later_on_free_days() -> None:
    """Away from 07:30 on workdays, and from 11:00 to 15:00 on free ones."""
    now = at("2026-11-20T20:00")
    car = commuter(now, 42)
    begins = Slots(now - 42 * 86400.0, STEP_S, 42 * 48)
    for i, start in enumerate(begins):
        when = datetime.fromtimestamp(start, BERLIN)
        if when.weekday() >= 5 and 11 <= when.hour < 15:
            car.plugged[i] = 0.0
    found = foretell(home_with(car, now), "car", Slots(now, STEP_S, 96))
    assert found.leaves_at is not None
    assert found.leaves_at == pytest.approx(at("2026-11-21T11:00"), abs=3600.0)


def test_what_it_took_lately_counts_most() -> None:
    now = at("2026-11-20T20:00")
    car = commuter(now, 80)
    car.power_w[: 40 * 48] *= 4.0
    slots = Slots(now, STEP_S, 48)
    assert foretell(home_with(car, now), "car", slots).need_wh.median[0] == pytest.approx(
        6000.0, rel=0.05
    )
    taken_wh, ago = stays_wh(car, Slots(now - 80 * 86400.0, STEP_S, 80 * 48))
    assert (np.diff(ago) < 0.0).all()
    assert ago[-1] == pytest.approx(12.5 / 24.0)
    assert taken_wh[-1] == pytest.approx(6000.0)


def test_the_guess_fades_as_days_are_seen() -> None:
    """Each day of a home whose car is never there at noon makes that surer."""
    noon = []
    for days in (0, 2, 5, 10, 40):
        now = at("2026-11-18T20:00")
        slots = Slots(now, STEP_S, 48)
        past = home_with(commuter(now, days), now)
        found = foretell(past, "car", slots, plugged=True)
        noon.append(found.present[slots.at(at("2026-11-19T18:00"))])
    assert noon[0] == 0.0
    assert (np.diff(noon) > 0.0).all()
    assert noon[-1] > 0.85


def test_where_a_car_never_was_at_this_hour_it_stays_for_a_while() -> None:
    now = at("2026-11-18T11:00")
    slots = Slots(now, STEP_S, 48)
    found = foretell(home_with(commuter(now, 42), now), "car", slots, plugged=True)
    assert found.present[0] == 1.0
    assert found.present[4] > 0.7
    assert (np.diff(found.present[:12]) < 0.0).all()


def slow_stays_wh(car: CarPast) -> list[float]:
    """Walk through the slots with what was known last."""
    found: list[float] = []
    here, taken_wh, seen = False, 0.0, False
    for i, share in enumerate(car.plugged):
        is_here = here if math.isnan(share) else share >= 0.5
        if is_here and not here:
            taken_wh, seen = 0.0, i > 0
        if here and not is_here and seen and taken_wh >= 200.0:
            found.append(taken_wh)
        here = is_here
        if here and car.power_w[i] > 0:
            taken_wh += car.power_w[i] * STEP_S / 3600.0
    return found


rows = st.lists(
    st.tuples(
        st.sampled_from([0.0, 1.0, 0.3, 0.7, NAN]), st.sampled_from([0.0, 100.0, 7000.0, NAN])
    ),
    max_size=60,
)


@settings(max_examples=examples(200), deadline=None)
@given(rows)
def test_stays_are_what_walking_through_them_finds(drawn: list[tuple[float, float]]) -> None:
    plugged = np.array([row[0] for row in drawn])
    car = CarPast(np.array([row[1] for row in drawn]), plugged)
    found, ago = stays_wh(car, Slots(0.0, STEP_S, len(drawn)))
    assert found.tolist() == pytest.approx(slow_stays_wh(car))
    assert (ago >= 0).all()


def slow_present(plugged: Floats, now: int, ahead: int) -> float:
    """Count days one by one for a car that is away, in UTC on Mondays to Fridays alone.

    Args:
        plugged: By hour, up to now.
        now: Hours of the past in all.
        ahead: Which hour from now.
    """
    usual, usual_weight, alike, alike_weight = 0.0, 2.0, 0.0, 2.0
    for day in range(1, 40):
        weight = 0.5 ** (day / 30.0)
        hour, then = now + ahead - 24 * day, now - 24 * day
        if not 0 <= hour < now:
            continue
        usual += weight * plugged[hour]
        usual_weight += weight
        if then >= 0 and plugged[then] < 0.5:
            alike += weight * plugged[hour]
            alike_weight += weight
    expected = usual / usual_weight * (1.0 - 0.5 ** (ahead / 6.0))
    return float((alike + 2.0 * expected) / alike_weight)


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=30, max_size=95), st.integers(1, 23))
def test_presence_is_what_counting_days_gives(drawn: list[float], ahead: int) -> None:
    """A week of workdays alone, so that all days are of one kind."""
    friday = datetime(2026, 11, 20, 0, tzinfo=ZoneInfo("UTC")).timestamp()
    plugged = np.array([*drawn, 0.0])
    slots = Slots(friday - len(plugged) * 3600.0, 3600.0, len(plugged))
    unknown = np.full(len(plugged), NAN)
    car = CarPast(np.zeros(len(plugged)), plugged)
    past = Past(slots, ZoneInfo("UTC"), unknown, unknown, cars={"car": car})
    found = foretell(past, "car", Slots(friday, 3600.0, 24))
    assert found.present[ahead] == pytest.approx(slow_present(plugged, len(plugged), ahead))


@settings(max_examples=examples(100), deadline=None)
@given(rows, st.integers(1, 120), st.one_of(st.none(), st.booleans()), st.integers(0, 10**6))
def test_it_is_a_probability_whatever_was_seen(
    drawn: list[tuple[float, float]], count: int, plugged: bool | None, moved: int
) -> None:
    car = CarPast(np.array([row[1] for row in drawn]), np.array([row[0] for row in drawn]))
    now = at("2026-10-24T12:00") + moved // 1800 * 1800
    slots = Slots(now, STEP_S, count)
    found = foretell(home_with(car, now), "car", slots, plugged=plugged)
    assert ((found.present >= 0.0) & (found.present <= 1.0)).all()
    if plugged is not None:
        assert found.present[0] == float(plugged)
    assert found.leaves_at is None or slots.start <= found.leaves_at < slots.end
    assert found.need_wh.values.shape == (len(SHARES), 1)
    assert (np.diff(found.need_wh.values, axis=0) >= 0.0).all()
