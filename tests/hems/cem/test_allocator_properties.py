"""The allocator against a brute-force oracle, and what it never does whatever happens."""

import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from der.model import Control, DeviceKind, DeviceSpec, Ownership
from programs.ownership import essential
from programs.proposal import HOME, Bounds, Proposal, Rank
from tests.examples import examples
from tests.hems.cem.plant import BREAKER, METER, SELF_USE, T0, Loop, Plant, limit

watts = st.integers(0, 6_000).map(float)


@st.composite
def homes(draw: st.DrawFn) -> Plant:
    """Return a home with any mix of devices, none of them locked by minimum times."""
    specs = [METER]
    wants = {}
    if draw(st.booleans()):
        specs.append(DeviceSpec("pv", DeviceKind.PV, "", Control.FLOOR, -6_000, 0))
    if draw(st.booleans()):
        power_w = draw(st.integers(500, 6_000))
        specs.append(
            DeviceSpec("battery", DeviceKind.BATTERY, "", Control.TARGET, -power_w, power_w)
        )
    for n in range(draw(st.integers(0, 2))):
        least_w = draw(st.sampled_from([0.0, 1_380.0]))
        max_w = draw(st.sampled_from([3_680.0, 7_400.0]))
        rank = draw(st.integers(0, 9))
        specs.append(
            DeviceSpec(
                f"car{n}",
                DeviceKind.EVSE,
                "",
                Control.CEILING,
                0,
                max_w,
                least_on_w=least_w,
                essentiality=rank,
            )
        )
        wants[f"car{n}"] = draw(st.sampled_from([0.0, 2_000.0, max_w]))
    for n in range(draw(st.integers(0, 3))):
        max_w = draw(st.sampled_from([500.0, 2_000.0, 3_000.0]))
        rank = draw(st.integers(0, 9))
        specs.append(
            DeviceSpec(
                f"load{n}",
                DeviceKind.WATER_HEATER,
                "",
                Control.SWITCH,
                0,
                max_w,
                essentiality=rank,
            )
        )
        wants[f"load{n}"] = draw(st.sampled_from([0.0, 0.4 * max_w, max_w]))
    return Plant(
        specs=tuple(specs),
        base_w=draw(st.integers(-2_000, 5_000).map(float)),
        sun_w=draw(watts),
        soc=draw(st.sampled_from([0.05, 0.5, 1.0])),
        capacity_wh=1e9,
        wants=wants,
    )


@st.composite
def mixed_homes(draw: st.DrawFn) -> Plant:
    """Return a home whose devices belong to anybody, some of them out of reach."""
    plant = draw(homes())
    plant.specs = tuple(replace(s, ownership=draw(st.sampled_from(Ownership))) for s in plant.specs)
    plant.lost = set(draw(st.lists(st.sampled_from([s.id for s in plant.specs]), max_size=2)))
    return plant


def reachable(plant: Plant) -> Bounds:
    """Return the least and the greatest net power that any set of set-points brings about."""
    options: list[list[float]] = []
    for spec in plant.specs:
        wanted_w = plant.wants.get(spec.id, 0.0)
        if spec.control is Control.TARGET:
            lower_w = spec.min_w if plant.soc > 0.1 else 0.0
            options.append([lower_w, 0.0, spec.max_w if plant.soc < 1 else 0.0])
        elif spec.control is Control.FLOOR:
            options.append([max(-plant.sun_w, spec.min_w)])  # import limits never hold back sun
        elif spec.control in {Control.CEILING, Control.SWITCH}:
            options.append([wanted_w] if essential(spec) else [0.0, wanted_w])
    nets = [plant.base_w + sum(powers) for powers in itertools.product(*options)]
    return Bounds(min(nets), max(nets))


