"""The plan of all that can be controlled, as one mixed-integer programme.

On a home's median day, or on several ways in which it may go: then what is decided once (whether a
car charges, when a run begins, whether a heater is on) is the same in all of them, and batteries
and the grid follow each.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Final

import numpy as np

from der.sentence import say
from hems.cem.planner.milp import appliances, battery, cars, grid, heats
from hems.cem.planner.milp.build import Columns, build
from hems.cem.planner.milp.check import check
from hems.cem.planner.milp.fallback import simple
from hems.cem.planner.milp.frame import Frame, frame
from hems.cem.planner.milp.given_up import Outcome, given_up
from hems.cem.planner.milp.hints import hints
from hems.cem.planner.milp.model import Floats
from hems.cem.planner.milp.money import energy_cost
from hems.cem.planner.milp.relaxation import Point
from hems.cem.planner.milp.search import Effort, Found, search
from hems.cem.planner.plan import Plan, PlannedDevice
from hems.cem.planner.problem import Problem

DOUBT: Final = 0.05
"""Money by which a plan may be from the best, and nothing is said of it."""
DOUBT_SHARE: Final = 0.01
"""The same as a share of what the plan is reckoned at."""


def solve(
    problem: Problem,
    now: float,
    *,
    time_limit_s: float = 10.0,
    gap: float = 1e-4,
    money: float = 1e-6,
    warm: Plan | None = None,
    zone: tzinfo = UTC,
) -> Plan:
    """Return the plan for a problem; there always is one.

    Args:
        problem: What is given. Its scenarios may be one, the median, or several.
        now: When this is, UTC epoch seconds.
        time_limit_s: After that long the best found so far is taken.
        gap: Relative distance to the best that may exist at which the search ends.
        money: Distance to it, in the tariff's currency, at which it ends too.
        warm: The plan before this one: what it decided is tried first. Without it, what the
            problem says of it (`keep`) is.
        zone: Of the home's clock, for times in sentences.

    Returns:
        The plan; how batteries are to behave within each slot is not in it.
    """
    began = time.perf_counter()
    if not problem.slots.count or not problem.scenarios:
        return Plan(now, problem.slots, {}, (), (), (), 0.0, 0.0)
    shape = frame(problem)
    possible = appliances.possible(shape)
    answer = _Answer(shape, possible, now, began, zone)
    programme, columns = build(shape, possible)
    found = search(
        programme, Effort(time_limit_s, gap, money), hints(programme, columns, shape, warm)
    )
    if found.best is None:
        return answer.from_rules(
            say("no plan was found within {time_limit:g} s", time_limit=time_limit_s)
        )
    plan = answer.from_point(columns, found.best, found.gap, _cut_short(found))
    faults = check(problem, plan)
    if faults:
        return answer.from_rules(
            say("the plan that was found was not sound ({faults})", faults=faults[0])
        )
    return plan


def _cut_short(found: Found) -> tuple[str, ...]:
    """Return what is to be said of a search that had to end before its gap was reached.

    A doubt that nobody would act on is not worth an owner's time: the plan's `gap` tells it.
    """
    if found.best is None or found.complete:
        return ()
    apart = found.best.objective - found.bound
    if apart < DOUBT or found.gap < DOUBT_SHARE:
        return ()
    if not math.isfinite(apart):
        return (say("the search was cut short"),)
    return (say("the search was cut short: up to {apart:.2f} from the best", apart=apart),)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a plan is written with."""

    frame: Frame
    possible: tuple[appliances.Runs, ...]
    now: float
    began: float
    zone: tzinfo

    def from_point(
        self, columns: Columns, point: Point, gap: float, notes: tuple[str, ...]
    ) -> Plan:
        """Return the plan that a solution stands for."""
        frame, values = self.frame, point.values
        sides, problem = columns.grid.sides, frame.problem
        ids = (
            *(one.id for one in problem.batteries),
            *(one.id for one in problem.cars),
            *(one.id for one in problem.appliances),
            *(one.id for one in problem.heats),
        )
        planned = (
            *(battery.planned(one, frame, values) for one in columns.batteries),
            *(cars.planned(one, frame, values) for one in columns.cars),
            *(appliances.planned(one, frame, values) for one in columns.runs),
            *(heats.planned(one, values) for one in columns.heats),
        )
        return self._write(
            dict(zip(ids, planned, strict=True)),
            np.array([grid.bought(side, values) for side in sides]),
            np.array([grid.given(side, values) for side in sides]),
            sides[0].held.read(values, frame.count),
            objective=point.objective,
            gap=gap,
            notes=notes,
        )

    def from_rules(self, why: str) -> Plan:
        """Return the simple plan, and say why."""
        plain = simple(self.frame, self.possible)
        every = (self.frame.scenarios, 1)
        return self._write(
            plain.devices,
            np.tile(plain.bought, every),
            np.tile(plain.given, every),
            plain.held,
            objective=math.nan,
            gap=1.0,
            notes=(say("{why}: this one looks at no price", why=why),),
        )

    def _write(
        self,
        devices: Mapping[str, PlannedDevice],
        bought: Floats,
        given: Floats,
        held: Floats,
        *,
        objective: float,
        gap: float,
        notes: tuple[str, ...],
    ) -> Plan:
        """Return the plan; `bought` and `given` are (S, T), `held` (T,) is of the median day."""
        # What is both bought and given in one slot, where that costs nothing, is neither.
        both = np.minimum(bought, given)
        bought, given = bought - both, given - both
        cost = energy_cost(self.frame, bought, given)
        outcome = Outcome(self.frame, self.possible, devices, bought[0], given[0], self.zone)
        return Plan(
            made_at=self.now,
            slots=self.frame.problem.slots,
            devices=devices,
            load_w=self.frame.problem.scenarios[0].load_w,
            sun_w=_watts(held - self.frame.sun[0]),
            net_w=_watts(self.frame.weights @ (bought - given)),
            cost=cost,
            objective=cost if math.isnan(objective) else objective,
            given_up=given_up(outcome),
            gap=gap,
            took_s=time.perf_counter() - self.began,
            notes=notes,
        )


def _watts(kw: Floats) -> tuple[float, ...]:
    return tuple((1000.0 * kw).tolist())
