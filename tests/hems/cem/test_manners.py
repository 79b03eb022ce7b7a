"""What the plan asks, from step to device: manners of batteries and cars in a closed loop."""

from dataclasses import replace

import pytest

from der.model import DeviceSpec
from hems.cem.policy import AllocatorPolicy
from programs import economy, ready_by, self_consumption
from programs.economy import EconomyPolicy, Step, Use
from programs.inputs import Inputs
from programs.proposal import Proposal, Rank
from programs.ready_by import Departure, ReadyByPolicy
from programs.self_consumption import SelfConsumptionPolicy, StorageUse
from tests.hems.cem.plant import BATTERY, BREAKER, CAR, HEATER, METER, PV, T0, Loop, Plant, limit

pytestmark = pytest.mark.requirement("ROLE-CEM")

SECOND = replace(BATTERY, id="second", name="Second battery")


def asked(
    loop: Loop, steps: dict[str, Step], storage: StorageUse = StorageUse.SELF_CONSUMPTION
) -> tuple[Proposal, ...]:
    """Return what the programmes propose now, as the registry runs them."""
    image, kept = loop.plant.image(), SelfConsumptionPolicy(storage)
    inputs = Inputs((), image.devices, image.net_w, loop.plant.at)
    policy = EconomyPolicy({name: (step,) for name, step in steps.items()})
    planned = economy.propose(inputs, policy, kept)
    return (*planned, *self_consumption.propose(inputs, kept), BREAKER)


def driven(
    steps: dict[str, Step],
    *,
    base_w: float,
    sun_w: float = 0.0,
    specs: tuple[DeviceSpec, ...] = (METER, PV, BATTERY),
    **plant: object,
) -> Loop:
    loop = Loop(Plant(specs, base_w=base_w, sun_w=sun_w, soc=0.5, **plant))  # type: ignore[arg-type]
    for _ in range(5):
        loop.decide(*asked(loop, steps))
        loop.plant.step()
    return loop


def step(use: Use | None = None, power_w: float = 0.0) -> Step:
    return Step(T0 - 60, T0 + 3600, power_w, use, "as planned")


@pytest.mark.parametrize(
    ("use", "power_w", "base_w", "sun_w", "battery_w"),
    [
        (Use.EVEN_OUT, 0, 800, 0, -800),
        (Use.EVEN_OUT, 0, 800, 3_000, 2_200),
        (Use.KEEP, 0, 800, 0, 0),
        (Use.KEEP, 0, 800, 3_000, 2_200),
        (Use.GIVE, 0, 800, 0, -800),
        (Use.GIVE, 0, 800, 3_000, 0),
        (Use.CHARGE, 2_000, 800, 0, 2_000),
        (Use.CHARGE, 2_000, 800, 1_000, 2_000),
        (Use.CHARGE, 2_000, 800, 4_000, 3_200),
        (Use.SELL, -3_000, 800, 0, -3_000),
        (Use.SELL, -3_000, 4_000, 0, -4_000),
        (Use.SELL, -3_000, 800, 3_000, -3_000),
        (Use.REST, 0, 800, 0, 0),
        (Use.REST, 0, 800, 3_000, 0),
        (None, 0, 800, 0, -800),
    ],
)
def test_a_battery_behaves_as_its_manner_says(
    use: Use | None, power_w: float, base_w: float, sun_w: float, battery_w: float
) -> None:
    loop = driven({"battery": step(use, power_w)}, base_w=base_w, sun_w=sun_w)
    assert loop.plant.power["battery"] == pytest.approx(battery_w, abs=25)


def test_the_owner_is_told_the_plan_s_reason() -> None:
    loop = driven({"battery": step(Use.KEEP)}, base_w=800)
    assert loop.last is not None
    assert loop.last.orders["battery"].reason == "as planned"


@pytest.mark.parametrize("use", list(Use))
def test_a_battery_that_is_held_is_not_planned_for(use: Use) -> None:
    loop = Loop(Plant((METER, PV, BATTERY), base_w=800, soc=0.5))
    for _ in range(5):
        loop.decide(*asked(loop, {"battery": step(use, 3_000)}, StorageUse.HOLD))
        loop.plant.step()
    assert loop.plant.power["battery"] == 0


