"""Heat in the programme: a heater on and off or at any power, and the warmth behind it by slot."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hems.cem.planner.milp import kept as keeping
from hems.cem.planner.milp.frame import Frame
from hems.cem.planner.milp.model import Floats, Indices, Kind, Model, Pulse
from hems.cem.planner.plan import PlannedDevice
from hems.cem.planner.problem import Heat


@dataclass(frozen=True, slots=True)
class HeatColumns:
    """One heater.

    Attributes:
        heat: Which.
        power: (T,) kW, or where `unit` is its power, whether it is on.
        unit: kW for one of `power`.
        on: (T,) Whether it is on; the same as `power` where it does not modulate, and empty where
            it does and may go on and off at will.
        band: (T,) Temperature at the slot's end, within comfort, degC.
        hot: (T,) K above comfort.
        cold: (T,) K below comfort.
    """

    heat: Heat
    power: Indices
    unit: float
    on: Indices
    band: Indices
    hot: Indices
    cold: Indices


@dataclass(frozen=True, slots=True)
class Cooling:
    """How a store's temperature goes on from slot to slot: kept * before + rest + warmed * kW.

    Attributes:
        kept: Share of the temperature that is left after a slot.
        rest: (T,) degC that its surroundings give, less what is drawn.
        warmed: (T,) K for one kW of electricity.
    """

    kept: float
    rest: Floats
    warmed: Floats


def cooling(heat: Heat, frame: Frame) -> Cooling:
    """Return how its temperature goes on, exactly, for powers that are even over a slot."""
    ambient, draw, gain = (np.array(by) for by in (heat.ambient_c, heat.draw_w, heat.gain))
    capacity = max(heat.wh_per_k, 1e-3)
    kept = math.exp(-heat.loss_w_per_k * frame.hours / capacity)
    loses = heat.loss_w_per_k > 0
    per_w = (1.0 - kept) / heat.loss_w_per_k if loses else frame.hours / capacity
    return Cooling(kept, (1.0 - kept) * ambient - per_w * draw, 1000.0 * per_w * gain)


def forced(heat: Heat, frame: Frame) -> tuple[int, bool]:
    """Return for how many slots it has to stay as it is, and whether that is on."""
    on = heat.on_for_s > 0
    left_s = (heat.least_on_s if on else heat.least_off_s) - abs(heat.on_for_s)
    slots = math.ceil(left_s / frame.problem.slots.step_s - 1e-9)
    return min(max(0, slots), frame.count), on


def forced_on(heat: Heat, frame: Frame) -> NDArray[np.bool_]:
    """Return the slots in which it has to run on."""
    slots, on = forced(heat, frame)
    return (np.arange(frame.count) < slots) & on & (not heat.modulates)


def add(model: Model, frame: Frame, shared: Indices, heat: Heat) -> HeatColumns:
    """Add a heater; `shared` are the rows that take its power, as `grid.Grid` has it."""
    count, full = frame.count, heat.power_w / 1000.0
    switched = not heat.modulates or heat.least_on_s > 0 or heat.least_off_s > 0
    on = _switch(model, frame, heat) if switched else np.array([], np.int32)
    power, unit = on, full
    if heat.modulates:
        power, unit = model.columns(0.0, full, 0.0, count), 1.0
        if switched:
            rows = model.rows(-np.inf, 0.0, count)
            model.put(rows, power, 1.0)
            model.put(rows, on, -full)
    model.put(shared, power, -unit)
    low, high = np.sort([heat.low_c, heat.high_c], axis=0)
    price = heat.discomfort_per_k_hour * frame.hours
    columns = HeatColumns(
        heat,
        power,
        unit,
        on,
        band=model.columns(low, high, 0.0, count),
        hot=model.columns(0.0, np.inf, price, count),
        cold=model.columns(0.0, np.inf, price, count),
    )
    _warmth(model, frame, columns)
    if len(on):
        model.pulse(_pulse(frame, columns, low, high))
    kept = frame.kept(heat.id)
    if kept is not None and unit > 0:
        most = np.full(count, full / unit)
        price = frame.change * unit
        model.pay(power, keeping.add(model, power, kept / unit, most, price))
    return columns


def _warmth(model: Model, frame: Frame, columns: HeatColumns) -> None:
    """Add the rows by which its temperature goes on."""
    goes = cooling(columns.heat, frame)
    first = np.arange(frame.count) == 0
    rest = goes.rest + np.where(first, goes.kept * columns.heat.temp_c, 0.0)
    rows = model.rows(rest, rest, frame.count)
    for part, sign in ((columns.band, 1.0), (columns.hot, 1.0), (columns.cold, -1.0)):
        model.put(rows, part, sign)
        model.put(rows[1:], part[:-1], -sign * goes.kept)
    model.put(rows, columns.power, -goes.warmed * columns.unit)


def _switch(model: Model, frame: Frame, heat: Heat) -> Indices:
    """Add whether it is on, with its least times on and off."""
    count = frame.count
    stays, was_on = forced(heat, frame)
    fixed = np.arange(count) < stays
    on = model.columns(
        np.where(fixed & was_on, 1.0, 0.0),
        np.where(fixed & (not was_on), 0.0, 1.0),
        0.0,
        count,
        kind=Kind.WHOLE,
    )
    least = _least(frame, heat)
    if max(least) <= 1:
        return on
    before = np.where(np.arange(count) == 0, float(was_on), 0.0)
    goes_on, goes_off = (model.columns(0.0, 1.0, 0.0, count) for _ in range(2))
    rows = model.rows(before, before, count)
    model.put(rows, on, 1.0)
    model.put(rows[1:], on[:-1], -1.0)
    model.put(rows, goes_on, -1.0)
    model.put(rows, goes_off, 1.0)
    _stay(model, goes_on, on, least[0], 1.0)
    _stay(model, goes_off, on, least[1], -1.0)
    return on


def _least(frame: Frame, heat: Heat) -> tuple[int, int]:
    """Return for how many slots it stays on, and off."""
    step_s = frame.problem.slots.step_s
    on, off = (math.ceil(s / step_s - 1e-9) for s in (heat.least_on_s, heat.least_off_s))
    return max(1, on), max(1, off)


def _pulse(frame: Frame, columns: HeatColumns, low: Floats, high: Floats) -> Pulse:
    """Return how it goes on and off, for the search."""
    heat, goes = columns.heat, cooling(columns.heat, frame)
    least_on, least_off = _least(frame, heat)
    step_k = least_on * np.abs(goes.warmed) * heat.power_w / 1000.0
    return Pulse(
        columns=columns.on,
        least_on=least_on,
        least_off=least_off,
        was_on=heat.on_for_s > 0,
        kept=goes.kept,
        band=columns.band,
        most=np.maximum(high - step_k, 0.5 * (low + high)),
    )


def _stay(model: Model, change: Indices, on: Indices, least: int, sign: float) -> None:
    """Have it stay on (`sign` 1) or off (-1) for `least` slots after each change."""
    count = len(on)
    rows = model.rows(-np.inf, 0.0 if sign > 0 else 1.0, count)
    model.put(rows, on, -sign)
    for back in range(min(least, count)):
        model.put(rows[back:], change[: count - back], 1.0)


def planned(columns: HeatColumns, solution: Floats) -> PlannedDevice:
    """Return what a heater does, and how warm it gets."""
    power = solution[columns.power] * columns.unit * 1000.0
    level = solution[columns.band] + solution[columns.hot] - solution[columns.cold]
    return PlannedDevice(tuple(power.tolist()), tuple(level.tolist()))
