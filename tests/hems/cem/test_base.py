"""What the house draws that nobody controls, found from readings that are not of one moment."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.model import Quality
from hems.cem.allocator import allocate
from hems.cem.arbiter import arbitrate
from hems.cem.base import Base, between, estimate
from hems.cem.orders import Allocation
from hems.image import Image
from programs.proposal import Bounds, Proposal
from tests.hems.cem.plant import BATTERY, CAR, METER, Loop, Plant, limit

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

    def decide(self, *proposals: Proposal) -> Allocation:
        plant = self.plant
        decision = arbitrate(proposals, plant.at)
        made = allocate(plant.image(), decision, plant.at, self.memory, self.policy)
        self.memory = made.memory
        for device, order in made.orders.items():
            refused = device == "car" and plant.refuses
            if device == "car":
                plant.out = refused and (order.write or plant.out)
            if order.write and not refused:
                plant.told[device] = order.setpoint
                self.memory = self.memory.confirmed(device, order.setpoint, plant.at)
        return made


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
