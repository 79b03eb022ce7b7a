"""Cars in the programme: none or at least the least power while there, and energy by deadlines."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hems.cem.planner.milp import kept as keeping
from hems.cem.planner.milp.frame import Frame
from hems.cem.planner.milp.grid import Grid
from hems.cem.planner.milp.model import Floats, Indices, Kind, Model
from hems.cem.planner.plan import PlannedDevice
from hems.cem.planner.problem import Car, Deadline, Problem


@dataclass(frozen=True, slots=True)
class CarColumns:
    """One car, the same in all scenarios; or in one scenario, if it takes surplus alone.

    Attributes:
        car: Which.
        slots: Those in which it may charge.
        power: One for each of those slots, mean over the slot, kW.
        short: One a deadline, kWh.
        weight: Of its scenario; 1 for all.
    """

    car: Car
    slots: NDArray[np.intp]
    power: Indices
    short: Indices
    weight: float


def add(model: Model, frame: Frame, grid: Grid, car: Car) -> tuple[CarColumns, ...]:
    """Add a car."""
    if not car.surplus_only:
        slots = np.flatnonzero(np.array(car.present) > 0)
        return (_add(model, frame, grid.shared, car, slots=slots, weight=1.0),)
    return tuple(
        _add_on_surplus(model, frame, grid, car, scenario) for scenario in range(frame.scenarios)
    )


def most(car: Car, slots: NDArray[np.intp]) -> Floats:
    """Return the greatest mean power in some slots, kW."""
    return np.array(car.present)[slots] * car.most_w / 1000.0


def least(car: Car, slots: NDArray[np.intp]) -> Floats:
    """Return the least mean power in some slots if it charges, kW."""
    return np.array(car.present)[slots] * min(car.least_w, car.most_w) / 1000.0


def _add(
    model: Model, frame: Frame, rows: Indices, car: Car, *, slots: NDArray[np.intp], weight: float
) -> CarColumns:
    """Add a car that charges in some slots; `rows` (T,) are the balance."""
    upper = most(car, slots)
    later = car.later_per_kwh_hour * frame.hours * slots
    power = model.columns(
        0.0,
        upper,
        weight * frame.hours * (later - car.worth_per_kwh),
        len(slots),
        kind=Kind.NONE_OR_LEAST if car.least_w > 0 else Kind.ANY,
        least=least(car, slots),
    )
    model.put(rows[slots], power, -1.0)
    short = _energy(model, frame, car, slots=slots, power=power, weight=weight)
    kept = frame.kept(car.id)
    if kept is not None:
        model.pay(power, keeping.add(model, power, kept[slots], upper, weight * frame.change))
    return CarColumns(car, slots, power, short, weight)


def _add_on_surplus(model: Model, frame: Frame, grid: Grid, car: Car, scenario: int) -> CarColumns:
    """Add a car that charges, in one scenario, only from what the sun leaves over.

    That is what remains of it after the load and all that is planned, batteries apart.
    """
    over = frame.sun[scenario] - frame.load[scenario]
    slots = np.flatnonzero((np.array(car.present) > 0) & (over > 0))
    weight = float(frame.weights[scenario])
    columns = _add(model, frame, grid.sides[scenario].balance, car, slots=slots, weight=weight)
    if grid.total is None:
        return columns
    others = _others(frame.problem)
    charges = model.columns(0.0, 1.0, 0.0, len(slots), kind=Kind.WHOLE)
    rows = model.rows(-np.inf, 0.0, len(slots))
    model.put(rows, columns.power, 1.0)
    model.put(rows, charges, -most(car, slots))
    # power + total <= over while it charges; while it does not, the others are free
    rows = model.rows(-np.inf, over[slots] + others, len(slots))
    model.put(rows, columns.power, 1.0)
    model.put(rows, grid.total[slots], 1.0)
    model.put(rows, charges, others)
    return columns


def _others(problem: Problem) -> float:
    """Return what all that is planned may draw together, batteries apart, kW."""
    return (
        sum(car.most_w for car in problem.cars)
        + sum(max(appliance.profile_w, default=0.0) for appliance in problem.appliances)
        + sum(heat.power_w for heat in problem.heats)
    ) / 1000.0


def bind(model: Model, frame: Frame, grid: Grid, cars: tuple[tuple[CarColumns, ...], ...]) -> None:
    """Have what cars take beyond the sun's surplus bought, where batteries are not to feed them.

    Where the import limit leaves less than all of them could take, batteries help by as much: in
    full at full power, in part below it.
    """
    problem = frame.problem
    if problem.car_from_storage or not problem.batteries:
        return
    every = np.arange(frame.count)
    free = [part for part in cars if not part[0].car.surplus_only]  # the others buy nothing
    could = frame.charging + sum((most(part.car, every) for (part,) in free), np.zeros(frame.count))
    for scenario, side in enumerate(grid.sides):
        surplus = left_over(frame, scenario)
        room = frame.most_import + surplus
        share = np.minimum(1.0, room / np.maximum(could, 1e-9))
        slots = np.flatnonzero(could > surplus)
        row_of = np.full(frame.count, -1)
        row_of[slots] = model.rows((share * frame.charging - surplus)[slots], np.inf, len(slots))
        model.put(row_of[slots], side.buys[slots], 1.0)
        over = row_of[side.over_import.slots] >= 0
        model.put(row_of[side.over_import.slots[over]], side.over_import.columns[over], 1.0)
        for (part,) in free:
            there = row_of[part.slots] >= 0
            at = part.slots[there]
            model.put(row_of[at], part.power[there], -share[at])


def left_over(frame: Frame, scenario: int) -> Floats:
    """(T,) Return what the sun leaves over to cars and batteries before all that is planned, kW."""
    house: Floats = frame.load[scenario] - frame.charging
    left: Floats = np.maximum(0.0, frame.sun[scenario] - house)
    return left


def need_by(car: Car, frame: Frame, deadline: Deadline) -> tuple[Floats, float]:
    """Return what counts towards a deadline, and how much is asked of the plan.

    A deadline that has gone by asks for as soon as can be: by when the car would have it at its
    greatest power. Of one beyond the plan's end, what can still be charged after the end is not
    asked.

    Returns:
        (T,) The share of each slot before the deadline, and kWh.
    """
    slots = frame.problem.slots
    need = deadline.energy_wh / 1000.0
    before = (deadline.at - slots.start) / slots.step_s
    if before <= 0:
        reached = np.cumsum(most(car, np.arange(frame.count))) * frame.hours
        before = min(float(np.searchsorted(reached, need - 1e-9) + 1), float(frame.count))
    after = max(0.0, before - frame.count) * frame.hours * car.most_w / 1000.0
    return np.clip(before - np.arange(frame.count), 0.0, 1.0), max(0.0, need - after)


def _energy(
    model: Model, frame: Frame, car: Car, *, slots: NDArray[np.intp], power: Indices, weight: float
) -> Indices:
    """Add what it needs by its deadlines, and its room; return what is short, one a deadline."""
    needs = [need_by(car, frame, deadline) for deadline in car.deadlines]
    asked = np.array([need for _, need in needs])
    # Short at an early deadline is mostly short at the next as well: it is reckoned once for each.
    short = model.columns(0.0, asked, weight * car.shortfall_per_kwh, len(needs))
    rows = model.rows(asked, np.inf, len(needs))
    for row, column, (counts, _) in zip(rows, short, needs, strict=True):
        model.put(row, power, frame.hours * counts[slots])
        model.put(row, column, 1.0)
    # What its owner asks for goes before what the car is thought to have room for.
    room = max([car.room_wh, *(deadline.energy_wh for deadline in car.deadlines)]) / 1000.0
    model.put(model.rows(-np.inf, room, 1), power, frame.hours)
    return short


def planned(columns: tuple[CarColumns, ...], frame: Frame, solution: Floats) -> PlannedDevice:
    """Return what a car is expected to take: the mean over the scenarios if they differ."""
    power = np.zeros(frame.count)
    for part in columns:
        power[part.slots] += part.weight * solution[part.power]
    taken = np.cumsum(power) * frame.hours
    return PlannedDevice(tuple((power * 1000.0).tolist()), tuple((taken * 1000.0).tolist()))
