"""The allocator in a closed loop with a small home: one decision does it, and nothing hunts."""

from dataclasses import replace
from itertools import pairwise

import pytest

from der.model import Control, Setpoint
from hems.cem.memory import Memory
from programs.proposal import GENERATION, HOME, LOADS, Bounds, Proposal, Rank
from tests.hems.cem.plant import (
    BATTERY,
    BREAKER,
    CAR,
    HEATER,
    METER,
    PUMP,
    PV,
    SELF_USE,
    T0,
    Loop,
    Plant,
    limit,
)

BUSY = {"car": 4_000.0, "heater": 2_000.0, "pump": 800.0}


def busy(**kwargs: object) -> Loop:
    return Loop(Plant(wants=dict(BUSY), **kwargs))  # type: ignore[arg-type]


@pytest.mark.requirement("BUC-1")
@pytest.mark.requirement("ROLE-CEM")
@pytest.mark.parametrize("upper_w", [6_000, 3_000, 1_500, 500, 0])
@pytest.mark.parametrize("soc", [0.8, 0.05])
def test_one_decision_brings_the_home_under_its_limit(upper_w: float, soc: float) -> None:
    loop = busy(soc=soc, base_w=300.0)
    loop.run(3, BREAKER)
    trace = loop.run(60, BREAKER, limit(upper_w))
    feasible = soc > 0.1 or upper_w >= 300.0 + 50.0
    if feasible:
        assert max(trace) <= upper_w
    else:
        assert max(trace) == 300.0  # all that can be shed is


@pytest.mark.requirement("BUC-1")
def test_means_come_in_order_battery_car_switched_loads() -> None:
    steps: list[tuple[float, dict[str, bool]]] = [
        (3_000, {"car": False, "heater": False, "pump": False}),
        (1_500, {"car": True, "heater": False, "pump": False}),
        (-2_000, {"car": True, "heater": True, "pump": False}),
        (-4_400, {"car": True, "heater": True, "pump": True}),
    ]
    for upper_w, restricted in steps:
        loop = busy()  # 7.3 kW in all
        orders = loop.decide(limit(upper_w)).orders
        told = {d: orders[d].setpoint for d in restricted}
        seen = {d: s is not None and s.power_w < BUSY[d] for d, s in told.items()}
        assert seen == restricted, upper_w
        assert loop.plant.told["battery"] is not None
        loop.plant.step()
        assert loop.plant.net_w <= upper_w


@pytest.mark.requirement("BUC-1")
def test_nothing_hunts_under_a_steady_limit() -> None:
    loop = busy()
    loop.run(5, BREAKER, SELF_USE, limit(1_500))
    loop.writes = 0
    trace = loop.run(4, BREAKER, SELF_USE, limit(1_500))
    assert max(trace) - min(trace) < 1.0
    assert loop.writes == 0


@pytest.mark.requirement("BUC-1")
@pytest.mark.parametrize(("ramp_w_s", "lag"), [(1e9, True), (1_000.0, False), (1_000.0, True)])
def test_slow_devices_and_a_late_meter_are_not_asked_twice(ramp_w_s: float, lag: bool) -> None:
    loop = busy(ramp_w_s=ramp_w_s, meter_lag=lag)
    loop.run(3, BREAKER)
    trace = loop.run(60, BREAKER, limit(1_500))
    assert max(trace[10:]) <= 1_500
    settled = trace[15:]
    assert max(settled) - min(settled) < 1.0


@pytest.mark.requirement("BUC-1")
def test_a_kettle_in_the_event_is_answered_by_the_next_decision() -> None:
    loop = busy()
    loop.run(10, BREAKER, limit(1_500))
    loop.plant.base_w += 2_200
    loop.decide(BREAKER, limit(1_500))
    loop.plant.step()
    assert loop.plant.net_w <= 1_500


@pytest.mark.requirement("BUC-1")
def test_after_the_event_loads_come_back_one_by_one_and_the_home_is_as_before() -> None:
    loop = busy(soc=0.05)
    before_w = loop.run(3, BREAKER)[-1]
    loop.run(400, BREAKER, limit(600))
    assert all(loop.plant.power[d] == 0 for d in BUSY)
    ups, counts = [], []
    for _ in range(120):
        was = {d for d in BUSY if loop.plant.power[d] > 0}
        loop.run(1, BREAKER)
        now = {d for d in BUSY if loop.plant.power[d] > 0}
        counts.append(len(now - was))
        ups += [loop.plant.at for _ in now - was]
    assert max(counts) == 1
    assert all(b - a >= loop.policy.stagger_s for a, b in pairwise(ups))
    assert loop.plant.net_w == before_w
    free = {d: told for d, told in loop.plant.told.items() if d != "battery"}
    for device, told in free.items():
        spec = next(s for s in loop.plant.specs if s.id == device)
        if spec.control is Control.CEILING:  # opened, lest it keep to its fallback profile
            assert told is not None
            assert told.power_w == spec.max_w
        else:
            assert told is None


