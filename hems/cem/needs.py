"""What the people of the home want of their cars, appliances and heat: plain records."""

from dataclasses import dataclass
from enum import StrEnum


class CarMode(StrEnum):
    """How the owner has a car charged."""

    NOW = "now"
    """As fast as it goes; the plan only reckons with it."""
    CHEAPEST = "cheapest"
    """When it costs least, ready by the time given."""
    SOLAR = "solar"
    """From what the sun leaves over alone."""


@dataclass(frozen=True, slots=True)
class CarNeed:
    """What a car is to have.

    Attributes:
        device: Id of its charger.
        mode: How it is charged.
        ready_at: When it has to be ready, UTC epoch seconds; None for no time.
        energy_wh: What it needs by then, as drawn from when it was plugged in; None for as much
            as it usually takes.
        taken_wh: What it has drawn since it was plugged in; None while that is not known.
        power_w: What the car takes at most, as told or seen; None for all that its charger gives.
    """

    device: str
    mode: CarMode = CarMode.CHEAPEST
    ready_at: float | None = None
    energy_wh: float | None = None
    taken_wh: float | None = None
    power_w: float | None = None


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A run that the owner has asked of an appliance and that has not begun.

    Attributes:
        device: Id of the appliance's switch or plug.
        profile_w: What a run draws, by `step_s` from its start.
        step_s: Length of each step of the profile, s.
        earliest: When it may begin, UTC epoch seconds.
        ready_by: When it has to be done.
    """

    device: str
    profile_w: tuple[float, ...]
    step_s: float
    earliest: float
    ready_by: float


@dataclass(frozen=True, slots=True)
class HeatStore:
    """What a heat pump or heater warms, as commissioned.

    Attributes:
        device: Its id.
        wh_per_k: Heat capacity.
        loss_w_per_k: Loss per K above its surroundings.
        surroundings_c: Their temperature; None for that outside (a house).
        cop: Heat made per unit of electricity; negative for cooling.
        low_c: Comfort bound.
        high_c: Comfort bound.
        draw_wh_per_day: Heat drawn in a day (hot water) until its own history knows better.
    """

    device: str
    wh_per_k: float
    loss_w_per_k: float
    surroundings_c: float | None
    cop: float
    low_c: float
    high_c: float
    draw_wh_per_day: float = 0.0


@dataclass(frozen=True, slots=True)
class StorageFacts:
    """What of a battery nobody measures, as commissioned.

    Attributes:
        capacity_wh: Usable, where the battery does not tell; None if that is not known either.
        charge_efficiency: Share of what it draws that is stored.
        discharge_efficiency: Share of what it gives up that comes out.
        wear_per_kwh: Cost of one kWh through it.
    """

    capacity_wh: float | None = None
    charge_efficiency: float = 0.95
    discharge_efficiency: float = 0.95
    wear_per_kwh: float = 0.0
