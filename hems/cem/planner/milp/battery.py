"""Batteries in the programme: charge, discharge and energy by slot, in each scenario."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hems.cem.planner.milp import kept as keeping
from hems.cem.planner.milp.frame import RESERVE_PER_HOUR, Frame
from hems.cem.planner.milp.grid import Grid, Some
from hems.cem.planner.milp.model import Floats, Indices, Kind, Model
from hems.cem.planner.milp.money import end_value
from hems.cem.planner.plan import PlannedDevice
from hems.cem.planner.problem import Battery

_GRAVE_AT_ONCE: Final = 3 / 8
_GRAVE_BY_HOUR: Final = 1 / 8
"""What a kWh missing in what is committed is reckoned at, as shares of a breach: once, and over
all its hours. What a kWh more could save of it in all is less than a limit is worth."""
IDLE_WEAR: Final = 1e-5
"""Least wear a kWh: where energy is worth nothing, a battery is not to burn it for nothing."""


@dataclass(frozen=True, slots=True)
class BatteryColumns:
    """One battery in one scenario.

    Attributes:
        charge: (T,) kW, as drawn.
        discharge: (T,) kW, as given.
        energy: (T,) kWh at the slot's end.
        missing: kWh below what is held back.
    """

    charge: Indices
    discharge: Indices
    energy: Indices
    missing: Some


def held_back(battery: Battery, count: int) -> Floats:
    """(T,) Return what a battery is to hold back, kWh: its reserve and what is committed."""
    committed = np.array(battery.committed_wh) if battery.committed_wh else np.zeros(count)
    return np.minimum(battery.least_wh + committed, battery.most_wh) / 1000.0


def inside(battery: Battery) -> float:
    """Return what is in a battery, kWh; a gauge that reads beyond full or empty means just that."""
    return min(max(battery.energy_wh, 0.0), battery.most_wh) / 1000.0


def add(model: Model, frame: Frame, grid: Grid, battery: Battery) -> tuple[BatteryColumns, ...]:
    """Add a battery; it may do otherwise in each scenario."""
    return tuple(_add(model, frame, grid, battery, s) for s in range(frame.scenarios))


def _add(model: Model, frame: Frame, grid: Grid, battery: Battery, scenario: int) -> BatteryColumns:
    count, hours = frame.count, frame.hours
    weight, balance = float(frame.weights[scenario]), grid.sides[scenario].balance
    start, hold = inside(battery), held_back(battery, count)
    most = np.array([battery.charge_w, battery.discharge_w]) / 1000.0
    wear = weight * hours * wear_per_kwh(frame, battery)
    value = np.zeros(count)
    value[-1] = weight * end_value(frame, battery)
    charge = model.columns(0.0, most[0], 0.0, count)
    discharge = model.columns(0.0, most[1], wear, count)
    # Doing nothing has to be possible: what is not there cannot be held back, only missed.
    energy = model.columns(np.minimum(hold, start), battery.most_wh / 1000.0, -value, count)
    model.put(balance, charge, -1.0)
    model.put(balance, discharge, 1.0)
    before = np.where(np.arange(count) == 0, start, 0.0)
    rows = model.rows(before, before, count)
    model.put(rows, energy, 1.0)
    model.put(rows[1:], energy[:-1], -1.0)
    model.put(rows, charge, -hours * battery.charge_efficiency)
    model.put(rows, discharge, hours / battery.discharge_efficiency)
    columns = BatteryColumns(
        charge, discharge, energy, _missing(model, frame, battery, weight, energy)
    )
    _one_way(model, frame, battery, columns, scenario)
    _keep(model, frame, battery, columns, weight)
    return columns


def _missing(model: Model, frame: Frame, battery: Battery, weight: float, energy: Indices) -> Some:
    """Add what may be missing of what is held back, where more is asked than is there now."""
    start, hold = inside(battery), held_back(battery, frame.count)
    slots = np.flatnonzero(hold > start)
    committed = np.array(battery.committed_wh or np.zeros(frame.count)) > 0
    by_hour = np.where(committed, _GRAVE_BY_HOUR * _grave(frame, committed), frame.reserve)[slots]
    # What is missing when the plan ends has to be bought later, at the mean price.
    at_end = np.where(slots == frame.count - 1, frame.reserve / RESERVE_PER_HOUR, 0.0)
    cost = weight * (frame.hours * by_hour + at_end)
    missing = model.columns(0.0, hold[slots] - start, cost, len(slots))
    rows = model.rows(hold[slots], np.inf, len(slots))
    model.put(rows, energy[slots], 1.0)
    model.put(rows, missing, 1.0)
    promised = committed[slots]
    if promised.any():
        # The most that is missing at a time costs once more, however short: else a promise of
        # many hours would be broken in one of them for the sake of a price.
        most = model.columns(0.0, np.inf, weight * _GRAVE_AT_ONCE * frame.breach, 1)
        rows = model.rows(0.0, np.inf, int(promised.sum()))
        model.put(rows, np.repeat(most, len(rows)), 1.0)
        model.put(rows, missing[promised], -1.0)
    return Some(slots, missing)


def _grave(frame: Frame, committed: NDArray[np.bool_]) -> float:
    """Return a breach spread over the hours for which something is committed, by kWh and hour."""
    return frame.breach / (frame.hours * max(1, int(committed.sum())))


def wear_per_kwh(frame: Frame, battery: Battery) -> float:
    """Return the wear reckoned with: at least as much as keeps it from burning energy for nothing.

    That is, too, only to do what the plan before had it do.
    """
    efficiency = battery.charge_efficiency * battery.discharge_efficiency
    change = frame.problem.change_per_kwh if battery.id in frame.problem.keep else 0.0
    return max(battery.wear_per_kwh, IDLE_WEAR + change * (1.0 - efficiency) / efficiency)


def burns(frame: Frame, battery: Battery, scenario: int) -> NDArray[np.intp]:
    """Return the slots in which charging and discharging at once could pay.

    It burns energy. That can pay where a kWh in the house may be worth less than nothing, by more
    than the wear of burning it; or where energy in the battery may be: because such a slot is yet
    to come, and giving it away is not possible or costs.
    """
    efficiency = battery.charge_efficiency * battery.discharge_efficiency
    change = frame.problem.change_per_kwh if battery.id in frame.problem.keep else 0.0
    gain = (change - frame.floor) * (1.0 - efficiency)
    unwanted = gain > wear_per_kwh(frame, battery) * efficiency + 1e-12
    load, sun = frame.load[scenario], frame.sun[scenario]
    out = sum(other.discharge_w for other in frame.problem.batteries) / 1000.0
    if not frame.problem.curtailable:
        out = out + sun
    stuck = (out - load > frame.most_export) | (frame.sell < 0)
    later = np.flip(np.logical_or.accumulate(np.flip(frame.floor < 0)))
    return np.flatnonzero(unwanted | (stuck & later))


def _one_way(
    model: Model, frame: Frame, battery: Battery, columns: BatteryColumns, scenario: int
) -> None:
    """Forbid charging and discharging at once where it could pay."""
    slots = burns(frame, battery, scenario)
    charging = model.columns(0.0, 1.0, 0.0, len(slots), kind=Kind.WHOLE)
    for part, most_w, sign in (
        (columns.charge, battery.charge_w, -1.0),
        (columns.discharge, battery.discharge_w, 1.0),
    ):
        most = most_w / 1000.0
        rows = model.rows(-np.inf, max(0.0, sign * most), len(slots))
        model.put(rows, part[slots], 1.0)
        model.put(rows, charging, sign * most)


def _keep(
    model: Model, frame: Frame, battery: Battery, columns: BatteryColumns, weight: float
) -> None:
    """Add the price of doing other than before."""
    kept = frame.kept(battery.id)
    if kept is None:
        return
    price = weight * frame.change
    for part, most_w, was in (
        (columns.charge, battery.charge_w, np.maximum(kept, 0.0)),
        (columns.discharge, battery.discharge_w, np.maximum(-kept, 0.0)),
    ):
        most = np.full(frame.count, most_w / 1000.0)
        model.pay(part, keeping.add(model, part, was, most, price))


def planned(columns: tuple[BatteryColumns, ...], frame: Frame, solution: Floats) -> PlannedDevice:
    """Return what a battery is expected to do: the mean over the scenarios."""
    power = sum(
        weight * (solution[part.charge] - solution[part.discharge])
        for weight, part in zip(frame.weights, columns, strict=True)
    )
    level = sum(
        weight * solution[part.energy] for weight, part in zip(frame.weights, columns, strict=True)
    )
    return PlannedDevice(tuple((power * 1000.0).tolist()), tuple((level * 1000.0).tolist()))
