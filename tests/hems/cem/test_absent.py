"""Devices that cannot be counted on, at worst: as a table, and in a home."""

from dataclasses import replace

import pytest

from der.model import DeviceSpec, DeviceState, Quality, Reading, Setpoint, Sleep
from hems.cem.absent import absent
from hems.cem.allocator import allocate
from hems.cem.arbiter import arbitrate
from hems.cem.memory import Memory
from hems.cem.policy import AllocatorPolicy
from hems.image import Image
from programs.proposal import Rank
from tests.hems.cem.plant import (
    BATTERY,
    BREAKER,
    CAR,
    HEATER,
    METER,
    PV,
    T0,
    Loop,
    Plant,
    limit,
)

GONE = (Quality.STALE, Quality.LOST, Quality.ASLEEP)


@pytest.mark.requirement("ROLE-CEM")
@pytest.mark.parametrize("quality", GONE)
@pytest.mark.parametrize(
    ("spec", "last_w", "told", "age_s", "rise_w", "fall_w"),
    [
        (HEATER, 0.0, None, 0.0, 2_000, 0),  # under no set-point: all that it can
        (HEATER, 1_500.0, None, 0.0, 500, 0),
        (HEATER, 0.0, Setpoint(0.0, 900), 100.0, 0, 0),  # it holds what it was told
        (HEATER, 0.0, Setpoint(0.0, 900), 895.0, 2_000, 0),  # which is about to lapse
        (HEATER, 0.0, Setpoint(2_000, 900), 1.0, 2_000, 0),
        (CAR, 3_000.0, Setpoint(3_000, 900), 1.0, 0, 0),
        (CAR, 1_000.0, Setpoint(3_000, 900), 1.0, 2_000, 0),
        (CAR, 3_000.0, Setpoint(3_000, 900), 900.0, 4_400, 0),
        (PV, -1_000.0, None, 0.0, 0, 4_000),
        (PV, -1_000.0, Setpoint(-1_500, 900), 1.0, 0, 500),
        (BATTERY, -2_000.0, Setpoint(-2_000, 30), 1.0, 0, 0),
        (BATTERY, 0.0, Setpoint(3_000, 30), 1.0, 3_000, 0),  # it may yet obey
        (BATTERY, 0.0, Setpoint(-3_000, 30), 1.0, 0, 3_000),
        (BATTERY, -2_000.0, Setpoint(-2_000, 30), 31.0, 0, 0),  # its own control, as the meter sees
        (METER, 500.0, None, 0.0, 0, 0),
    ],
)
def test_rows(
    spec: DeviceSpec,
    last_w: float,
    told: Setpoint | None,
    *,
    age_s: float,
    rise_w: float,
    fall_w: float,
    quality: Quality,
) -> None:
    memory = Memory()
    if told is not None:
        memory = memory.confirmed(spec.id, told, T0 - age_s)
    image = Image(T0, 1, {spec.id: DeviceState(spec, Reading(T0 - 9, last_w), quality)})
    found = absent(image, memory, T0, AllocatorPolicy())
    assert (found.rise_w, found.fall_w) == (rise_w, fall_w)


def test_what_answers_or_never_did_is_not_reckoned() -> None:
    states = {
        "heater": DeviceState(HEATER, Reading(T0, 0.0), Quality.GOOD),
        "car": DeviceState(CAR, None, Quality.LOST),
    }
    found = absent(Image(T0, 1, states), Memory(), T0, AllocatorPolicy())
    assert (found.rise_w, found.fall_w) == (0.0, 0.0)


@pytest.mark.requirement("BUC-1")
def test_room_is_kept_for_a_lost_load_that_may_start() -> None:
    loop = Loop(Plant(specs=(METER, HEATER, CAR), base_w=500, wants={"car": 7_000.0}))
    event = limit(5_000)
    loop.run(30, BREAKER, event)
    assert loop.plant.power["car"] > 4_000
    loop.plant.lost.add("heater")
    loop.run(30, BREAKER, event)
    assert 0 < loop.plant.power["car"] <= 5_000 - 500 - HEATER.max_w
    loop.plant.wants["heater"] = 2_000
    assert max(loop.run(30, BREAKER, event)) <= 5_000


@pytest.mark.requirement("BUC-11")
def test_generation_is_held_back_for_a_lost_inverter_that_may_give_more() -> None:
    other = replace(PV, id="shed")
    loop = Loop(Plant(specs=(METER, PV, other), base_w=0, sun_w=1_000))
    event = limit(lower_w=-3_000)
    loop.run(5, BREAKER, event)
    loop.plant.lost.add("shed")
    loop.run(10, BREAKER, event)
    loop.plant.sun_w = 5_000
    assert min(loop.run(10, BREAKER, event)) >= -3_000


SLEEPER = replace(HEATER, sleep=Sleep(period_s=600, awake_s=2))


def decide(memory: Memory, reading_w: float, *asked: float, net_w: float = 1_000.0) -> float | None:
    """Return what a sleeping heater is told in W; None for nothing."""
    states = {
        "meter": DeviceState(METER, Reading(T0, net_w), Quality.GOOD),
        "heater": DeviceState(SLEEPER, Reading(T0 - 90, reading_w), Quality.ASLEEP),
    }
    wishes = [BREAKER, *(limit(w, rank=Rank.BINDING, ends_at=T0 + 7_200) for w in asked)]
    made = allocate(Image(T0, 1, states), arbitrate(wishes, T0), T0, memory, AllocatorPolicy())
    order = made.orders.get("heater")
    if order is None or not order.write:
        return None
    return None if order.setpoint is None else order.setpoint.power_w


@pytest.mark.requirement("L1-PRIVILEGE")
def test_a_sleeping_load_is_told_in_time_that_it_must_not_start() -> None:
    assert decide(Memory(), 0.0, 4_000) is None  # its full power fits
    assert decide(Memory(), 0.0, 2_000) == 0.0  # it does not, and it would hear of it too late


@pytest.mark.requirement("L1-PRIVILEGE")
def test_a_sleeping_load_is_given_back_when_it_may_run_again() -> None:
    memory = Memory().confirmed("heater", Setpoint(0.0, 900), T0 - 60)
    states = {
        "meter": DeviceState(METER, Reading(T0, 500.0), Quality.GOOD),
        "heater": DeviceState(SLEEPER, Reading(T0 - 90, 0.0), Quality.ASLEEP),
    }
    image = Image(T0, 1, states)
    order = allocate(image, arbitrate([BREAKER], T0), T0, memory, AllocatorPolicy()).orders[
        "heater"
    ]
    assert (order.setpoint, order.write) == (None, True)


@pytest.mark.requirement("L1-PRIVILEGE")
def test_what_a_sleeping_load_is_told_outlasts_two_wakes() -> None:
    states = {
        "meter": DeviceState(METER, Reading(T0, 1_000.0), Quality.GOOD),
        "heater": DeviceState(SLEEPER, Reading(T0 - 90, 0.0), Quality.ASLEEP),
    }
    event = limit(2_000, rank=Rank.BINDING, ends_at=T0 + 7_200)
    made = allocate(
        Image(T0, 1, states), arbitrate([BREAKER, event], T0), T0, Memory(), AllocatorPolicy()
    )
    setpoint = made.orders["heater"].setpoint
    assert setpoint is not None
    assert setpoint.lapse_s == 3 * 602
