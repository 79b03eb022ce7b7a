"""What the planner answers: what each device is to do, what that costs, and what was given up."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hems.cem.planner.problem import BySlot
from hems.cem.slots import Slots
from programs.economy import Use


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A wish that the plan does not meet.

    Attributes:
        device: Its id; empty for the home.
        words: One clause for the owner, without its time ("78 % of what it needs"); the device's
            name belongs before it.
        at: The moment it is about, UTC epoch seconds ("at 07:00").
        because: What stands in the way, and until when ("import limit until 06:00"); empty if
            nothing single does.
        amount: How much is missing, in `unit`.
        unit: "Wh", "s" or "K s".
    """

    device: str
    words: str
    at: float
    because: str = ""
    amount: float = 0.0
    unit: str = "Wh"


@dataclass(frozen=True, slots=True)
class PlannedDevice:
    """One device over the plan.

    Attributes:
        power_w: By slot, mean power, passive sign.
        level: By slot, at its end: energy in Wh of a battery, energy taken of a car, degC of heat;
            empty where there is none.
        uses: By slot, how a device that is driven is to behave within it; empty for others.
        worth_per_kwh: By slot, what a kWh stored is worth: a battery only.
    """

    power_w: BySlot
    level: BySlot = ()
    uses: tuple[Use, ...] = ()
    worth_per_kwh: BySlot = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer; there always is one.

    Attributes:
        made_at: UTC epoch seconds.
        slots: The steps of time.
        devices: By device id.
        load_w: What cannot be controlled is expected to draw, by slot (the median).
        sun_w: What PV is expected to give, by slot, never positive.
        net_w: What the meter is expected to show, by slot, import positive.
        cost: Expected cost of energy over the plan, in the tariff's currency, peak charge included.
        objective: What was minimised: cost, wear, discomfort, changes, less what is stored.
        given_up: What it could not do.
        gap: Relative distance of the objective to the best that may exist.
        took_s: Time to build and solve.
        notes: What the owner or an engineer should know of how it was made ("no forecast of the
            sun: none is planned on"), one clause each.
    """

    made_at: float
    slots: Slots
    devices: Mapping[str, PlannedDevice]
    load_w: BySlot
    sun_w: BySlot
    net_w: BySlot
    cost: float
    objective: float
    given_up: tuple[GivenUp, ...] = ()
    gap: float = 0.0
    took_s: float = 0.0
    notes: tuple[str, ...] = field(default=())