@pytest.mark.requirement("BUC-1")
def test_a_load_comes_back_in_the_event_only_if_its_full_power_fits() -> None:
    loop = Loop(Plant(specs=(METER, HEATER), base_w=1_200, wants={"heater": 2_000}))
    loop.run(30, limit(3_000))
    assert loop.plant.power["heater"] == 0.0
    loop.plant.base_w = 880.0  # 2880 + 60 margin fits, the headroom does not
    loop.run(30, limit(3_000))
    assert loop.plant.power["heater"] == 0.0
    loop.plant.base_w = 800.0
    trace = loop.run(50, limit(3_000))
    assert loop.plant.power["heater"] == 0.0  # the peak of the last minute does not leave it room
    trace += loop.run(30, limit(3_000))
    assert loop.plant.power["heater"] == 2_000.0
    assert max(trace) <= 3_000


@pytest.mark.requirement("BUC-7")
def test_minimum_on_time_gives_way_to_an_emergency_only() -> None:
    def started() -> Loop:
        loop = Loop(Plant(specs=(METER, PUMP), base_w=500))
        loop.run(3, BREAKER)
        loop.plant.wants["pump"] = 2_000.0
        loop.run(3, BREAKER)
        return loop

    loop = started()
    assert min(loop.run(100, BREAKER, limit(1_000))) == 2_500
    assert loop.last is not None
    assert loop.last.unmet_w == 1_500
    assert loop.run(300, BREAKER, limit(1_000, ends_at=T0 + 900))[-1] == 500  # then it is off
    loop = started()
    assert max(loop.run(10, BREAKER, limit(1_000, rank=Rank.EMERGENCY))) == 500


@pytest.mark.requirement("BUC-7")
def test_an_emergency_takes_the_least_essential_first_the_car_in_its_place() -> None:
    def after(rank: Rank) -> dict[str, float]:
        loop = Loop(
            Plant(
                specs=(METER, CAR, HEATER, PUMP),
                base_w=500,
                wants={"car": 2_000, "heater": 2_000, "pump": 800},
            )
        )
        loop.run(3, BREAKER)
        loop.run(2, BREAKER, limit(3_400, rank=rank))
        return {d: loop.plant.power[d] for d in ("car", "heater", "pump")}

    assert after(Rank.ACCEPTED) == {"car": 0.0, "heater": 2_000, "pump": 800}
    assert after(Rank.EMERGENCY) == {"car": 2_000, "heater": 0.0, "pump": 800}


def test_minimum_off_time_is_kept_on_return() -> None:
    loop = Loop(Plant(specs=(METER, PUMP), base_w=500, wants={"pump": 1_000}))
    loop.run(2, BREAKER)
    loop.run(20, BREAKER, limit(600))
    loop.run(200, BREAKER)
    assert loop.plant.power["pump"] == 0
    loop.run(150, BREAKER)
    assert loop.plant.power["pump"] == 1_000


@pytest.mark.requirement("BUC-11")
@pytest.mark.parametrize("lower_w", [-2_000, -500, 0])
@pytest.mark.parametrize("soc", [0.5, 1.0])
def test_export_is_held_by_storage_then_by_the_sun(lower_w: float, soc: float) -> None:
    loop = Loop(Plant(specs=(METER, PV, BATTERY), base_w=300, sun_w=4_500, soc=soc))
    trace = loop.run(30, BREAKER, limit(lower_w=lower_w))
    assert min(trace) >= lower_w
    assert (loop.plant.power["pv"] > -4_500) == (soc == 1.0)


@pytest.mark.requirement("BUC-11")
def test_sun_that_is_held_back_is_found_again_by_a_battery_that_may_charge() -> None:
    loop = Loop(Plant(specs=(METER, PV, BATTERY), base_w=300, sun_w=4_500, soc=1.0))
    loop.run(10, BREAKER, SELF_USE, limit(lower_w=0))
    assert loop.plant.power["pv"] > -400
    loop.plant.soc = 0.5
    loop.run(60, BREAKER, SELF_USE, limit(lower_w=0))
    assert loop.plant.power["pv"] < -4_300


