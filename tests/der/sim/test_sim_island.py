"""The simulated home without its grid: what is given is what is taken, and what trips trips."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.sim.physics.battery import BatteryRating
from der.sim.physics.dataset import load_week
from der.sim.physics.house import Commands, House, HouseConfig, Snapshot
from der.sim.physics.island import SYNC_DEG, Bus, Island, Trip

pytestmark = pytest.mark.requirement("BUC-14")

WEEK = load_week()
QUIET = HouseConfig(
    fixed_load_w=1000.0, fixed_pv_w=0.0, battery_soc=0.5, tank_temp_c=60.0, room_temp_c=23.0
)
IDLE = Commands(ev_limit_w=0.0)


def islanded(config: HouseConfig = QUIET) -> House:
    """Return a home whose inverter forms since the last second."""
    house = House(config, WEEK)
    house.step(0.1, IDLE)
    house.supply.out = True
    house.island.open_tie()
    house.island.form()
    live(house, 1.0)
    return house


def live(house: House, seconds: float, commands: Commands = IDLE) -> Snapshot:
    """Let a home live for a while."""
    for _ in range(round(seconds * 10)):
        house.step(0.1, commands)
    return house.now


def test_an_outage_behind_a_closed_tie_is_dark() -> None:
    house = House(QUIET, WEEK)
    house.supply.out = True
    now = live(house, 1.0, replace(IDLE, ev_limit_w=7000.0, battery_w=-3000.0))
    assert now.bus is Bus.DEAD
    assert now.meter.power_w == now.base.power_w == now.battery.power_w == now.ev.power_w == 0
    assert now.voltage_v == now.frequency_hz == 0
    house.supply.out = False
    assert live(house, 1.0).base.power_w == 1000.0


@given(load_w=st.integers(0, 4800), sun_w=st.integers(0, 4000), soc=st.floats(0.2, 0.8))
def test_the_former_gives_what_the_rest_takes(load_w: int, sun_w: int, soc: float) -> None:
    config = replace(QUIET, fixed_load_w=float(load_w), fixed_pv_w=float(sun_w), battery_soc=soc)
    house = islanded(config)
    now = live(house, 5.0)
    assert now.bus is Bus.FORMED
    assert now.meter.power_w == 0.0
    parts = now.base.power_w + now.pv.power_w + now.ev.power_w + now.plugs.power_w
    parts += now.water_heater.power_w + now.heat_pump.power_w
    assert now.battery.power_w == pytest.approx(-parts)
    assert (now.frequency_hz < 50.0) == (parts > 0) or abs(parts) < 100
    moved_wh = now.battery.import_wh * 0.9**0.5 - now.battery.export_wh / 0.9**0.5
    stored_wh = (now.soc - soc) * config.battery.capacity_wh
    assert stored_wh == pytest.approx(moved_wh, abs=5.0)


def test_too_much_load_is_borne_for_seconds_and_far_too_much_not_at_all() -> None:
    house = islanded(replace(QUIET, fixed_load_w=4000.0))
    house.fixed_load_w = 6000.0
    assert live(house, 4.0).bus is Bus.FORMED
    assert live(house, 2.0).bus is Bus.DEAD
    assert house.island.trip is Trip.OVERLOAD
    house = islanded()
    house.fixed_load_w = 11_000.0
    assert live(house, 0.2).bus is Bus.DEAD
    assert house.island.blackouts == 1


def test_an_empty_battery_ends_the_island() -> None:
    house = islanded(replace(QUIET, battery_soc=0.0002))
    assert live(house, 10.0).bus is Bus.DEAD
    assert house.island.trip is Trip.EMPTY


def test_a_full_battery_has_the_sun_give_less_by_the_frequency() -> None:
    config = replace(QUIET, battery_soc=1.0, fixed_load_w=500.0, fixed_pv_w=3500.0)
    house = islanded(config)
    now = live(house, 30.0)
    assert now.bus is Bus.FORMED
    assert now.frequency_hz > 50.2
    assert -now.pv.power_w < 1000.0
    assert now.soc == pytest.approx(1.0, abs=1e-3)


def test_forming_onto_a_dead_street_trips_and_is_counted() -> None:
    house = House(QUIET, WEEK)
    house.supply.out = True
    house.island.form()
    live(house, 0.5)
    assert house.island.backfeeds == 1
    assert house.island.trip is Trip.BACKFEED
    assert house.now.bus is Bus.DEAD


@given(slip_hz=st.floats(-0.09, 0.09), seed=st.integers(0, 100))
def test_the_relay_closes_in_step_only(slip_hz: float, seed: int) -> None:
    island = Island(random.Random(seed), 5000.0)  # noqa: S311 - where a phase begins
    island.open_tie()
    island.hz = 50.0 + slip_hz
    island.form()
    for _ in range(3000):
        island.carry(0.0, 0.5, 0.1)
        if not island.armed:
            island.close_tie()
        island.move(230.0, 50.0, 0.1)
        if island.tie_closed:
            break
    assert all(abs(angle) <= SYNC_DEG for angle in island.closings)
    if abs(slip_hz) > 0.02:
        assert island.tie_closed, "a phase that turns comes by"


def test_the_relay_never_puts_a_live_home_on_a_dead_street() -> None:
    house = islanded()
    house.island.close_tie()
    assert not live(house, 40.0).tie_closed


def test_a_dark_home_is_put_on_a_live_street_at_once() -> None:
    house = House(QUIET, WEEK)
    house.supply.out = True
    house.island.open_tie()
    live(house, 1.0)
    house.supply.out = False
    house.island.close_tie()
    assert live(house, 0.5).bus is Bus.GRID


def test_a_small_battery_carries_little() -> None:
    rating = BatteryRating(2000.0, 800.0)
    house = islanded(replace(QUIET, battery=rating, fixed_load_w=700.0))
    assert live(house, 20.0).bus is Bus.FORMED
    house.fixed_load_w = 1000.0
    assert live(house, 20.0).bus is Bus.DEAD
