"""What the page and the command line may see of the plan. Plain frozen records out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StepView:
    """What one device is planned to do for a time.

    Attributes:
        starts_at: UTC epoch seconds.
        ends_at: UTC epoch seconds.
        power_w: Mean power, passive sign.
        use: How a battery behaves (`programs.economy.Use`); empty for others.
        reason: Why, one sentence.
    """

    starts_at: float
    ends_at: float
    power_w: float
    use: str
    reason: str


@dataclass(frozen=True, slots=True)
class PlannedView:
    """One device over the plan.

    Attributes:
        power_w: By slot, mean power, passive sign.
        level: By slot, at its end: charge from 0 to 1 of a battery, energy in Wh taken by a car,
            degC of heat; empty where there is none.
        steps: The same in words.
    """

    power_w: Sequence[float]
    level: Sequence[float] = ()
    steps: Sequence[StepView] = ()


@dataclass(frozen=True, slots=True)
class PlanView:
    """The plan as shown.

    Attributes:
        made_at: UTC epoch seconds.
        start: Of the first slot, UTC epoch seconds.
        step_s: Length of a slot, s.
        import_per_kwh: Price of a kWh taken, by slot.
        export_per_kwh: What is paid for one given, by slot.
        load_w: What cannot be controlled is expected to draw, by slot.
        sun_w: What PV is expected to give, by slot, never positive.
        net_w: What the meter is expected to show, by slot, import positive.
        limit_import_w: What it must not exceed, by slot.
        devices: By device id.
        cost: Of all energy over the plan, in the tariff's currency.
        currency: ISO 4217 letters; empty if nobody says.
        given_up: What it could not do, a sentence each.
        notes: How far it can be trusted, a sentence each.
        took_s: How long the planner worked on it.
    """

    made_at: float
    start: float
    step_s: float
    import_per_kwh: Sequence[float]
    export_per_kwh: Sequence[float]
    load_w: Sequence[float]
    sun_w: Sequence[float]
    net_w: Sequence[float]
    limit_import_w: Sequence[float]
    devices: Mapping[str, PlannedView] = field(default_factory=dict)
    cost: float = 0.0
    currency: str = ""
    given_up: Sequence[str] = ()
    notes: Sequence[str] = ()
    took_s: float = 0.0


class PlanSurface(Protocol):
    """What can be asked of the planner."""

    def plan(self) -> PlanView | None:
        """Return the plan in force; None where nothing is planned, or not yet."""
        ...
