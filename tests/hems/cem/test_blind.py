"""Devices that cannot be read: what holds them is renewed, and nothing is loosened."""

from dataclasses import replace
from itertools import pairwise

import pytest

from der.model import DeviceSpec, Ownership, Quality, Setpoint
from hems.cem.allocator import allocate
from hems.cem.arbiter import arbitrate
from hems.cem.blind import KEPT
from hems.cem.memory import Memory
from hems.cem.orders import Order
from hems.cem.policy import AllocatorPolicy
from hems.image import Image
from programs.inputs import Inputs
from programs.proposal import GENERATION, Proposal, Rank
from programs.safety import SafetyPolicy, propose
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

TWO_HOURS = limit(1_500, ends_at=T0 + 7_200)


@pytest.mark.requirement("BUC-1")
@pytest.mark.parametrize(("device", "want_w"), [("heater", 2_000.0), ("car", 7_000.0)])
def test_a_load_that_is_held_and_then_lost_stays_held_for_two_hours(
    device: str, want_w: float
) -> None:
    spec = HEATER if device == "heater" else CAR
    loop = Loop(Plant(specs=(METER, spec), base_w=900, wants={device: want_w}))
    loop.run(10, TWO_HOURS, BREAKER)
    assert loop.plant.power[device] == 0.0
    loop.plant.lost = {device}
    written = [loop.plant.at]
    while loop.plant.at < T0 + 7_200 - 1:
        order = loop.decide(TWO_HOURS, BREAKER).orders[device]
        if order.write:
            assert order.refresh
            assert order.setpoint is not None
            assert order.setpoint.power_w == 0.0
            written.append(loop.plant.at)
        loop.plant.step()
    gaps = [b - a for a, b in pairwise(written)]
    assert 10 <= len(gaps) < 60
    assert max(gaps) <= 300
    assert device not in loop.decide(BREAKER).orders  # after it, what it was told lapses


@pytest.mark.requirement("BUC-1")
@pytest.mark.parametrize(
    ("base_w", "held"),
    [(900.0, True), (300.0, False)],
    ids=["its own draw breaks the limit", "the limit is kept with it"],
)
def test_an_event_that_begins_while_a_load_cannot_be_read(base_w: float, *, held: bool) -> None:
    wants = {"heater": 1_000.0}
    loop = Loop(Plant(specs=(METER, HEATER), base_w=base_w, wants=wants))
    loop.run(3, BREAKER)
    loop.plant.lost = {"heater"}
    loop.run(20, TWO_HOURS, BREAKER)
    assert loop.plant.power["heater"] == (0.0 if held else 1_000.0)
    assert loop.plant.net_w <= 1_500


def test_a_wish_about_a_lost_load_itself_is_obeyed() -> None:
    loop = Loop(Plant(specs=(METER, HEATER), wants={"heater": 2_000}))
    loop.run(3, BREAKER)
    loop.plant.lost = {"heater"}
    made = loop.decide(limit(0.0, target="heater", rank=Rank.EMERGENCY), BREAKER)
    assert made.orders["heater"].setpoint == Setpoint(0.0, 607.0)


@pytest.mark.requirement("BUC-11")
@pytest.mark.parametrize(
    ("wish", "floor_w"),
    [
        (limit(lower_w=-1_000), -950),
        (limit(lower_w=-1_000, target=GENERATION), -950),
        (limit(lower_w=-9_000), None),
    ],
)
def test_an_inverter_that_cannot_be_read_keeps_to_the_limit_as_if_the_house_drew_nothing(
    wish: Proposal, floor_w: float | None
) -> None:
    loop = Loop(Plant(specs=(METER, PV), base_w=400, sun_w=4_000))
    loop.run(3, BREAKER)
    loop.plant.lost = {"pv"}
    for _ in range(700):
        order = loop.decide(wish, BREAKER).orders.get("pv")
        told_w = None if order is None or order.setpoint is None else order.setpoint.power_w
        assert told_w == (None if loop.plant.at >= T0 + 600 else floor_w)
        loop.plant.step()


def test_a_floor_found_stricter_is_not_loosened_blindly() -> None:
    loop = Loop(Plant(specs=(METER, PV), base_w=0, sun_w=4_000))
    loop.run(3, limit(lower_w=-500))
    loop.plant.lost = {"pv"}
    order = loop.decide(limit(lower_w=-3_000)).orders["pv"]
    assert order.setpoint is not None
    assert order.setpoint.power_w == -450


def _battery_order(
    quality: Quality, *wishes: Proposal, net_w: float = 100.0, spec: DeviceSpec = BATTERY
) -> Order | None:
    plant = Plant(specs=(METER, spec), base_w=net_w)
    memory = Memory().confirmed("battery", Setpoint(-2_000, 30), T0 - 12)
    shown = dict(plant.image().devices)
    shown["battery"] = replace(shown["battery"], quality=quality)
    image = Image(T0, 1, shown)
    made = allocate(image, arbitrate(wishes, T0), T0, memory, AllocatorPolicy())
    return made.orders.get("battery")


