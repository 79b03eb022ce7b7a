"""Each programme as a table: signals and state in, proposals out."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading, Setpoint
from programs import (
    comfort,
    disconnect,
    emergency,
    energy_support,
    envelope,
    peak_shaving,
    safety,
    self_consumption,
)
from programs.inputs import Inputs
from programs.owner import OwnerWish
from programs.proposal import GENERATION, HOME, HOME_TARGETS, LOADS, PHASES, Bounds, Proposal, Rank
from programs.registry import ALL, Policies, propose_all
from programs.self_consumption import SelfConsumptionPolicy, StorageUse
from programs.signal import Signal, SignalKind

NOW = 1_000.0
INF = math.inf


def signal(
    kind: SignalKind,
    value: float,
    *,
    binding: bool = False,
    emergency: bool = False,
    baseline_w: float | None = None,
    delivered_wh: float = 0.0,
    starts_at: float = NOW - 600,
    ends_at: float = NOW + 1_800,
) -> Signal:
    return Signal(
        "E1",
        "Grid",
        kind,
        value,
        starts_at,
        ends_at,
        binding=binding,
        emergency=emergency,
        baseline_w=baseline_w,
        delivered_wh=delivered_wh,
    )


def device(
    name: str, control: Control, least_on_w: float = 0.0, told_w: float | None = None
) -> DeviceState:
    spec = DeviceSpec(name, DeviceKind.EVSE, name, control, -5_000, 5_000, least_on_w=least_on_w)
    told = None if told_w is None else Setpoint(told_w, 60)
    return DeviceState(spec, Reading(NOW, 0.0), Quality.GOOD, setpoint=told)


DEVICES = {
    "pv": device("pv", Control.FLOOR),
    "battery": device("battery", Control.TARGET),
    "car": device("car", Control.CEILING, 1_380),
    "heater": device("heater", Control.SWITCH),
    "meter": device("meter", Control.NONE),
}

Said = tuple[str, Rank, float, float]


def said(proposals: tuple[Proposal, ...]) -> list[Said]:
    return [(p.target, p.rank, p.bounds.lower_w, p.bounds.upper_w) for p in proposals]


IMPORT, LOAD = SignalKind.IMPORT_LIMIT, SignalKind.LOAD_LIMIT


@pytest.mark.requirement("BUC-1")
@pytest.mark.parametrize(
    ("given_signal", "expected"),
    [
        (signal(IMPORT, 1_500), [(HOME, Rank.ACCEPTED, -INF, 1_500)]),
        (signal(IMPORT, 1_500, binding=True), [(HOME, Rank.BINDING, -INF, 1_500)]),
        (signal(IMPORT, 0, emergency=True), [(HOME, Rank.EMERGENCY, -INF, 0)]),
        (signal(LOAD, 3_000), [(LOADS, Rank.ACCEPTED, -INF, 3_000)]),
        (signal(IMPORT, 1_500, starts_at=NOW + 1), []),
        (signal(IMPORT, 1_500, starts_at=NOW), [(HOME, Rank.ACCEPTED, -INF, 1_500)]),
        (signal(IMPORT, 1_500, ends_at=NOW), []),
        (signal(IMPORT, 1_500, ends_at=INF), [(HOME, Rank.ACCEPTED, -INF, 1_500)]),
        (signal(SignalKind.EXPORT_LIMIT, 1_500), []),
    ],
)
def test_peak_shaving(given_signal: Signal, expected: list[Said]) -> None:
    policy = peak_shaving.PeakShavingPolicy()
    proposals = peak_shaving.propose(Inputs([given_signal], DEVICES, 2_000, NOW), policy)
    assert said(proposals) == expected
    assert all(p.cause == "E1" and p.expires_at == given_signal.ends_at for p in proposals)


@pytest.mark.requirement("BUC-1")
def test_the_homes_own_peak_limit_is_economy() -> None:
    policy = peak_shaving.PeakShavingPolicy(own_limit_w=4_000)
    (own,) = peak_shaving.propose(Inputs([], DEVICES, None, NOW), policy)
    assert said((own,)) == [(HOME, Rank.ECONOMY, -INF, 4_000)]
    assert own.expires_at == NOW + 60


@pytest.mark.requirement("BUC-11")
@pytest.mark.parametrize(
    ("kind", "target"),
    [(SignalKind.EXPORT_LIMIT, HOME), (SignalKind.GENERATION_LIMIT, GENERATION)],
)
def test_envelope(kind: SignalKind, target: str) -> None:
    policy = envelope.EnvelopePolicy(fixed_export_w=5_000)
    proposals = envelope.propose(
        Inputs([signal(kind, 2_000, binding=True)], DEVICES, 0, NOW), policy
    )
    assert said(proposals) == [
        (target, Rank.BINDING, -2_000, INF),
        (HOME, Rank.BINDING, -5_000, INF),
    ]


def energy(value_wh: float, **changes: float | None) -> Signal:
    delivered_wh = changes.get("delivered_wh") or 0.0
    left_s = changes.get("left_s")
    return signal(
        SignalKind.ENERGY,
        value_wh,
        baseline_w=changes.get("baseline_w", 3_000.0),
        delivered_wh=delivered_wh,
        ends_at=NOW + (1_800 if left_s is None else left_s),
    )


@pytest.mark.requirement("BUC-5")
@pytest.mark.parametrize(
    ("given_signal", "upper_w"),
    [
        pytest.param(energy(500), 2_000, id="500 Wh in half an hour is 1 kW"),
        pytest.param(energy(500, delivered_wh=250), 2_500, id="half is delivered"),
        pytest.param(energy(500, delivered_wh=500), None, id="all is delivered"),
        pytest.param(energy(500, delivered_wh=600), None, id="more is delivered"),
        pytest.param(energy(500, left_s=900), 1_000, id="behind: presses harder"),
        pytest.param(energy(5, left_s=1), 1_200, id="the last seconds do not press without end"),
        pytest.param(energy(500, left_s=INF), None, id="no end, no power"),
    ],
)
def test_energy_support(given_signal: Signal, upper_w: float | None) -> None:
    policy = energy_support.EnergySupportPolicy()
    proposals = energy_support.propose(Inputs([given_signal], DEVICES, 0, NOW), policy)
    expected = [] if upper_w is None else [(HOME, Rank.ACCEPTED, -INF, upper_w)]
    assert said(proposals) == expected


@pytest.mark.requirement("BUC-5")
@given(st.floats(1, 5_000), st.floats(-2_000, 8_000), st.integers(2, 120))
def test_keeping_to_the_bound_delivers_the_energy(
    value_wh: float, baseline_w: float, minutes: int
) -> None:
    delivered_wh, policy = 0.0, energy_support.EnergySupportPolicy()
    for minute in range(minutes):
        left_s = (minutes - minute) * 60
        asked = energy(value_wh, baseline_w=baseline_w, delivered_wh=delivered_wh, left_s=left_s)
        bound_w = energy_support.bound_w(asked, NOW, policy)
        if bound_w is None:
            break
        if minute % 3 == 0:
            bound_w += 100.0  # the home is a little behind now and then
        delivered_wh += (baseline_w - bound_w) / 60
    assert delivered_wh >= value_wh - 100.0 / 60 - 1e-6


@pytest.mark.requirement("BUC-7")
@pytest.mark.parametrize(
    ("baseline_w", "value_w", "upper_w"), [(5_000, 2_000, 3_000), (1_000, 2_000, -1_000)]
)
def test_emergency(baseline_w: float, value_w: float, upper_w: float) -> None:
    shed = signal(SignalKind.SHED, value_w, baseline_w=baseline_w)
    proposals = emergency.propose(Inputs([shed], DEVICES, 0, NOW), emergency.EmergencyPolicy())
    assert said(proposals) == [(HOME, Rank.EMERGENCY, -INF, upper_w)]
    kept = emergency.propose(
        Inputs([shed], DEVICES, 0, NOW), emergency.EmergencyPolicy(least_net_w=0)
    )
    assert kept[0].bounds.upper_w == max(upper_w, 0)


@pytest.mark.requirement("BUC-11")
def test_a_signal_of_some_devices_leaves_the_others_alone() -> None:
    own = frozenset({"battery", "car"})
    off = replace(signal(SignalKind.DISCONNECT, 0), devices=own)
    proposals = disconnect.propose(Inputs([off], DEVICES, 0, NOW), disconnect.DisconnectPolicy())
    assert {p.target for p in proposals} == {"battery"}
    less = replace(signal(SignalKind.GENERATION_LIMIT, 1_000), devices=own | {"pv"})
    proposals = envelope.propose(Inputs([less], DEVICES, 0, NOW), envelope.EnvelopePolicy())
    shares = [("pv", Rank.ACCEPTED, -500, INF), ("battery", Rank.ACCEPTED, -500, INF)]
    assert said(proposals) == shares
    none = replace(signal(SignalKind.GENERATION_LIMIT, 1_000), devices=frozenset({"heater"}))
    assert envelope.propose(Inputs([none], DEVICES, 0, NOW), envelope.EnvelopePolicy()) == ()


@pytest.mark.requirement("BUC-7")
def test_without_a_baseline_all_that_can_wait_waits() -> None:
    stop = [(name, -INF, 0.0) for name in ("battery", "car", "heater")]
    shed = signal(SignalKind.SHED, 2_000)
    proposals = emergency.propose(Inputs([shed], DEVICES, 0, NOW), emergency.EmergencyPolicy())
    assert [(t, lo, up) for t, _, lo, up in said(proposals)] == stop
    save = energy(500, baseline_w=None)
    policy = energy_support.EnergySupportPolicy()
    proposals = energy_support.propose(Inputs([save], DEVICES, 0, NOW), policy)
    assert [(t, lo, up) for t, _, lo, up in said(proposals)] == stop
    assert {p.rank for p in proposals} == {Rank.ACCEPTED}


@pytest.mark.requirement("BUC-11")
def test_disconnect_stops_generation_and_storage_and_nothing_else() -> None:
    off = signal(SignalKind.DISCONNECT, 0, binding=True)
    proposals = disconnect.propose(Inputs([off], DEVICES, 0, NOW), disconnect.DisconnectPolicy())
    assert said(proposals) == [
        ("pv", Rank.BINDING, 0, INF),
        ("battery", Rank.BINDING, 0, 0),
    ]
    exempt = disconnect.DisconnectPolicy(exempt=frozenset({"pv"}))
    assert len(disconnect.propose(Inputs([off], DEVICES, 0, NOW), exempt)) == 1


@pytest.mark.requirement("BUC-11")
def test_safety_is_the_main_breaker_alone_while_the_meter_is_well() -> None:
    policy = safety.SafetyPolicy(breaker_a=35, voltage_v=230, phases=3)
    assert said(safety.propose(Inputs([], DEVICES, 0.0, NOW), policy)) == [
        (HOME, Rank.SAFETY, -24_150, 24_150),
        *((phase, Rank.SAFETY, -8_050, 8_050) for phase in PHASES.values()),
    ]
    single = safety.propose(Inputs([], DEVICES, 0.0, NOW), safety.SafetyPolicy(35, 230, 1))
    assert said(single) == [(HOME, Rank.SAFETY, -8_050, 8_050)]


@pytest.mark.requirement("BUC-11")
@pytest.mark.parametrize(
    ("state", "bounds"),
    [
        (device("d", Control.TARGET), Bounds(0, 0)),
        (device("d", Control.TARGET, told_w=2_000), Bounds(0, 0)),
        (device("d", Control.TARGET, told_w=-2_000), Bounds(-2_000, 0)),
        (device("d", Control.CEILING, 1_380), Bounds(upper_w=1_380)),
        (device("d", Control.CEILING, 1_380, told_w=0), Bounds(upper_w=0)),
        (device("d", Control.CEILING, 1_380, told_w=3_000), Bounds(upper_w=1_380)),
        (device("d", Control.SWITCH), None),
        (device("d", Control.SWITCH, told_w=0), Bounds(upper_w=0)),
        (device("d", Control.FLOOR), None),
        (device("d", Control.FLOOR, told_w=-700), Bounds(lower_w=-700)),
        (device("d", Control.NONE), None),
    ],
)
def test_without_the_meter_nothing_rises(state: DeviceState, bounds: Bounds | None) -> None:
    proposals = safety.propose(Inputs([], {"d": state}, None, NOW), safety.SafetyPolicy())
    own = [p for p in proposals if p.target == "d"]
    assert [p.bounds for p in own] == ([] if bounds is None else [bounds])
    assert all(p.rank is Rank.SAFETY for p in proposals)
    if state.spec.control is Control.TARGET:
        assert [p.preferred_w for p in own] == [0.0]  # less unless a limit needs it


def test_self_consumption_prefers_a_quiet_meter_or_holds_the_battery() -> None:
    (wish,) = self_consumption.propose(Inputs([], DEVICES, 0, NOW), SelfConsumptionPolicy())
    assert (wish.target, wish.rank, wish.preferred_w) == (HOME, Rank.ECONOMY, 0.0)
    held = SelfConsumptionPolicy(use=StorageUse.HOLD)
    (wish,) = self_consumption.propose(Inputs([], DEVICES, 0, NOW), held)
    assert (wish.target, wish.rank, wish.preferred_w) == ("battery", Rank.IDLE, 0.0)
    assert self_consumption.propose(Inputs([], {}, 0, NOW), SelfConsumptionPolicy()) == ()


def test_the_owners_wishes_end_and_name_known_devices_only() -> None:
    wishes = (
        OwnerWish("car", NOW + 60, Bounds(upper_w=2_000)),
        OwnerWish("car", NOW, Bounds(upper_w=1_000)),
        OwnerWish("sauna", NOW + 60),
    )
    proposals = comfort.propose(Inputs([], DEVICES, 0, NOW), comfort.ComfortPolicy(wishes))
    assert said(proposals) == [("car", Rank.OWNER, -INF, 2_000)]


def test_the_table_lists_every_programme_once_and_runs_them_all() -> None:
    assert len({p.id for p in ALL}) == len(ALL)
    assert {p.use_case for p in ALL} >= {"BUC-1", "BUC-5", "BUC-7", "BUC-11"}
    signals = [signal(kind, 1_000, baseline_w=2_000) for kind in SignalKind]
    proposals = propose_all(Inputs(signals, DEVICES, None, NOW), Policies())
    known = {p.id for p in ALL} | {safety.ID_METER}
    assert {p.source for p in proposals} <= known
    assert {p.target for p in proposals} <= {*DEVICES, *HOME_TARGETS}
    assert all(p.reason and p.expires_at > NOW for p in proposals)
