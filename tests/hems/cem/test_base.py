"""What the house draws that nobody controls, found from readings that are not of one moment."""

import math
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.model import DeviceState, Phase, PhaseReading, Quality, Reading, Setpoint
from hems.cem.base import Base, between, estimate
from hems.cem.memory import DeviceMemory, Given, Memory
from hems.cem.observe import observe
from hems.cem.orders import Order
from hems.cem.policy import AllocatorPolicy
from hems.image import Image
from programs.proposal import Bounds
from tests.hems.cem.plant import BATTERY, CAR, METER, T0, Loop, Plant, limit

pytestmark = pytest.mark.requirement("ROLE-CEM")

LIMIT_W = 2_000.0


def exactly(power_w: float) -> Bounds:
    return Bounds(power_w, power_w)


@pytest.mark.parametrize(
    ("before", "point_w", "within", "after"),
    [
        (None, 500.0, Bounds(400, 900), Base(500.0, Bounds(400, 900))),
        (Base(500.0, exactly(500)), 800.0, Bounds(400, 900), Base(500.0, exactly(500))),
        (Base(500.0, exactly(500)), 800.0, exactly(800), Base(800.0, exactly(800))),
        (Base(500.0, exactly(500)), 800.0, Bounds(700, 900), Base(700.0, exactly(700))),
        (Base(500.0, Bounds(400, 900)), 800.0, Bounds(300, 850), Base(800.0, Bounds(400, 850))),
        (Base(500.0, Bounds(400, 900)), 950.0, Bounds(600, 950), Base(900.0, Bounds(600, 900))),
        (Base(500.0, Bounds(400, 900)), 640.0, exactly(640), Base(640.0, exactly(640))),
        (Base(500.0, Bounds(400, 900)), 990.0, exactly(990), Base(990.0, exactly(990))),
    ],
)
def test_one_more_reading(before: Base | None, point_w: float, within: Bounds, after: Base) -> None:
    assert estimate(before, point_w, within) == after


MOVES = st.lists(
    st.lists(st.tuples(st.floats(0, 7_000), st.floats(0, 7_000)), min_size=2, max_size=2),
    min_size=1,
    max_size=20,
)


@given(house_w=st.floats(-3_000, 3_000), moves=MOVES, part=st.floats(0, 1))
def test_a_house_that_draws_the_same_is_always_inside_and_is_found_once_all_stand_still(
    house_w: float, moves: list[list[tuple[float, float]]], part: float
) -> None:
    """Each device is somewhere between two powers while the meter is read."""
    base: Base | None = None
    for move in moves:
        net_w = house_w + sum(a + part * (b - a) for a, b in move)
        within = between(net_w, [Bounds(min(each), max(each)) for each in move])
        base = estimate(base, net_w - sum(a for a, _ in move), within)
        assert base.within.lower_w - 1e-3 <= house_w <= base.within.upper_w + 1e-3
        assert base.within.lower_w - 1e-3 <= base.power_w <= base.within.upper_w + 1e-3
    still_w = house_w + sum(b for _, b in moves[-1])
    point_w = still_w - sum(b for _, b in moves[-1])
    base = estimate(base, point_w, between(still_w, [exactly(b) for _, b in moves[-1]]))
    assert base.power_w == pytest.approx(house_w, abs=1e-3)


@dataclass
class Refusing(Plant):
    """A home whose car refuses what it is told; it is read so many tenths before the meter."""

    lag: int = 1
    refuses: bool = False
    out: bool = False
    powers: list[float] = field(default_factory=list)

    def tick(self) -> float:
        """Let a second pass by tenths; returns the most that the meter saw, W."""
        most_w = -1e9
        for _ in range(10):
            self.step(0.1)
            self.powers.append(self.power["car"])
            most_w = max(most_w, self.net_w)
        return most_w

    def image(self) -> Image:
        image = super().image()
        state = image.devices["car"]
        assert state.reading is not None
        earlier = self.powers[-1 - self.lag] if len(self.powers) > self.lag else self.power["car"]
        reading = replace(state.reading, at=self.at - 0.1 * self.lag, power_w=earlier)
        quality = Quality.STALE if self.out else Quality.GOOD
        state = replace(state, reading=reading, quality=quality)
        return replace(image, devices={**image.devices, "car": state})


@dataclass
class Trying(Loop):
    """As the cycle does: who refuses what it is told is not counted on, and is told again."""

    plant: Refusing

    def takes(self, device: str, order: Order) -> bool:
        plant = self.plant
        if device != "car":
            return order.write
        plant.out = plant.refuses and (order.write or plant.out)
        return order.write and not plant.refuses


@pytest.mark.parametrize(("first", "then"), [(a, b) for a in range(10) for b in range(10)])
def test_a_charger_that_obeys_again_while_it_is_read_hides_nothing(first: int, then: int) -> None:
    """How many tenths of a second before the meter it is read, once it is counted on again."""
    plant = Refusing(
        (METER, BATTERY, CAR), base_w=5_700.0, wants={"car": 3_680.0}, ramps={"car": 3_680.0}
    )
    loop = Trying(plant)
    loop.decide()
    plant.tick()
    plant.refuses = True
    for _ in range(20):
        loop.decide(limit(LIMIT_W))
        plant.tick()
    assert plant.out
    assert plant.net_w > LIMIT_W, "not even the battery makes up for it"
    plant.refuses = False
    loop.decide(limit(LIMIT_W))
    plant.tick()
    for lag in (first, *[then] * 7):
        plant.lag = lag
        loop.decide(limit(LIMIT_W))
        assert plant.tick() <= LIMIT_W


