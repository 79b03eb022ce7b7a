"""What a kWh left in a battery is worth, and what a plan costs."""

import numpy as np

from hems.cem.planner.milp.frame import Frame
from hems.cem.planner.milp.model import Floats
from hems.cem.planner.problem import Battery

_DAY_H = 24.0


def end_value(frame: Frame, battery: Battery) -> float:
    """Return what a kWh in a battery is worth when the plan ends.

    Unless the problem says it: the next day is reckoned to be like the last of the plan. Stored
    energy replaces what is bought then, so it is worth the mean price over the slots in which the
    sun does not cover the load, each weighted by what is lacking; or what giving it is paid on
    the mean, if that is more. Less what is lost and worn on the way out.
    """
    given = frame.problem.end_value_per_kwh
    if given is not None:
        return given
    last = slice(max(0, frame.count - round(_DAY_H / frame.hours)), None)
    lacking = np.maximum(0.0, frame.weights @ (frame.load - frame.sun))[last]
    replaced = 0.0
    if lacking.sum() > 0:
        replaced = float(frame.buy[last] @ lacking / lacking.sum())
    sold = float(frame.sell[last].mean())
    out = max(replaced, sold) - battery.wear_per_kwh
    return max(0.0, out) * battery.discharge_efficiency


def energy_cost(frame: Frame, bought: Floats, given: Floats) -> float:
    """Return what energy costs, peak charge included, carbon not.

    Args:
        frame: Prices and weights.
        bought: (S, T) Import, kW.
        given: (S, T) Export, kW.
    """
    prices = frame.problem.prices
    by_slot = bought * np.array(prices.import_per_kwh) - given * np.array(prices.export_per_kwh)
    before = prices.peak_so_far_w / 1000.0
    above = np.maximum(0.0, bought.max(axis=1, initial=0.0) - before)
    return float(frame.weights @ (frame.hours * by_slot.sum(axis=1) + prices.peak_per_kw * above))
