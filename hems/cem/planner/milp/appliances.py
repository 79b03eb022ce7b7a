"""Runs in the programme: a binary for each slot in which a run may begin; one of them is 1."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hems.cem.planner.milp.frame import Frame
from hems.cem.planner.milp.model import Floats, Indices, Kind, Model
from hems.cem.planner.plan import PlannedDevice
from hems.cem.planner.problem import Appliance


@dataclass(frozen=True, slots=True)
class Runs:
    """When one appliance may begin.

    Attributes:
        appliance: Which.
        first: First slot in which it may begin.
        last: Last slot; before `first` where it cannot begin within the plan.
        most: (T,) The most it may draw then, wherever it begins, kW.
    """

    appliance: Appliance
    first: int
    last: int
    most: Floats

    @property
    def starts(self) -> range:
        """The slots in which it may begin."""
        return range(self.first, self.last + 1)


@dataclass(frozen=True, slots=True)
class RunColumns:
    """One appliance in the programme.

    Attributes:
        runs: When it may begin.
        begins: Binaries, one for each of `runs.starts`.
    """

    runs: Runs
    begins: Indices


def possible(frame: Frame) -> tuple[Runs, ...]:
    """Return when each appliance may begin: in time, unless that alone would break a limit.

    Late starts are offered only to an appliance that has no start in time at which the load, the
    other runs and its own keep the import limit. Nothing is dropped: where even the plan is too
    short, it begins as early as it may.
    """
    in_time = [
        _runs(appliance, frame, _in_time(appliance, frame))
        for appliance in frame.problem.appliances
    ]
    return tuple(
        run if _fits(run, in_time, frame) else _runs(run.appliance, frame, frame.count)
        for run in in_time
    )


def _in_time(appliance: Appliance, frame: Frame) -> int:
    """Return the last slot in which it may begin and be done in time; negative if there is none."""
    slots = frame.problem.slots
    ready = math.floor((appliance.ready_by - slots.start) / slots.step_s + 1e-9)
    return ready - len(appliance.profile_w)


def _runs(appliance: Appliance, frame: Frame, last: int) -> Runs:
    """Return the starts from the earliest to `last`, as far as the plan goes."""
    slots = frame.problem.slots
    first = max(0, math.ceil((appliance.earliest - slots.start) / slots.step_s - 1e-9))
    length = len(appliance.profile_w)
    last = min(last, max(first, frame.count - length), frame.count - 1)
    most = np.zeros(frame.count + length)
    if last >= first:
        for offset, power_w in enumerate(appliance.profile_w):
            span = most[first + offset : last + offset + 1]
            np.maximum(span, power_w / 1000.0, out=span)
    return Runs(appliance, first, last, most[: frame.count])


def _fits(run: Runs, all_runs: Sequence[Runs], frame: Frame) -> bool:
    """Return whether a run has a start at which no limit is broken though all else runs as well."""
    if not run.starts:
        return False
    drawn = (frame.load - frame.sun).max(axis=0)
    for other in all_runs:
        drawn = drawn + (0.0 if other is run else other.most)
    room = np.concatenate(
        [frame.most_import - drawn, np.full(len(run.appliance.profile_w), np.inf)]
    )
    starts = np.arange(run.first, run.last + 1)
    fits = np.ones(len(starts), bool)
    for offset, power_w in enumerate(run.appliance.profile_w):
        fits &= power_w / 1000.0 <= room[starts + offset]
    return bool(fits.any())


def late_s(appliance: Appliance, frame: Frame, begin: int) -> float:
    """Return by how much a run is late that begins in slot `begin`, s; 0 in time."""
    slots = frame.problem.slots
    done = slots.start + (begin + len(appliance.profile_w)) * slots.step_s
    return max(0.0, done - appliance.ready_by)


def add(model: Model, frame: Frame, shared: Indices, runs: Runs) -> RunColumns:
    """Add a run; `shared` are the rows that take its power, as `grid.Grid` has it."""
    appliance, starts = runs.appliance, np.arange(runs.first, runs.last + 1)
    late = np.array([late_s(appliance, frame, begin) for begin in runs.starts]) / 3600.0
    begins = model.columns(
        0.0,
        1.0,
        late * appliance.late_per_hour + _changes(frame, runs),
        len(starts),
        kind=Kind.WHOLE,
    )
    if len(starts):
        model.choose(begins)
    for offset, power_w in enumerate(appliance.profile_w):
        inside = starts + offset < frame.count
        model.put(shared[starts[inside] + offset], begins[inside], -power_w / 1000.0)
    return RunColumns(runs, begins)


def _changes(frame: Frame, runs: Runs) -> Floats:
    """Return what it costs to begin in each of the starts and not as the plan before had it."""
    kept = frame.kept(runs.appliance.id)
    starts = np.arange(runs.first, runs.last + 1)
    cost = np.zeros(len(starts))
    if kept is None:
        return cost
    said = np.nan_to_num(kept)
    known = ~np.isnan(kept)
    for offset, power_w in enumerate(runs.appliance.profile_w):
        inside = starts + offset < frame.count
        slots = starts[inside] + offset
        power = power_w / 1000.0
        # |power - said| in place of |0 - said|, which every slot without the run pays
        cost[inside] += known[slots] * (np.abs(power - said[slots]) - np.abs(said[slots]))
    changed: Floats = frame.change * (cost + np.abs(said).sum())
    return changed


def run_at(runs: Runs, begin: int, count: int) -> PlannedDevice:
    """Return a run that begins in slot `begin`, over `count` slots."""
    power = np.zeros(count)
    profile = runs.appliance.profile_w[: count - begin]
    power[begin : begin + len(profile)] = profile
    return PlannedDevice(tuple(power.tolist()))


def planned(columns: RunColumns, frame: Frame, solution: Floats) -> PlannedDevice:
    """Return the run that was chosen; none where the plan ends before it may begin."""
    if not len(columns.begins):
        return PlannedDevice((0.0,) * frame.count)
    begin = columns.runs.first + int(np.argmax(solution[columns.begins]))
    return run_at(columns.runs, begin, frame.count)


def begin_of(runs: Runs, power: Floats) -> int | None:
    """Return the slot in which a run begins that draws `power` (T,) kW; None if there is none."""
    for begin in runs.starts:
        if np.allclose(run_at(runs, begin, len(power)).power_w, power * 1000.0, atol=1e-3):
            return begin
    return None
