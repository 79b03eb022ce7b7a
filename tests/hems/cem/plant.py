"""A tiny energy-balanced home for tests: what its devices do with what they are told."""

from dataclasses import dataclass, field

from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading, Setpoint
from hems.cem.allocator import allocate
from hems.cem.arbiter import Decision, arbitrate
from hems.cem.memory import Memory
from hems.cem.orders import Allocation, Order
from hems.cem.policy import AllocatorPolicy
from hems.image import Image
from programs.proposal import HOME, Bounds, Proposal, Rank

T0 = 1_800_000_000.0

METER = DeviceSpec("meter", DeviceKind.METER, "Meter", Control.NONE, -20_000, 20_000)
PV = DeviceSpec("pv", DeviceKind.PV, "Roof", Control.FLOOR, -5_000, 0)
BATTERY = DeviceSpec("battery", DeviceKind.BATTERY, "Battery", Control.TARGET, -5_000, 5_000)
CAR = DeviceSpec(
    "car", DeviceKind.EVSE, "Car", Control.CEILING, 0, 7_400, least_on_w=1_380, essentiality=2
)
HEATER = DeviceSpec(
    "heater", DeviceKind.WATER_HEATER, "Tank", Control.SWITCH, 0, 2_000, essentiality=1
)
PUMP = DeviceSpec(
    "pump",
    DeviceKind.HEAT_PUMP,
    "Heat pump",
    Control.SWITCH,
    0,
    2_500,
    essentiality=6,
    min_off_s=300,
    min_on_s=300,
)
ALL = (METER, PV, BATTERY, CAR, HEATER, PUMP)


@dataclass
class Plant:
    """A home that obeys at once, or as fast as `ramp_w_s` (or `ramps`) lets each device.

    `wants` is what each load would draw if it were let, which it says if `says_wants`; `sun_w` is
    what the roof could give.
    """

    specs: tuple[DeviceSpec, ...] = ALL
    base_w: float = 500.0
    sun_w: float = 0.0
    soc: float = 0.8
    capacity_wh: float = 10_000.0
    wants: dict[str, float] = field(default_factory=dict)
    ramp_w_s: float = 1e9
    ramps: dict[str, float] = field(default_factory=dict)
    meter_lag: bool = False
    power: dict[str, float] = field(default_factory=dict)
    told: dict[str, Setpoint | None] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    says_wants: bool = True
    at: float = T0
    seq: int = 0
    shown_net_w: float | None = None

    def __post_init__(self) -> None:
        for spec in self.specs:
            self.power.setdefault(spec.id, self.aim_w(spec))

    def aim_w(self, spec: DeviceSpec) -> float:
        """Return where a device is heading."""
        told = self.told.get(spec.id)
        match spec.control:
            case Control.TARGET:
                power_w = 0.0 if told is None else told.power_w
                if (power_w < 0 and self.soc <= 0) or (power_w > 0 and self.soc >= 1):
                    return 0.0
                return power_w
            case Control.FLOOR:
                return -self.sun_w if told is None else max(-self.sun_w, told.power_w)
            case Control.CEILING:
                wanted = self.wants.get(spec.id, 0.0)
                allowed = wanted if told is None else min(wanted, told.power_w)
                return allowed if allowed >= spec.least_on_w else 0.0
            case Control.SWITCH:
                on = told is None or told.power_w >= spec.max_w
                return self.wants.get(spec.id, 0.0) if on else 0.0
            case Control.NONE:
                return 0.0

    @property
    def net_w(self) -> float:
        """The sum of all parts."""
        return self.base_w + sum(w for d, w in self.power.items() if d != "meter")

    def step(self, dt_s: float = 1.0) -> None:
        """Let time pass; devices move towards what they were told."""
        before_w = self.net_w
        for spec in self.specs:
            now_w, aim_w = self.power[spec.id], self.aim_w(spec)
            most = self.ramps.get(spec.id, self.ramp_w_s) * dt_s
            self.power[spec.id] = now_w + min(max(aim_w - now_w, -most), most)
        self.soc += self.power.get("battery", 0.0) * dt_s / 3600 / self.capacity_wh
        self.soc = min(max(self.soc, 0.0), 1.0)
        self.at += dt_s
        self.seq += 1
        self.shown_net_w = before_w if self.meter_lag else None

    def image(self) -> Image:
        """Return what the devices say now."""
        states = {}
        for spec in self.specs:
            power_w = self.power[spec.id]
            if spec.id == "meter":
                power_w = self.net_w if self.shown_net_w is None else self.shown_net_w
            reading = Reading(
                self.at,
                power_w,
                soc=self.soc if spec.control is Control.TARGET else None,
                connected=True,
                wants_power=self.wants.get(spec.id, 0.0) > 0
                if spec.control in {Control.CEILING, Control.SWITCH} and self.says_wants
                else None,
            )
            quality = Quality.LOST if spec.id in self.lost else Quality.GOOD
            states[spec.id] = DeviceState(spec, reading, quality, setpoint=self.told.get(spec.id))
        return Image(self.at, self.seq, states)


@dataclass
class Loop:
    """Decides on a plant as the cycle does; every write that `takes` lets through is confirmed."""

    plant: Plant
    policy: AllocatorPolicy = field(default_factory=AllocatorPolicy)
    memory: Memory = field(default_factory=Memory)
    last: Allocation | None = None
    writes: int = 0

    def decide(self, *proposals: Proposal) -> Allocation:
        """Decide once and let the devices be told; no time passes."""
        plant = self.plant
        decision: Decision = arbitrate(proposals, plant.at)
        made = allocate(plant.image(), decision, plant.at, self.memory, self.policy)
        self.memory = made.memory
        for device, order in made.orders.items():
            if self.takes(device, order):
                self.writes += 1
                plant.told[device] = order.setpoint
                self.memory = self.memory.confirmed(device, order.setpoint, plant.at)
        self.last = made
        return made

    def takes(self, device: str, order: Order) -> bool:  # noqa: ARG002 (others tell them apart)
        """Return whether an order is written, and taken by the device."""
        return order.write

    def run(self, seconds: int, *proposals: Proposal) -> list[float]:
        """Decide once a second; return the net power after each second."""
        trace = []
        for _ in range(seconds):
            self.decide(*proposals)
            self.plant.step()
            trace.append(self.plant.net_w)
        return trace


def limit(
    upper_w: float = float("inf"),
    lower_w: float = -float("inf"),
    rank: Rank = Rank.ACCEPTED,
    target: str = HOME,
    *,
    preferred_w: float | None = None,
    ends_at: float = T0 + 600,
    source: str = "peak-shaving",
) -> Proposal:
    """Return a limit as a programme would propose it."""
    bounds = Bounds(lower_w, upper_w)
    return Proposal(source, rank, target, bounds, preferred_w, ends_at, "E1", "a limit")


BREAKER = limit(14_490, -14_490, Rank.SAFETY, source="main-breaker", ends_at=T0 + 1e9)
SELF_USE = limit(rank=Rank.ECONOMY, preferred_w=0.0, source="self-consumption", ends_at=T0 + 1e9)
