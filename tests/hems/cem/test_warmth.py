"""Comfort: what is too cold is given back first and taken away last, and does not chatter."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.model import (
    Comfort,
    Control,
    DeviceKind,
    DeviceSpec,
    DeviceState,
    Quality,
    Reading,
)
from hems.cem.warmth import uncomfortable
from hems.image import Image
from programs import warmth
from programs.inputs import Inputs
from programs.proposal import Bounds, Proposal, Rank
from tests.hems.cem.plant import BREAKER, METER, T0, Loop, Plant, limit

TANK = DeviceSpec(
    "tank",
    DeviceKind.WATER_HEATER,
    "",
    Control.SWITCH,
    0,
    2_000,
    essentiality=1,
    comfort=Comfort(45, 60),
)
OVEN = DeviceSpec("oven", DeviceKind.HEAT_PUMP, "", Control.SWITCH, 0, 2_000, essentiality=8)
COOLER = replace(TANK, comfort=Comfort(18, 26, cools=True))
COLD = limit(lower_w=2_000, rank=Rank.OWNER, target="tank", source="warmth")


def image(spec: DeviceSpec, temp_c: float | None, quality: Quality = Quality.GOOD) -> Image:
    return Image(T0, 1, {spec.id: DeviceState(spec, Reading(T0, 0.0, temp_c=temp_c), quality)})


@pytest.mark.requirement("ROLE-DEM")
@pytest.mark.parametrize(
    ("spec", "temp_c", "quality", "was", "now"),
    [
        (TANK, 45.0, Quality.GOOD, False, True),
        (TANK, 45.1, Quality.GOOD, False, False),
        (TANK, 45.9, Quality.GOOD, True, True),
        (TANK, 46.0, Quality.GOOD, True, False),
        (TANK, None, Quality.GOOD, True, True),
        (TANK, None, Quality.GOOD, False, False),
        (TANK, 40.0, Quality.STALE, False, True),
        (TANK, 40.0, Quality.ASLEEP, False, True),
        (TANK, 40.0, Quality.LOST, True, False),
        (COOLER, 26.0, Quality.GOOD, False, True),
        (COOLER, 25.1, Quality.GOOD, True, True),
        (COOLER, 25.0, Quality.GOOD, True, False),
        (replace(TANK, comfort=Comfort(45, 46)), 45.6, Quality.GOOD, True, False),
        (replace(TANK, comfort=None), 5.0, Quality.GOOD, True, False),
    ],
)
def test_rows(
    spec: DeviceSpec, temp_c: float | None, quality: Quality, *, was: bool, now: bool
) -> None:
    before = frozenset({"tank"}) if was else frozenset()
    assert uncomfortable(image(spec, temp_c, quality), before, 1.0) == (
        {"tank"} if now else frozenset()
    )


@given(st.lists(st.floats(40, 50), min_size=2, max_size=50))
def test_it_changes_its_mind_only_where_the_temperature_crossed_the_band(
    temps: list[float],
) -> None:
    out: frozenset[str] = frozenset()
    seen = []
    for temp_c in temps:
        out = uncomfortable(image(TANK, temp_c), out, 1.0)
        seen.append((temp_c, bool(out)))
        assert out or temp_c > 45
        assert not out or temp_c < 46
    for (_, before), (temp_c, after) in pairwise(seen):
        if before is not after:
            assert temp_c <= 45 if after else temp_c >= 46


def home(*specs: DeviceSpec, wants: dict[str, float] | None = None) -> Loop:
    wanted = wants or {"tank": 2_000.0, "oven": 2_000.0}
    return Loop(Plant(specs=(METER, *specs), base_w=500, wants=wanted))


@pytest.mark.requirement("ROLE-DEM")
@pytest.mark.parametrize(
    ("asked", "tank", "oven"),
    [
        ((limit(3_000, rank=Rank.BINDING),), False, True),  # the less essential goes
        ((limit(3_000, rank=Rank.BINDING), COLD), True, False),  # but not while it is cold
        ((limit(1_000, rank=Rank.BINDING), COLD), False, False),  # nothing else can meet it
        ((limit(3_000, rank=Rank.EMERGENCY), COLD), False, True),  # comfort gives way
        ((limit(1_000, rank=Rank.ECONOMY), COLD), True, False),  # what pays does not reach it
        ((limit(0, rank=Rank.ECONOMY, target="tank"), COLD), True, True),
        ((limit(0, rank=Rank.OWNER, target="tank", source="owner"), COLD), False, True),
        ((limit(0, rank=Rank.ACCEPTED, target="tank"), COLD), False, True),
    ],
)
def test_who_is_taken_away(asked: tuple[Proposal, ...], *, tank: bool, oven: bool) -> None:
    loop = home(TANK, OVEN)
    loop.run(3, BREAKER)
    loop.run(5, BREAKER, *asked)
    assert (loop.plant.power["tank"] > 0, loop.plant.power["oven"] > 0) == (tank, oven)


@pytest.mark.requirement("ROLE-DEM")
def test_a_cold_tank_takes_the_place_of_what_is_warm_once_and_stays() -> None:
    loop = home(TANK, OVEN)
    event = limit(3_000, rank=Rank.BINDING, ends_at=T0 + 7_200)
    loop.run(20, BREAKER, event)
    assert loop.plant.power["tank"] == 0
    changes: list[tuple[bool, bool]] = []
    for second in range(300):
        cold = [replace(COLD, expires_at=T0 + 7_200)] if second < 60 else []  # then it is warm
        loop.run(1, BREAKER, event, *cold)
        on = (loop.plant.power["tank"] > 0, loop.plant.power["oven"] > 0)
        if not changes or changes[-1] != on:
            changes.append(on)
        assert loop.plant.net_w <= 3_000
    assert changes[-1] == (True, False)
    assert changes in ([(False, False), (True, False)], [(True, False)])


@pytest.mark.requirement("ROLE-DEM")
def test_a_cold_tank_keeps_to_its_minimum_times() -> None:
    tank = replace(TANK, min_off_s=60)
    loop = home(tank, OVEN)
    event = limit(3_000, rank=Rank.BINDING, ends_at=T0 + 7_200)
    loop.run(5, BREAKER, event)
    off_at = loop.memory.devices["tank"].changed_at
    while loop.plant.power["tank"] == 0:
        loop.run(1, BREAKER, event, COLD)
    assert loop.plant.at - off_at >= 60


@pytest.mark.requirement("ROLE-DEM")
@given(st.floats(10, 40), st.floats(46.0, 59))
def test_economy_never_holds_a_heater_below_its_comfort(cold_c: float, warm_c: float) -> None:
    pays = limit(0, rank=Rank.ECONOMY, target="tank", source="tariff")
    loop = home(TANK)
    out: frozenset[str] = frozenset()
    for temp_c, heated in ((warm_c, False), (cold_c, True), (45.5, True), (warm_c, False)):
        loop.plant.at += 100.0
        out = uncomfortable(image(TANK, temp_c), out, 1.0)
        inputs = Inputs([], loop.plant.image().devices, 0.0, loop.plant.at, out)
        asked = warmth.propose(inputs, warmth.WarmthPolicy())
        assert all(p.bounds == Bounds(lower_w=2_000) for p in asked)
        loop.run(2, BREAKER, pays, *asked)
        assert (loop.plant.power["tank"] > 0) is heated
