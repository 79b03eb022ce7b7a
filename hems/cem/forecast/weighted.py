"""Means and quantiles of samples of which some count for more than others."""

from collections.abc import Sequence

import numpy as np

from hems.cem.forecast.past import Floats


def fading(ago: Floats, half: float) -> Floats:
    """Return the weights of samples so long ago: half after each `half`, in the same unit."""
    weights: Floats = np.exp2(-np.maximum(ago, 0.0) / half)
    return weights


def mean(values: Floats, weights: Floats, prior: Floats | float, prior_weight: float) -> Floats:
    """Return means over rows, drawn towards what was reckoned before there were any.

    Args:
        values: One row a sample; NaN for none.
        weights: Of the same shape, or one that spreads to it.
        prior: What to reckon without samples, by column.
        prior_weight: How many samples of weight 1 that is worth; above 0.
    """
    known = np.isfinite(values)
    counted = np.where(known, weights, 0.0)
    total = (counted * np.where(known, values, 0.0)).sum(axis=0)
    found: Floats = (total + prior_weight * prior) / (counted.sum(axis=0) + prior_weight)
    return found


def quantiles(values: Floats, weights: Floats, shares: Sequence[float]) -> Floats:
    """Return quantiles of one row of samples, ascending.

    Each sample stands for its weight's share of the whole, itself at the middle of it; between two
    samples the quantile runs straight.

    Args:
        values: At least one, finite.
        weights: Theirs, none negative, some positive.
        shares: Ascending, 0 to 1.
    """
    order = np.argsort(values, kind="stable")
    ordered, heavy = values[order], weights[order]
    upto = (np.cumsum(heavy) - heavy / 2) / heavy.sum()
    found: Floats = np.interp(np.array(shares), upto, ordered)
    return found
