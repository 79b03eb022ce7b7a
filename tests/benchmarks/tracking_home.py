"""The home that the tracking benchmark is run in: what happens in it, and how its devices answer.

The house's draw is that of the simulated house (`der.sim.physics.appliances`), at the instants of a
tenth of a second. The sun is a clear sky with clouds that come and go. Devices answer as real ones
do: each takes its time to begin, and then its time to get there. All is drawn from a seed.

Powers in W, passive sign. A hub sees of all this the readings alone, each as old as it is.
"""

import math
import random
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

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
from der.sim.physics.appliances import second_by_second
from hems.image import Image

T0: Final = 1_800_000_000.0
STEP_S: Final = 0.1
STEPS_PER_S: Final = 10
HOUR_S: Final = 3600
LEAST_CAR_W: Final = 1_380.0

METER: Final = DeviceSpec("meter", DeviceKind.METER, "Meter", Control.NONE, -43_000, 43_000)
PV: Final = DeviceSpec("pv", DeviceKind.PV, "Roof", Control.FLOOR, -6_000, 0)
BATTERY: Final = DeviceSpec("battery", DeviceKind.BATTERY, "Battery", Control.TARGET, -5_000, 5_000)
CAR: Final = DeviceSpec(
    "car",
    DeviceKind.EVSE,
    "Car",
    Control.CEILING,
    0,
    7_360,
    least_on_w=LEAST_CAR_W,
    essentiality=2,
    phases=(Phase.A,),
)
SPECS: Final = (METER, PV, BATTERY, CAR)


@dataclass(frozen=True, slots=True)
class Setting:
    """One home and the hour that it goes through.

    Attributes:
        sun_w: Power of the roof under a clear sky.
        load_wh: What the house draws in the hour, the car left out.
        phases: Number of phases: 1 or 3.
        soc: The battery's charge at the start, 0 to 1.
        capacity_wh: What it stores.
        car_at_s: When the car is plugged in, s from the start.
    """

    sun_w: float
    load_wh: float
    phases: int = 1
    soc: float = 0.5
    capacity_wh: float = 10_000.0
    car_at_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Trace:
    """What nobody controls, each tenth of a second.

    Attributes:
        base_w: What the house draws, by phase, the car left out.
        sun_w: What the sun offers, not negative.
    """

    base_w: Sequence[tuple[float, ...]]
    sun_w: Sequence[float]


