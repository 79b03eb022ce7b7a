"""What the plan before this one decided, as a first guess at this one's whole numbers."""

import numpy as np

from hems.cem.planner.milp.appliances import RunColumns, run_at
from hems.cem.planner.milp.build import Columns
from hems.cem.planner.milp.frame import Frame
from hems.cem.planner.milp.model import Floats, Programme
from hems.cem.planner.plan import Plan


def hints(programme: Programme, columns: Columns, frame: Frame, warm: Plan | None) -> Floats:
    """Return what each column may be, NaN where nothing is known.

    Args:
        programme: Whose columns.
        columns: Where everything is in it.
        frame: The problem.
        warm: The plan before; None to take what the problem says of it.
    """
    values = np.full(len(programme.cost), np.nan)
    for parts in columns.cars:
        for car in parts:
            was = _before(car.car.id, frame, warm)
            values[car.power] = was[car.slots]
    for heater in columns.heats:
        was = _before(heater.heat.id, frame, warm)
        if len(heater.on):
            values[heater.on] = np.where(np.isnan(was), np.nan, was > heater.heat.power_w / 2000.0)
    for run in columns.runs:
        values[run.begins] = _began(run, _before(run.runs.appliance.id, frame, warm), frame)
    return values


def _before(device: str, frame: Frame, warm: Plan | None) -> Floats:
    """Return what a device did in the plan before, by this one's slots, kW; NaN for unknown."""
    if warm is None:
        kept = frame.kept(device)
        return np.full(frame.count, np.nan) if kept is None else kept
    powers = np.full(frame.count, np.nan)
    planned = warm.devices.get(device)
    slots = frame.problem.slots
    if planned is None or warm.slots.step_s != slots.step_s:
        return powers
    shift = warm.slots.at(slots.start)
    was = np.array(planned.power_w[max(0, shift) :]) / 1000.0
    ahead = max(0, -shift)
    count = max(0, min(len(was), frame.count - ahead))
    powers[ahead : ahead + count] = was[:count]
    return powers


def _began(run: RunColumns, was: Floats, frame: Frame) -> Floats:
    """Return 1 for the start that is nearest to what was planned, else 0; NaN if none was."""
    starts = run.runs.starts
    known = ~np.isnan(was)
    if not len(starts) or not np.any(was[known] > 0):
        return np.full(len(starts), np.nan)
    apart = [
        np.abs(np.array(run_at(run.runs, begin, frame.count).power_w) / 1000.0 - was)[known].sum()
        for begin in starts
    ]
    nearest = np.zeros(len(starts))
    nearest[int(np.argmin(apart))] = 1.0
    return nearest
