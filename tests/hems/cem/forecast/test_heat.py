"""Hot water: what was drawn from a tank, against a tank that is reckoned step by step."""

import math
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.cem.forecast.heat import SHARES, balance, draws
from hems.cem.forecast.past import Floats, Past
from hems.cem.needs import HeatStore
from hems.cem.slots import Slots
from tests.examples import examples

STEP_S = 900.0
BERLIN = ZoneInfo("Europe/Berlin")
NAN = math.nan
TANK = HeatStore(
    "tank",
    wh_per_k=350.0,
    loss_w_per_k=2.0,
    surroundings_c=18.0,
    cop=2.5,
    low_c=45.0,
    high_c=60.0,
    draw_wh_per_day=6000.0,
)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


@dataclass(frozen=True)
class Run:
    """What a tank went through, by slot; temperatures at the ends of slots."""

    power_w: Floats
    temp_c: Floats
    draw_w: Floats


def lived(store: HeatStore, draw_w: Floats, temp_c: float = 55.0) -> Run:
    """Heat a tank from its lower bound to its upper one, for ever, while water is drawn."""
    hours, heating = STEP_S / 3600.0, False
    powers, temps = [], []
    for drawn_w in draw_w:
        heating = temp_c < store.low_c + 1.0 or (heating and temp_c < store.high_c - 1.0)
        power_w = 1200.0 if heating else 0.0
        # Losses are those at the mean temperature of the slot, for which this is solved.
        gain_w = (
            power_w * store.cop
            - drawn_w
            - store.loss_w_per_k * (temp_c - (store.surroundings_c or 0.0))
        )
        share = store.loss_w_per_k * hours / store.wh_per_k
        temp_c += gain_w * hours / store.wh_per_k / (1.0 + share / 2.0)
        powers.append(power_w)
        temps.append(temp_c)
    return Run(np.array(powers), np.array(temps), draw_w)


def past_of(run: Run, now: float, *, with_temps: bool = True) -> Past:
    count = len(run.power_w)
    unknown = np.full(count, NAN)
    return Past(
        Slots(now - count * STEP_S, STEP_S, count),
        BERLIN,
        unknown,
        unknown,
        heats={"tank": run.power_w},
        heat_temps_c={"tank": run.temp_c} if with_temps else {},
    )


def showers(now: float, days: int) -> Floats:
    """7 kWh a day: 4 from 06:00 to 07:00 by the wall clock, 3 from 20:00 to 21:00."""
    found = []
    for begins in Slots(now - days * 86400.0, STEP_S, days * 96):
        hour = datetime.fromtimestamp(begins, BERLIN).hour
        found.append({6: 4000.0, 20: 3000.0}.get(hour, 0.0))
    return np.array(found)


@pytest.mark.requirement("ROLE-CEM")
@settings(max_examples=examples(60), deadline=None)
@given(
    st.lists(st.sampled_from([0.0, 300.0, 4000.0, 9000.0]), min_size=2, max_size=80),
    st.floats(0.0, 5.0),
    st.floats(50.0, 1000.0),
    st.floats(1.0, 4.0),
)
def test_what_was_drawn_is_found_out_to_the_watt(
    drawn: list[float], loss_w_per_k: float, wh_per_k: float, cop: float
) -> None:
    store = replace(TANK, loss_w_per_k=loss_w_per_k, wh_per_k=wh_per_k, cop=cop)
    run = lived(store, np.array(drawn))
    found = balance(past_of(run, at("2026-11-18T12:00")), store)
    assert found.measured[1:].all()
    assert np.allclose(found.draw_w[1:], run.draw_w[1:], atol=1e-6)


def test_without_temperatures_days_come_out_right() -> None:
    now = at("2026-11-18T00:00")
    run = lived(TANK, showers(now, 28))
    found = balance(past_of(run, now, with_temps=False), TANK)
    assert not found.measured.any()
    assert found.draw_w.mean() * 24.0 == pytest.approx(7000.0, rel=0.05)


def test_gaps_are_unknown() -> None:
    now = at("2026-11-18T00:00")
    run = lived(TANK, showers(now, 2))
    run.power_w[10:20] = NAN
    run.temp_c[50:60] = NAN
    found = balance(past_of(run, now), TANK)
    assert np.isnan(found.draw_w).sum() == 10
    assert not found.measured[50:61].any()
    assert np.isfinite(found.draw_w[50:61]).all()
    assert np.isnan(balance(past_of(run, now), replace(TANK, device="another")).draw_w).all()


@pytest.mark.requirement("ROLE-CEM")
@pytest.mark.parametrize("day", ["2026-11-18", "2026-10-27", "2026-03-31"])
def test_showers_are_known_by_the_clock_on_the_wall(day: str) -> None:
    now = at(f"{day}T00:00")
    found = draws(past_of(lived(TANK, showers(now, 42)), now), TANK, Slots(now, STEP_S, 96))
    assert found.source == "history"
    by_hour = found.median.reshape(24, 4).mean(axis=1)
    assert sorted(by_hour.argsort()[-2:].tolist()) == [6, 20]
    assert by_hour[5:8].sum() > 2500.0
    assert by_hour[6] > by_hour[20]
    assert by_hour[2] < 100.0
    assert by_hour.sum() == pytest.approx(7000.0, rel=0.05)


