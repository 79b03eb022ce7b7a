"""The main breaker on each phase: the right device gives way, and no other."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from der.model import (
    Control,
    DeviceKind,
    DeviceSpec,
    DeviceState,
    Phase,
    PhaseReading,
    Quality,
    Reading,
)
from hems.cem.phases import Lines, measured, parts
from programs.inputs import Inputs
from programs.proposal import PHASES, Proposal, Rank
from programs.safety import SafetyPolicy, propose
from tests.examples import examples
from tests.hems.cem.phased import HOME, Phased
from tests.hems.cem.plant import BATTERY, CAR, HEATER, METER, PV, SELF_USE, T0, Loop, limit

A, B, C = HOME
LIMIT_W = 3_000.0
CAR_A = replace(CAR, phases=(A,))
CAR_ABC = replace(CAR, max_w=11_040, least_on_w=4_140, phases=HOME)
SWITCHING = replace(CAR_ABC, least_on_w=1_380)
HEATER_B = replace(HEATER, phases=(B,))
FREE = {"car": 11_040.0, "heater": 2_000.0}


def breaker(loop: Loop, phase_w: float = LIMIT_W) -> tuple[Proposal, ...]:
    """Return what the safety programme asks in a home of three phases."""
    image = loop.plant.image()
    policy = SafetyPolicy(phase_w / 230.0, 230.0, 3)
    return propose(Inputs((), image.devices, image.net_w, loop.plant.at), policy)


def steady(plant: Phased, *others: Proposal, seconds: int = 5) -> Loop:
    """Return the loop after some seconds in which nothing changes."""
    loop = Loop(plant)
    for _ in range(seconds):
        loop.run(1, *breaker(loop), *others)
    return loop


def reading(*phases: float | None) -> Reading:
    return Reading(T0, 1_000.0, phases=tuple(PhaseReading(w) for w in phases))


@pytest.mark.parametrize(
    ("spec", "said", "power_w", "expected"),
    [
        (BATTERY, None, None, (1 / 3, 1 / 3, 1 / 3)),
        (CAR_A, None, 3_000.0, (1.0, 0.0, 0.0)),
        (replace(CAR, phases=(A, C)), None, None, (0.5, 0.0, 0.5)),
        (CAR_ABC, reading(1_400.0, 1_400.0, 1_400.0), 6_000.0, (1 / 3, 1 / 3, 1 / 3)),
        (CAR_ABC, reading(0.0, 0.0, 0.0), 2_000.0, (1 / 3, 1 / 3, 1 / 3)),
        (SWITCHING, reading(0.0, 0.0, 0.0), 2_000.0, (1.0, 0.0, 0.0)),
        (SWITCHING, reading(0.0, 0.0, 0.0), 6_000.0, (1 / 3, 1 / 3, 1 / 3)),
        (SWITCHING, reading(3_000.0, 0.0, 0.0), 6_000.0, (1.0, 0.0, 0.0)),
    ],
)
def test_a_device_is_on_its_phases_and_a_charger_on_those_that_it_uses(
    spec: DeviceSpec, said: Reading | None, power_w: float | None, expected: tuple[float, ...]
) -> None:
    assert tuple(parts(spec, said, HOME, power_w).values()) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("said", "known"),
    [
        (reading(1.0, 2.0, 3.0), True),
        (reading(1.0, None, 3.0), False),
        (reading(1.0), False),
        (reading(), False),
        (None, False),
        (replace(reading(1.0, 2.0, 3.0), taken={"phases": T0 - 60}), False),
    ],
)
def test_phases_count_where_all_of_them_are_measured_now(said: Reading | None, known: bool) -> None:
    state = DeviceState(METER, said, Quality.GOOD)
    assert measured(state) == (dict(zip(HOME, (1.0, 2.0, 3.0), strict=True)) if known else {})
    assert measured(replace(state, quality=Quality.STALE)) == {}
    assert measured(None) == {}


@pytest.mark.requirement("ROLE-CEM")
def test_a_car_on_one_phase_keeps_to_what_that_phase_has_left() -> None:
    plant = Phased(specs=(METER, CAR_A), wants=dict(FREE), on=(500.0, 2_800.0, 0.0))
    loop = steady(plant)
    assert 2_300 < plant.power["car"] <= LIMIT_W - 500
    assert loop.last is not None
    order = loop.last.orders["car"]
    assert order.source == "main-breaker"
    assert order.reason.endswith("phase A")


@pytest.mark.requirement("ROLE-CEM")
def test_what_another_phase_carries_does_not_touch_the_car() -> None:
    plant = Phased(specs=(METER, CAR_A), wants=dict(FREE), on=(500.0, 6_000.0, 0.0))
    steady(plant)
    assert 2_300 < plant.power["car"] <= LIMIT_W - 500


@pytest.mark.requirement("ROLE-CEM")
def test_a_car_on_three_phases_keeps_to_the_one_that_carries_most() -> None:
    plant = Phased(specs=(METER, CAR_ABC), wants=dict(FREE), on=(500.0, 1_000.0, 0.0))
    steady(plant)
    assert 3 * 1_850 < plant.power["car"] <= 3 * 2_000
    plant = Phased(specs=(METER, CAR_ABC), wants=dict(FREE), on=(500.0, 2_000.0, 0.0))
    steady(plant)
    assert plant.power["car"] == 0  # less than 3 x 6 A are left to it


@pytest.mark.requirement("ROLE-CEM")
def test_a_charger_that_can_do_with_one_phase_takes_that() -> None:
    plant = Phased(specs=(METER, SWITCHING), wants=dict(FREE), on=(500.0, 2_000.0, 0.0))
    loop = steady(plant, seconds=1)
    assert loop.last is not None
    told = loop.last.orders["car"].setpoint
    assert told is not None
    assert 2_300 < told.power_w <= LIMIT_W - 500


@pytest.mark.requirement("ROLE-CEM")
def test_the_load_on_the_phase_that_is_too_full_gives_way_though_it_is_the_more_essential() -> None:
    heater = replace(HEATER_B, essentiality=9)
    plant = Phased(
        specs=(METER, CAR_A, heater), wants={"car": 2_000.0, "heater": 2_000.0}, on=(0, 1_500.0, 0)
    )
    steady(plant)
    assert plant.power["car"] == 2_000
    assert plant.power["heater"] == 0


@pytest.mark.requirement("ROLE-CEM")
def test_a_battery_takes_off_a_phase_what_nothing_else_can() -> None:
    plant = Phased(specs=(METER, BATTERY), on=(4_000.0, 0.0, 0.0))
    steady(plant)
    assert plant.flows()[0] <= LIMIT_W
    single = replace(BATTERY, phases=(A,))
    plant = Phased(specs=(METER, single), on=(4_000.0, 0.0, 0.0))
    steady(plant)
    assert plant.flows()[0] <= LIMIT_W
    assert plant.power["battery"] == pytest.approx(-1_060, abs=25)  # no more than it takes


@pytest.mark.requirement("ROLE-CEM")
def test_a_battery_charges_no_more_than_its_phase_carries() -> None:
    charge = limit(preferred_w=5_000, target="battery", rank=Rank.ECONOMY)
    single = replace(BATTERY, phases=(C,))
    plant = Phased(specs=(METER, single), on=(0.0, 0.0, 1_000.0), soc=0.5)
    steady(plant, charge)
    assert plant.power["battery"] == pytest.approx(LIMIT_W - 60 - 1_000, abs=25)


@pytest.mark.requirement("ROLE-CEM")
def test_the_sun_is_held_to_what_its_phase_carries_back() -> None:
    plant = Phased(specs=(METER, replace(PV, phases=(B,))), on=(0.0, 200.0, 0.0), sun_w=4_500)
    steady(plant)
    assert -LIMIT_W <= plant.flows()[1] < -LIMIT_W + 150


@pytest.mark.requirement("ROLE-CEM")
@pytest.mark.parametrize("shown", [0, 1])
def test_phases_that_are_not_measured_are_taken_as_balanced(shown: int) -> None:
    plant = Phased(specs=(METER, CAR_A), wants=dict(FREE), on=(500.0, 0.0, 0.0), shown=shown)
    steady(plant)
    assert plant.power["car"] == CAR_A.max_w


@pytest.mark.requirement("ROLE-CEM")
def test_a_kettle_on_its_phase_is_answered_by_battery_and_car() -> None:
    plant = Phased(
        specs=(METER, CAR_A, BATTERY),
        wants=dict(FREE),
        on=(500.0, 0.0, 0.0),
        ramps={"car": 800.0},
    )
    loop = steady(plant, SELF_USE, seconds=30)
    plant.draw(2_000.0, 0.0, 0.0)
    for _ in range(12):
        loop.run(1, *breaker(loop), SELF_USE)
        assert plant.flows()[0] <= LIMIT_W
    assert plant.power["car"] == 0  # less than 6 A are left to it
    assert plant.power["battery"] > -2_100  # which only evens out the house then


@st.composite
def wired(draw: st.DrawFn) -> Phased:
    """Return a home of three phases with any mix of devices on any of them."""
    phases = st.sampled_from([(), (A,), (B,), (C,), HOME])
    specs = [METER]
    wants: dict[str, float] = {}
    for n in range(draw(st.integers(0, 2))):
        name = f"battery{n}" if n else "battery"
        specs.append(replace(BATTERY, id=name, phases=draw(phases)))
    for n in range(draw(st.integers(0, 2))):
        on = draw(phases)
        least_w = 1_380.0 * (len(on) or 3)
        specs.append(replace(CAR_ABC, id=f"car{n}", least_on_w=least_w, phases=on))
        wants[f"car{n}"] = draw(st.sampled_from([0.0, 4_140.0, 11_040.0]))
    for n in range(draw(st.integers(0, 2))):
        on = draw(phases)
        rank = draw(st.integers(0, 9))
        specs.append(replace(HEATER, id=f"load{n}", phases=on, essentiality=rank))
        wants[f"load{n}"] = draw(st.sampled_from([0.0, 2_000.0]))
    if draw(st.booleans()):
        specs.append(replace(PV, phases=draw(phases)))
    base = st.integers(0, 5_000).map(float)
    return Phased(
        specs=tuple(specs),
        wants=wants,
        soc=draw(st.sampled_from([0.05, 0.5, 1.0])),
        capacity_wh=1e9,
        sun_w=draw(st.integers(0, 5_000).map(float)),
        on=draw(st.tuples(base, base, base)),
    )


def least(plant: Phased) -> tuple[float, ...]:
    """Return the least that each phase can be brought to."""
    flows = list(plant.on)
    for spec in plant.specs:
        wired_to = spec.phases or HOME
        power_w = 0.0
        if spec.control is Control.TARGET and plant.soc > 0.1:
            power_w = spec.min_w
        elif spec.control is Control.FLOOR:
            power_w = -plant.sun_w
        for phase in wired_to:
            flows[HOME.index(phase)] += power_w / len(wired_to)
    return tuple(flows)


@pytest.mark.requirement("ROLE-CEM")
@settings(deadline=None, max_examples=examples(300))
@given(wired(), st.integers(2_000, 8_000), st.booleans())
def test_no_phase_is_planned_beyond_the_breaker_where_the_devices_allow(
    plant: Phased, phase_w: int, evens_out: bool
) -> None:
    loop = Loop(plant)
    for _ in range(4):
        loop.run(1, *breaker(loop, phase_w), *([SELF_USE] if evens_out else []))
    assert loop.last is not None
    planned = loop.last.predicted_on_w
    margin_w = max(50.0, 0.02 * phase_w)
    band_w = loop.policy.dead_band_w * len(plant.specs)  # each device's own
    for phase, least_w, flow_w in zip(HOME, least(plant), plant.flows(), strict=True):
        most_w = phase_w if least_w <= phase_w - margin_w else least_w + band_w
        assert max(planned[phase], flow_w) <= max(most_w, phase_w) + 2.0, phase
    net_w = loop.last.predicted_net_w
    assert sum(planned.values()) == pytest.approx(net_w, abs=0.01)


@pytest.mark.requirement("ROLE-CEM")
@settings(deadline=None, max_examples=examples(100))
@given(wired(), st.lists(st.integers(0, 3), min_size=3, max_size=6), st.booleans())
def test_phases_that_come_and_go_and_a_meter_that_fails_keep_control(
    plant: Phased, shown: list[int], lost: bool
) -> None:
    loop = Loop(plant)
    for count in shown:
        plant.shown = count
        plant.lost = {"meter"} if lost and count == 0 else set()
        made = loop.decide(*breaker(loop), SELF_USE)
        for spec in plant.specs:
            order = made.orders.get(spec.id)
            if order is not None and order.setpoint is not None:
                assert spec.min_w <= order.setpoint.power_w <= spec.max_w
        assert set(made.predicted_on_w) == (set(HOME[:count]) if count > 1 else set())
        plant.step()


def test_nothing_is_left_out_where_no_phase_has_a_limit() -> None:
    spec = DeviceSpec("car", DeviceKind.EVSE, "", Control.CEILING, 0, 7_400)
    left = Lines().left(DeviceState(spec, None, Quality.LOST))
    assert (left.left_w, left.spare_w, left.by) == (float("inf"), float("inf"), None)
    assert set(PHASES) == set(Phase)
