"""The simulated home's physics: balance, bookkeeping, and fidelity to the measured week."""

import itertools
import math
import random
from functools import reduce
from operator import add

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from der.sim.errors import DataError
from der.sim.physics.appliances import BaseLoad
from der.sim.physics.battery import Battery, BatteryRating
from der.sim.physics.car import Car, CarRating
from der.sim.physics.dataset import HOUR_S, HOURS, MeanCurve, Week, load_week
from der.sim.physics.house import Commands, House, HouseConfig, Snapshot
from der.sim.physics.supply import Supply
from der.sim.physics.thermal import HeatedRoom, Thermostat, WaterHeater
from tests.examples import examples

WEEK = load_week()

powers = st.floats(-9000, 9000)
commands = st.builds(
    Commands,
    pv_limit_w=st.floats(0, 5000) | st.just(math.inf),
    battery_w=powers,
    ev_limit_w=st.floats(0, 9000) | st.just(math.inf),
    water_heater=st.booleans(),
    heat_pump=st.booleans(),
)
configs = st.builds(
    HouseConfig,
    seed=st.integers(0, 9),
    speed=st.floats(0.5, 3600),
    start_hour=st.floats(0, 167),
    battery_soc=st.floats(0, 1),
    ev_soc=st.floats(0, 1),
)
steps = st.lists(st.tuples(st.floats(0.01, 2.0), commands), min_size=1, max_size=20)


def parts_w(home: Snapshot) -> list[float]:
    parts = (home.base, home.pv, home.battery, home.ev, home.water_heater, home.heat_pump)
    return [part.power_w for part in parts]


@settings(max_examples=examples(60), deadline=None)
@given(config=configs, course=steps)
def test_meter_is_always_the_sum_of_its_parts(
    config: HouseConfig, course: list[tuple[float, Commands]]
) -> None:
    house = House(config, WEEK)
    for wall_s, told in course:
        home = house.step(wall_s, told)
        assert home.meter.power_w == reduce(add, parts_w(home))
        assert home.pv.power_w <= 0
        assert -home.pv.power_w <= told.pv_limit_w + 1e-9
        assert home.ev.power_w >= 0
        assert home.base.power_w >= 0
    flows = (home.base, home.pv, home.battery, home.ev, home.water_heater, home.heat_pump)
    net_wh = sum(flow.import_wh - flow.export_wh for flow in flows)
    assert home.meter.import_wh - home.meter.export_wh == pytest.approx(net_wh, abs=1e-6)


@settings(max_examples=examples(60), deadline=None)
@given(config=configs, course=steps)
def test_charge_follows_what_was_moved(
    config: HouseConfig, course: list[tuple[float, Commands]]
) -> None:
    house = House(config, WEEK)
    for wall_s, told in course:
        home = house.step(wall_s, told)
        assert 0 <= home.soc <= 1
        assert 0 <= home.ev_soc <= 1
        assert abs(home.battery.power_w) <= config.battery.power_w
    one_way = math.sqrt(0.9)
    stored_wh = home.battery.import_wh * one_way - home.battery.export_wh / one_way
    expected = config.battery_soc + stored_wh / config.battery.capacity_wh
    assert home.soc == pytest.approx(expected, abs=1e-9)


def test_round_trip_of_the_battery_returns_nine_tenths() -> None:
    battery = Battery(BatteryRating(6400, 5000, 0.9), 0.0)
    taken_wh = sum(battery.move(5000, 0.01) * 0.01 for _ in range(200))
    assert battery.soc == pytest.approx(1.0)
    given_wh = -sum(battery.move(-5000, 0.01) * 0.01 for _ in range(200))
    assert battery.soc == pytest.approx(0.0, abs=1e-12)
    assert given_wh / taken_wh == pytest.approx(0.9)


@given(hour=st.integers(0, HOURS - 1), seed=st.integers(0, 5), cuts=st.lists(st.floats(0, 3600)))
@settings(max_examples=40, deadline=None)
def test_hourly_energy_of_the_base_load_is_the_measured_one(
    hour: int, seed: int, cuts: list[float]
) -> None:
    load = BaseLoad(WEEK.load_wh, seed)
    moments = [hour * HOUR_S + cut for cut in sorted({0.0, *cuts, 3600.0})]
    pieces = [(a, b) for a, b in itertools.pairwise(moments) if b - a > 1e-6]
    energy_wh = sum(load.mean_w(a, b) * (b - a) / HOUR_S for a, b in pieces)
    assert energy_wh == pytest.approx(WEEK.load_wh[hour], abs=0.01)


def test_base_load_moves_within_the_hour() -> None:
    load = BaseLoad(WEEK.load_wh, seed=1)
    evening = 18 * HOUR_S
    powers_w = [load.mean_w(evening + s, evening + s + 1) for s in range(3600)]
    assert max(powers_w) > 1.4 * WEEK.load_wh[18]
    assert min(powers_w) < 0.8 * WEEK.load_wh[18]