def test_temperatures_told_in_whole_degrees_will_do() -> None:
    now = at("2026-11-18T00:00")
    run = lived(TANK, showers(now, 28))
    coarse = replace(run, temp_c=np.round(run.temp_c))
    by_hour = draws(past_of(coarse, now), TANK, Slots(now, STEP_S, 96)).median.reshape(24, 4)
    assert sorted(by_hour.mean(axis=1).argsort()[-2:].tolist()) == [6, 20]
    assert by_hour.sum() / 4.0 == pytest.approx(7000.0, rel=0.05)


def test_free_days_are_known_for_themselves_and_late_days_count_most() -> None:
    """Twice as much on free days; and half of it all until eight weeks ago."""
    friday = at("2026-11-20T00:00")
    draw_w = showers(friday, 70)
    for i, begins in enumerate(Slots(friday - 70 * 86400.0, STEP_S, 70 * 96)):
        when = datetime.fromtimestamp(begins, BERLIN)
        draw_w[i] *= (2.0 if when.weekday() >= 5 else 1.0) * (0.5 if i < 14 * 96 else 1.0)
    found = draws(past_of(lived(TANK, draw_w), friday), TANK, Slots(friday, STEP_S, 2 * 96))
    today, tomorrow = found.median[:96].sum() / 4.0, found.median[96:].sum() / 4.0
    assert today == pytest.approx(7000.0, rel=0.05)
    assert tomorrow > 10_000.0


def test_without_temperatures_hours_are_the_usual_ones_and_days_its_own() -> None:
    now = at("2026-11-18T00:00")
    run = lived(TANK, showers(now, 42))
    found = draws(past_of(run, now, with_temps=False), TANK, Slots(now, STEP_S, 96))
    usual = draws(nothing_known(now), TANK, Slots(now, STEP_S, 96))
    assert found.median.sum() / 4.0 == pytest.approx(7000.0, rel=0.1)
    assert np.allclose(found.median / found.median.sum(), usual.median / usual.median.sum())


def nothing_known(now: float) -> Past:
    return Past(Slots(now, STEP_S, 0), BERLIN, np.empty(0), np.empty(0))


@pytest.mark.requirement("ROLE-CEM")
def test_at_first_it_is_what_the_owner_said_over_a_usual_day() -> None:
    now = at("2026-11-18T00:00")
    found = draws(nothing_known(now), TANK, Slots(now, STEP_S, 96))
    assert found.source == "cold start"
    assert found.median.sum() / 4.0 == pytest.approx(6000.0)
    by_hour = found.median.reshape(24, 4).sum(axis=1)
    assert by_hour[7] > 5 * by_hour[2]
    assert by_hour[18] > by_hour[14]


def test_its_own_history_takes_over_day_by_day() -> None:
    totals = []
    for days in (0, 2, 7, 28):
        now = at("2026-11-18T00:00")
        past = past_of(lived(TANK, showers(now, days)), now) if days else nothing_known(now)
        totals.append(draws(past, TANK, Slots(now, STEP_S, 96)).median.sum() / 4.0)
    assert totals[0] == pytest.approx(6000.0)
    assert totals[-1] == pytest.approx(7000.0, rel=0.03)
    assert totals == sorted(totals)


def test_an_owner_who_said_nothing_is_asked_no_further() -> None:
    now = at("2026-11-18T00:00")
    store = replace(TANK, draw_wh_per_day=0.0)
    assert not draws(nothing_known(now), store, Slots(now, STEP_S, 96)).values.any()
    known = draws(past_of(lived(store, showers(now, 14)), now), store, Slots(now, STEP_S, 96))
    assert known.median.sum() / 4.0 == pytest.approx(7000.0, rel=0.05)


@pytest.mark.parametrize(
    "store", [replace(TANK, surroundings_c=None), replace(TANK, cop=-3.0)], ids=["house", "cooler"]
)
def test_houses_and_what_cools_draw_nothing(store: HeatStore) -> None:
    now = at("2026-11-18T00:00")
    found = draws(past_of(lived(TANK, showers(now, 7)), now), store, Slots(now, STEP_S, 96))
    assert not found.values.any()


@settings(max_examples=examples(60), deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.just(NAN), st.floats(0.0, 3000.0)),
            st.one_of(st.just(NAN), st.floats(5.0, 90.0)),
        ),
        max_size=300,
    ),
    st.floats(0.0, 20_000.0),
    st.integers(0, 200),
)
def test_it_is_finite_positive_and_ascends_whatever_was_seen(
    drawn: list[tuple[float, float]], a_day_wh: float, count: int
) -> None:
    now = at("2026-10-25T06:00")
    power_w, temp_c = (np.array([row[i] for row in drawn]) for i in (0, 1))
    past = past_of(Run(power_w, temp_c, power_w), now)
    found = draws(past, replace(TANK, draw_wh_per_day=a_day_wh), Slots(now, STEP_S, count))
    assert found.values.shape == (len(SHARES), count)
    assert np.isfinite(found.values).all()
    assert (found.values >= 0.0).all()
    assert (np.diff(found.values, axis=0) >= 0.0).all()
