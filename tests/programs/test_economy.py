"""What pays: steps of a plan in, proposals out."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.model import Comfort, Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading
from programs.economy import EconomyPolicy, Step, Use, propose, step_at
from programs.inputs import Inputs
from programs.proposal import HOME, Bounds, Rank
from programs.registry import Policies, propose_all
from programs.self_consumption import SelfConsumptionPolicy, StorageUse

pytestmark = pytest.mark.requirement("ROLE-CEM")

NOW = 1_800_000_000.0
INF = math.inf

BATTERY = DeviceSpec("battery", DeviceKind.BATTERY, "Battery", Control.TARGET, -5_000, 4_000)
CAR = DeviceSpec("car", DeviceKind.EVSE, "Car", Control.CEILING, 0, 7_400, least_on_w=1_380)
TANK = DeviceSpec(
    "tank", DeviceKind.WATER_HEATER, "Tank", Control.SWITCH, 0, 2_000, comfort=Comfort(45, 60)
)
PLUG = DeviceSpec("plug", DeviceKind.PLUG, "Dishwasher", Control.SWITCH, 0, 2_000)
SPECS = (BATTERY, CAR, TANK, PLUG)


def home(*specs: DeviceSpec, temp_c: float | None = 50.0) -> Inputs:
    devices = {
        spec.id: DeviceState(spec, Reading(NOW, 0.0, temp_c=temp_c), Quality.GOOD) for spec in specs
    }
    return Inputs((), devices, 500.0, NOW)


def step(power_w: float = 0.0, use: Use | None = None) -> Step:
    return Step(NOW - 100, NOW + 100, power_w, use, "because")


def planned(**steps: Step) -> EconomyPolicy:
    return EconomyPolicy({name: (each,) for name, each in steps.items()})


@pytest.mark.parametrize(
    ("given_step", "asked"),
    [
        (step(use=Use.EVEN_OUT), [(HOME, Bounds(), 0.0)]),
        (step(use=Use.KEEP), [(HOME, Bounds(), 0.0), ("battery", Bounds(0, INF), None)]),
        (
            step(2_000, Use.CHARGE),
            [(HOME, Bounds(), 0.0), ("battery", Bounds(2_000, INF), None)],
        ),
        (
            step(9_000, Use.CHARGE),
            [(HOME, Bounds(), 0.0), ("battery", Bounds(4_000, INF), None)],
        ),
        (step(use=Use.GIVE), [(HOME, Bounds(), 0.0), ("battery", Bounds(-INF, 0), None)]),
        (
            step(-9_000, Use.SELL),
            [(HOME, Bounds(), 0.0), ("battery", Bounds(-INF, -5_000), None)],
        ),
        (step(use=Use.REST), [(HOME, Bounds(), 0.0), ("battery", Bounds(), 0.0)]),
    ],
)
def test_a_battery_is_told_a_manner(
    given_step: Step, asked: list[tuple[str, Bounds, float | None]]
) -> None:
    found = propose(home(BATTERY), planned(battery=given_step))
    assert [(p.target, p.bounds, p.preferred_w) for p in found] == asked
    assert {(p.rank, p.reason) for p in found} == {(Rank.ECONOMY, "because")}


@pytest.mark.parametrize(
    ("given_step", "bounds", "preferred_w"),
    [
        (step(0), Bounds(upper_w=0.0), None),
        (step(689), Bounds(upper_w=0.0), None),
        (step(691), Bounds(), 1_380.0),
        (step(3_000), Bounds(), 3_000.0),
        (step(9_000), Bounds(), 7_400.0),
        (step(3_000, Use.KEEP), Bounds(), 0.0),
    ],
)
def test_a_car_is_told_its_power(
    given_step: Step, bounds: Bounds, preferred_w: float | None
) -> None:
    (found,) = propose(home(CAR), planned(car=given_step))
    assert (found.bounds, found.preferred_w) == (bounds, preferred_w)


def test_a_car_that_follows_the_sun_needs_no_plan() -> None:
    policy = EconomyPolicy({"car": (step(3_000),)}, good_until=NOW, solar=frozenset({"car"}))
    (found,) = propose(home(CAR), policy)
    assert (found.bounds, found.preferred_w) == (Bounds(), 0.0)


@pytest.mark.parametrize(
    ("power_w", "bounds"), [(0, Bounds(upper_w=0.0)), (999, Bounds(upper_w=0.0)), (1_000, Bounds())]
)
def test_a_heater_is_off_or_left_to_its_thermostat(power_w: float, bounds: Bounds) -> None:
    (found,) = propose(home(TANK), planned(tank=step(power_w)))
    assert found.bounds == bounds


def test_no_plan_keeps_a_heater_off_whose_temperature_nobody_knows() -> None:
    assert propose(home(TANK, temp_c=None), planned(tank=step(0))) == ()
    inputs = home(TANK)
    stale = replace(inputs.devices["tank"], quality=Quality.STALE)
    assert propose(replace(inputs, devices={"tank": stale}), planned(tank=step(0))) == ()


def test_a_run_is_no_matter_of_this_programme() -> None:
    assert propose(home(PLUG), planned(plug=step(0))) == ()


@pytest.mark.parametrize("when", [NOW - 100.1, NOW + 100])
def test_a_step_counts_in_its_time_alone(when: float) -> None:
    assert step_at((step(),), when) is None
    assert step_at((step(),), NOW) == step()
    assert propose(replace(home(*SPECS), now=when), planned(car=step())) == ()


def test_an_old_plan_asks_for_nothing_and_the_batteries_even_out() -> None:
    policy = replace(planned(battery=step(use=Use.REST), car=step(0)), good_until=NOW)
    assert propose(home(BATTERY, CAR), policy) == ()
    without = propose_all(home(BATTERY, CAR), Policies())
    assert propose_all(home(BATTERY, CAR), Policies(economy=policy)) == without


def test_what_the_owner_holds_is_not_planned_for() -> None:
    held = SelfConsumptionPolicy(StorageUse.HOLD)
    assert propose(home(BATTERY), planned(battery=step(3_000, Use.CHARGE)), held) == ()


steps = st.builds(
    step,
    st.floats(-1e5, 1e5),
    st.one_of(st.none(), st.sampled_from(Use)),
)


@given(
    plan=st.dictionaries(st.sampled_from(["battery", "car", "tank", "plug", "gone"]), steps),
    storage=st.sampled_from(StorageUse),
)
def test_nothing_is_asked_outside_a_device_s_range(
    plan: dict[str, Step], storage: StorageUse
) -> None:
    inputs = home(*SPECS)
    for proposal in propose(inputs, planned(**plan), SelfConsumptionPolicy(storage)):
        assert proposal.rank is Rank.ECONOMY
        assert proposal.bounds.lower_w <= proposal.bounds.upper_w
        assert proposal.expires_at > NOW
        if proposal.target == HOME:
            continue
        spec = inputs.devices[proposal.target].spec
        figures = (proposal.bounds.lower_w, proposal.bounds.upper_w, proposal.preferred_w)
        for figure in figures:
            if figure is not None and math.isfinite(figure):
                assert spec.min_w <= figure <= spec.max_w