def test_a_week_at_ten_minutes_a_step_uses_what_was_measured() -> None:
    house = House(HouseConfig(start_hour=0, speed=600, pv_kwp=4, pv_max_w=9000), WEEK)
    for _ in range(HOURS * 6):
        home = house.step(1.0, Commands())
    assert home.base.import_wh == pytest.approx(sum(WEEK.load_wh))
    assert home.pv.export_wh == pytest.approx(4 * sum(WEEK.pv_w_per_kwp))


@given(means=st.lists(st.floats(0, 1000), min_size=3, max_size=30))
def test_curve_keeps_each_mean_and_is_never_negative(means: list[float]) -> None:
    curve = MeanCurve(means)
    for hour, mean in enumerate(means):
        start = hour * HOUR_S
        assert curve.mean(start, start + HOUR_S) == pytest.approx(mean, abs=1e-6)
        tenths = [curve.mean(start + 360 * i, start + 360 * (i + 1)) for i in range(10)]
        assert min(tenths) >= -1e-6


def test_same_seed_and_steps_give_the_same_course() -> None:
    def course(seed: int) -> list[Snapshot]:
        house = House(HouseConfig(seed=seed, speed=60), WEEK)
        return [house.step(0.1, Commands(battery_w=-500.0)) for _ in range(200)]

    assert course(3) == course(3)
    assert course(3) != course(4)


def test_speed_moves_energy_faster_but_not_the_ramp() -> None:
    slow = House(HouseConfig(speed=1, fixed_load_w=1000), WEEK)
    fast = House(HouseConfig(speed=100, fixed_load_w=1000), WEEK)
    for _ in range(4):
        calm, hasty = slow.step(0.1, Commands()), fast.step(0.1, Commands())
    assert hasty.base.import_wh == pytest.approx(100 * calm.base.import_wh)
    assert hasty.ev.power_w == pytest.approx(calm.ev.power_w)
    assert calm.ev.power_w == pytest.approx(0.4 * 7360)


@pytest.mark.parametrize(
    ("offered_w", "drawn_w"),
    [(0, 0), (1379, 0), (1380, 1380), (3000, 3000), (7360, 7360), (math.inf, 7360)],
)
def test_car_takes_what_is_offered_from_six_amperes_on(offered_w: float, drawn_w: float) -> None:
    car = Car(CarRating(), 20_000)
    for _ in range(11):
        car.charge(offered_w, 0.0, 0.1 / 3600, 0.1)
    assert car.power_w == pytest.approx(drawn_w)


def test_car_leaves_and_comes_back_with_less() -> None:
    rating = CarRating(leave_hour=8, arrive_hour=17, trip_wh=9000)
    car = Car(rating, 30_000)
    assert car.charge(7360, 12 * HOUR_S, 0.1, 360) == 0
    assert not car.plugged
    car.charge(0, 17.5 * HOUR_S, 0.1, 360)
    assert car.plugged
    assert car.stored_wh == pytest.approx(21_000)


def test_car_that_stays_is_always_there() -> None:
    rating = CarRating(leave_hour=0, arrive_hour=0)
    assert all(rating.home_at(hour * HOUR_S) for hour in range(48))


def test_thermostats_keep_their_bands_by_themselves() -> None:
    tank = WaterHeater(49.0, Thermostat(50, 56))
    room = HeatedRoom(20.0, Thermostat(20.5, 21.5))
    drawn = set()
    for minute in range(3 * 24 * 60):
        drawn.add(tank.heat(True, minute * 60.0, 1 / 60))
        drawn.add(room.heat(True, 5.0, 1 / 60))
        assert 48 < tank.temp_c < 57
        if minute > 120:
            assert 20.2 < room.temp_c < 21.8
    assert drawn == {0.0, 2000.0, 3000.0}


def test_forbidden_heater_stays_off_and_cools() -> None:
    tank = WaterHeater(49.0, Thermostat(50, 56))
    assert tank.heat(False, 0.0, 1.0) == 0
    assert tank.temp_c < 49
    assert tank.thermostat.calling


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("month,hour\n", "0 rows"),
        ("load_kwh,pv_w_per_kwp\n" + "x,1\n" * 168, "load_kwh"),
        ("load_kwh\n" + "1\n" * 168, "pv_w_per_kwp"),
    ],
)
def test_bad_week_ends_in_one_clear_error(text: str, told: str) -> None:
    with pytest.raises(DataError, match=told):
        load_week(text)


def test_outdoor_temperature_passes_through_each_hours_middle() -> None:
    week = Week((0.0,) * HOURS, (0.0,) * HOURS, tuple(map(float, range(HOURS))), (0.0,) * HOURS)
    assert week.outdoor_temp_at(10.5 * HOUR_S) == pytest.approx(10)
    assert week.outdoor_temp_at(11.0 * HOUR_S) == pytest.approx(10.5)


def test_the_streets_voltage_is_where_the_homes_begins() -> None:
    supply = Supply(random.Random(1))  # noqa: S311 - noise, not a secret
    supply.feeder_v, supply.reactance_ohm = 248.0, 1.0
    supply.feel(0.0)
    assert supply.voltage_v == pytest.approx(248.0, abs=1)
    supply.feel(0.0, 2300.0)
    assert supply.voltage_v == pytest.approx(238.0, abs=1)
    supply.feel(0.0, -2300.0)
    assert supply.voltage_v == pytest.approx(258.0, abs=1)