@pytest.mark.requirement("BUC-11")
def test_load_and_generation_limits_are_about_sums_behind_the_meter() -> None:
    loop = Loop(Plant(base_w=400, sun_w=3_000, wants={"car": 6_000, "heater": 2_000}))
    loop.run(3, BREAKER, SELF_USE)
    loop.run(5, BREAKER, SELF_USE, limit(5_000, target=LOADS))
    power = loop.plant.power
    assert 400 + power["car"] + power["heater"] + max(power["battery"], 0) <= 5_000
    loop = Loop(Plant(base_w=4_000, sun_w=3_000))
    loop.run(3, BREAKER, SELF_USE)
    loop.run(5, BREAKER, SELF_USE, limit(lower_w=-2_500, target=GENERATION))
    power = loop.plant.power
    assert power["pv"] + min(power["battery"], 0) >= -2_500


def test_self_consumption_evens_out_the_house_and_not_the_car() -> None:
    loop = Loop(Plant(specs=(METER, PV, BATTERY, CAR), base_w=700, wants={"car": 3_000}))
    assert loop.run(3, BREAKER, SELF_USE)[-1] == pytest.approx(3_000, abs=25)
    loop.plant.sun_w = 2_700.0
    loop.run(3, BREAKER, SELF_USE)
    assert loop.plant.power["battery"] == 0  # the sun goes into the car first
    loop.plant.wants["car"] = 0.0
    assert loop.run(3, BREAKER, SELF_USE)[-1] == pytest.approx(0, abs=25)
    assert loop.plant.power["battery"] == pytest.approx(2_000, abs=25)


def test_a_battery_stops_at_its_reserve_and_the_loads_follow() -> None:
    loop = Loop(Plant(wants=dict(BUSY), soc=0.105, capacity_wh=2_000))
    trace = loop.run(60, BREAKER, limit(1_500))
    assert max(trace) <= 1_500
    assert loop.plant.soc == pytest.approx(0.1, abs=0.002)


def test_a_battery_that_falls_short_is_taken_at_what_it_does() -> None:
    class Weak(Plant):
        def step(self, dt_s: float = 1.0) -> None:
            super().step(dt_s)
            self.power["battery"] = max(self.power["battery"], -1_000.0)

    loop = Loop(Weak(wants=dict(BUSY)))
    trace = loop.run(60, BREAKER, limit(1_500))
    assert max(trace[8:]) <= 1_500


@pytest.mark.requirement("BUC-7")
def test_a_more_essential_load_comes_back_before_the_car_has_its_room() -> None:
    heater = replace(HEATER, essentiality=7, max_w=3_000)
    loop = Loop(
        Plant(
            specs=(METER, replace(CAR, essentiality=5), heater),
            base_w=800,
            wants={"car": 7_400.0, "heater": 3_000.0},
            ramps={"car": 500.0},
        )
    )
    loop.run(10, BREAKER, limit(4_000))
    assert loop.plant.power["heater"] == 3_000
    loop.plant.base_w = 1_500.0
    loop.run(2, BREAKER, limit(4_000))
    loop.plant.base_w = 800.0
    trace = loop.run(50, BREAKER, limit(4_000))
    assert loop.plant.power["heater"] == 0
    assert loop.plant.power["car"] > 1_380  # meanwhile it is the car's
    trace += loop.run(50, BREAKER, limit(4_000))
    assert loop.plant.power["heater"] == 3_000
    assert max(trace[5:]) <= 4_000  # it waits for the car to have obeyed


@pytest.mark.requirement("BUC-7")
def test_only_an_emergency_uses_the_reserve() -> None:
    def after(rank: Rank) -> float:
        loop = Loop(Plant(specs=(METER, BATTERY), base_w=3_000, soc=0.09))
        loop.run(5, BREAKER, SELF_USE, limit(1_000, rank=rank))
        return loop.plant.power["battery"]

    assert after(Rank.ACCEPTED) == 0.0
    assert after(Rank.BINDING) == 0.0
    assert after(Rank.EMERGENCY) == pytest.approx(-2_060, abs=25)  # and not for self-consumption


