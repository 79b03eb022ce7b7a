"""From measured powers to load and possible sun."""

import math

import numpy as np
import pytest

from hems.cem.forecast.balance import base_load, could_have, settled, woken
from hems.cem.forecast.past import Floats

NAN = math.nan
DAY = 24


def rows(*values: float) -> Floats:
    return np.array(values, dtype=np.float64)


def same(found: Floats, wanted: Floats) -> bool:
    return np.allclose(found, wanted, equal_nan=True)


@pytest.mark.requirement("ROLE-CEM")
def test_the_load_is_the_meter_less_what_is_known() -> None:
    net_w = rows(500.0, -2000.0, 8000.0, NAN, 100.0, 100.0)
    sun_w = rows(0.0, -2500.0, 0.0, 0.0, NAN, -20.0)
    car_w = rows(0.0, 0.0, 7000.0, 0.0, 0.0, 150.0)
    found = base_load(net_w, [sun_w, car_w])
    assert same(found, rows(500.0, 500.0, 1000.0, NAN, NAN, 0.0))
    assert same(base_load(net_w, []), np.maximum(net_w, 0.0))


def test_a_device_before_it_came_and_long_after_draws_nothing() -> None:
    power_w = rows(NAN, NAN, 5.0, NAN, 6.0, NAN, NAN, NAN)
    assert same(settled(power_w, 3), rows(0.0, 0.0, 5.0, NAN, 6.0, 0.0, 0.0, 0.0))
    assert same(settled(rows(NAN, NAN), 9), rows(0.0, 0.0))


def test_an_inverter_sleeps_at_night_and_is_lost_by_day() -> None:
    day = -np.maximum(np.sin((np.arange(DAY) - 6) / 12 * np.pi), 0.0) * 3000.0
    seen = np.tile(day, 3)
    hours = np.arange(3 * DAY) % DAY
    seen[(hours < 6) | (hours > 18)] = NAN
    seen[DAY + 11 : DAY + 14] = NAN
    found = woken(seen, DAY)
    assert np.isnan(found).sum() == 3
    assert np.isnan(found[DAY + 11 : DAY + 14]).all()
    found[DAY + 11 : DAY + 14] = day[11:14]
    assert same(found, np.tile(day, 3))
    nothing = np.full(5, NAN)
    assert same(woken(nothing, DAY), nothing)


def curtailed(days: int, clearness: Floats) -> tuple[Floats, Floats]:
    """Return what panels could give on days of so much sun, and what of it a limit let through."""
    clear = -np.maximum(np.sin((np.arange(DAY) - 6) / 12 * np.pi), 0.0) * 4000.0
    could = np.concatenate([clear * share for share in clearness[:days]])
    return could, np.maximum(could, -1500.0)


@pytest.mark.requirement("ROLE-CEM")
def test_what_was_held_back_is_filled_from_the_same_days_clearness() -> None:
    clearness = np.array([1.0, 0.6, 0.9, 0.5, 0.8])
    could, let = curtailed(5, clearness)
    held = could < -1500.0
    held[:DAY] = False  # the first day nobody held it back
    seen = np.where(held, let, could)
    found = could_have(seen, held, DAY)
    assert (found <= seen).all()
    assert np.allclose(found, could, atol=1.0)


def test_without_a_clear_sky_to_go_by_what_was_given_stands() -> None:
    could, let = curtailed(3, np.ones(3))
    held = could < -1500.0
    found = could_have(let, held, DAY)
    assert (found <= let).all()
    assert same(found[~held], let[~held])
    noon = np.arange(3 * DAY) % DAY == 12
    assert same(found[noon], let[noon])


@pytest.mark.parametrize("held", [False, True])
def test_without_any_measurement_nothing_is_known(held: bool) -> None:
    seen = np.full(30, NAN)
    assert np.isnan(could_have(seen, np.full(30, held), DAY)).all()