def trace(setting: Setting, seed: int) -> Trace:
    """Draw one hour.

    On three phases the appliances that come and go are each on one of them, and what is always
    on is spread over all.
    """
    rng = random.Random(f"{seed}/trace")  # noqa: S311 - a load, not a secret
    if setting.phases == 1:
        drawn = [second_by_second(setting.load_wh, rng)]
    else:
        drawn = [second_by_second(setting.load_wh / setting.phases, rng) for _ in range(3)]
    offset = rng.randrange(STEPS_PER_S)
    seconds = [(n + offset) // STEPS_PER_S % HOUR_S for n in range(HOUR_S * STEPS_PER_S)]
    base = [tuple(phase[second] for phase in drawn) for second in seconds]
    return Trace(base, _sky(setting.sun_w, rng))


def _sky(clear_w: float, rng: random.Random) -> list[float]:
    """Return an hour of broken cloud: gaps and clouds of half a minute to some minutes."""
    sky: list[float] = []
    part = 1.0
    while len(sky) < HOUR_S * STEPS_PER_S:
        cloudy = part == 1.0
        aim = rng.uniform(0.2, 0.5) if cloudy else 1.0
        edge = int(rng.uniform(4.0, 20.0) * STEPS_PER_S)
        rest = int(rng.uniform(30.0, 150.0) * STEPS_PER_S)
        sky += [clear_w * (part + (aim - part) * n / edge) for n in range(edge)]
        sky += [clear_w * aim] * rest
        part = aim
    return sky[: HOUR_S * STEPS_PER_S]


@dataclass(slots=True)
class Actuator:
    """How a device follows what it is told.

    Attributes:
        dead_s: Time before it begins to follow.
        lag_s: Time constant of its approach; 0 for none.
        ramp_w_s: The most by which it moves in a second.
        told_w: What it was last told.
        power_w: Where it is.
    """

    dead_s: float
    lag_s: float
    ramp_w_s: float
    told_w: float
    power_w: float
    _due: deque[tuple[int, float]] = field(default_factory=deque)

    def tell(self, step: int, power_w: float) -> bool:
        """Tell it something; return whether that is anything new."""
        if power_w == self.told_w:
            return False
        self.told_w = power_w
        self._due.append((step + round(self.dead_s / STEP_S), power_w))
        return True

    def move(self, step: int, aim_w: float) -> float:
        """Let a step pass; return what it now aims at.

        Args:
            step: Number of the step.
            aim_w: What it aims at unless what it was told has just reached it.
        """
        while self._due and self._due[0][0] <= step:
            aim_w = self._due.popleft()[1]
        return aim_w

    def follow(self, aim_w: float) -> float:
        """Approach an aim for one step; return the power."""
        share = 1 - math.exp(-STEP_S / self.lag_s) if self.lag_s else 1.0
        move_w = (aim_w - self.power_w) * share
        most_w = self.ramp_w_s * STEP_S
        self.power_w += min(max(move_w, -most_w), most_w)
        return self.power_w


class Home:
    """The home, a tenth of a second at a time.

    The meter takes a reading each second, at its own instant, and shows it until the next one.
    The charger, which pushes its readings, does so each second too. Battery and inverter answer
    with what they do when they are asked.

    Args:
        setting: What it is like.
        course: What nobody controls.
        seed: Draws how quick the devices are.
    """

    def __init__(self, setting: Setting, course: Trace, seed: int) -> None:
        rng = random.Random(f"{seed}/devices")  # noqa: S311 - a spread, not a secret
        self.setting = setting
        self.step = 0
        self.soc = setting.soc
        self.told_moves = 0
        self._course = course
        self.battery = Actuator(rng.uniform(0.2, 0.5), rng.uniform(0.2, 0.5), 20_000, 0.0, 0.0)
        self.limiter = Actuator(rng.uniform(0.3, 0.8), rng.uniform(0.2, 0.6), 6_000, -6e3, -6e3)
        self.car = Actuator(rng.uniform(1.0, 2.5), 0.0, rng.uniform(2_000, 4_000), 0.0, 0.0)
        self.car_energy_wh = 0.0
        self._aims = {"battery": 0.0, "pv": -6_000.0, "car": 0.0}
        self._meter_at = rng.randrange(STEPS_PER_S)
        self._charger_at = rng.randrange(STEPS_PER_S)
        self._shown_w: tuple[float, ...] = (0.0,) * setting.phases
        self._shown_car_w = 0.0
        self._car_at = T0
        self.net_w: tuple[float, ...] = self._shown_w
        self.pv_w = 0.0

    @property
    def at(self) -> float:
        """UTC epoch seconds."""
        return T0 + self.step * STEP_S

    @property
    def over(self) -> bool:
        """Whether the hour is over."""
        return self.step >= HOUR_S * STEPS_PER_S

    @property
    def base_w(self) -> tuple[float, ...]:
        """What the house draws now on each phase, the car left out."""
        return self._course.base_w[self.step]

    @property
    def sun_w(self) -> float:
        """What the sun offers now."""
        return self._course.sun_w[self.step]

    @property
    def plugged(self) -> bool:
        """Whether the car is at its charger."""
        return self.step * STEP_S >= self.setting.car_at_s

    @property
    def may_charge_w(self) -> float:
        """The most that the battery takes."""
        return 0.0 if self.soc >= 1.0 else BATTERY.max_w

    @property
    def may_give_w(self) -> float:
        """The least (most negative) power of the battery, down to its reserve of a tenth."""
        return 0.0 if self.soc <= 0.1 else BATTERY.min_w

    def tell(self, orders: Mapping[str, float]) -> None:
        """Tell devices what to do: the battery its power, the others their limits."""
        for name, actuator in self._actuators().items():
            if name in orders:
                self.told_moves += actuator.tell(self.step, orders[name])

    def pass_step(self) -> None:
        """Let a tenth of a second pass."""
        aims, actuators = self._aims, self._actuators()
        for name, actuator in actuators.items():
            aims[name] = actuator.move(self.step, aims[name])
        battery_aim_w = min(max(aims["battery"], self.may_give_w), self.may_charge_w)
        battery_w = self.battery.follow(battery_aim_w)
        self.pv_w = 0.0 - max(0.0, min(self.sun_w, -self.limiter.follow(aims["pv"])))
        offered_w = min(aims["car"], CAR.max_w)
        draws = self.plugged and offered_w >= LEAST_CAR_W
        car_w = self.car.follow(offered_w if draws else 0.0)
        spread = (battery_w + self.pv_w) / self.setting.phases
        base = self.base_w
        self.net_w = (base[0] + spread + car_w, *(w + spread for w in base[1:]))
        stored_w = battery_w * (0.95 if battery_w > 0 else 1 / 0.95)
        self.soc += stored_w * STEP_S / HOUR_S / self.setting.capacity_wh
        self.car_energy_wh += car_w * STEP_S / HOUR_S
        if self.step % STEPS_PER_S == self._meter_at:
            self._shown_w = self.net_w
        if self.step % STEPS_PER_S == self._charger_at:
            self._shown_car_w, self._car_at = car_w, self.at + STEP_S
        self.step += 1

    def image(self) -> Image:
        """Return what the devices say now, each reading dated as a hub dates it."""
        at = self.at
        phases = tuple(PhaseReading(w) for w in self._shown_w) if len(self._shown_w) > 1 else ()
        readings = {
            METER: Reading(at, sum(self._shown_w), phases=phases),
            PV: Reading(at, self.pv_w),
            BATTERY: Reading(at, self.battery.power_w, soc=min(max(self.soc, 0.0), 1.0)),
            CAR: Reading(
                self._car_at, self._shown_car_w, connected=self.plugged, wants_power=self.plugged
            ),
        }
        states = {
            spec.id: DeviceState(spec, reading, Quality.GOOD) for spec, reading in readings.items()
        }
        return Image(at, self.step, states)

    def _actuators(self) -> Mapping[str, Actuator]:
        return {"battery": self.battery, "pv": self.limiter, "car": self.car}
