"""What stored energy is worth, while nobody knows how the day will go.

Stochastic dynamic programming, backwards over the slots, for each path that load and sun may take
and each charge of the battery: what does the rest cost if from here on one always does what is
best, knowing what is and not what will be? At each slot the present net load is known and the next
follows by the paths' turns; so no decision rests on a future that only a scenario knows. The slope
over the charge is what a kWh more is worth: that, against the prices, decides what a battery does.

Money per Wh inside; the cost to come is convex and falls with the charge wherever no price is
negative.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from hems.cem.forecast.past import Floats, Paths
from hems.cem.forecast.paths import marginals
from hems.cem.planner.problem import Battery
from hems.cem.planner.worth.bands import Bands
from hems.cem.planner.worth.induction import Induction
from hems.cem.slots import Slots

LEVELS: Final = 21
"""How many charges of the battery are looked at, from its reserve to full."""


@dataclass(frozen=True, slots=True)
class StoredValue:
    """What is still to be paid after each slot, by the charge at its end.

    Attributes:
        slots: The steps of time.
        battery: Whose charge it is.
        bands: What energy costs.
        levels_wh: Charges, ascending and evenly spaced.
        after: Expected cost, one row a slot, one column a level.
    """

    slots: Slots
    battery: Battery
    bands: Bands
    levels_wh: Floats
    after: Floats

    def worth_per_kwh(self, slot: int, energy_wh: float) -> float:
        """Return what a kWh more at the end of a slot is worth there."""
        step_wh = self.levels_wh[1] - self.levels_wh[0]
        place = int((energy_wh - self.levels_wh[0]) / step_wh)
        place = min(max(place, 0), self.levels_wh.size - 2)
        lower, upper = self.after[slot, place : place + 2]
        return float(1000.0 * (lower - upper) / step_wh)


def stored_value(
    slots: Slots,
    battery: Battery,
    bands: Bands,
    ways: Paths,
    *,
    other_w: Sequence[float] | None = None,
    end_per_kwh: float | None = None,
    levels: int = LEVELS,
) -> StoredValue:
    """Return what stored energy is worth at the end of each slot, for each charge.

    Args:
        slots: The steps of time.
        battery: One, or several `pooled`.
        bands: What energy costs.
        ways: How load and sun may go, by slot; the first slot of each is the present.
        other_w: What planned devices draw beside them, by slot, passive sign.
        end_per_kwh: What a kWh left at the end is worth; None for what it would at least replace
            or be sold for on a day like the last.
        levels: How many charges to look at, at least 2.

    Raises:
        ValueError: The lengths disagree, or the battery holds nothing.
    """
    net_w = ways.load_w + ways.sun_w
    if other_w is not None:
        net_w = net_w + np.array(other_w)
    if net_w.shape[1] != slots.count or bands.per_wh.shape[0] != slots.count:
        raise ValueError(
            f"{slots.count} slots, but paths of {net_w.shape[1]} and {bands.per_wh.shape[0]} prices"
        )
    if battery.most_wh <= battery.least_wh:
        raise ValueError(f"battery {battery.id} has no room between reserve and full")
    levels_wh = np.linspace(battery.least_wh, battery.most_wh, levels)
    step = Induction(battery, bands, levels_wh, slots.hours, net_w)
    end = _end_per_wh(slots, battery, bands) if end_per_kwh is None else end_per_kwh / 1000.0
    owed = step.owed()
    shares = marginals(ways)
    after = np.empty((slots.count, levels))
    to_come = np.broadcast_to(-end * (levels_wh - levels_wh[0]), (net_w.shape[0], levels))
    for slot in range(slots.count - 1, -1, -1):
        if ways.turns is not None and slot < slots.count - 1:
            to_come = ways.turns[slot] @ to_come
        to_come = to_come + owed[slot]
        after[slot] = shares[:, slot] @ to_come
        if slot:
            to_come = step.back(slot, to_come)
    return StoredValue(slots, battery, bands, levels_wh, after)


def _end_per_wh(slots: Slots, battery: Battery, bands: Bands) -> float:
    """Return what a Wh is worth at the end: the cheapest purchase, or the mean sale, of a day."""
    last = slice(-max(1, round(24.0 / slots.hours)), None)
    bought = float(bands.per_wh[last, bands.buying].min())
    sold = float(bands.per_wh[last, bands.buying - 1].mean())
    out = max(bought, sold) - battery.wear_per_kwh / 1000.0
    return max(0.0, out) * battery.discharge_efficiency


def inside_wh(battery: Battery) -> float:
    """Return what is in a battery, within what plans may use; a gauge may read beyond."""
    return min(max(battery.energy_wh, battery.least_wh), battery.most_wh)


def pooled(batteries: Sequence[Battery]) -> Battery:
    """Return several batteries as one: sums, and efficiencies weighted by what each holds.

    Raises:
        ValueError: There is none.
    """
    if not batteries:
        raise ValueError("no battery, so nothing to pool")
    first = batteries[0]
    if len(batteries) == 1:
        return first
    sizes = np.array([max(b.most_wh - b.least_wh, 1.0) for b in batteries])
    parts = sizes / sizes.sum()

    def mean(values: Sequence[float]) -> float:
        return float(parts @ np.array(values))

    committed = [np.array(b.committed_wh) for b in batteries if b.committed_wh]
    return Battery(
        id="+".join(b.id for b in batteries),
        energy_wh=sum(inside_wh(b) for b in batteries),
        least_wh=sum(b.least_wh for b in batteries),
        most_wh=sum(b.most_wh for b in batteries),
        charge_w=sum(b.charge_w for b in batteries),
        discharge_w=sum(b.discharge_w for b in batteries),
        charge_efficiency=mean([b.charge_efficiency for b in batteries]),
        discharge_efficiency=mean([b.discharge_efficiency for b in batteries]),
        wear_per_kwh=mean([b.wear_per_kwh for b in batteries]),
        committed_wh=tuple(np.sum(committed, axis=0).tolist()) if committed else (),
    )
