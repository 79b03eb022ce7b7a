"""The allocator where something is missing: a meter, a device, or the hub itself."""

from dataclasses import replace
from itertools import pairwise

import pytest

from programs import safety
from programs.inputs import Inputs
from programs.proposal import Proposal, Rank
from tests.hems.cem.plant import (
    BATTERY,
    BREAKER,
    CAR,
    HEATER,
    METER,
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
def test_a_lost_load_counts_where_the_meter_sees_it() -> None:
    loop = Loop(
        Plant(specs=(METER, HEATER, CAR), base_w=500, wants={"car": 3_000, "heater": 2_000})
    )
    loop.run(2, BREAKER)
    loop.plant.lost.add("car")
    made = loop.decide(BREAKER, limit(4_000))
    assert "car" not in made.orders
    loop.plant.step()
    assert loop.plant.net_w == 3_500


def without_a_meter(loop: Loop, seconds: int, *asked: Proposal) -> list[float]:
    """Run with what safety says of a home whose meter is lost; return the battery's powers."""
    loop.plant.lost.add("meter")
    powers = []
    for _ in range(seconds):
        devices = {
            name: replace(state, setpoint=loop.plant.told.get(name))
            for name, state in loop.plant.image().devices.items()
        }
        careful = safety.propose(
            Inputs([], devices, None, loop.plant.at), safety.SafetyPolicy(25, 230, 1)
        )
        loop.run(1, *careful, *asked)
        powers.append(loop.plant.power.get("battery", 0.0))
    return powers


@pytest.mark.requirement("BUC-1")
def test_a_lost_meter_raises_nothing() -> None:
    loop = busy()
    loop.run(5, BREAKER, limit(1_500))
    assert loop.plant.power["battery"] < -2_000
    powers = without_a_meter(loop, 30, SELF_USE, limit(1_500))
    assert powers[-1] == 0  # the loads went, so it need not go on
    assert loop.plant.net_w <= 1_500  # the last known base says what else must go


@pytest.mark.requirement("ROLE-SM")
@pytest.mark.parametrize(("base_w", "starts"), [(2_000.0, False), (500.0, True)])
def test_without_its_meter_a_home_keeps_to_half_of_what_its_breaker_carries(
    base_w: float, *, starts: bool
) -> None:
    """A heater whose thermostat calls meanwhile starts only where that half has room for it."""
    loop = Loop(Plant(specs=(METER, HEATER), base_w=base_w))
    loop.run(3, BREAKER)
    loop.plant.lost.add("meter")
    loop.plant.wants["heater"] = 2_000
    without_a_meter(loop, 20)
    assert (loop.plant.power["heater"] > 0) is starts
    assert loop.plant.net_w <= 25 * 230 / 2


@pytest.mark.requirement("BUC-11")
@pytest.mark.parametrize("asked", [(), (limit(2_000),)])
def test_a_battery_that_carries_a_limit_goes_on_while_the_meter_is_lost(
    asked: tuple[Proposal, ...],
) -> None:
    breaker = limit(5_750, -5_750, Rank.SAFETY, source="main-breaker", ends_at=T0 + 1e9)
    loop = Loop(Plant(base_w=5_500, wants={"heater": 2_000}, capacity_wh=1e6))
    loop.run(3, breaker, *asked)
    if not asked:
        loop.plant.base_w = 9_000
        loop.run(3, breaker)
    before_w = loop.plant.power["battery"]
    assert before_w < -3_000
    powers = [before_w, *without_a_meter(loop, 60, SELF_USE, *asked)]
    assert loop.plant.power["heater"] == 0.0  # what can be shed goes first
    assert loop.plant.net_w <= (2_000 if asked else 5_750)
    assert all(after >= before for before, after in pairwise(powers))  # only ever towards 0


@pytest.mark.requirement("BUC-1")
def test_loads_make_room_before_a_lost_battery_lapses() -> None:
    loop = Loop(Plant(specs=(METER, BATTERY, CAR), base_w=500, wants={"car": 3_000.0}))
    loop.run(10, BREAKER, limit(1_000))
    assert loop.plant.power["battery"] < -2_500
    loop.plant.lost.add("battery")
    lost_at, lapse_s = loop.memory.given["battery"].at, loop.policy.drive_lapse_s
    trace = []
    while loop.plant.at < lost_at + 60:
        if loop.plant.at >= lost_at + lapse_s:
            loop.plant.told["battery"] = None
        trace += loop.run(1, BREAKER, limit(1_000))
    assert max(trace) <= 1_000


@pytest.mark.requirement("ROLE-CEM")
def test_a_free_charger_falls_back_soon_after_the_hub_dies() -> None:
    loop = busy()
    made = loop.decide(BREAKER)
    opened = made.orders["car"].setpoint
    assert opened is not None
    assert opened.power_w == CAR.max_w
    assert opened.lapse_s <= 90
    loop.run(2, BREAKER)
    loop.writes = 0
    loop.run(60, BREAKER)
    assert loop.writes <= 2 + 6  # the charger's and the idle battery's refreshes


def test_without_ever_a_meter_an_event_sheds_all_and_the_breaker_nothing() -> None:
    loop = busy(lost={"meter"})
    loop.run(3, BREAKER)
    assert loop.plant.power["heater"] == 2_000
    loop.run(3, BREAKER, limit(1_500))
    assert all(loop.plant.power[d] == 0 for d in BUSY)
