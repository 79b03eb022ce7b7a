"""The problem as arrays in kW and kWh: figures near one keep the solver exact."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from hems.cem.planner.milp.model import Floats
from hems.cem.planner.problem import BySlot, Heat, Problem

BREACH: Final = 4.0
"""What a kWh beyond a limit that cannot be kept costs, in multiples of the most that one could be
worth to any wish."""
RESERVE_PER_HOUR: Final = 0.1
"""What a kWh missing in the owner's reserve costs an hour, in multiples of the mean price."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What all devices of a problem share. T slots, S scenarios.

    Attributes:
        problem: What it was made of.
        hours: Length of a slot.
        count: T.
        weights: (S,) Probabilities, adding up to 1.
        load: (S, T) What cannot be controlled draws, kW.
        sun: (S, T) What PV could give, kW, positive here.
        charging: (T,) What of the load are cars that are charged at once, kW.
        buy: (T,) Cost of a kWh from the grid, carbon included.
        sell: (T,) What is paid for a kWh given.
        most_import: (T,) kW, may be infinite.
        most_export: (T,) kW, may be infinite.
        reserve: Cost of a kWh missing in an owner's reserve for an hour.
        breach: Cost of a kWh beyond a limit: more than it could be worth to any wish.
    """

    problem: Problem
    hours: float
    count: int
    weights: Floats
    load: Floats
    sun: Floats
    charging: Floats
    buy: Floats
    sell: Floats
    most_import: Floats
    most_export: Floats
    reserve: float
    breach: float

    @property
    def scenarios(self) -> int:
        """S."""
        return len(self.weights)

    @property
    def floor(self) -> Floats:
        """(T,) The least that one more kWh in the house can be worth, in any scenario.

        It is bought, given or, where the sun can be held back, not taken. Where sun that cannot be
        held back is more than may be given, every kWh burnt is worth a breach.
        """
        if self.problem.curtailable:
            return np.minimum(self.buy, np.maximum(self.sell, 0.0))
        crowded = ((self.sun - self.load) > self.most_export).any(axis=0)
        return np.where(crowded, -self.breach, np.minimum(self.buy, self.sell))

    def kept(self, device: str) -> Floats | None:
        """(T,) What the plan before had a device do, kW, NaN where it said nothing."""
        kept = self.problem.keep.get(device)
        return None if kept is None or len(kept) != self.count else np.asarray(kept, float) / 1000.0

    @property
    def change(self) -> float:
        """What it costs to have a device do one kW other than before, for one slot."""
        return self.problem.change_per_kwh * self.hours


def frame(problem: Problem) -> Frame:
    """Return a problem's arrays."""
    prices = problem.prices
    buy = np.array(prices.reckoned)
    sell = np.array(prices.export_per_kwh)
    weights = np.array([scenario.weight for scenario in problem.scenarios])
    return Frame(
        problem=problem,
        hours=problem.slots.hours,
        count=problem.slots.count,
        weights=weights / weights.sum(),
        load=_kw([scenario.load_w for scenario in problem.scenarios]),
        sun=-_kw([scenario.sun_w for scenario in problem.scenarios]),
        charging=_kw(problem.charging_w or (0.0,) * problem.slots.count),
        buy=buy,
        sell=sell,
        most_import=_kw(problem.limits.import_w),
        most_export=_kw(problem.limits.export_w),
        reserve=RESERVE_PER_HOUR * max(0.1, float(np.abs(buy).mean())),
        breach=BREACH * _dearest(problem, buy, sell),
    )


def _kw(watts: BySlot | list[BySlot]) -> Floats:
    return np.array(watts, float) / 1000.0


def _dearest(problem: Problem, buy: Floats, sell: Floats) -> float:
    """Return the most that a kWh could be worth to anything in the problem, at least 1."""
    span_h = problem.slots.count * problem.slots.hours
    wishes = (
        *(car.shortfall_per_kwh * len(car.deadlines) + car.worth_per_kwh for car in problem.cars),
        *(appliance.late_per_hour for appliance in problem.appliances),
        *(_comfort(heat, span_h) for heat in problem.heats),
        RESERVE_PER_HOUR * float(np.abs(buy).mean()) * span_h,
        problem.prices.peak_per_kw / problem.slots.hours,
    )
    return max(1.0, float(np.abs(buy).max()), float(np.abs(sell).max()), *wishes)


def _comfort(heat: Heat, span_h: float) -> float:
    """Return the most that a kWh could be worth to comfort: the warmth it makes, while it lasts."""
    warmth_k = 1000.0 * max(abs(gain) for gain in heat.gain) / max(heat.wh_per_k, 1.0)
    lasts_h = span_h
    if heat.loss_w_per_k > 0:
        lasts_h = min(span_h, heat.wh_per_k / heat.loss_w_per_k)
    return heat.discomfort_per_k_hour * warmth_k * lasts_h