def reads(
    at: float, car_w: float, quality: Quality, battery_w: float = -600.0, drawn_w: float = math.nan
) -> Image:
    """Return what meter, car and battery say of three phases that carry the same.

    The house draws 1.5 kW, the car what it shows, or `drawn_w`.
    """
    net_w = 1_500.0 + battery_w + (car_w if math.isnan(drawn_w) else drawn_w)
    even = {w: tuple(PhaseReading(power_w=w / 3) for _ in Phase) for w in (net_w, car_w)}
    states = (
        DeviceState(METER, Reading(at, net_w, phases=even[net_w]), Quality.GOOD),
        DeviceState(BATTERY, Reading(at, battery_w, soc=0.5), Quality.GOOD),
        DeviceState(CAR, Reading(at, car_w, phases=even[car_w], wants_power=True), quality),
    )
    return Image(at, 1, {state.spec.id: state for state in states})


POLICY = AllocatorPolicy()
MOVING = (-9_000.0, 9_000.0)
"""What a battery was told that its reading may not show yet: the base may be anywhere between."""


@pytest.mark.parametrize(
    ("course", "base_w"),
    [
        ([(6_900.0, Quality.GOOD), (6_900.0, Quality.STALE)], 8_400.0),
        ([(6_900.0, Quality.GOOD), (0.0, Quality.STALE)], 1_500.0),
        ([(6_900.0, Quality.GOOD), (6_900.0, Quality.STALE), (6_900.0, Quality.GOOD)], 1_500.0),
        ([(0.0, Quality.STALE), (6_900.0, Quality.GOOD)], 1_500.0),
    ],
    ids=["leaves", "stops and leaves", "leaves and comes back", "is found"],
)
def test_who_leaves_or_comes_while_a_battery_moves(
    course: list[tuple[float, Quality]], base_w: float
) -> None:
    memory = Memory()
    for second, (car_w, quality) in enumerate(course):
        at = T0 + second
        seen = observe(reads(at, car_w, quality), memory, at, POLICY)
        battery = seen.memory.device("battery")
        for target_w in MOVING:
            battery = battery.drive(target_w, at)
        memory = replace(seen.memory, devices={**seen.memory.devices, "battery": battery})
    assert seen.base_w == pytest.approx(base_w)
    assert list(seen.base_on.values()) == pytest.approx([base_w / 3] * 3)


def test_who_comes_back_while_it_obeys_hides_nothing_on_any_phase() -> None:
    memory = Memory()
    for second, quality in enumerate((Quality.GOOD, Quality.STALE)):
        seen = observe(reads(T0 + second, 6_900.0, quality), memory, T0 + second, POLICY)
        memory = seen.memory
    memory = memory.confirmed("car", Setpoint(0.0, 60.0), T0 + 1.5)
    image = reads(T0 + 2, 3_000.0, Quality.GOOD, drawn_w=0.0)
    car = image.devices["car"]
    assert car.reading is not None
    car = replace(car, reading=replace(car.reading, at=T0 + 1.9))
    image = replace(image, devices={**image.devices, "car": car})
    seen = observe(image, memory, T0 + 2, POLICY)
    assert seen.base_w == pytest.approx(1_500.0)
    assert list(seen.base_on.values()) == pytest.approx([500.0] * 3)


def test_a_meter_that_is_read_less_often_than_devices_come_and_go() -> None:
    memory = Memory()
    for second, quality in enumerate((Quality.GOOD, Quality.STALE, Quality.GOOD, Quality.STALE)):
        image = reads(T0 + second, 6_900.0, quality, battery_w=0.0)
        meter = image.devices["meter"]
        assert meter.reading is not None
        meter = replace(meter, reading=replace(meter.reading, at=T0))
        image = replace(image, devices={**image.devices, "meter": meter})
        seen = observe(image, memory, T0 + second, POLICY)
        memory = seen.memory
        base_w = 1_500.0 if quality is Quality.GOOD else 8_400.0
        assert seen.base_w == pytest.approx(base_w)
        assert list(seen.base_on.values()) == pytest.approx([base_w / 3] * 3)


def test_what_was_confirmed_meanwhile_comes_before_what_was_decided_after_it() -> None:
    told, later = Given(Setpoint(7_000.0, 90.0), T0 - 0.5), (T0, 1_380.0)
    past = DeviceMemory(aims=((T0 - 3.0, 0.0), later)).returned(told, T0 + 1, 5.0)
    assert past.aims == ((T0 - 3.0, 0.0), (T0 - 0.5, 7_000.0), later)
    assert past.returned(told, T0 + 1, 5.0) == past
    assert past.returned(Given(None, T0 - 0.2), T0 + 1, 5.0).aims[2] == (T0 - 0.2, None)
    assert past.returned(Given(None, T0 - 9.0), T0 + 1, 5.0) == past
