"""Emergency demand in a closed loop: who is shed, who is kept, and how the home comes back."""

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from der.model import Control, DeviceKind, DeviceSpec
from programs import duty_cycle, emergency
from programs.duty_cycle import DutyCyclePolicy
from programs.emergency import EmergencyPolicy
from programs.inputs import Inputs
from programs.ownership import kept
from programs.proposal import Proposal, Rank
from programs.signal import Signal, SignalKind
from tests.examples import examples
from tests.hems.cem.plant import ALL, BATTERY, BREAKER, METER, PV, SELF_USE, T0, Loop, Plant, limit

PLUG = DeviceSpec("plug", DeviceKind.PLUG, "Plug", Control.SWITCH, 0, 1_000)
MEDICAL = replace(PLUG, id="medical", essentiality=0, keep=True)
LIFT = replace(PLUG, id="lift", essentiality=9)
BEFORE_S, EVENT_S, AFTER_S = 600, 1_800, 1_800


def shed(value_w: float, baseline_w: float | None, ends_at: float = T0 + 1e6) -> Signal:
    return Signal(
        "E1", "Grid", SignalKind.SHED, value_w, T0, ends_at, True, True, baseline_w=baseline_w
    )


def asked(plant: Plant, signal: Signal) -> tuple[Proposal, ...]:
    devices = plant.image().devices
    inputs = Inputs((signal,), devices, plant.net_w, max(plant.at, T0))
    return kept(emergency.propose(inputs, EmergencyPolicy()), devices)


def switches(levels: list[int], powers: list[int]) -> tuple[DeviceSpec, ...]:
    pairs = zip(levels, powers, strict=False)
    return tuple(
        replace(PLUG, id=f"plug{n}", essentiality=level, max_w=power_w)
        for n, (level, power_w) in enumerate(pairs)
    )


@pytest.mark.requirement("BUC-7")
@given(
    levels=st.lists(st.integers(0, 9), min_size=1, max_size=7),
    powers=st.lists(st.sampled_from([300, 700, 1_000, 2_000]), min_size=7, max_size=7),
    keeps=st.sets(st.integers(0, 6)),
    share=st.floats(0.05, 1.5),
)
@settings(max_examples=examples(150), deadline=None)
def test_nothing_more_essential_is_shed_while_something_less_essential_runs(
    levels: list[int], powers: list[int], keeps: set[int], share: float
) -> None:
    specs = tuple(replace(spec, keep=n in keeps) for n, spec in enumerate(switches(levels, powers)))
    loop = Loop(Plant((METER, *specs), 400.0, wants={s.id: s.max_w for s in specs}))
    loop.run(3, BREAKER)
    before_w = loop.plant.net_w
    signal = shed(share * before_w, before_w)
    for _ in range(5):
        loop.run(1, BREAKER, *asked(loop.plant, signal))
    kept_on = {s.id for s in specs if s.keep or s.essentiality == 9}
    on = {s.id for s in specs if loop.plant.power[s.id] > 0}
    assert kept_on <= on
    off_levels = [s.essentiality for s in specs if s.id not in on]
    on_levels = [s.essentiality for s in specs if s.id in on - kept_on]
    met = loop.plant.net_w <= before_w - signal.value
    assert met or on == kept_on  # one that cannot be met: all that may be shed is
    # What is less essential may run on only where it fits beside all that is more so: the order of
    # keeping is strict, so the least essential load shed is no more essential than any that runs,
    # unless that one is smaller.
    for spec in specs:
        if spec.id in on:
            continue
        less = [s for s in specs if s.id in on - kept_on and s.essentiality < spec.essentiality]
        assert all(s.max_w < spec.max_w for s in less)
    assert off_levels or on_levels or kept_on


