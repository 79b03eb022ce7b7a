"""Who takes what the sun leaves over, and that battery and car do not fight over it."""

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.cem.memory import DeviceMemory, Memory
from hems.cem.policy import AllocatorPolicy, SurplusFirst
from programs.economy import EconomyPolicy
from programs.economy import propose as economy
from programs.inputs import Inputs
from programs.proposal import Proposal, Rank
from tests.examples import examples
from tests.hems.cem.plant import (
    BATTERY,
    BREAKER,
    CAR,
    HEATER,
    METER,
    PV,
    SELF_USE,
    T0,
    Loop,
    Plant,
    limit,
)

SOLAR = limit(rank=Rank.ECONOMY, target="car", preferred_w=0.0, source="economy", ends_at=T0 + 1e9)
BATTERY_FIRST = AllocatorPolicy(surplus_first=SurplusFirst.BATTERY)
SPECS = (METER, PV, BATTERY, CAR)


def home(sun_w: float, policy: AllocatorPolicy | None = None, **kwargs: float) -> Loop:
    plant = Plant(SPECS, base_w=500.0, sun_w=sun_w, wants={"car": 7_400.0}, **kwargs)  # type: ignore[arg-type]
    return Loop(plant, policy or AllocatorPolicy())


def test_the_plans_word_for_a_car_on_the_sun_is_the_one_that_these_tests_use() -> None:
    devices = Plant(SPECS).image().devices
    (wish,) = economy(Inputs((), devices, 0.0, T0), EconomyPolicy(solar=frozenset({"car"})))
    assert (wish.target, wish.bounds, wish.preferred_w) == ("car", SOLAR.bounds, SOLAR.preferred_w)


@pytest.mark.requirement("ROLE-CEM")
def test_a_car_on_the_sun_starts_after_a_minute_of_enough_and_takes_that() -> None:
    loop = home(1_500.0, soc=0.5)
    loop.run(200, BREAKER, SELF_USE, SOLAR)
    assert loop.plant.power["car"] == 0  # 1 kW is left over: less than 6 A
    loop.plant.sun_w = 4_500.0
    loop.run(50, BREAKER, SELF_USE, SOLAR)
    assert loop.plant.power["car"] == 0
    trace = loop.run(60, BREAKER, SELF_USE, SOLAR)
    assert 3_500 < loop.plant.power["car"] <= 4_000
    assert max(trace[30:]) <= 50  # none of it from the grid


@pytest.mark.requirement("ROLE-CEM")
def test_a_car_on_the_sun_bears_a_cloud_at_its_least_and_then_stops() -> None:
    loop = home(4_500.0, soc=0.5)
    loop.run(120, BREAKER, SELF_USE, SOLAR)
    loop.plant.sun_w = 1_000.0
    loop.run(170, BREAKER, SELF_USE, SOLAR)
    assert loop.plant.power["car"] == CAR.least_on_w
    assert loop.plant.power["battery"] >= -25  # the grid helps, not the battery
    loop.plant.sun_w = 4_500.0
    loop.run(10, BREAKER, SELF_USE, SOLAR)
    loop.plant.sun_w = 1_000.0
    loop.run(170, BREAKER, SELF_USE, SOLAR)
    assert loop.plant.power["car"] == CAR.least_on_w  # the time runs anew
    loop.run(20, BREAKER, SELF_USE, SOLAR)
    assert loop.plant.power["car"] == 0


