"""Shedding to balance: the allocator on an island whose battery carries whatever the rest takes."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from der.model import (
    Control,
    DeviceKind,
    DeviceSpec,
    DeviceState,
    Quality,
    Reading,
    Setpoint,
)
from hems.cem.allocator import allocate
from hems.cem.arbiter import arbitrate
from hems.cem.island import as_decided_on
from hems.cem.memory import Memory
from hems.cem.orders import Allocation
from hems.cem.policy import AllocatorPolicy
from programs import microgrid, safety
from programs.inputs import Inputs
from programs.microgrid import MARKED, Island, MicrogridPolicy, Ramp, energising_order
from programs.proposal import HOME, Bounds, Rank
from programs.safety import SafetyPolicy
from programs.signal import Signal, SignalKind
from tests.hems.cem.plant import BATTERY, CAR, HEATER, METER, PUMP, PV, T0, Plant

pytestmark = pytest.mark.requirement("BUC-14")

FORMED = MicrogridPolicy(island=Island("battery", Bounds(-5000.0, 4500.0)), parted=True)
LOADS = (CAR, HEATER, PUMP)
OXYGEN = DeviceSpec(
    "oxygen", DeviceKind.PLUG, "Oxygen", Control.SWITCH, 0, 400, essentiality=MARKED
)
LIGHT = DeviceSpec("light", DeviceKind.PLUG, "Light", Control.SWITCH, 0, 300, essentiality=3)


@dataclass
class Alone:
    """A home on its own, decided on once a second as the cycle does."""

    plant: Plant
    memory: Memory = field(default_factory=Memory)
    policy: MicrogridPolicy = FORMED

    def balance(self) -> float:
        """Let the battery carry the rest; returns what it gives, W."""
        rest_w = self.plant.base_w + sum(
            w for name, w in self.plant.power.items() if name not in {"battery", "meter"}
        )
        self.plant.power["battery"] = -rest_w
        return rest_w

    def decide(self) -> Allocation:
        """Decide once, and let the devices be told."""
        self.balance()
        plant, rules = self.plant, AllocatorPolicy()
        image = as_decided_on(plant.image(), self.policy)
        inputs = Inputs((), image.devices, image.net_w, plant.at)
        wishes = microgrid.propose(inputs, self.policy) + safety.propose(inputs, SafetyPolicy())
        made = allocate(image, arbitrate(wishes, plant.at), plant.at, self.memory, rules)
        self.memory = made.memory
        for device, order in made.orders.items():
            if order.write:
                plant.told[device] = order.setpoint
                self.memory = self.memory.confirmed(device, order.setpoint, plant.at)
        return made

    def run(self, seconds: int) -> list[float]:
        """Live for some seconds; returns what the battery gave after each."""
        given_w = []
        for _ in range(seconds):
            self.decide()
            self.plant.step()
            given_w.append(self.balance())
        return given_w


def test_the_forming_battery_is_told_nothing_and_stands_for_the_meter() -> None:
    home = Alone(Plant(base_w=700.0, sun_w=300.0))
    home.balance()
    image = as_decided_on(home.plant.image(), FORMED)
    assert image.net_w == pytest.approx(400.0)
    assert image.devices["battery"].spec.control is Control.NONE
    made = home.decide()
    assert "battery" not in made.orders
    home.plant.lost.add("battery")
    assert as_decided_on(home.plant.image(), FORMED).net_w is None, "no word, no net power"
    assert as_decided_on(home.plant.image(), MicrogridPolicy()) == home.plant.image()


def test_the_least_essential_is_shed_until_the_battery_carries_the_rest() -> None:
    home = Alone(Plant(base_w=1000.0, wants={"car": 3700.0, "heater": 2000.0, "pump": 2500.0}))
    given_w = home.run(10)
    assert max(given_w[2:]) <= 4500.0
    assert home.plant.power["pump"] == 2500.0, "the most essential keeps running"
    assert home.plant.power["heater"] == 0.0
    told = home.plant.told["heater"]
    assert told is not None
    assert told.lapse_s >= 600.0, "were it let go when the hub dies, the inverter would give up"


def test_what_was_shed_comes_back_in_turn_when_there_is_room() -> None:
    home = Alone(Plant(base_w=4000.0, wants={"heater": 2000.0, "pump": 2500.0}))
    home.run(10)
    assert home.plant.power["heater"] == home.plant.power["pump"] == 0.0
    home.plant.base_w = 300.0
    given_w = home.run(900)
    assert home.plant.power["pump"] == 2500.0
    assert max(given_w) <= 4500.0


def test_a_full_battery_has_the_sun_held_back() -> None:
    full = replace(FORMED, island=Island("battery", Bounds(0.0, 4500.0)))
    home = Alone(Plant(base_w=600.0, sun_w=4000.0, soc=1.0), policy=full)
    given_w = home.run(20)
    assert all(0.0 <= w <= 600.0 for w in given_w[3:])


def test_a_base_above_all_that_can_be_given_leaves_everything_off() -> None:
    home = Alone(Plant(base_w=6000.0, wants={"car": 3700.0, "heater": 2000.0, "pump": 2500.0}))
    home.run(5)
    assert all(home.plant.power[spec.id] == 0.0 for spec in LOADS)


def test_what_the_inverter_cannot_carry_goes_even_if_it_is_marked() -> None:
    specs = [
        replace(CAR, keep=True, min_off_s=0.0),
        replace(HEATER, essentiality=MARKED, min_off_s=0.0),
        replace(PUMP, keep=True, min_off_s=0.0),
    ]
    wanted = {spec.id: spec.max_w for spec in specs}
    home = Alone(Plant((METER, PV, BATTERY, *specs), 600.0, 0.0, wants=wanted))
    assert max(home.run(20)[2:]) <= 4500.0, "past its rating the home is dark for all"
    assert any(home.plant.power[spec.id] > 0 for spec in specs)


def test_what_is_kept_is_marked_whatever_its_number() -> None:
    pump = replace(OXYGEN, essentiality=0, keep=True)
    assert energising_order([HEATER, PUMP, pump])[0] == "oxygen"
    off, asks = Setpoint(0.0, 60.0), Reading(T0, 0.0, wants_power=True)
    devices = {
        "oxygen": DeviceState(pump, asks, Quality.GOOD, setpoint=off),
        "heater": DeviceState(HEATER, Reading(T0, 1500.0), Quality.GOOD),
    }
    image = Inputs((), devices, 2000.0, T0)
    found = {p.target: p.rank for p in microgrid.propose(image, FORMED)}
    assert found["heater"] is Rank.EMERGENCY
    waits = replace(FORMED, withheld={"oxygen": "The home is dark"})
    found = {p.target: p.rank for p in microgrid.propose(image, waits)}
    assert found["oxygen"] is Rank.SAFETY, "no weaker word reaches it, and there is no power"


@settings(max_examples=25, deadline=None)
@given(
    base_w=st.integers(100, 4500),
    sun_w=st.integers(0, 3000),
    marked=st.sets(st.sampled_from(["heater", "pump", "car", "light"]), min_size=1, max_size=3),
    wants=st.dictionaries(
        st.sampled_from(["car", "heater", "pump", "light", "oxygen"]), st.just(1.0)
    ),
    jump_w=st.integers(-2000, 2500),
)
def test_no_marked_load_stands_still_while_an_unmarked_one_runs(
    base_w: int, sun_w: int, marked: set[str], wants: dict[str, float], jump_w: int
) -> None:
    specs = [
        replace(s, essentiality=MARKED, min_off_s=0.0, min_on_s=0.0)
        if s.id in marked
        else replace(s, min_off_s=0.0, min_on_s=0.0)
        for s in (CAR, HEATER, PUMP, LIGHT, OXYGEN)
    ]
    wanted = {s.id: s.max_w for s in specs if s.id in wants}
    plant = Plant((METER, PV, BATTERY, *specs), float(base_w), float(sun_w), wants=wanted)
    home = Alone(plant)
    home.run(20)
    plant.base_w = max(base_w + jump_w, 0.0)
    for _ in range(40):
        home.run(1)
        stopped = [
            s
            for s in specs
            if s.essentiality >= MARKED
            and (told := plant.told.get(s.id)) is not None
            and told.power_w < max(s.least_on_w or s.max_w, 1.0)
            and max(s.least_on_w, 0.0 if s.control is Control.CEILING else s.max_w) <= 4500.0
        ]
        before = {s.id for s in stopped}
        home.run(2)  # it yields at the next decision
        still = [
            s for s in stopped if (told := plant.told.get(s.id)) is not None and told.power_w < 1.0
        ]
        running = [s for s in specs if s.essentiality < MARKED and plant.power[s.id] > 0 and before]
        assert not (still and running), (still[0].id, running[0].id)


@pytest.mark.parametrize(
    ("waits", "net_w", "yields"),
    [
        (OXYGEN, 4400.0, {"car", "heater", "light"}),  # marked: all else yields at once
        (OXYGEN, 600.0, {"car", "heater", "light"}),
        (replace(PUMP, max_w=6000.0), 600.0, set()),  # it could never be carried
        (PUMP, 1000.0, set()),  # there is room already
        (PUMP, 3000.0, {"heater"}),  # the least essential makes room
        (PUMP, 4400.0, {"heater", "car"}),
        (PUMP, 9000.0, set()),  # not even all of them would make enough
        (PUMP, None, set()),
    ],
)
def test_who_yields_to_a_more_essential_load_that_stands_still(
    waits: DeviceSpec, net_w: float | None, yields: set[str]
) -> None:
    draws = {HEATER: 1500.0, CAR: 1400.0, LIGHT: 300.0}
    devices = {
        spec.id: DeviceState(spec, Reading(T0, power_w, wants_power=True), Quality.GOOD)
        for spec, power_w in draws.items()
    }
    off, asks = Setpoint(0.0, 60.0), Reading(T0, 0.0, wants_power=True)
    devices[waits.id] = DeviceState(waits, asks, Quality.GOOD, setpoint=off)
    found = microgrid.propose(Inputs((), devices, net_w, T0), FORMED)
    assert {p.target for p in found if p.target != HOME} == yields
    content = replace(devices[waits.id], reading=replace(asks, wants_power=False))
    found = microgrid.propose(Inputs((), devices | {waits.id: content}, net_w, T0), FORMED)
    held = {p.target for p in found if p.target != HOME}
    assert held == (yields if waits is OXYGEN else set())


@given(st.permutations([METER, PV, BATTERY, CAR, HEATER, PUMP, LIGHT, OXYGEN]))
def test_the_order_of_a_black_start_is_the_owners_then_by_essentiality(
    specs: list[DeviceSpec],
) -> None:
    assert energising_order(specs) == ("oxygen", "pump", "light", "car", "heater")
    first = energising_order(specs, ("light", "gone"))
    assert first == ("light", "oxygen", "pump", "car", "heater")


def test_what_the_utility_asks_counts_only_while_the_home_is_connected() -> None:
    limit = Signal("E", "P", SignalKind.IMPORT_LIMIT, 500.0, T0, T0 + 60, binding=True)
    off = Signal("D", "P", SignalKind.DISCONNECT, 0.0, T0, T0 + 60, binding=True)
    assert MicrogridPolicy().heard([limit, off]) == [limit, off]
    assert MicrogridPolicy(rides_through=True).heard([limit, off]) == [limit]
    assert MicrogridPolicy(parted=True).heard([limit, off]) == ()
    assert MicrogridPolicy(parted=True).heard(None) == ()
    assert MicrogridPolicy(rides_through=True).heard(None) is None


def test_import_returns_little_by_little_after_an_island() -> None:
    ramp = Ramp(500.0, T0, T0 + 60.0, 50.0)
    policy = MicrogridPolicy(ramp=ramp)
    uppers = []
    for seconds in (0.0, 10.0, 59.0, 60.0):
        proposals = microgrid.propose(Inputs((), {}, 0.0, T0 + seconds), policy)
        uppers += [(p.target, p.rank, p.bounds.upper_w) for p in proposals]
    assert uppers == [
        (HOME, Rank.ACCEPTED, 500.0),
        (HOME, Rank.ACCEPTED, 1000.0),
        (HOME, Rank.ACCEPTED, 3450.0),
    ]


def test_a_planned_separation_brings_the_tie_to_zero() -> None:
    (wish,) = microgrid.propose(Inputs((), {}, 3000.0, T0), MicrogridPolicy(tie_to_zero=True))
    assert (wish.target, wish.preferred_w) == (HOME, 0.0)
    assert wish.bounds.lower_w < 0 < wish.bounds.upper_w <= 150.0
