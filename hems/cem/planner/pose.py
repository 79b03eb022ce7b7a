"""From question and outlook to the planner's problem: pure."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from hems.cem.forecast.past import CarOutlook, Floats, Outlook
from hems.cem.forecast.paths import expected
from hems.cem.needs import CarMode, RunRequest
from hems.cem.planner.plan import Plan
from hems.cem.planner.problem import (
    Appliance,
    BySlot,
    Car,
    Deadline,
    Heat,
    Problem,
    Scenario,
)
from hems.cem.planner.question import CarNow, HeatNow, Question
from hems.cem.slots import Slots

_THERE: Final = 0.5
"""A car that is away is planned for in slots in which it is there with at least this chance."""
_USUAL: Final = 0.5
"""Quantile of its need that is planned for where its owner says nothing."""
_LATER: Final = 0.0005
"""What a kWh is reckoned at for each hour that a car gets it later: next to nothing, and enough
that of equal prices the sooner is taken, in one go."""
_MILD_C: Final = 10.0
"""Outdoor temperature where nobody knows it."""


def pose(question: Question, outlook: Outlook, last: Plan | None) -> Problem:
    """Return the problem.

    Load and sun are their expected courses: most hours of a home lie below their mean, and a plan
    on medians would miss the energy of the rest. What the spread is worth is the battery's matter
    (`storage`), after everything else has its place.

    Args:
        question: What the controller asks.
        outlook: What is expected, on the question's slots.
        last: The plan before this one; None if there is none.
    """
    slots = question.slots
    load_w, sun_w = expected(outlook.paths)
    charging_w = np.zeros(slots.count)
    for car in question.cars:
        if car.need is not None and car.need.mode is CarMode.NOW:
            charging_w += _charging_now_w(car, outlook.cars.get(car.id), slots)
    load_w = np.maximum(load_w, 0.0) + charging_w
    for run in question.under_way:
        load_w = load_w + _running_w(run, slots)
    return Problem(
        slots,
        question.prices,
        question.limits,
        (Scenario(1.0, _by_slot(load_w), _by_slot(np.minimum(sun_w, 0.0))),),
        question.batteries,
        tuple(
            posed
            for car in question.cars
            if (posed := _car(car, outlook.cars.get(car.id), question)) is not None
        ),
        tuple(
            Appliance(
                run.device,
                _stretched(run.profile_w, run.step_s, slots.step_s),
                run.earliest,
                run.ready_by,
            )
            for run in question.runs
        ),
        tuple(_heat(heat, outlook, slots) for heat in question.heats),
        curtailable=question.curtailable,
        charging_w=_by_slot(charging_w),
        keep=dict(_kept(last, slots)),
    )


def _by_slot(values: Floats) -> BySlot:
    return tuple(float(v) for v in values)


def _energy_wh(car: CarNow, outlook: CarOutlook | None) -> float:
    """Return what a car still needs, as drawn."""
    need = car.need
    if need is not None and need.energy_wh is not None:
        return max(need.energy_wh - (need.taken_wh or 0.0), 0.0)
    if outlook is None:
        return 0.0
    usual = outlook.need_wh
    row = usual.values[usual.shares.index(_USUAL)]
    taken_wh = 0.0 if need is None or need.taken_wh is None else need.taken_wh
    return max(float(row[0]) - taken_wh, 0.0)


def _present(car: CarNow, outlook: CarOutlook | None, slots: Slots) -> Floats:
    """Return by slot the share of it that a car is planned to be there."""
    if outlook is None:
        return np.full(slots.count, 1.0 if car.plugged else 0.0)
    there = np.where(outlook.present >= _THERE, 1.0, 0.0)
    ready_at = None if car.need is None else car.need.ready_at
    if car.plugged and ready_at is not None:
        # Its owner has said when it leaves: no habit knows better.
        until = min(max(slots.at(ready_at - 1e-6) + 1, 0), slots.count)
        there[:until] = 1.0
    return there


def _car(car: CarNow, outlook: CarOutlook | None, question: Question) -> Car | None:
    """Return a car to be planned; None for one that is not."""
    slots, need = question.slots, car.need
    mode = CarMode.CHEAPEST if need is None else need.mode
    present = _present(car, outlook, slots)
    if mode is CarMode.NOW or not present.any() or (car.plugged and car.wants is False):
        return None
    energy_wh = _energy_wh(car, outlook)
    if mode is CarMode.SOLAR:
        return _on_sun(car, present, question)
    if energy_wh <= 0 and car.plugged and need is not None and need.energy_wh is not None:
        return _on_sun(car, present, question)  # its owner said what it needs: no more is paid for
    if energy_wh <= 0 and car.plugged:
        energy_wh = _beyond_usual_wh(car, outlook, slots)
    if energy_wh <= 0:
        return None
    ready_at = _ready_at(car, outlook, present, slots)
    return Car(
        car.id,
        car.least_w,
        car.most_w,
        _by_slot(present),
        (Deadline(ready_at, energy_wh),),
        room_wh=energy_wh,
        later_per_kwh_hour=_LATER,
    )


def _on_sun(car: CarNow, present: Floats, question: Question) -> Car:
    """Return a car that takes what the sun leaves over, and no more."""
    slots = question.slots
    return Car(
        car.id,
        car.least_w,
        car.most_w,
        _by_slot(present),
        room_wh=car.most_w * slots.hours * slots.count,
        surplus_only=True,
        worth_per_kwh=max((*question.prices.export_per_kwh, 0.0)) + 0.01,
        later_per_kwh_hour=_LATER,
    )


def _beyond_usual_wh(car: CarNow, outlook: CarOutlook | None, slots: Slots) -> float:
    """Return what a car may want that has drawn what it usually does and wants more, as drawn.

    The next greater quantile of its stays; beyond all of them a slot's worth, and at the next plan
    another one. 0 for a car of which no stay is known.
    """
    if outlook is None:
        return 0.0
    known_wh = [float(row[0]) for row in outlook.need_wh.values]
    taken_wh = 0.0 if car.need is None else car.need.taken_wh or 0.0
    if taken_wh <= 0.0:
        return 0.0
    beyond_wh = [wh - taken_wh for wh in known_wh if wh > taken_wh]
    return min(beyond_wh, default=car.most_w * slots.hours)


def _ready_at(car: CarNow, outlook: CarOutlook | None, present: Floats, slots: Slots) -> float:
    if car.need is not None and car.need.ready_at is not None and car.plugged:
        return car.need.ready_at
    if outlook is not None and outlook.leaves_at is not None and car.plugged:
        return outlook.leaves_at
    last = int(np.flatnonzero(present)[-1])  # the end of the stay that is expected
    return slots.start + (last + 1) * slots.step_s


def _charging_now_w(car: CarNow, outlook: CarOutlook | None, slots: Slots) -> Floats:
    """Return what a car draws that is charged at once, while it is there."""
    if not car.plugged or car.wants is False:
        return np.zeros(slots.count)
    left_wh = _energy_wh(car, outlook)
    if left_wh <= 0:
        left_wh = car.most_w * slots.hours  # it wants power; for how long nobody knows
    per_slot_wh = car.most_w * slots.hours
    drawn_wh = np.clip(left_wh - np.arange(slots.count) * per_slot_wh, 0.0, per_slot_wh)
    return np.asarray(drawn_wh / slots.hours)


def _running_w(run: RunRequest, slots: Slots) -> Floats:
    """Return what a run that has begun still draws, by slot."""
    edges = run.earliest + np.arange(len(run.profile_w) + 1) * run.step_s
    energy_ws = np.concatenate(([0.0], np.cumsum(np.asarray(run.profile_w) * run.step_s)))
    at = np.array([*slots, slots.end])
    return np.asarray(np.diff(np.interp(at, edges, energy_ws)) / slots.step_s)


def _stretched(profile_w: Sequence[float], step_s: float, slot_s: float) -> BySlot:
    """Return a profile by slot, its energy kept."""
    total_s = len(profile_w) * step_s
    count = max(1, math.ceil(total_s / slot_s - 1e-9))
    edges = np.arange(len(profile_w) + 1) * step_s
    energy_ws = np.concatenate(([0.0], np.cumsum(np.asarray(profile_w) * step_s)))
    at = np.minimum(np.arange(count + 1) * slot_s, total_s)
    return _by_slot(np.diff(np.interp(at, edges, energy_ws)) / slot_s)


def _heat(heat: HeatNow, outlook: Outlook, slots: Slots) -> Heat:
    store, count = heat.store, slots.count
    draw = outlook.heat_draw_w.get(store.device)
    outdoor_c = outlook.outdoor_c if outlook.outdoor_c is not None else np.full(count, _MILD_C)
    ambient_c = (
        np.full(count, store.surroundings_c)
        if store.surroundings_c is not None
        else (np.nan_to_num(outdoor_c, nan=_MILD_C))
    )
    return Heat(
        store.device,
        heat.power_w,
        (store.cop,) * count,
        heat.temp_c,
        store.wh_per_k,
        store.loss_w_per_k,
        _by_slot(ambient_c),
        (0.0,) * count if draw is None else _by_slot(draw.median),
        (store.low_c,) * count,
        (store.high_c,) * count,
        heat.least_on_s,
        heat.least_off_s,
        heat.on_for_s,
        heat.modulates,
    )


def _kept(last: Plan | None, slots: Slots) -> Mapping[str, BySlot]:
    """Return what the plan before had each device do, on these slots."""
    if last is None or last.slots.step_s != slots.step_s:
        return {}
    ahead = round((slots.start - last.slots.start) / slots.step_s)
    return {
        name: tuple(
            planned.power_w[i] if 0 <= i < len(planned.power_w) else math.nan
            for i in range(ahead, ahead + slots.count)
        )
        for name, planned in last.devices.items()
    }
