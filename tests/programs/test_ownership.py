"""Whose word reaches which device, as a table and against a slow oracle."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.model import Comfort, Control, DeviceKind, DeviceSpec, DeviceState, Ownership, Quality
from programs import ownership, registry, warmth
from programs.comfort import ComfortPolicy
from programs.inputs import Inputs
from programs.owner import OwnerWish
from programs.proposal import HOME, HOME_TARGETS, Bounds, Proposal, Rank
from programs.registry import Policies
from programs.signal import Signal, SignalKind

NOW = 1_000.0
HEATER = DeviceSpec("heater", DeviceKind.WATER_HEATER, "Tank", Control.SWITCH, 0, 2_000)


def state(spec: DeviceSpec) -> DeviceState:
    return DeviceState(spec, None, Quality.GOOD)


@pytest.mark.requirement("L1-OWNER")
@pytest.mark.parametrize(
    ("owner", "reaching"),
    [
        (Ownership.OWNER, "SAFETY EMERGENCY BINDING ACCEPTED OWNER ECONOMY IDLE"),
        (Ownership.SERVICE_PROVIDER, "SAFETY EMERGENCY BINDING ACCEPTED"),
        (Ownership.OTHER, "SAFETY EMERGENCY"),
    ],
)
def test_which_ranks_reach_a_device(owner: Ownership, reaching: str) -> None:
    spec = replace(HEATER, ownership=owner)
    assert {r.name for r in Rank if ownership.reached(spec, r)} == set(reaching.split())


@pytest.mark.requirement("L1-OWNER")
@given(
    st.lists(
        st.builds(
            lambda rank, target: Proposal("s", rank, target, Bounds(), None, NOW + 1),
            st.sampled_from(Rank),
            st.sampled_from([*HOME_TARGETS, "heater", "nobody"]),
        )
    ),
    st.sampled_from(Ownership),
)
def test_only_wishes_about_the_device_itself_are_taken_away(
    wishes: list[Proposal], owner: Ownership
) -> None:
    devices = {"heater": state(replace(HEATER, ownership=owner))}
    kept = ownership.kept(wishes, devices)
    most = {"owner": 6, "service-provider": 3, "other": 1}[owner.value]
    expected = []
    for wish in wishes:
        if wish.target == "heater" and int(wish.rank) > most:
            continue
        expected.append(wish)
    assert list(kept) == expected


def signal(kind: SignalKind, *, emergency: bool = False, value: float = 0.0) -> Signal:
    return Signal("E", "P", kind, value, NOW - 1, NOW + 60, binding=True, emergency=emergency)


@pytest.mark.requirement("L1-OWNER")
@pytest.mark.parametrize(
    ("owner", "emergency", "reached"),
    [
        (Ownership.OWNER, False, True),
        (Ownership.SERVICE_PROVIDER, False, True),
        (Ownership.OTHER, False, False),
        (Ownership.OTHER, True, True),
    ],
)
def test_an_event_about_devices_reaches_those_of_others_in_an_emergency_alone(
    owner: Ownership, *, emergency: bool, reached: bool
) -> None:
    devices = {"heater": state(replace(HEATER, ownership=owner))}
    asked = registry.propose_all(
        Inputs([signal(SignalKind.DUTY_CYCLE, emergency=emergency)], devices, 0.0, NOW), Policies()
    )
    assert ("heater" in {p.target for p in asked}) is reached


@pytest.mark.requirement("L1-OWNER")
def test_a_set_point_is_not_shared_out_to_a_battery_of_others() -> None:
    mine = DeviceSpec("mine", DeviceKind.BATTERY, "", Control.TARGET, -5_000, 5_000)
    theirs = replace(mine, id="theirs", ownership=Ownership.OTHER)
    asked = registry.propose_all(
        Inputs(
            [signal(SignalKind.STORAGE_POWER, value=-3_000)],
            {"mine": state(mine), "theirs": state(theirs)},
            0.0,
            NOW,
        ),
        Policies(),
    )
    told = {p.target: p.preferred_w for p in asked if p.source == "set-point"}
    assert told == {"mine": -3_000}


@pytest.mark.requirement("L1-OWNER")
@pytest.mark.parametrize(
    ("owner", "obeyed"), [(Ownership.OWNER, True), (Ownership.SERVICE_PROVIDER, False)]
)
def test_the_owners_wish_does_not_move_what_is_the_providers(
    owner: Ownership, *, obeyed: bool
) -> None:
    devices = {"heater": state(replace(HEATER, ownership=owner))}
    wish = OwnerWish("heater", NOW + 60, Bounds(upper_w=0.0))
    policies = Policies(comfort=ComfortPolicy((wish,)))
    asked = registry.propose_all(Inputs([], devices, 0.0, NOW), policies)
    assert (("owner", "heater") in {(p.source, p.target) for p in asked}) is obeyed


@pytest.mark.parametrize(
    ("owners", "binds"),
    [
        ([], False),
        ([Ownership.SERVICE_PROVIDER], True),
        ([Ownership.SERVICE_PROVIDER, Ownership.OWNER], False),
    ],
)
def test_a_member_of_the_providers_devices_alone_is_told_from_others(
    owners: list[Ownership], *, binds: bool
) -> None:
    assert ownership.all_of_provider(replace(HEATER, ownership=o) for o in owners) is binds


@pytest.mark.requirement("ROLE-DEM")
@pytest.mark.parametrize(
    ("comfort", "reason"),
    [
        (Comfort(45, 60), "It is colder than the 45 degC that are wanted"),
        (Comfort(18, 26, cools=True), "It is warmer than the 26 degC that are wanted"),
    ],
)
def test_what_is_out_of_its_comfort_is_wished_to_run(comfort: Comfort, reason: str) -> None:
    devices = {"heater": state(replace(HEATER, comfort=comfort))}
    inputs = Inputs([], devices, 0.0, NOW, frozenset({"heater"}))
    (wish,) = warmth.propose(inputs, warmth.WarmthPolicy())
    assert (wish.rank, wish.target, wish.bounds) == (Rank.OWNER, "heater", Bounds(lower_w=2_000))
    assert wish.reason == reason
    assert warmth.propose(replace(inputs, uncomfortable=frozenset()), warmth.WarmthPolicy()) == ()


def test_a_home_whose_meter_is_lost_keeps_to_a_part_of_its_breaker() -> None:
    asked = registry.propose_all(Inputs([], {}, None, NOW), Policies())
    limits = {p.source: p.bounds.upper_w for p in asked if p.target == HOME}
    assert limits["meter-lost"] == limits["main-breaker"] / 2
