"""The price of doing other than the plan before: what keeps plans from fluttering."""

import numpy as np

from hems.cem.planner.milp.model import Floats, Indices, Model

_NEAR_KW = 1e-6


def add(model: Model, columns: Indices, kept: Floats, most: Floats, price: float) -> Floats:
    """Add `price` for each kW by which columns differ from what was kept.

    Where nothing or the most was kept, that is a cost by kW. Only between does it take a column.

    Args:
        model: Takes it.
        columns: Powers, kW, from 0 to `most`.
        kept: What each was, kW; NaN for nothing said.
        most: The most each may be, kW.
        price: For a kW in one slot.

    Returns:
        What to add to the cost of each column.
    """
    known = ~np.isnan(kept)
    low = known & (kept <= _NEAR_KW)
    high = known & ~low & (kept >= most - _NEAR_KW)
    between = np.flatnonzero(known & ~low & ~high)
    model.offset += price * float(kept[known & ~low].sum())
    if len(between):
        # |p - k| = 2 max(p - k, 0) - (p - k)
        beyond = model.columns(0.0, np.inf, 2.0 * price, len(between))
        rows = model.rows(-np.inf, kept[between], len(between))
        model.put(rows, columns[between], 1.0)
        model.put(rows, beyond, -1.0)
    return np.where(low, price, np.where(known, -price, 0.0))
