"""The search for whole numbers: a small tree over a relaxation that is nearly exact, else HiGHS.

A home's plan without whole numbers costs almost what it costs with them: what is not whole is a
run spread over several starts, and the odd slot in which a car charges below its least power. So
the relaxation is rounded, and where that is not close enough, split a few times. HiGHS's own
search does far more than that before it begins to split; it is for what remains open after it:
heaters that go on and off.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

import highspy
import numpy as np

from hems.cem.planner.milp.model import Floats, Programme
from hems.cem.planner.milp.relaxation import Point, Relaxation, load
from hems.cem.planner.milp.tree import Branch, Discrete, discrete

BRANCHES: Final = 250
"""Branches after which HiGHS takes over."""
MANY: Final = 12
"""Open whole numbers at the root, starts of runs apart, with which HiGHS takes over at once."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long and how closely to search.

    Attributes:
        time_limit_s: Seconds after which the best found so far is taken.
        gap: Distance to the best that may exist at which it ends, relative to the objective
            without what breaking limits is reckoned at.
        money: Absolute distance at which it ends too.
    """

    time_limit_s: float = 10.0
    gap: float = 1e-4
    money: float = 1e-6


@dataclass(frozen=True, slots=True)
class Found:
    """What came out.

    Attributes:
        best: None where nothing was found in time.
        bound: No objective is better.
        gap: Distance of the best found to the best that may exist, as `Effort.gap` has it.
        branches: How many were looked at before HiGHS took over, or in all.
        handed_over: Whether it did.
        complete: Whether the gap asked for was reached.
    """

    best: Point | None
    bound: float
    gap: float
    branches: int
    handed_over: bool
    complete: bool


@dataclass(slots=True)
class _Tree:
    """A search in progress; depth first, the likelier half first."""

    programme: Programme
    relaxation: Relaxation
    discrete: Discrete
    effort: Effort
    ends_at: float
    best: Point | None = None
    bound: float = np.inf
    """The least bound of what was not searched further, because it is close enough to the best."""
    branches: int = 0
    open: list[Branch] = field(default_factory=list)

    @property
    def left_s(self) -> float:
        return self.ends_at - time.monotonic()

    def relax(self, branch: Branch) -> Point | None:
        self.branches += 1
        return self.relaxation.solve(branch, self.left_s)

    def offer(self, point: Point | None) -> None:
        """Keep a solution if it is the best so far."""
        if point and (self.best is None or point.objective < self.best.objective):
            self.best = point

    def money(self, point: Point) -> float:
        """Return an objective without what breaking limits is reckoned at: that dwarfs the rest."""
        excess = self.programme.excess
        return point.objective - float(self.programme.cost[excess] @ point.values[excess])

    def close(self, best: Point) -> float:
        """Return how far from the best that may exist the best found may be."""
        return max(self.effort.money, self.effort.gap * abs(self.money(best)))

    def found(self, bound: float, *, handed_over: bool, complete: bool) -> Found:
        """Return what came out."""
        gap = np.inf
        if self.best is not None:
            distance = max(0.0, self.best.objective - bound)
            gap = distance / max(abs(self.money(self.best)), self.effort.money)
        return Found(self.best, bound, gap, self.branches, handed_over, complete)

    def settled(self, bound: float) -> bool:
        """Return, and note, whether nothing above a bound is worth a look."""
        if self.best is None:
            return False
        if bound < self.best.objective - self.close(self.best):
            return False
        self.bound = min(self.bound, bound)
        return True

    def guesses(
        self, values: Floats, branch: Branch, hint: Floats | None, *, root: bool
    ) -> Iterator[Floats]:
        """Yield what to round: at the root what is hinted, too, and what leaves room for pulses."""
        if hint is not None:
            yield np.where(np.isnan(hint), values, hint)
        if root and self.discrete.pulses:
            roomy = self.relaxation.leave_room(branch, self.left_s)
            if roomy is not None:
                yield roomy.values[self.discrete.columns]
        yield values

    def look(self, branch: Branch, hint: Floats | None = None) -> bool:
        """Look at one branch: round it, and split it if it has to be.

        Args:
            branch: Which.
            hint: (D,) Values to round instead, NaN where there are none.

        Returns:
            Whether it can be left to this tree.
        """
        root = not self.branches
        point = self.relax(branch)
        if point is None or self.settled(point.objective):
            return True
        branch = replace(branch, bound=point.objective)
        values = point.values[self.discrete.columns]
        halves = self.discrete.split(branch, values)
        if not halves:
            self.offer(point)
            return self.settled(point.objective)
        for rounded in self.guesses(values, branch, hint, root=root):
            self.offer(self.relax(self.discrete.rounded(rounded, branch)))
            if self.settled(point.objective):
                return True
        self.open += halves
        return len(self.discrete.open(values)) <= MANY


def search(programme: Programme, effort: Effort, hint: Floats) -> Found:
    """Return the best that was found.

    Args:
        programme: To minimise.
        effort: How long and how closely.
        hint: By column, what is likely; NaN where nothing is known.
    """
    parts = discrete(programme)
    relaxation = Relaxation(programme, parts)
    tree = _Tree(programme, relaxation, parts, effort, time.monotonic() + effort.time_limit_s)
    known = hint[parts.columns]
    goes_on = tree.look(parts.root, None if np.isnan(known).all() else known)
    while goes_on and tree.open and tree.branches < BRANCHES and tree.left_s > 0:
        branch = tree.open.pop()
        if not tree.settled(branch.bound):
            tree.look(branch)
    bound = min([tree.bound, *(branch.bound for branch in tree.open)])
    if tree.open and tree.left_s > 0:
        return _hand_over(tree, bound)
    return tree.found(bound, handed_over=False, complete=not tree.open and tree.left_s > 0)


def _hand_over(tree: _Tree, bound: float) -> Found:
    """Have HiGHS go on from the best that was found."""
    highs = load(tree.programme, whole=True)
    highs.setOptionValue("time_limit", tree.left_s)
    highs.setOptionValue("mip_rel_gap", tree.effort.gap)
    highs.setOptionValue("mip_abs_gap", tree.effort.money)
    if tree.best is not None:
        count = len(tree.programme.cost)
        highs.setOptionValue("mip_abs_gap", tree.close(tree.best))
        highs.setOptionValue("mip_rel_gap", 0.0)
        highs.setSolution(count, np.arange(count, dtype=np.int32), tree.best.values)
    highs.run()
    info = highs.getInfo()
    if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
        values = np.array(highs.getSolution().col_value)
        # Its whole numbers, and for them the best of all else.
        tree.offer(
            tree.relax(tree.discrete.rounded(values[tree.discrete.columns], tree.discrete.root))
        )
        tree.offer(Point(info.objective_function_value, values))
    complete = highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return tree.found(max(bound, info.mip_dual_bound), handed_over=True, complete=complete)