@pytest.mark.requirement("BUC-1")
@pytest.mark.requirement("BUC-7")
@settings(deadline=None, max_examples=examples(300))
@given(homes(), st.integers(-4_000, 8_000), st.sampled_from([Rank.ACCEPTED, Rank.EMERGENCY]))
def test_an_import_limit_is_met_at_once_wherever_anything_can_meet_it(
    plant: Plant, upper_w: int, rank: Rank
) -> None:
    plant.sun_w = min(plant.sun_w, 6_000)
    loop = Loop(plant)
    loop.run(2, SELF_USE)
    event = limit(upper_w, rank=rank)
    least_w = reachable(plant).lower_w
    trace = loop.run(3, SELF_USE, event)
    margin_w = max(50, 0.02 * abs(upper_w))
    if least_w <= upper_w - margin_w:
        assert max(trace) <= upper_w + 1e-6
    else:  # as close as it goes
        assert max(trace) <= max(least_w + loop.policy.dead_band_w + 1.0, upper_w)
    assert loop.last is not None
    assert loop.last.unmet_w == pytest.approx(max(trace[-1] - upper_w, 0.0), abs=1.0)


@pytest.mark.requirement("BUC-11")
@settings(deadline=None, max_examples=examples(200))
@given(homes(), st.integers(-6_000, 0))
def test_an_export_limit_is_met_at_once_wherever_anything_can_meet_it(
    plant: Plant, lower_w: int
) -> None:
    loop = Loop(plant)
    loop.run(2, BREAKER)
    trace = loop.run(6, BREAKER, limit(lower_w=lower_w))
    charge_w = sum(s.max_w for s in plant.specs if s.control is Control.TARGET)
    charge_w = charge_w if plant.soc < 1 else 0.0
    loads_w = sum(w for d, w in plant.wants.items() if not (d.startswith("car") and w < 1_380))
    greatest_w = plant.base_w + loads_w + charge_w
    margin_w = max(50, 0.02 * abs(lower_w))
    if greatest_w >= lower_w + margin_w:
        assert min(trace) >= lower_w - 1e-6


wishes = st.builds(
    lambda target, rank, edges, preferred_w: Proposal(
        "any", rank, target, Bounds(*sorted(edges)), preferred_w, T0 + 1_000
    ),
    st.sampled_from([HOME, "loads", "generation", "battery", "pv", "car0", "load0", "nobody"]),
    st.sampled_from(Rank),
    st.tuples(*[st.one_of(st.floats(-9_000, 9_000), st.sampled_from([-math.inf, math.inf]))] * 2),
    st.none() | st.floats(-9_000, 9_000),
)


@pytest.mark.requirement("ROLE-CEM")
@settings(deadline=None, max_examples=examples(300))
@given(mixed_homes(), st.lists(st.lists(wishes, max_size=5), min_size=1, max_size=6), st.booleans())
def test_whatever_is_asked_set_points_stay_in_range_and_lapse(
    plant: Plant, rounds: list[list[Proposal]], meter_lost: bool
) -> None:
    if meter_lost:
        plant.lost.add("meter")
    loop = Loop(plant)
    for asked in rounds:
        made = loop.decide(*asked)
        for spec in plant.specs:
            order = made.orders.get(spec.id)
            if order is None or order.setpoint is None:
                continue
            assert spec.min_w <= order.setpoint.power_w <= spec.max_w
            assert 0 < order.setpoint.lapse_s <= 900
            assert math.isfinite(order.setpoint.power_w)
        plant.step(30.0)


@pytest.mark.requirement("ROLE-CEM")
@settings(deadline=None, max_examples=examples(200))
@given(homes(), st.floats(-5_000, 5_000), st.floats(-5_000, 5_000), st.sampled_from(Rank))
def test_a_safety_bound_on_a_device_holds_against_every_other_wish(
    plant: Plant, bound_w: float, other_w: float, rank: Rank
) -> None:
    careful = limit(bound_w, bound_w, Rank.SAFETY, "battery", source="safety")
    other = limit(other_w, other_w, max(rank, Rank.EMERGENCY), HOME, source="z")
    least_soc = 0.0 if other.rank is Rank.EMERGENCY else 0.1
    loop = Loop(plant)
    for _ in range(3):
        made = loop.decide(careful, other, SELF_USE)
        order = made.orders.get("battery")
        if order is not None and order.setpoint is not None:
            spec = next(s for s in plant.specs if s.id == "battery")
            able = Bounds(
                spec.min_w if plant.soc > least_soc else 0.0, spec.max_w if plant.soc < 1 else 0.0
            )
            assert order.setpoint.power_w == pytest.approx(able.clamp(bound_w), abs=21)
        plant.step()
