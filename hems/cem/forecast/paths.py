"""Ways in which load and sun may go together, from the home's own past days.

A path is the course of a past day, laid over the coming slots. Nobody knows on which of them the
home is; so beside a probability each path has *turns*: having gone along one path so far, how
likely is it to go on as another does. Paths that are alike at a slot, in what load and sun have
been up to it, lead into each other's future; so the future that a plan sees is no wider and no
narrower than the past has shown it to be. The same likeness, with what was seen today until now,
gives the paths' own probabilities.

Recent days count for more, and so do those on which people live alike (working days, free days).
Until there are some, typical days, as large as what was seen, stand beside them.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from hems.cem.forecast.courses import Courses, PastDays, past_days
from hems.cem.forecast.past import Floats, Past, Paths, Quantiles
from hems.cem.slots import Slots

COUNT: Final = 28
"""How many past days are looked at, unless told otherwise."""
LIKE: Final = 0.4
"""How far two courses may be apart to be alike, in standard deviations over the past."""
LEAST_LIKE: Final = 1e-4
"""What the least alike still counts for: the past has not shown everything."""

TURN_S: Final = 3600.0
"""How long one goes along a course, on the mean, before asking which others it is like."""


def paths(
    past: Past, slots: Slots, count: int = COUNT, irradiance_w_m2: Floats | None = None
) -> Paths:
    """Return the courses that load and sun may take.

    Args:
        past: What is known up to now. Its steps may be of any length and need not be aligned.
        slots: The coming slots; the first holds the present, which is known and the same in every
            path.
        count: How many past days to look at.
        irradiance_w_m2: Expected, by slot; NaN where nobody knows. Helps where `past.weather`
            says what it was on the past days.

    Returns:
        At least one path, whatever is known, with `turns`.
    """
    days = past_days(past, slots, count, irradiance_w_m2)
    now = _likeness(
        _apart(days.load, np.array(days.load.now_w), days.load.trend_w[:, 0]),
        _apart(days.sun, np.array(days.sun.now_w), days.sun.trend_w[:, 0]),
    )
    weights = days.weights * now
    weights /= weights.sum()
    return Paths(weights, days.load.power_w, days.sun.power_w, _turns(days, weights, slots.step_s))


def load_quantiles(made: Paths, shares: Sequence[float], source: str = "history") -> Quantiles:
    """Return quantiles of the load by slot: of 0.9, what it stays below in nine cases of ten.

    Args:
        made: The courses.
        shares: Of the quantiles, ascending.
        source: What they rest on.
    """
    return _quantiles(made, made.load_w, shares, source)


def sun_quantiles(made: Paths, shares: Sequence[float], source: str = "history") -> Quantiles:
    """Return quantiles of the sun by slot; being negative, that of 0.1 is a sunny course."""
    return _quantiles(made, made.sun_w, shares, source)


def marginals(made: Paths) -> Floats:
    """Return each path's probability by slot, one row a path: what is known now fades with time."""
    found = np.empty_like(made.load_w)
    found[:, 0] = made.weights
    for slot in range(1, found.shape[1]):
        before = found[:, slot - 1]
        found[:, slot] = before if made.turns is None else before @ made.turns[slot - 1]
    return found


def expected(made: Paths) -> tuple[Floats, Floats]:
    """Return the mean load and the mean sun by slot, W."""
    shares = marginals(made)
    return (shares * made.load_w).sum(axis=0), (shares * made.sun_w).sum(axis=0)


def _apart(courses: Courses, one_w: Floats, other_w: Floats) -> Floats:
    """Return how far trends are apart, in units of what is alike; 0 where one is not known."""
    apart: Floats = (one_w - other_w) * (1.0 / (LIKE * courses.spread_w))
    apart[np.isnan(apart)] = 0.0
    return apart


def _likeness(load: Floats, sun: Floats) -> Floats:
    """Return how alike courses are, 0 to about 1, from how far load and sun are apart."""
    alike: Floats = np.exp(-0.5 * (load * load + sun * sun)) + LEAST_LIKE
    return alike


def _turns(days: PastDays, weights: Floats, step_s: float) -> Floats:
    """Return how courses go on (`Paths.turns`); from the present as their probabilities say.

    Args:
        days: The courses.
        weights: Their probabilities now.
        step_s: Length of a slot: with shorter ones a course is left less often at each.
    """
    load, sun = days.load.trend_w.T, days.sun.trend_w.T
    alike = _likeness(
        _apart(days.load, load[:-1, :, None], load[:-1, None, :]),
        _apart(days.sun, sun[:-1, :, None], sun[:-1, None, :]),
    )
    turns = alike * days.weights
    left = min(1.0, step_s / TURN_S)
    turns *= left / turns.sum(axis=2, keepdims=True)
    own = np.arange(weights.size)
    turns[:, own, own] += 1.0 - left
    turns[:1] = weights
    return turns


def _quantiles(made: Paths, values: Floats, shares: Sequence[float], source: str) -> Quantiles:
    """Return weighted quantiles by slot: the least value that at least a share does not exceed."""
    order = np.argsort(values, axis=0)
    reached = np.cumsum(np.take_along_axis(marginals(made), order, axis=0), axis=0)
    ordered = np.take_along_axis(values, order, axis=0)
    rows = [
        np.take_along_axis(ordered, np.argmax(reached >= share * reached[-1], axis=0)[None], axis=0)
        for share in shares
    ]
    return Quantiles(tuple(shares), np.vstack(rows), source)
