"""A programme in HiGHS: as it is, or without its whole numbers and solved again and again."""

from dataclasses import dataclass

import highspy
import numpy as np

from hems.cem.planner.milp.model import Floats, Indices, Programme
from hems.cem.planner.milp.tree import Branch, Discrete

_ROW_WISE = 2
"""`MatrixFormat.kRowwise`, as the call that takes arrays wants it."""
_MINIMISE = 1


@dataclass(frozen=True, slots=True)
class Point:
    """A solution.

    Attributes:
        objective: Of it.
        values: By column.
    """

    objective: float
    values: Floats


def load(programme: Programme, *, whole: bool) -> highspy.Highs:
    """Hand a programme to HiGHS in one call, with its whole numbers or without."""
    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    highs.passModel(
        len(programme.cost),
        len(programme.row_lower),
        len(programme.values),
        _ROW_WISE,
        _MINIMISE,
        programme.offset,
        programme.cost,
        programme.least if whole else programme.lower,
        programme.upper,
        programme.row_lower,
        programme.row_upper,
        programme.starts,
        programme.columns,
        programme.values,
        programme.kind if whole else np.zeros_like(programme.kind),
    )
    return highs


class Relaxation:
    """A programme without its whole numbers.

    Each solution starts from the one before: after a change of some bounds, a few steps of the
    simplex method are enough.
    """

    def __init__(self, programme: Programme, discrete: Discrete) -> None:
        self._highs = load(programme, whole=False)
        self._columns = discrete.columns
        self._pulses = discrete.pulses
        self._upper = programme.upper
        self._lower = programme.lower

    def leave_room(self, branch: Branch, time_limit_s: float) -> Point | None:
        """Solve with what goes on and off held so far from its upper bound that a pulse fits in."""
        for _, pulse in self._pulses:
            self._bound(pulse.band, self._lower[pulse.band], pulse.most)
        point = self.solve(branch, time_limit_s)
        for _, pulse in self._pulses:
            self._bound(pulse.band, self._lower[pulse.band], self._upper[pulse.band])
        return point

    def _bound(self, columns: Indices, lower: Floats, upper: Floats) -> None:
        self._highs.changeColsBounds(len(columns), columns, lower, upper)

    def solve(self, branch: Branch, time_limit_s: float) -> Point | None:
        """Return the best under a branch's bounds; None where there is none, or not in time."""
        highs = self._highs
        if len(self._columns):
            self._bound(self._columns, branch.lower, branch.upper)
        highs.setOptionValue("time_limit", highs.getRunTime() + max(0.0, time_limit_s))
        highs.run()
        if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        objective = highs.getInfo().objective_function_value
        return Point(objective, np.array(highs.getSolution().col_value))
