"""What the next kWh costs at the connection point, by how much flows there already.

A slot's price is a staircase over the power at the meter (import positive): selling beyond the
export limit, selling, buying, buying beyond the peak that is charged already, buying beyond the
import limit. Each step is dearer than the one below: where prices are not so (importing is paid
better than it costs to export, say) the lower step is taken down to the higher one's price, which
leaves what storing earns as it is. That is what makes storage a convex problem.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from hems.cem.forecast.past import Floats
from hems.cem.planner.problem import Limits, Prices

BREACH_TIMES: Final = 10.0
"""What a kWh beyond a limit is reckoned at, in multiples of the highest price: never worth it."""
LEAST_BREACH_PER_KWH: Final = 5.0
"""The same at the least, in the tariff's currency."""


@dataclass(frozen=True, slots=True)
class Bands:
    """Prices by band of power, ascending.

    Attributes:
        upto_w: Upper end of each band, one row a slot, ascending; the last infinite.
        per_wh: Price in each band, one row a slot, ascending.
        buying: Index of the first band in which energy is bought; its lower end is 0 W.
        breach_per_wh: What a limit or a commitment broken is reckoned at.
    """

    upto_w: Floats
    per_wh: Floats
    buying: int
    breach_per_wh: float

    def line(self) -> Floats:
        """Return what the price of each band has to be lowered by, in money per h, at 0 W.

        The cost of a mean power P over an hour is the greatest of `per_wh * P - line` over the
        bands, because prices rise from band to band; 0 W costs nothing.
        """
        steps = np.diff(self.per_wh, axis=1)
        with np.errstate(invalid="ignore"):
            jumps = np.where(steps > 0.0, steps * self.upto_w[:, :-1], 0.0)
        line = np.zeros_like(self.per_wh)
        line[:, self.buying + 1 :] = np.cumsum(jumps[:, self.buying :], axis=1)
        below = jumps[:, : self.buying][:, ::-1]
        line[:, : self.buying] = -np.cumsum(below, axis=1)[:, ::-1]
        return line


def bands(
    prices: Prices,
    limits: Limits,
    hours: float,
    *,
    curtailable: bool,
    peak_w: float = 0.0,
    bought_w: Sequence[float] = (),
) -> Bands:
    """Return the staircase of each slot.

    Args:
        prices: By slot.
        limits: By slot.
        hours: Length of a slot.
        curtailable: Whether PV that nobody pays for can be held back.
        peak_w: Import that the plan reaches anyway, if there is a capacity charge: what is below
            it, or below the peak so far, costs no more.
        bought_w: By slot, what is bought in any case for what batteries do not feed: it takes its
            part of what may be bought. Empty for nothing.
    """
    buy = np.array(prices.reckoned)
    sell = np.array(prices.export_per_kwh)
    if curtailable:
        sell = np.maximum(sell, 0.0)
    breach = max(BREACH_TIMES * float(np.abs(np.append(buy, sell)).max()), LEAST_BREACH_PER_KWH)
    apart_w = np.array(bought_w) if bought_w else np.zeros_like(buy)
    most_w = np.maximum(np.array(limits.import_w) - apart_w, 0.0)
    least_w = -np.array(limits.export_w)
    columns = [(np.full_like(buy, 0.0), sell), (most_w, buy)]
    if np.isfinite(least_w).any():
        lost = np.zeros_like(sell) if curtailable else np.full_like(sell, -breach)
        columns.insert(0, (least_w, lost))
    buying = len(columns) - 1
    if prices.peak_per_kw > 0.0:
        known_w = np.clip(max(prices.peak_so_far_w, peak_w) - apart_w, 0.0, most_w)
        columns[-1:] = [(known_w, buy), (most_w, buy + prices.peak_per_kw / hours)]
    if np.isfinite(most_w).any():
        columns.append((np.full_like(buy, np.inf), columns[-1][1] + breach))
    per_wh = np.column_stack([price for _, price in columns]) / 1000.0
    rising = np.minimum.accumulate(per_wh[:, ::-1], axis=1)[:, ::-1]
    return Bands(np.column_stack([upto for upto, _ in columns]), rising, buying, breach / 1000.0)