@pytest.mark.requirement("ROLE-CEM")
@pytest.mark.parametrize(
    ("policy", "battery_w", "car_w"),
    [(AllocatorPolicy(), 0.0, 4_000.0), (BATTERY_FIRST, 3_000.0, 0.0)],
)
def test_the_surplus_goes_to_whom_the_owner_chose_first(
    policy: AllocatorPolicy, battery_w: float, car_w: float
) -> None:
    loop = home(4_500.0, policy, soc=0.5)
    small = replace(BATTERY, max_w=3_000, min_w=-3_000)
    loop.plant.specs = (METER, PV, small, CAR)
    loop.run(200, BREAKER, SELF_USE, SOLAR)
    assert loop.plant.power["car"] == pytest.approx(car_w, abs=220)
    assert loop.plant.power["battery"] == pytest.approx(battery_w, abs=1_100 if car_w == 0 else 250)
    loop.plant.sun_w = 9_000.0
    loop.plant.specs = (METER, replace(PV, min_w=-9_000), small, CAR)
    loop.run(200, BREAKER, SELF_USE, SOLAR)
    assert loop.plant.power["battery"] + loop.plant.power["car"] == pytest.approx(8_500, abs=250)
    if policy is BATTERY_FIRST:
        assert loop.plant.power["battery"] == pytest.approx(3_000, abs=25)


@pytest.mark.requirement("ROLE-CEM")
def test_with_the_battery_first_a_car_that_charges_from_the_grid_leaves_it_the_sun() -> None:
    now = limit(rank=Rank.ECONOMY, target="car", preferred_w=7_400.0, ends_at=T0 + 1e9)
    loop = home(4_500.0, BATTERY_FIRST, soc=0.5)
    loop.run(60, BREAKER, SELF_USE, now)
    assert loop.plant.power["car"] == 7_400
    assert loop.plant.power["battery"] == pytest.approx(4_000, abs=25)
    loop = home(4_500.0, soc=0.5)
    loop.run(60, BREAKER, SELF_USE, now)
    assert loop.plant.power["battery"] == 0


@pytest.mark.requirement("ROLE-CEM")
def test_a_planned_car_has_its_power_from_anywhere_and_more_from_the_sun() -> None:
    planned = limit(rank=Rank.ECONOMY, target="car", preferred_w=2_300.0, ends_at=T0 + 1e9)
    loop = home(0.0, soc=0.5)
    loop.run(60, BREAKER, SELF_USE, planned)
    assert loop.plant.power["car"] == 2_300
    loop.plant.sun_w = 5_000.0
    loop.run(100, BREAKER, SELF_USE, planned)
    assert 4_000 < loop.plant.power["car"] <= 4_500


@pytest.mark.requirement("BUC-11")
def test_a_car_feels_for_sun_that_is_held_back() -> None:
    loop = home(4_500.0, soc=1.0)
    nothing_out = limit(lower_w=0, rank=Rank.BINDING, ends_at=T0 + 1e9)
    loop.run(120, BREAKER, SELF_USE, SOLAR, nothing_out)
    assert loop.plant.power["car"] > 3_000
    assert loop.plant.power["pv"] < -3_500
    loop.plant.sun_w = 0.0
    loop.run(200, BREAKER, SELF_USE, SOLAR, nothing_out)
    assert loop.plant.power["car"] == 0


