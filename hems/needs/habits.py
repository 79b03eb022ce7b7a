"""What holds where the owner asks nothing else: as configured."""

from dataclasses import dataclass
from datetime import time

from hems.cem.local_time import EVERY_DAY
from hems.cem.needs import CarMode, HeatStore


@dataclass(frozen=True, slots=True)
class CarHabit:
    """How a car is charged as a rule.

    Attributes:
        device: Id of its charger.
        mode: How it is charged.
        ready_by: When it has to be ready, by the home's clock; None for no time.
        days: Days of the week on which it has to be, 0 for Monday.
        energy_wh: What it needs in a stay, as drawn; None for as much as it usually takes.
        power_w: What the car takes at most; None for all that its charger gives.
    """

    device: str
    mode: CarMode = CarMode.CHEAPEST
    ready_by: time | None = None
    days: frozenset[int] = EVERY_DAY
    energy_wh: float | None = None
    power_w: float | None = None


@dataclass(frozen=True, slots=True)
class Usual:
    """What an owner says a car needs as a rule; fields as in `CarHabit`."""

    mode: CarMode
    ready_by: time | None = None
    days: frozenset[int] = EVERY_DAY
    energy_wh: float | None = None


@dataclass(frozen=True, slots=True)
class RunHabit:
    """What a run of an appliance is.

    Attributes:
        device: Id of its switch.
        profile_w: What it draws, by `step_s` from its start.
        step_s: Length of each step of the profile, s.
        ready_by: When it has to be done as a rule, by the home's clock; None for within a day.
    """

    device: str
    profile_w: tuple[float, ...]
    step_s: float
    ready_by: time | None = None

    @property
    def length_s(self) -> float:
        """How long a run takes, s."""
        return len(self.profile_w) * self.step_s


@dataclass(frozen=True, slots=True)
class Habits:
    """Those of all devices.

    Attributes:
        cars: Of chargers.
        runs: Of appliances.
        heats: What heaters warm.
    """

    cars: tuple[CarHabit, ...] = ()
    runs: tuple[RunHabit, ...] = ()
    heats: tuple[HeatStore, ...] = ()
