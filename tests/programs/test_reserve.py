"""Reserve as a table, and on a home that obeys: held, readied, called, delivered in full."""

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs import emergency, peak_shaving, reserve
from programs.capability import StoreFacts, stores
from programs.commitment import Commitment, Product
from programs.inputs import Inputs
from programs.peak_shaving import PeakShavingPolicy
from programs.proposal import Proposal, Rank
from programs.reserve import Recovery, ReservePolicy, asked_w, recognised
from programs.signal import Signal, SignalKind
from tests.hems.cem.plant import BATTERY, BREAKER, CAR, HEATER, METER, SELF_USE, T0, Loop, Plant

HOUR = 3600.0
FACTS = {"battery": StoreFacts(10_000.0)}
"""A battery of 10 kWh without losses, as the plant's is."""


def commitment(**changed: object) -> Commitment:
    plain = Commitment("C1", "R1", "Grid Co", T0, T0 + 2 * HOUR, 2_000.0, 2_000.0)
    return replace(plain, **changed)  # type: ignore[arg-type]


def policy(*commitments: Commitment, **others: object) -> ReservePolicy:
    plain = ReservePolicy(commitments, frozenset({"Reserve"}), FACTS, 0.1)
    return replace(plain, **others)  # type: ignore[arg-type]


def call(
    kind: SignalKind = SignalKind.SHED,
    value: float = 2_000.0,
    *,
    starts_at: float = T0,
    lasts_s: float = HOUR,
    baseline_w: float | None = 500.0,
    program: str = "Reserve",
    binding: bool = True,
) -> Signal:
    ends_at = starts_at + lasts_s
    emergency_ = kind is SignalKind.SHED and binding
    return Signal("E1", program, kind, value, starts_at, ends_at, binding, emergency_, baseline_w)


def asked(plant: Plant, signals: Sequence[Signal], of: ReservePolicy) -> tuple[Proposal, ...]:
    """Return what the reserve, emergencies and peaks ask for, as the home would hear of them."""
    image = plant.image()
    inputs = Inputs(recognised(signals, of), image.devices, image.net_w, plant.at)
    return (
        *reserve.propose(inputs, of),
        *emergency.propose(inputs, emergency.EmergencyPolicy()),
        *peak_shaving.propose(inputs, PeakShavingPolicy()),
    )


def run(
    loop: Loop, seconds: int, of: ReservePolicy, *signals: Signal, beside: Sequence[Proposal] = ()
) -> list[float]:
    """Decide anew each second, as the cycle does; return the net power after each."""
    trace: list[float] = []
    for _ in range(seconds):
        trace += loop.run(1, BREAKER, *beside, *asked(loop.plant, signals, of))
    return trace


# What an event is.


@pytest.mark.requirement("BUC-8")
@pytest.mark.parametrize(
    ("signal", "kind", "value"),
    [
        (call(), SignalKind.RESERVE, 2_000.0),
        (call(value=900.0), SignalKind.RESERVE, 900.0),
        (call(value=9_000.0), SignalKind.RESERVE, 2_000.0),  # nobody agreed to more
        (call(program="Grid Emergency"), SignalKind.SHED, 2_000.0),
        (call(starts_at=T0 - 1), SignalKind.SHED, 2_000.0),
        (call(starts_at=T0 - 0.02), SignalKind.RESERVE, 2_000.0),  # the clocks moved in between
        (call(starts_at=T0 + 2 * HOUR), SignalKind.SHED, 2_000.0),
        (call(starts_at=T0 + 2 * HOUR - 1), SignalKind.RESERVE, 2_000.0),
        (call(SignalKind.STORAGE_POWER, -2_000.0), SignalKind.STORAGE_POWER, -2_000.0),
    ],
)
def test_a_call_is_told_from_other_events(signal: Signal, kind: SignalKind, value: float) -> None:
    (told,) = recognised([signal], policy(commitment()))
    assert (told.kind, told.value) == (kind, value)
    assert told.emergency is (kind is SignalKind.SHED)


@pytest.mark.parametrize(
    ("signal", "lower_w"),
    [
        (call(SignalKind.STORAGE_POWER, -1_500.0), 1_500.0),
        (call(SignalKind.STORAGE_POWER, 1_500.0), 0.0),
        (call(SignalKind.DER_POWER, -9_000.0), 2_000.0),
        (call(SignalKind.IMPORT_LIMIT, 200.0), 300.0),
        (call(SignalKind.IMPORT_LIMIT, 900.0), 0.0),
        (call(SignalKind.SHED, 700.0), 700.0),
    ],
)
def test_what_a_call_of_any_mode_asks(signal: Signal, lower_w: float) -> None:
    assert asked_w(signal, [commitment()], signal.baseline_w) == lower_w