def test_a_restarted_hub_keeps_what_it_finds_and_gives_it_back_in_turn() -> None:
    loop = busy(soc=0.05)
    loop.run(3, BREAKER, limit(600))
    image = loop.plant.image()
    assert image.devices["heater"].reading is not None
    again = Loop(loop.plant, memory=Memory())
    found = {d: s.power_w for d, s in loop.plant.told.items() if isinstance(s, Setpoint)}
    original = loop.plant.image

    def reporting() -> object:
        image = original()
        devices = {
            d: replace(s, reading=replace(s.reading, limit_w=found.get(d)))
            if s.reading is not None and s.spec.control is not Control.NONE
            else s
            for d, s in image.devices.items()
        }
        return replace(image, devices=devices)

    loop.plant.image = reporting  # type: ignore[assignment, method-assign]
    again.run(10, BREAKER)
    assert all(loop.plant.power[d] == 0 for d in BUSY)


@pytest.mark.requirement("ROLE-CEM")
def test_driving_lapses_soon_and_restricting_lasts_to_the_end_of_its_cause() -> None:
    loop = busy()
    made = loop.decide(BREAKER, limit(-2_000, ends_at=T0 + 120))
    battery, car = made.orders["battery"].setpoint, made.orders["car"].setpoint
    assert battery is not None
    assert battery.lapse_s == 30
    assert car is not None
    assert 120 <= car.lapse_s <= 130
    long = busy().decide(BREAKER, limit(-2_000, ends_at=float("inf")))
    assert long.orders["car"].setpoint is not None
    assert long.orders["car"].setpoint.lapse_s == 900
    assert made.orders["car"].cause == "E1"


def test_set_points_are_refreshed_each_third_of_their_lapse() -> None:
    loop = busy()
    loop.run(4, BREAKER, limit(-2_000))
    loop.writes = 0
    loop.run(30, BREAKER, limit(-2_000))
    assert loop.writes == 3  # the battery alone


def test_the_owner_stops_a_load_and_an_event_beats_a_wish() -> None:
    stop = Proposal("owner", Rank.OWNER, "heater", Bounds(upper_w=0), None, T0 + 600)
    keep = Proposal("owner", Rank.OWNER, "heater", Bounds(lower_w=2_000), None, T0 + 600)
    loop = busy(soc=0.0)
    loop.run(3, BREAKER, stop)
    assert loop.plant.power["heater"] == 0
    loop = busy(soc=0.0)
    loop.run(3, BREAKER, keep, limit(600))
    assert loop.plant.power["heater"] == 0
    loop = busy(soc=0.0)
    loop.run(3, BREAKER, keep, limit(600, rank=Rank.ECONOMY))
    assert loop.plant.power["heater"] == 2_000
    assert HOME == "home"


@pytest.mark.requirement("BUC-11")
@pytest.mark.parametrize(("rank", "soc"), [(Rank.BINDING, 0.8), (Rank.OWNER, 0.8)])
def test_a_weaker_wish_about_a_battery_gives_way_only_where_nothing_else_is_left(
    rank: Rank, soc: float
) -> None:
    rest = limit(0, 0, rank, "battery", source="disconnect")
    breaker = limit(6_000, -6_000, Rank.SAFETY, source="main-breaker")
    loop = busy(soc=soc)
    trace = loop.run(10, breaker, rest)
    assert loop.plant.power["battery"] == 0  # the car is turned down instead
    assert max(trace) <= 6_000
    loop.plant.base_w = 7_000.0
    trace = loop.run(10, breaker, rest)
    assert all(loop.plant.power[d] == 0 for d in BUSY)
    assert loop.plant.power["battery"] < -1_000
    assert max(trace) <= 6_000


@pytest.mark.requirement("BUC-1")
def test_two_batteries_share_what_is_needed_in_proportion() -> None:
    small = replace(BATTERY, id="small", min_w=-1_000, max_w=1_000)
    loop = Loop(Plant(specs=(METER, BATTERY, small), base_w=4_450))
    loop.run(3, BREAKER, limit(1_500))
    assert loop.plant.power == {"meter": 0.0, "battery": -2_500, "small": -500}


@pytest.mark.requirement("BUC-1")
def test_a_thermostat_that_calls_in_the_event_does_not_break_the_limit() -> None:
    loop = Loop(Plant(specs=(METER, HEATER), base_w=1_000))
    trace = loop.run(5, BREAKER, limit(1_500))
    loop.plant.wants["heater"] = 2_000.0
    trace += loop.run(5, BREAKER, limit(1_500))
    assert max(trace) <= 1_500
