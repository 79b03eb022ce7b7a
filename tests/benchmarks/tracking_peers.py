"""What the product is measured against: a plain PI controller, and a home that is run by evcc.

Both see the same readings, at the same instants, and write with the same delay as the product.

The PI controller takes a step a second on what the worst phase is off its aim, and spends its
output on the devices in turn: against import the battery, then the car; against export the battery,
then the car, then the sun; and back in the opposite order. Its gains are the best of a sweep
(`tracking.py`).

evcc decides on the car alone, every 30 s (docs.evcc.io, reference "interval" and "loadpoints"; its
site formula is documented under "residualPower"). In the solar mode the car's current is the
surplus, what the battery charges with included and 100 W left over, in whole amperes; charging
begins when there have been 6 A for a minute and ends when there have not for three. With load
management (docs.evcc.io, "loadmanagement") a charging point in the fast mode is given what the
circuit's limit leaves at each cycle, in whole amperes, and is stopped below 6 A; a limit on current
counts on the phase that carries most. What evcc leaves to the inverter runs on its own here: a
battery inverter that brings the meter to zero and, where nothing may be exported, holds back its
sun. It is given the PI controller's gains, once a second, which is no disadvantage.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from hems.image import Image
from tests.benchmarks.tracking_home import CAR, PV, STEPS_PER_S, Home

VOLTS: Final = 230.0
LEAST_A: Final = 6
EVCC_PERIOD_S: Final = 30
ENABLE_S: Final = 60
DISABLE_S: Final = 180
RESIDUAL_W: Final = 100.0
"""What evcc leaves of the surplus by default."""
FREED_W: Final = 300.0
"""An inverter whose limit is this far beyond what it gives is not held back."""


def readings(image: Image) -> dict[str, float]:
    """Return what each device says, W."""
    return {d: s.reading.power_w for d, s in image.devices.items() if s.reading is not None}


@dataclass(frozen=True, slots=True)
class Gains:
    """How a PI controller that takes a step a second is tuned.

    Attributes:
        kp: W by which it moves for each W that its error changes.
        ki: W by which it moves each second for each W of error.
        margin_w: How far inside the limit it aims.
    """

    kp: float
    ki: float
    margin_w: float


@dataclass(frozen=True, slots=True)
class Aim:
    """What a controller holds the meter to.

    Attributes:
        power_w: The power of the whole home, or of the phase that carries most.
        export: Whether to hold it from below; else it is held from above.
        phases: Number of phases that are each held; 1 for the whole home.
    """

    power_w: float
    export: bool = False
    phases: int = 1

    def lacking_w(self, image: Image) -> float:
        """Return the consumption that is lacking (positive) or too much (negative), W."""
        meter = image.devices["meter"].reading
        if meter is None:
            raise ValueError("the meter says nothing")
        powers = [meter.power_w] if self.phases == 1 else [p.power_w or 0.0 for p in meter.phases]
        return self.power_w - max(powers)


@dataclass(slots=True)
class Means:
    """A device that a controller moves.

    Attributes:
        name: Its id.
        told_w: What it is told.
        least_w: The least that it may be told.
        most_w: The most.
        weight: How much it must move for one W at the meter.
    """

    name: str
    told_w: float
    least_w: float
    most_w: float
    weight: float = 1.0

    def move(self, by_w: float) -> float:
        """Move as far as it goes; return what is left over."""
        before_w = self.told_w
        self.told_w = min(max(before_w + by_w * self.weight, self.least_w), self.most_w)
        return by_w - (self.told_w - before_w) / self.weight


@dataclass(slots=True)
class Pi:
    """A plain PI controller.

    Attributes:
        gains: Its gains.
        aim: What it holds the meter to.
        moves: The devices that it moves.
    """

    gains: Gains
    aim: Aim
    moves: Sequence[str] = ("battery", "car", "pv")
    battery: Means = field(default_factory=lambda: Means("battery", 0.0, -5e3, 5e3))
    car: Means = field(default_factory=lambda: Means("car", 0.0, 0.0, CAR.max_w))
    sun: Means = field(default_factory=lambda: Means("pv", PV.min_w, PV.min_w, 0.0))
    _before_w: float = 0.0

    def act(self, home: Home) -> None:
        """Take a step each second, and write a tenth later."""
        if home.step % STEPS_PER_S == 0:
            self._step(home.image(), home)
        elif home.step % STEPS_PER_S == 1:
            home.tell({m.name: round(m.told_w) for m in self._means()})

    def _step(self, image: Image, home: Home) -> None:
        error_w = self.aim.lacking_w(image)
        change_w = self.gains.kp * (error_w - self._before_w) + self.gains.ki * error_w
        self._before_w = error_w
        self.battery.weight = self.aim.phases
        self.battery.least_w = home.may_give_w
        self.battery.most_w = home.may_charge_w if self.aim.export else 0.0
        self.car.most_w = CAR.max_w if home.plugged else 0.0
        given_w = readings(image)["pv"]
        self.sun.least_w = max(PV.min_w, given_w - FREED_W)
        for means in self._in_turn(up=change_w > 0):
            change_w = means.move(change_w)
        if self.sun.told_w <= self.sun.least_w:
            self.sun.least_w = PV.min_w

    def _in_turn(self, *, up: bool) -> Sequence[Means]:
        means = self._means()
        if self.aim.export:
            return means if up else means[::-1]
        return means

    def _means(self) -> Sequence[Means]:
        return [m for m in (self.battery, self.car, self.sun) if m.name in self.moves]


@dataclass(slots=True)
class Evcc:
    """A home with evcc and an inverter that works on its own.

    Attributes:
        inverter: The inverter's own loop.
        allowed_a: The current in A that the car may have, by what evcc sees.
        solar: Whether the car charges from what the sun leaves over; else as fast as it may.
    """

    inverter: Pi
    allowed_a: Callable[[Image], float]
    solar: bool
    told_a: int = 0
    _enough_s: int = 0
    _lacking_s: int = 0

    def act(self, home: Home) -> None:
        """Let the inverter act each second, and evcc every 30 s."""
        self.inverter.act(home)
        if home.step % (EVCC_PERIOD_S * STEPS_PER_S) == 1:
            most_a = min(math.floor(self.allowed_a(home.image())), math.floor(CAR.max_w / VOLTS))
            self.told_a = self._delayed(most_a) if self.solar else _or_none(most_a)
            if not home.plugged:
                self.told_a = 0
            home.tell({"car": self.told_a * VOLTS})

    def _delayed(self, most_a: int) -> int:
        """Return the current in the solar mode, with its delays."""
        if self.told_a:
            self._enough_s = 0
            self._lacking_s = 0 if most_a >= LEAST_A else self._lacking_s + EVCC_PERIOD_S
            return 0 if self._lacking_s > DISABLE_S else max(most_a, LEAST_A)
        self._lacking_s = 0
        self._enough_s = self._enough_s + EVCC_PERIOD_S if most_a >= LEAST_A else 0
        return most_a if self._enough_s > ENABLE_S else 0


def _or_none(most_a: int) -> int:
    return most_a if most_a >= LEAST_A else 0


def surplus_a(image: Image) -> float:
    """Return the current of evcc's solar mode: what is fed in, stored and charged already."""
    now = readings(image)
    return (now["car"] - now["meter"] + now["battery"] - RESIDUAL_W) / VOLTS


def under_power_a(limit_w: float) -> Callable[[Image], float]:
    """Return what a circuit's limit on power leaves to the car."""

    def allowed(image: Image) -> float:
        now = readings(image)
        return (now["car"] + limit_w - now["meter"]) / VOLTS

    return allowed


def under_current_a(limit_a: float) -> Callable[[Image], float]:
    """Return what a circuit's limit on current leaves to the car, by the fullest phase."""

    def allowed(image: Image) -> float:
        meter = image.devices["meter"].reading
        powers = [] if meter is None else [p.power_w or 0.0 for p in meter.phases]
        return readings(image)["car"] / VOLTS + limit_a - max(powers, default=0.0) / VOLTS

    return allowed