# Holding back.


@pytest.mark.requirement("BUC-8")
@pytest.mark.parametrize(
    ("soc", "least_w"),
    [
        (1.0, -2_850.0),  # power: 5 kW less 2.15 kW; energy for more than that
        (0.5, -1_807.0),  # 4 kWh, of which 2.15 and a little are spoken for, over an hour
        (0.35, -307.0),
        (0.319, 0.0),
        (0.315, 0.0),
    ],
)
def test_power_and_energy_are_held_back(soc: float, least_w: float) -> None:
    plant = Plant((METER, BATTERY), soc=soc)
    (found,) = asked(plant, [], policy(commitment()))
    assert found.target == "battery"
    assert found.rank is Rank.ACCEPTED
    assert found.cause == "C1"
    assert found.bounds.lower_w == pytest.approx(least_w)


@pytest.mark.requirement("BUC-8")
def test_what_is_missing_within_the_interval_is_charged() -> None:
    plant = Plant((METER, BATTERY), soc=0.2)
    (found,) = asked(plant, [], policy(commitment(binding=True)))
    assert found.rank is Rank.BINDING
    assert found.bounds.lower_w == 5_000.0
    assert "lacks 1.1" in found.reason


@pytest.mark.requirement("BUC-9")
def test_what_is_missing_before_it_is_charged_in_time() -> None:
    loop = Loop(Plant((METER, BATTERY), soc=0.12))
    of = policy(commitment(starts_at=T0 + 2 * HOUR, ends_at=T0 + 4 * HOUR))
    began = loop.plant.soc
    run(loop, 60, of, beside=[SELF_USE])
    assert loop.plant.soc <= began, "an hour before there is time enough"
    loop.plant.at += 3_600.0 + 1_800.0
    run(loop, 1740, of, beside=[SELF_USE])
    assert loop.plant.soc >= 0.1 + 0.2


def test_nothing_is_held_for_what_is_over_or_delivered() -> None:
    plant = Plant((METER, BATTERY), soc=0.5)
    assert asked(plant, [], policy()) == ()
    assert asked(plant, [], policy(commitment(ends_at=T0))) == ()
    assert asked(plant, [], policy(commitment(energy_wh=0.0))) == ()


def test_towards_its_end_less_may_be_asked_and_less_is_held() -> None:
    one = commitment()
    assert one.owed_wh(T0 - 5.0) == 2_000.0
    assert one.owed_wh(T0 + HOUR) == 2_000.0
    assert one.owed_wh(T0 + 1.5 * HOUR) == 1_000.0
    assert one.owed_wh(T0 + 3 * HOUR) == 0.0


@pytest.mark.requirement("BUC-8")
def test_overlapping_commitments_add_up() -> None:
    plant = Plant((METER, BATTERY), soc=0.9)
    (found,) = asked(plant, [], policy(commitment(), commitment(id="C2", power_w=1_000.0)))
    # Power: 5 kW less 3.3. Energy: 8 kWh less 4.6, over two hours, would let it give more.
    assert found.bounds.lower_w == pytest.approx(-1_700.0)


def test_a_battery_that_is_lost_leaves_its_part_to_the_others() -> None:
    other = replace(BATTERY, id="other", min_w=-1_000)
    plant = Plant((METER, BATTERY, other), soc=0.9, lost={"battery"})
    facts = {**FACTS, "other": StoreFacts(10_000.0)}
    (found,) = asked(plant, [], policy(commitment(), facts=facts))
    assert found.target == "other"
    assert found.bounds.lower_w == 0.0, "all that it has is kept"


# Calls.


@pytest.mark.requirement("BUC-8")
@given(
    spare=st.floats(1.25, 1.6),
    base_w=st.floats(0.0, 2_500.0),
    waits=st.integers(0, 40),
    power_w=st.floats(500.0, 2_500.0),
)
@settings(max_examples=10, deadline=None)
def test_a_call_is_delivered_in_full_for_the_whole_time(
    spare: float, base_w: float, waits: int, power_w: float
) -> None:
    # A minute of it, from a battery with hardly more, that serves the house until then.
    lasts_s, size_wh = 60.0, 500.0
    energy_wh = power_w * lasts_s / HOUR
    soc = 0.1 + energy_wh * spare / size_wh
    loop = Loop(Plant((METER, BATTERY), soc=soc, base_w=base_w, capacity_wh=size_wh))
    facts = {"battery": StoreFacts(size_wh)}
    of = policy(commitment(power_w=power_w, energy_wh=energy_wh), facts=facts)
    run(loop, waits, of, beside=[SELF_USE])
    before_w = loop.plant.net_w
    signal = call(value=power_w, starts_at=loop.plant.at, lasts_s=lasts_s, baseline_w=before_w)
    trace = run(loop, int(lasts_s), of, signal, beside=[SELF_USE])
    assert max(trace[2:]) <= before_w - power_w + 1.0