@pytest.mark.requirement("ROLE-CEM")
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("policy", [AllocatorPolicy(), BATTERY_FIRST])
def test_under_clouds_the_battery_never_feeds_the_car_and_nothing_goes_to_and_fro(
    policy: AllocatorPolicy, seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311 - weather, not a secret
    loop = home(4_500.0, policy, soc=0.5, ramp_w_s=2_000.0)
    starts, fed_s = 0, 0
    for _ in range(40):
        loop.plant.sun_w = rng.choice([800.0, 2_000.0, 4_500.0])
        for _ in range(rng.randint(20, 60)):
            was = loop.plant.power["car"]
            loop.plant.base_w = 500.0 * rng.gauss(1.0, 0.08)
            loop.run(1, BREAKER, SELF_USE, SOLAR)
            starts += was == 0 < loop.plant.power["car"]
            house_w = max(loop.plant.base_w + loop.plant.power["pv"], 0.0)
            fed_s += -loop.plant.power["battery"] > house_w + 250 and loop.plant.power["car"] > 0
    assert starts <= 6  # in about 27 min
    assert fed_s <= 30  # the seconds in which the battery had yet to answer


sources = st.lists(st.sampled_from([SELF_USE, SOLAR, limit(5_000, -2_000)]), unique=True)


@pytest.mark.requirement("ROLE-CEM")
@settings(deadline=None, max_examples=examples(150))
@given(
    st.tuples(st.integers(-2_000, 6_000), st.integers(0, 6_000)),
    st.sampled_from([0.05, 0.5, 1.0]),
    st.sampled_from([0.0, 2_000.0, 7_400.0]),
    sources,
    st.booleans(),
)
def test_what_is_predicted_is_the_base_and_all_that_devices_are_told(
    flows: tuple[int, int], soc: float, car_w: float, asked: list[Proposal], car_first: bool
) -> None:
    policy = AllocatorPolicy() if car_first else BATTERY_FIRST
    base_w, sun_w = flows
    wants = {"car": car_w, "heater": 2_000.0}
    plant = Plant((*SPECS, HEATER), float(base_w), float(sun_w), soc, 1e9, wants)
    loop = Loop(plant, policy)
    for _ in range(4):
        loop.run(1, BREAKER, *asked)
    made = loop.decide(BREAKER, *asked)
    assert made.predicted_net_w is not None
    assert made.base_w == pytest.approx(base_w, abs=0.01)
    before_w = plant.net_w
    plant.step()
    if before_w == pytest.approx(plant.net_w, abs=1.0):  # nothing was still to come
        assert made.predicted_net_w == pytest.approx(plant.net_w, abs=25.0)


strong = st.tuples(st.integers(-3_000, 0), st.integers(500, 6_000))


@pytest.mark.requirement("ROLE-CEM")
@settings(deadline=None, max_examples=examples(150))
@given(strong, st.sampled_from([Rank.EMERGENCY, Rank.BINDING]), st.floats(-8_000, 8_000), sources)
def test_what_pays_never_takes_a_stronger_limit_further_from_being_met(
    edges: tuple[int, int], rank: Rank, weaker_w: float, asked: list[Proposal]
) -> None:
    event = limit(edges[1], edges[0], rank, ends_at=T0 + 1e9)
    weak = limit(
        weaker_w, weaker_w, Rank.ECONOMY, preferred_w=weaker_w, source="z", ends_at=T0 + 1e9
    )

    def beyond_w(*others: Proposal) -> float:
        loop = home(3_000.0, soc=0.5)
        loop.run(4, BREAKER, event, *others)
        return max(loop.plant.net_w - edges[1], edges[0] - loop.plant.net_w, 0.0)

    assert beyond_w(weak, *asked) <= beyond_w() + 1.0


def test_what_is_remembered_of_sun_and_steps_moves_with_the_clock() -> None:
    device = DeviceMemory().lacking(T0, lacks=True)
    memory = Memory({"car": device}, steps=((T0 - 5, 2_000.0),))
    moved = memory.shifted(3_600.0)
    assert moved.devices["car"].lacking_since == T0 + 3_600
    assert moved.steps == ((T0 + 3_595, 2_000.0),)
    assert device.lacking(T0 + 9, lacks=True).lacking_since == T0
    assert device.lacking(T0 + 9, lacks=False).lacking_since is None


@pytest.mark.parametrize("step_s", [3_600.0, -3_600.0])
def test_a_clock_that_is_set_stops_no_car_and_starts_none(step_s: float) -> None:
    loop = home(4_500.0, soc=0.5)
    loop.run(120, BREAKER, SELF_USE, SOLAR)
    before_w = loop.plant.power["car"]
    loop.plant.at += step_s
    loop.memory = loop.memory.shifted(step_s)
    loop.run(30, BREAKER, SELF_USE, SOLAR)
    assert loop.plant.power["car"] == pytest.approx(before_w, abs=220)
    assert math.isfinite(loop.memory.device("car").allowed_w)