@pytest.mark.parametrize(
    ("use", "power_w", "base_w", "sun_w"),
    [(Use.CHARGE, 3_000, 800, 0), (Use.SELL, -3_000, 800, 3_000)],
)
def test_no_battery_empties_into_another(
    use: Use, power_w: float, base_w: float, sun_w: float
) -> None:
    steps = {"battery": step(use, power_w), "second": step(Use.EVEN_OUT)}
    loop = driven(steps, base_w=base_w, sun_w=sun_w, specs=(METER, PV, BATTERY, SECOND))
    assert loop.plant.power["battery"] == pytest.approx(power_w, abs=25)
    assert loop.plant.power["second"] == pytest.approx(0, abs=25)


@pytest.mark.requirement("BUC-1")
def test_a_limit_moves_a_battery_that_is_to_charge() -> None:
    loop = driven({"battery": step(Use.CHARGE, 4_000)}, base_w=800)
    for _ in range(5):
        loop.decide(*asked(loop, {"battery": step(Use.CHARGE, 4_000)}), limit(1_500))
        loop.plant.step()
    assert loop.plant.net_w <= 1_500
    assert loop.plant.power["battery"] > 500, "as much as the limit leaves"


@pytest.mark.requirement("BUC-1")
@pytest.mark.parametrize("use", [Use.KEEP, Use.CHARGE])
def test_what_pays_takes_no_heat_from_the_owner(use: Use) -> None:
    plant = Plant((METER, PV, BATTERY, HEATER), base_w=500, soc=0.5, wants={"heater": 2_000.0})
    loop = Loop(plant)
    warm = limit(lower_w=2_000, rank=Rank.OWNER, target="heater", source="warmth")
    for second in range(40):
        limits = (limit(1_500),) if second > 5 else ()
        loop.decide(*asked(loop, {"battery": step(use, 3_000)}), warm, *limits)
        plant.step()
    assert plant.power["heater"] == 2_000, "the battery helps before what is too cold yields"
    assert plant.net_w <= 1_500


@pytest.mark.parametrize(
    ("planned", "base_w", "sun_w", "car_w"),
    [
        (step(power_w=0.0), 500, 4_000, 0),
        (step(power_w=3_000.0), 500, 0, 3_000),
        (step(power_w=3_000.0), 500, 5_500, 5_000),
        (step(power_w=900.0), 500, 0, 1_380),
        (step(power_w=600.0), 500, 0, 0),
        (step(Use.KEEP, 3_000.0), 500, 0, 0),
        (step(Use.KEEP, 3_000.0), 500, 2_500, 2_000),
    ],
)
def test_a_car_takes_what_is_planned_and_the_sun_besides(
    planned: Step, base_w: float, sun_w: float, car_w: float
) -> None:
    loop = Loop(
        Plant((METER, PV, CAR), base_w=base_w, sun_w=sun_w, wants={"car": 7_000.0}),
        AllocatorPolicy(margin_w=0.0, margin_share=0.0),
    )
    for _ in range(600):
        loop.decide(*asked(loop, {"car": planned}))
        loop.plant.step()
    assert loop.plant.power["car"] == pytest.approx(car_w, abs=210)


@pytest.mark.requirement("BUC-1")
def test_a_car_that_must_not_wait_charges_against_the_plan_within_a_limit() -> None:
    loop = Loop(Plant((METER, CAR), base_w=500, wants={"car": 7_400.0}))
    waits = {"car": step(power_w=0.0)}
    policy = ReadyByPolicy((Departure("car", T0 + 3_600, 20_000.0),))
    drawn: list[float] = []
    for second in range(120):
        image = loop.plant.image()
        inputs = Inputs((), image.devices, image.net_w, loop.plant.at)
        wishes = ready_by.propose(inputs, policy) if second >= 30 else ()
        limits = (limit(4_000),) if second >= 90 else ()
        loop.decide(*asked(loop, waits), *wishes, *limits)
        loop.plant.step()
        drawn.append(loop.plant.power["car"])
    assert drawn[29] == 0
    assert drawn[80] == 7_400
    assert drawn[-1] == pytest.approx(3_400, abs=200)
    assert loop.plant.net_w <= 4_000