@pytest.mark.requirement("BUC-8")
def test_a_call_empties_nobodys_own_reserve_and_gives_no_more_than_asked() -> None:
    loop = Loop(Plant((METER, BATTERY), soc=0.32, base_w=4_000.0))
    trace = run(loop, 1800, policy(commitment()), call(baseline_w=4_000.0), beside=[SELF_USE])
    assert 1_900.0 <= min(trace[5:]) <= max(trace[5:]) <= 2_000.0
    trace = run(loop, 3600, policy(commitment()), call(baseline_w=4_000.0, lasts_s=9_000.0))
    assert loop.plant.soc >= 0.1 - 1e-3


@pytest.mark.requirement("BUC-8")
def test_loads_help_where_the_battery_has_too_little() -> None:
    specs = (METER, BATTERY, CAR, HEATER)
    loop = Loop(Plant(specs, soc=0.1, base_w=500.0, wants={"car": 7_000.0, "heater": 2_000.0}))
    run(loop, 20, policy())
    before_w = loop.plant.net_w
    trace = run(loop, 300, policy(commitment()), call(baseline_w=before_w))
    assert max(trace[10:]) <= before_w - 2_000.0


def test_without_a_baseline_all_that_can_be_given_is() -> None:
    loop = Loop(Plant((METER, BATTERY, HEATER), soc=0.8, wants={"heater": 2_000.0}))
    trace = run(loop, 60, policy(commitment()), call(baseline_w=None))
    assert trace[-1] == pytest.approx(500.0 - 2_000.0, abs=60.0)


@pytest.mark.requirement("BUC-8")
def test_a_call_of_storage_frees_what_is_held() -> None:
    plant = Plant((METER, BATTERY), soc=0.32)
    of = policy(commitment())
    assert asked(plant, [call(SignalKind.STORAGE_POWER, -2_000.0)], of) == ()
    held = asked(plant, [call(SignalKind.STORAGE_POWER, -2_000.0, program="Other")], of)
    assert [p.target for p in held] == ["battery"]


# Beside other wishes.


@pytest.mark.requirement("BUC-8")
def test_beside_a_peak_event_the_loads_give_way_and_the_reserve_stays() -> None:
    specs = (METER, BATTERY, CAR)
    loop = Loop(Plant(specs, soc=0.33, base_w=1_000.0, wants={"car": 7_000.0}))
    peak = call(SignalKind.IMPORT_LIMIT, 3_000.0, program="Peak Saver", binding=False)
    trace = run(loop, 600, policy(commitment()), peak)
    assert max(trace[10:]) <= 3_000.0
    assert loop.plant.soc >= 0.3


@pytest.mark.requirement("BUC-8")
def test_a_binding_limit_that_nothing_else_meets_takes_an_accepted_reserve() -> None:
    loop = Loop(Plant((METER, BATTERY), soc=0.31, base_w=4_000.0))
    peak = call(SignalKind.IMPORT_LIMIT, 3_000.0, program="Peak Saver", binding=True)
    trace = run(loop, 600, policy(commitment(binding=False)), peak)
    assert max(trace[5:]) <= 3_000.0
    loop = Loop(Plant((METER, BATTERY), soc=0.31, base_w=4_000.0))
    trace = run(loop, 600, policy(commitment(binding=True)), peak)
    assert loop.plant.soc >= 0.3, "one that binds is as strong: what was promised first is kept"


@pytest.mark.requirement("BUC-8")
def test_after_a_call_the_home_keeps_under_its_peak() -> None:
    recovery = Recovery(T0 + 600, 2_500.0)
    loop = Loop(Plant((METER, BATTERY, CAR), soc=0.1, base_w=1_000.0, wants={"car": 7_000.0}))
    trace = run(loop, 300, policy(recovery=recovery))
    assert max(trace[10:]) <= 2_500.0
    assert asked(Plant(at=T0 + 600), [], policy(recovery=recovery)) == ()


def test_a_gauge_that_tells_no_number_promises_nothing() -> None:
    plant = Plant((METER, BATTERY), soc=math.nan)
    assert asked(plant, [], policy(commitment())) == ()
    assert stores(plant.image().devices.values(), FACTS, 0.1) == ()


def test_products_differ_by_when_they_must_be_there() -> None:
    assert Product.SPINNING.notice_s == 600.0
    assert Product.DAY_AHEAD.notice_s == 1800.0
