"""The connection point: what is bought, given and held back, and the limits of both.

In each slot of each scenario what comes in equals what goes out. The rows of that balance are
made here, and every device puts its power into them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hems.cem.planner.milp.appliances import RunColumns, Runs
from hems.cem.planner.milp.frame import Frame
from hems.cem.planner.milp.heats import forced_on
from hems.cem.planner.milp.model import Floats, Indices, Kind, Model

IDLE_HOLD: Final = 1e-6
"""Cost of a kWh of sun held back: where giving it is worth nothing, it is given all the same."""


@dataclass(frozen=True, slots=True)
class Some:
    """Columns that exist for some of T slots only.

    Attributes:
        slots: Their slots.
        columns: Their numbers, one for each of those slots.
    """

    slots: NDArray[np.intp]
    columns: Indices

    def read(self, solution: Floats, count: int) -> Floats:
        """Return a value for each of `count` slots, 0 where there is no column."""
        values = np.zeros(count)
        values[self.slots] = solution[self.columns]
        return values


@dataclass(frozen=True, slots=True)
class Side:
    """The connection point in one scenario.

    Attributes:
        balance: (T,) Rows: in less out is what the uncontrolled home lacks; a device that
            consumes puts -1 there.
        buys: (T,) Columns, kW.
        gives: (T,) Columns, kW.
        held: Sun that is held back, kW.
        over_import: Import beyond its limit, kW.
        over_export: Export beyond its limit, kW.
    """

    balance: Indices
    buys: Indices
    gives: Indices
    held: Some
    over_import: Some
    over_export: Some


@dataclass(frozen=True, slots=True)
class Grid:
    """The connection point in all scenarios.

    Attributes:
        sides: By scenario.
        shared: (T,) Rows into which a device that does the same in all scenarios puts its power.
        total: (T,) Columns with the sum of those powers; None where `shared` is the balance.
    """

    sides: tuple[Side, ...]
    shared: Indices
    total: Indices | None


def unasked(frame: Frame, runs: tuple[Runs, ...]) -> Floats:
    """Return what the home may draw though no wish is followed, by scenario and slot, kW.

    Where that is beyond a limit, it is not the plan that breaks it. Elsewhere a limit is hard: a
    plan that does nothing keeps it.
    """
    power = frame.load - frame.sun
    for run in runs:
        power = power + run.most
    for heat in frame.problem.heats:
        power = power + np.where(forced_on(heat, frame), heat.power_w / 1000.0, 0.0)
    return power


def add(model: Model, frame: Frame, runs: tuple[Runs, ...]) -> Grid:
    """Add the connection point."""
    drawn = unasked(frame, runs)
    sides = tuple(_side(model, frame, s, drawn[s]) for s in range(frame.scenarios))
    if frame.scenarios == 1 and not any(car.surplus_only for car in frame.problem.cars):
        return Grid(sides, sides[0].balance, None)
    total = model.columns(0.0, np.inf, 0.0, frame.count)
    shared = model.rows(0.0, 0.0, frame.count)
    model.put(shared, total, 1.0)
    for side in sides:
        model.put(side.balance, total, -1.0)
    return Grid(sides, shared, total)


def _side(model: Model, frame: Frame, scenario: int, drawn: Floats) -> Side:
    """Add the connection point of one scenario; `drawn` (T,) is what it draws unasked."""
    count, each = frame.count, frame.hours * frame.weights[scenario]
    load, sun = frame.load[scenario], frame.sun[scenario]
    side = Side(
        balance=model.rows(load - sun, load - sun, count),
        buys=model.columns(0.0, frame.most_import, each * frame.buy, count),
        gives=model.columns(0.0, frame.most_export, -each * frame.sell, count),
        held=_held(model, frame, load, sun),
        over_import=_over(model, drawn - frame.most_import, each * frame.breach),
        over_export=_over(
            model,
            np.zeros(count) if frame.problem.curtailable else sun - load - frame.most_export,
            each * frame.breach,
        ),
    )
    model.put(side.balance, side.buys, 1.0)
    model.put(side.balance, side.gives, -1.0)
    model.put(side.balance[side.held.slots], side.held.columns, -1.0)
    model.put(side.balance[side.over_import.slots], side.over_import.columns, 1.0)
    model.put(side.balance[side.over_export.slots], side.over_export.columns, -1.0)
    _one_way(model, frame, side, load, sun)
    _peak(model, frame, side, frame.weights[scenario])
    return side


def _held(model: Model, frame: Frame, load: Floats, sun: Floats) -> Some:
    """Add sun held back, where that can pay or be needed."""
    pays = (frame.buy < 0) | (frame.sell < 0) | (sun - load > frame.most_export)
    slots = np.flatnonzero(pays & (sun > 0)) if frame.problem.curtailable else np.array([], np.intp)
    return Some(slots, model.columns(0.0, sun[slots], IDLE_HOLD * frame.hours, len(slots)))


def _over(model: Model, excess: Floats, cost: float) -> Some:
    """Add a breach of at most `excess` (T,) kW, where that is positive."""
    slots = np.flatnonzero(excess > 0)
    columns = model.columns(0.0, excess[slots], cost, len(slots))
    model.exceed(columns)
    return Some(slots, columns)


def bind(model: Model, frame: Frame, grid: Grid, runs: tuple[RunColumns, ...]) -> None:
    """Allow a breach of the import limit only to runs that take place, not to what else is planned.

    Up to what the load and heaters that have to stay on draw, it is nobody's choice.
    """
    alone = unasked(frame, ())
    most = sum((run.runs.most for run in runs), start=np.zeros(frame.count))
    for scenario, side in enumerate(grid.sides):
        slots, columns = side.over_import.slots, side.over_import.columns
        free = np.maximum(0.0, alone[scenario] - frame.most_import)
        caused = slots[most[slots] > 0]
        rows = model.rows(-np.inf, free[caused], len(caused))
        model.put(rows, columns[most[slots] > 0], 1.0)
        row_of = np.full(frame.count, -1)
        row_of[caused] = rows
        for run in runs:
            beside = alone[scenario] + most - run.runs.most - frame.most_import
            starts = np.array(run.runs.starts, np.intp)
            for offset, power_w in enumerate(run.runs.appliance.profile_w):
                at = np.minimum(starts + offset, frame.count - 1)
                there = (starts + offset < frame.count) & (row_of[at] >= 0)
                excess = np.maximum(0.0, beside[at] + power_w / 1000.0) - free[at]
                allowed = np.clip(excess, 0.0, power_w / 1000.0)[there]
                model.put(row_of[at[there]], run.begins[there], -allowed)


def _one_way(model: Model, frame: Frame, side: Side, load: Floats, sun: Floats) -> None:
    """Forbid buying and giving at once where that would pay: giving is paid more than buying costs.

    Elsewhere it never pays, and no binary is needed.
    """
    problem = frame.problem
    slots = np.flatnonzero(frame.sell > frame.buy)
    if not len(slots):
        return
    takes = (
        sum(battery.charge_w for battery in problem.batteries)
        + sum(car.most_w for car in problem.cars)
        + sum(max(appliance.profile_w, default=0.0) for appliance in problem.appliances)
        + sum(heat.power_w for heat in problem.heats)
    ) / 1000.0
    yields = sum(battery.discharge_w for battery in problem.batteries) / 1000.0
    most_bought = np.minimum(frame.most_import, load + takes)[slots]
    most_given = np.minimum(frame.most_export, sun + yields)[slots]
    buying = model.columns(0.0, 1.0, 0.0, len(slots), kind=Kind.WHOLE)
    rows = model.rows(-np.inf, 0.0, len(slots))
    model.put(rows, side.buys[slots], 1.0)
    model.put(rows, buying, -most_bought)
    rows = model.rows(-np.inf, most_given, len(slots))
    model.put(rows, side.gives[slots], 1.0)
    model.put(rows, buying, most_given)


def _peak(model: Model, frame: Frame, side: Side, weight: float) -> None:
    """Add the capacity charge on what the highest import exceeds that of before the plan."""
    prices = frame.problem.prices
    if not prices.peak_per_kw:
        return
    before = prices.peak_so_far_w / 1000.0
    cost = weight * prices.peak_per_kw
    peak = model.columns(before, np.inf, cost, 1)
    model.offset -= cost * before
    rows = model.rows(-np.inf, 0.0, frame.count)
    model.put(rows, side.buys, 1.0)
    model.put(rows, peak, -1.0)
    model.put(rows[side.over_import.slots], side.over_import.columns, 1.0)


def bought(side: Side, solution: Floats) -> Floats:
    """(T,) Return what is bought, beyond the limit included, kW."""
    return solution[side.buys] + side.over_import.read(solution, len(side.buys))


def given(side: Side, solution: Floats) -> Floats:
    """(T,) Return what is given, beyond the limit included, kW."""
    return solution[side.gives] + side.over_export.read(solution, len(side.gives))
