"""One step back in time: what is best for a battery in a slot, knowing what comes after it.

The cost of a slot is convex in the change of charge, and so is the cost of what comes after. So
the best charge at the slot's end is found without trying: along the staircase of prices, from the
cheapest, energy is taken in (or not given away) for as long as it is worth more than it costs.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from hems.cem.forecast.past import Floats
from hems.cem.planner.problem import Battery
from hems.cem.planner.worth.bands import Bands

TIE_PER_WH: Final = 1e-9
"""Less than this, in money, is no reason to buy, and none to give away."""
_NEAR_WH: Final = 1e-6
"""Charges nearer than this are the same."""


@dataclass(slots=True)
class Induction:
    """Steps back over the slots of a plan; what can be worked out for all of them at once, is.

    Attributes:
        battery: Its bounds and losses.
        bands: What energy costs.
        levels_wh: Charges that are looked at, ascending, evenly spaced.
        hours: Length of a slot.
        net_w: What the home draws without the battery, one row a path, one column a slot.
    """

    battery: Battery
    bands: Bands
    levels_wh: Floats
    hours: float
    net_w: Floats
    _slopes: Floats = field(init=False)
    _reach: Floats = field(init=False)
    _at_net: Floats = field(init=False)
    _per_stored: float = field(init=False)
    _per_given: float = field(init=False)
    _floor: Floats = field(init=False)

    def __post_init__(self) -> None:
        self._slopes = slopes(self.battery, self.bands.per_wh, self.bands.buying)
        self._reach = reach(self.battery, self.bands.upto_w, self.hours, self.net_w)
        prices, line = self.bands.per_wh[:, :, None], self.bands.line()[:, :, None]
        self._at_net = prices * self.net_w.T[:, None, :] - line
        self._per_stored = 1.0 / (self.battery.charge_efficiency * self.hours)
        self._per_given = self.battery.discharge_efficiency / self.hours
        self._floor = floor(self.battery, self.levels_wh, self.hours)

    def owed(self) -> Floats:
        """Return what being below a committed energy costs, one row a slot, one column a level.

        What is held back is taken up to the next level: between two of them a part of a level
        that is missing would cost too little to be worth its energy.
        """
        found = np.zeros((self.net_w.shape[1], self.levels_wh.size))
        if self.battery.committed_wh:
            hold = self.battery.least_wh + np.array(self.battery.committed_wh)
            above = np.searchsorted(self.levels_wh, hold - _NEAR_WH)
            hold = self.levels_wh[np.minimum(above, self.levels_wh.size - 1)]
            missing = np.maximum(0.0, hold[:, None] - self.levels_wh)
            found += self.bands.breach_per_wh * self.hours * missing
        return found

    def back(self, slot: int, after: Floats) -> Floats:
        """Return the cost from the start of a slot on, one row a path, one column a level.

        Args:
            slot: Which.
            after: The cost from its end on, likewise.
        """
        battery, levels = self.battery, self.levels_wh
        tops = targets(after, levels, self._slopes[slot])
        ends = best_end(levels, self._floor, self._reach[slot], tops)
        change = ends - levels
        # Charging draws more than it stores, discharging gives less than it takes: the greater
        # of both lines is the one that holds.
        power = np.maximum(change * self._per_stored, change * self._per_given)
        lines = self._at_net[slot][:, :, None] + self.bands.per_wh[slot][:, None, None] * power
        cost = lines.max(axis=0) * self.hours + between(after, levels, ends)
        if battery.wear_per_kwh:
            given = np.minimum(change, 0.0) * battery.discharge_efficiency
            cost -= battery.wear_per_kwh / 1000.0 * given
        total: Floats = cost
        return total


def slopes(battery: Battery, per_wh: Floats, buying: int) -> Floats:
    """Return what a stored Wh costs or brings in each band: charging's, then discharging's.

    Where a price is negative, a Wh given is reckoned at what one taken would bring: that keeps
    the problem convex, and is wrong by the losses alone.

    Args:
        battery: Its losses and wear.
        per_wh: Prices of the bands, along the last axis.
        buying: The first band in which energy is bought.

    Returns:
        As many columns twice. What is worth more than its slope is stored, or kept. Of equals,
        the house comes before the battery, and the battery before the grid.
    """
    stored = per_wh / battery.charge_efficiency
    out = (per_wh - battery.wear_per_kwh / 1000.0) * battery.discharge_efficiency
    tie = np.where(np.arange(per_wh.shape[-1]) >= buying, TIE_PER_WH, -TIE_PER_WH)
    return np.concatenate((stored + tie, np.minimum(out, stored) + tie), axis=-1)


def reach(battery: Battery, upto_w: Floats, hours: float, net_w: Floats) -> Floats:
    """Return by how much the charge may change before each band is left, Wh.

    Args:
        battery: Its power and losses.
        upto_w: Upper ends of the bands, one row a slot.
        hours: Length of a slot.
        net_w: What the home draws without the battery, one row a path, one column a slot.

    Returns:
        By slot, by column of `slopes`, by path; minus infinity where the band is not reached.
    """
    room = upto_w.T[:, None, :] - net_w  # band, path, slot
    most = battery.charge_w * battery.charge_efficiency * hours
    least = -battery.discharge_w / battery.discharge_efficiency * hours
    up = np.minimum(room * (battery.charge_efficiency * hours), most)
    down = np.clip(room * (hours / battery.discharge_efficiency), least, 0.0)
    found = np.concatenate((np.where(room > 0.0, up, -np.inf), down))
    return np.ascontiguousarray(found.transpose(2, 0, 1))


def best_end(energy_wh: Floats, floor_wh: Floats, within: Floats, tops: Floats) -> Floats:
    """Return the charge at a slot's end that is best.

    Args:
        energy_wh: Charges at the start.
        floor_wh: What discharging at full power would lead to (`floor`).
        within: As `reach` gives it, one row a slope, one column a path.
        tops: As `targets` gives them, likewise.

    Returns:
        One row a path, one column a charge.
    """
    wanted = np.minimum(energy_wh + within[:, :, None], tops[:, :, None]).max(axis=0)
    ends: Floats = np.maximum(wanted, floor_wh)
    return ends


def floor(battery: Battery, energy_wh: Floats, hours: float) -> Floats:
    """Return the charges that full discharge for a slot would lead to, were there no bottom."""
    most = battery.discharge_w * hours / battery.discharge_efficiency
    lowest: Floats = energy_wh - most
    return lowest


def targets(after: Floats, levels_wh: Floats, slopes_per_wh: Floats) -> Floats:
    """Return the charge up to which a Wh is worth more than each slope.

    Args:
        after: Cost to come, one row a path, one column a level.
        levels_wh: The levels.
        slopes_per_wh: What a Wh must be worth.

    Returns:
        One row a slope, one column a path.
    """
    step = levels_wh[1] - levels_wh[0]
    worth = (after[:, :-1] - after[:, 1:]) / step
    count = (worth > slopes_per_wh[:, None, None]).sum(axis=2)
    return np.asarray(levels_wh[0] + step * count, dtype=np.float64)


def between(after: Floats, levels_wh: Floats, energy_wh: Floats) -> Floats:
    """Return the cost to come at charges between the levels, in a straight line.

    Args:
        after: One row a path, one column a level.
        levels_wh: The levels.
        energy_wh: One row a path, any columns, within the levels.
    """
    place = (energy_wh - levels_wh[0]) * (1.0 / (levels_wh[1] - levels_wh[0]))
    lower = np.minimum(place.astype(np.intp), levels_wh.size - 2)
    place -= lower
    lower += levels_wh.size * np.arange(after.shape[0])[:, None]
    flat = np.ascontiguousarray(after).ravel()
    start: Floats = flat.take(lower)
    lower += 1
    rise: Floats = flat.take(lower) - start
    found: Floats = start + rise * place
    return found
