"""What pays: the plan's word about each device, at the rank of economy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

ID = "economy"


class Use(StrEnum):
    """How a battery behaves within a step of the plan: what each kWh stored is worth decides.

    Powers of the step are forecasts; the house is not. So a battery is told a manner, not a
    figure, wherever the manner is what pays.
    """

    EVEN_OUT = "even-out"
    """Takes what the sun leaves over and gives what the house lacks: the meter goes to zero."""
    KEEP = "keep"
    """Takes what the sun leaves over; gives nothing, because it is worth more later."""
    CHARGE = "charge"
    """Draws from the grid, too, up to the step's power."""
    GIVE = "give"
    """Gives what the house lacks; what the sun leaves over is sold, not stored."""
    SELL = "sell"
    """Discharges at the step's power, into the grid if need be."""
    REST = "rest"
    """Neither."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one device is to do for a time.

    Attributes:
        starts_at: UTC epoch seconds.
        ends_at: UTC epoch seconds.
        power_w: Mean power, passive sign: what a car, a heater or an appliance is to take, or
            what a battery that charges or sells is driven at.
        use: How a battery behaves; None for others.
        reason: One sentence for the owner ("Charging now: the cheapest hours before 07:00").
    """

    starts_at: float
    ends_at: float
    power_w: float
    use: Use | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class EconomyPolicy:
    """What pays, as planned.

    Attributes:
        steps: By device id, in order of time; a device without steps is not planned.
    """

    steps: Mapping[str, tuple[Step, ...]] = field(default_factory=dict)
