"""Who yields to a limit, by whose device it is."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from der.model import Control, DeviceKind, DeviceSpec, Ownership
from programs.proposal import Proposal, Rank
from tests.examples import examples
from tests.hems.cem.plant import BATTERY, BREAKER, METER, PV, SELF_USE, T0, Loop, Plant, limit

MINE = DeviceSpec("mine", DeviceKind.WATER_HEATER, "", Control.SWITCH, 0, 2_000, essentiality=3)
PROVIDERS = replace(MINE, id="providers", ownership=Ownership.SERVICE_PROVIDER, essentiality=8)
THEIRS = replace(MINE, id="theirs", ownership=Ownership.OTHER, essentiality=0)
WANTS = {"mine": 2_000.0, "providers": 2_000.0, "theirs": 2_000.0}


def street(*specs: DeviceSpec, base_w: float = 500.0) -> Loop:
    return Loop(Plant(specs=(METER, *specs), base_w=base_w, wants=dict(WANTS)))


def on(loop: Loop) -> set[str]:
    return {name for name in WANTS if loop.plant.power.get(name)}


@pytest.mark.requirement("L1-OWNER")
@pytest.mark.parametrize(
    ("limit_w", "rank", "left"),
    [
        (5_000, Rank.ACCEPTED, {"mine", "theirs"}),  # the provider's first, however essential
        (3_000, Rank.BINDING, {"theirs"}),
        (600, Rank.BINDING, {"theirs"}),  # not met, and the tenant's runs all the same
        (3_000, Rank.EMERGENCY, {"theirs"}),
        (600, Rank.EMERGENCY, set()),
        (3_000, Rank.ECONOMY, {"theirs", "providers"}),  # what pays is the owner's affair
    ],
)
def test_who_yields_first(limit_w: float, rank: Rank, left: set[str]) -> None:
    loop = street(MINE, PROVIDERS, THEIRS)
    loop.run(3, BREAKER)
    assert on(loop) == {"mine", "providers", "theirs"}
    loop.run(10, BREAKER, limit(limit_w, rank=rank))
    assert on(loop) == left


@pytest.mark.requirement("L1-OWNER")
def test_after_an_emergency_the_load_of_others_comes_back_first() -> None:
    loop = street(MINE, THEIRS)
    loop.run(3, BREAKER)
    loop.run(10, BREAKER, limit(600, rank=Rank.EMERGENCY))
    assert on(loop) == set()
    back = []
    for _ in range(60):
        loop.run(1, BREAKER, limit(4_000, rank=Rank.BINDING))
        back += [name for name in sorted(on(loop)) if name not in back]
    assert back == ["theirs"]  # a binding limit holds mine off, and does not reach theirs


@pytest.mark.requirement("L1-OWNER")
@settings(deadline=None, max_examples=examples(100))
@given(
    st.integers(-3_000, 9_000),
    st.sampled_from([r for r in Rank if Rank.EMERGENCY < r < Rank.IDLE]),
    st.integers(-2_000, 4_000),
)
def test_nothing_weaker_than_an_emergency_ever_touches_what_is_of_others(
    limit_w: int, rank: Rank, base_w: int
) -> None:
    battery = replace(BATTERY, ownership=Ownership.OTHER)
    roof = replace(PV, ownership=Ownership.OTHER)
    loop = Loop(
        Plant(
            specs=(METER, MINE, THEIRS, battery, roof),
            base_w=base_w,
            sun_w=3_000,
            wants=dict(WANTS),
        )
    )
    for asked in ((BREAKER, SELF_USE), (BREAKER, limit(limit_w, -abs(limit_w), rank=rank))):
        for _ in range(3):
            made = loop.decide(*asked)
            for name in ("theirs", "battery", "pv"):
                assert made.orders[name].setpoint is None
                assert not made.orders[name].write
            loop.plant.step()


@pytest.mark.requirement("L1-OWNER")
@pytest.mark.parametrize(
    ("asked", "driven"),
    [
        (limit(-1_000, rank=Rank.BINDING), False),
        (limit(-1_000, rank=Rank.EMERGENCY), True),
        (limit(9_000, rank=Rank.EMERGENCY), False),
        (limit(lower_w=3_000, rank=Rank.EMERGENCY), True),
        (limit(0, 0, Rank.SAFETY, "battery"), True),
    ],
)
def test_a_battery_of_others_helps_in_an_emergency_and_is_let_go_after(
    asked: Proposal, *, driven: bool
) -> None:
    battery = replace(BATTERY, ownership=Ownership.OTHER)
    loop = Loop(Plant(specs=(METER, battery), base_w=500, capacity_wh=1e6))
    loop.run(2, BREAKER)
    made = loop.decide(BREAKER, asked)
    assert (made.orders["battery"].setpoint is not None) is driven
    trace = loop.run(3, BREAKER, asked)
    if driven and asked.target == "home":
        assert asked.bounds.lower_w <= trace[-1] <= asked.bounds.upper_w
    loop.run(3, BREAKER)
    assert loop.last is not None
    assert loop.last.orders["battery"].setpoint is None


@pytest.mark.requirement("L1-OWNER")
def test_a_roof_of_others_is_held_back_for_safety_alone() -> None:
    roof = replace(PV, ownership=Ownership.OTHER)
    loop = Loop(Plant(specs=(METER, roof), base_w=0, sun_w=4_000))
    loop.run(3, BREAKER, limit(lower_w=-1_000, rank=Rank.BINDING))
    assert loop.plant.power["pv"] == -4_000
    loop.run(3, limit(lower_w=-1_000, rank=Rank.SAFETY))
    assert loop.plant.power["pv"] >= -1_000
    loop.run(3, BREAKER)
    assert loop.plant.power["pv"] == -4_000


@pytest.mark.requirement("L1-OWNER")
def test_the_providers_battery_goes_first_and_takes_no_part_in_what_pays() -> None:
    mine = replace(BATTERY, id="battery")
    providers = replace(BATTERY, id="leased", ownership=Ownership.SERVICE_PROVIDER)
    loop = Loop(Plant(specs=(METER, mine, providers), base_w=3_000, capacity_wh=1e6))
    loop.run(5, BREAKER, SELF_USE)
    assert loop.plant.power["leased"] == 0
    assert loop.plant.power["battery"] < -2_900
    loop.run(5, BREAKER, limit(1_000, ends_at=T0 + 900))
    assert loop.plant.power["leased"] < -1_900
    assert loop.plant.power["battery"] > -100
    loop.run(5, BREAKER, limit(-3_000, ends_at=T0 + 900))
    assert loop.plant.power["leased"] == pytest.approx(-5_000, abs=25)
    assert loop.plant.net_w <= -3_000