@pytest.mark.requirement("BUC-7")
@pytest.mark.parametrize("baseline_w", [None, 9_000.0])
def test_a_marked_load_runs_on_through_whatever_is_asked(baseline_w: float | None) -> None:
    specs = (METER, BATTERY, MEDICAL, LIFT, PLUG)
    wants = {"medical": 1_000.0, "lift": 1_000.0, "plug": 1_000.0}
    loop = Loop(Plant(specs, 500.0, 0.0, 0.1, wants=wants))
    loop.run(3, BREAKER)
    signal = shed(20_000, baseline_w)
    trace = []
    for _ in range(30):
        plant = loop.plant
        resting = replace(signal, kind=SignalKind.DUTY_CYCLE, value=0.0)
        inputs = Inputs((resting,), plant.image().devices, plant.net_w, plant.at)
        cycled = duty_cycle.propose(inputs, DutyCyclePolicy())
        tight = limit(0.0, rank=Rank.BINDING)
        loop.run(1, BREAKER, *asked(plant, signal), *kept(cycled, inputs.devices), tight)
        trace.append((plant.power["medical"], plant.power["lift"], plant.power["plug"]))
    assert {(medical, lift) for medical, lift, _ in trace} == {(1_000.0, 1_000.0)}
    assert trace[-1][2] == 0.0
    if baseline_w is not None:  # the strongest state that there is
        assert loop.plant.told["battery"] is not None
        assert loop.plant.power["battery"] < 0 or loop.plant.soc <= 0


@pytest.mark.requirement("BUC-7")
def test_the_main_breaker_alone_takes_a_marked_load_away() -> None:
    specs = (METER, MEDICAL, PLUG)
    loop = Loop(Plant(specs, 500.0, wants={"medical": 1_000.0, "plug": 1_000.0}))
    loop.run(3, BREAKER)
    small = limit(2_000, -2_000, Rank.SAFETY, source="main-breaker", ends_at=T0 + 1e6)
    loop.run(5, small)
    assert (loop.plant.power["medical"], loop.plant.power["plug"]) == (1_000, 0)
    smaller = limit(1_000, -1_000, Rank.SAFETY, source="main-breaker", ends_at=T0 + 1e6)
    loop.run(5, smaller)
    assert loop.plant.power["medical"] == 0


@pytest.mark.requirement("BUC-7")
@pytest.mark.parametrize("soc", [0.05, 0.6])
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.deep)])
def test_after_an_emergency_loads_come_back_in_turn_and_make_no_new_peak(
    soc: float, seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311 - a load, not a secret
    wants = {"car": 7_400.0, "heater": 2_000.0, "pump": 2_400.0}
    loop = Loop(Plant(ALL, 600.0, 0.0, soc, 1e5, wants, ramp_w_s=3_000.0))

    def run(seconds: int, signal: Signal | None) -> list[float]:
        trace: list[float] = []
        for _ in range(seconds):
            loop.plant.base_w = 600.0 * max(0.1, rng.gauss(1.0, 0.08))
            proposals = () if signal is None else asked(loop.plant, signal)
            trace += loop.run(1, BREAKER, SELF_USE, *proposals)
        return trace

    before = run(BEFORE_S, None)
    highest_w, net_w = max(before[60:]), before[-1]
    signal = replace(shed(6_000, net_w), starts_at=loop.plant.at)
    during = run(EVENT_S, signal)
    assert max(during[5:]) <= net_w - 6_000 + 50
    after = run(AFTER_S, None)
    assert max(after) <= 1.05 * highest_w
    steps = [n for n, (was, now) in enumerate(pairwise(after)) if now - was > 1_500]
    assert all(b - a >= 10 for a, b in pairwise(steps) if b - a > 3)
    assert loop.plant.power["heater"] == 2_000


@pytest.mark.requirement("BUC-7")
def test_the_sun_is_not_touched_and_the_battery_gives_to_its_end() -> None:
    loop = Loop(Plant((METER, PV, BATTERY, PLUG), 3_000.0, 500.0, 0.11, 1_000, {"plug": 1_000.0}))
    loop.run(3, BREAKER, SELF_USE)
    signal = shed(9_000, loop.plant.net_w)
    for _ in range(200):
        loop.run(1, BREAKER, SELF_USE, *asked(loop.plant, signal))
    assert loop.plant.soc == 0.0  # an emergency may use the reserve
    assert loop.plant.power["pv"] == -500
    assert loop.plant.power["plug"] == 0
