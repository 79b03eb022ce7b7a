"""How a battery behaves in a slot, from what stored energy is worth after it.

Prices of a slot against the worth of a kWh give charges of the battery: up to one of them buying
pays, up to another storing what the sun leaves over, above others giving to the house or selling.
So the manner holds whatever the house does within the slot, and ends by itself at a charge.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from hems.cem.forecast.past import Floats
from hems.cem.planner.worth.induction import best_end, floor, reach, slopes, targets
from hems.cem.planner.worth.storage import StoredValue, inside_wh
from programs.economy import Use

NEAR_WH: Final = 1e-3
"""Charges nearer than this are the same."""
NEAR_W: Final = 1.0
"""Less power than this is none."""


@dataclass(frozen=True, slots=True)
class Manner:
    """What a battery is to do in one slot.

    Attributes:
        use: The manner.
        power_w: Mean power, passive sign: what it is driven at where it charges from the grid or
            sells, otherwise what is expected of it.
        energy_wh: Expected charge at the slot's end.
        worth_per_kwh: What a kWh more would be worth then.
        buy_to_wh: Up to this charge it pays to draw from the grid.
        store_to_wh: Up to this charge it pays to store what the sun leaves over.
        give_to_wh: Down to this charge it pays to give the house what it lacks.
        sell_to_wh: Down to this charge it pays to sell.
    """

    use: Use
    power_w: float
    energy_wh: float
    worth_per_kwh: float
    buy_to_wh: float
    store_to_wh: float
    give_to_wh: float
    sell_to_wh: float


def manners(value: StoredValue, net_w: Sequence[float] | Floats) -> tuple[Manner, ...]:
    """Return a manner for each slot, each begun at the charge expected after the one before.

    Args:
        value: What stored energy is worth.
        net_w: What the home is expected to draw without the battery, by slot, passive sign; the
            present for the first.
    """
    made: list[Manner] = []
    energy_wh = inside_wh(value.battery)
    for slot in range(value.slots.count):
        made.append(manner(value, slot, energy_wh, float(net_w[slot])))
        energy_wh = made[-1].energy_wh
    return tuple(made)


def manner(value: StoredValue, slot: int, energy_wh: float, net_w: float) -> Manner:
    """Return the manner for one slot.

    Args:
        value: What stored energy is worth.
        slot: Which.
        energy_wh: Charge at its start.
        net_w: What the home is expected to draw without the battery; sets powers, not the use.
    """
    battery, bands, levels = value.battery, value.bands, value.levels_wh
    energy_wh = min(max(energy_wh, float(levels[0])), float(levels[-1]))
    priced = slopes(battery, bands.per_wh[slot], bands.buying)
    tops = targets(value.after[slot][None, :], levels, priced)
    within = reach(battery, bands.upto_w[slot][None, :], value.slots.hours, np.array([[net_w]]))
    start = np.array([energy_wh])
    lowest = floor(battery, start, value.slots.hours)
    end_wh = float(best_end(start, lowest, within[0], tops)[0, 0])
    change_wh = end_wh - energy_wh
    drawn = change_wh < 0.0
    ac_wh = (
        change_wh * battery.discharge_efficiency if drawn else change_wh / battery.charge_efficiency
    )
    taking, giving = tops[: bands.per_wh.shape[1], 0], tops[bands.per_wh.shape[1] :, 0]
    made = Manner(
        Use.REST,
        ac_wh / value.slots.hours,
        end_wh,
        value.worth_per_kwh(slot, end_wh),
        buy_to_wh=float(taking[bands.buying]),
        store_to_wh=float(taking[bands.buying - 1]),
        give_to_wh=float(giving[bands.buying]),
        sell_to_wh=float(giving[bands.buying - 1]),
    )
    return replace(made, use=_use(made, energy_wh, float(levels[0]), float(levels[-1])))


def _use(made: Manner, energy_wh: float, least_wh: float, most_wh: float) -> Use:
    """Return the manner at a charge; one that is full stores, one that is empty gives, in vain.

    What is kept from the house and yet given, because a limit or a peak is in sight, is driven:
    the house is to have that much and no more.
    """
    if energy_wh < made.buy_to_wh - NEAR_WH and made.power_w > NEAR_W:
        return Use.CHARGE  # where a limit leaves room to
    stores = energy_wh < made.store_to_wh - NEAR_WH or made.store_to_wh >= most_wh - NEAR_WH
    gives = energy_wh > made.give_to_wh + NEAR_WH or made.give_to_wh <= least_wh + NEAR_WH
    if energy_wh > made.sell_to_wh + NEAR_WH or (made.power_w < -NEAR_W and not gives):
        return Use.SELL
    return {
        (True, True): Use.EVEN_OUT,
        (True, False): Use.KEEP,
        (False, True): Use.GIVE,
        (False, False): Use.REST,
    }[stores, gives]