@pytest.mark.parametrize(
    ("spec", "tight", "loose", "told_w"),
    [
        (CAR, limit(2_500), limit(4_500), 1_700.0),
        (PV, limit(lower_w=-500), limit(lower_w=-3_000), -1_200.0),
    ],
    ids=["a charger", "an inverter"],
)
def test_what_was_decided_and_refused_is_not_told_once_nobody_reckons_with_it(
    spec: DeviceSpec, tight: Proposal, loose: Proposal, told_w: float
) -> None:
    """A device that is about to obey at last gets no more than it had confirmed."""
    loop = Loop(Plant(specs=(METER, spec), base_w=750, sun_w=4_000, wants={"car": 7_000}))
    loop.run(100, tight)
    assert loop.plant.power[spec.id] == told_w
    memory = loop.memory
    for _ in range(100):
        plant = loop.plant
        made = allocate(plant.image(), arbitrate((loose,), plant.at), plant.at, memory, loop.policy)
        memory = made.memory  # and what was decided is refused
        plant.step()
    order = made.orders[spec.id].setpoint
    assert order is not None
    assert abs(order.power_w) > abs(told_w) + 500.0, "it was decided"
    loop.memory = memory
    loop.plant.lost = {spec.id}
    order = loop.decide(loose).orders[spec.id].setpoint
    assert order is not None
    assert order.power_w == told_w


def test_a_silent_battery_keeps_its_drive_and_a_lost_one_lets_it_lapse() -> None:
    order = _battery_order(Quality.STALE, SELF_USE, BREAKER)
    assert order is not None
    assert (order.setpoint, order.write, order.refresh) == (Setpoint(-2_000, 30), True, True)
    assert order.reason == KEPT
    assert _battery_order(Quality.LOST, SELF_USE, BREAKER) is None


@pytest.mark.parametrize(
    ("wish", "net_w", "told_w"),
    [
        (limit(lower_w=-500), -900.0, 0.0),
        (limit(lower_w=-500), 900.0, -2_000.0),
        (limit(500), 900.0, -2_000.0),
        (limit(lower_w=0.0, target="battery"), 900.0, 0.0),
    ],
)
def test_a_silent_battery_is_not_kept_at_what_breaks_a_limit(
    wish: Proposal, net_w: float, told_w: float
) -> None:
    order = _battery_order(Quality.STALE, wish, BREAKER, net_w=net_w)
    assert order is not None
    assert order.setpoint is not None
    assert order.setpoint.power_w == told_w


@pytest.mark.requirement("L1-OWNER")
@pytest.mark.parametrize(
    ("rank", "told_w"),
    [(Rank.ECONOMY, None), (Rank.BINDING, None), (Rank.EMERGENCY, -2_000.0)],
)
def test_a_silent_battery_of_others_is_kept_for_an_emergency_alone(
    rank: Rank, told_w: float | None
) -> None:
    theirs = replace(BATTERY, ownership=Ownership.OTHER)
    order = _battery_order(
        Quality.STALE, limit(500.0, rank=rank), BREAKER, net_w=400.0, spec=theirs
    )
    setpoint = None if order is None else order.setpoint
    assert (None if setpoint is None else setpoint.power_w) == told_w


@pytest.mark.parametrize("limit_w", [5_000.0, 8_000.0, 12_000.0])
def test_a_meter_that_never_answered_is_taken_at_its_worst_under_any_limit(limit_w: float) -> None:
    """Even where the home keeps to less than that, because its meter is lost."""
    plant = Plant(wants={"heater": 2_000, "car": 7_000})
    plant.lost = {"meter"}
    shown = dict(plant.image().devices)
    shown["meter"] = replace(shown["meter"], reading=None)
    image = Image(T0, 1, shown)
    blind = propose(Inputs([], shown, None, T0), SafetyPolicy())
    decision = arbitrate([*blind, limit(limit_w, rank=Rank.BINDING)], T0)
    made = allocate(image, decision, T0, Memory(), AllocatorPolicy())
    for load in ("heater", "car"):
        setpoint = made.orders[load].setpoint
        assert setpoint is not None
        assert setpoint.power_w == 0


RESTS = limit(target="battery", rank=Rank.OWNER, preferred_w=0.0)
DRIVEN = limit(-2_000, -2_000, Rank.OWNER, "battery", preferred_w=-2_000.0)


@pytest.mark.parametrize(
    ("wishes", "net_w", "told_w"),
    [
        # Told to give 2 kW: not into the grid, once nobody wants that.
        ((SELF_USE, BREAKER), -1_700.0, -300.0),
        ((BREAKER,), -2_500.0, 0.0),
        ((BREAKER,), 400.0, -2_000.0),
        ((DRIVEN, SELF_USE, BREAKER), -1_700.0, -2_000.0),
        ((RESTS, SELF_USE, BREAKER), 400.0, 0.0),
        # What a limit needs is left of it.
        ((RESTS, limit(900.0), BREAKER), 400.0, -1_550.0),
        ((RESTS, limit(300.0), BREAKER), 400.0, -2_000.0),
    ],
)
def test_a_silent_battery_is_not_kept_at_what_nobody_wants(
    wishes: tuple[Proposal, ...], net_w: float, told_w: float
) -> None:
    order = _battery_order(Quality.STALE, *wishes, net_w=net_w)
    assert order is not None
    assert order.setpoint is not None
    assert order.setpoint.power_w == told_w


@pytest.mark.parametrize("device", ["heater", "car", "pv", "battery"])
def test_without_a_limit_a_lost_device_is_told_nothing(device: str) -> None:
    loop = Loop(Plant(sun_w=3_000, wants={"heater": 2_000, "car": 4_000}))
    loop.run(3, BREAKER, SELF_USE)
    loop.plant.lost = {device}
    assert device not in loop.decide(BREAKER, SELF_USE).orders
