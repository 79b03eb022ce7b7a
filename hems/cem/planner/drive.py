"""What the batteries do: their share of the plan, under uncertainty, with all else in its place."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from hems.cem.forecast.past import Floats, Paths
from hems.cem.forecast.paths import marginals
from hems.cem.planner.bands import bands
from hems.cem.planner.manner import Manner, manners
from hems.cem.planner.plan import PlannedDevice
from hems.cem.planner.problem import Battery, Problem
from hems.cem.planner.storage import inside_wh, pooled, stored_value
from programs.economy import Use

LEAST_ROOM_WH: Final = 1.0
"""A battery with less between its reserve and full is left alone."""


def drive(
    problem: Problem, ways: Paths, other_w: Sequence[float], peak_w: float = 0.0
) -> Mapping[str, PlannedDevice]:
    """Return what each battery is to do.

    They are valued as one and behave alike; a power is shared by what each can take or give.

    Args:
        problem: Slots, prices, limits and batteries; its scenarios are not looked at.
        ways: How load and sun may go, on the problem's slots.
        other_w: What all other planned devices draw, by slot, passive sign.
        peak_w: Highest import that the plan reaches anyway, where there is a capacity charge.
    """
    able = [b for b in problem.batteries if b.most_wh - b.least_wh >= LEAST_ROOM_WH]
    idle = [b for b in problem.batteries if b not in able]
    planned = {b.id: _resting(b, problem.slots.count) for b in idle}
    if not able:
        return planned
    staircase = bands(
        problem.prices,
        problem.limits,
        problem.slots.hours,
        curtailable=problem.curtailable,
        peak_w=peak_w,
    )
    value = stored_value(
        problem.slots,
        pooled(able),
        staircase,
        ways,
        other_w=other_w,
        end_per_kwh=problem.end_value_per_kwh,
    )
    expected_w = (marginals(ways) * (ways.load_w + ways.sun_w)).sum(axis=0) + np.array(other_w)
    behaviour = manners(value, expected_w)
    return {**planned, **_shared(able, behaviour, problem.slots.hours)}


def _shared(
    batteries: Sequence[Battery], behaviour: Sequence[Manner], hours: float
) -> Mapping[str, PlannedDevice]:
    """Return each battery's part of what they do together."""
    energy_wh = np.array([inside_wh(b) for b in batteries])
    power_w = np.empty((len(batteries), len(behaviour)))
    level_wh = np.empty_like(power_w)
    for slot, one in enumerate(behaviour):
        able_w = _able_w(batteries, energy_wh, hours, charging=one.power_w > 0.0)
        total_w = float(able_w.sum())
        part = min(1.0, abs(one.power_w) / total_w) if total_w > 0.0 else 0.0
        power_w[:, slot] = np.copysign(part * able_w, one.power_w)
        energy_wh = energy_wh + hours * np.array(
            [
                power * (b.charge_efficiency if power > 0.0 else 1.0 / b.discharge_efficiency)
                for b, power in zip(batteries, power_w[:, slot], strict=True)
            ]
        )
        level_wh[:, slot] = energy_wh
    uses = tuple(one.use for one in behaviour)
    worth = tuple(one.worth_per_kwh for one in behaviour)
    return {
        b.id: PlannedDevice(tuple(power_w[i].tolist()), tuple(level_wh[i].tolist()), uses, worth)
        for i, b in enumerate(batteries)
    }


def _able_w(
    batteries: Sequence[Battery], energy_wh: Floats, hours: float, *, charging: bool
) -> Floats:
    """Return the greatest power that each can take, or give, over a slot."""
    if charging:
        return np.array(
            [
                min(b.charge_w, max(0.0, b.most_wh - e) / b.charge_efficiency / hours)
                for b, e in zip(batteries, energy_wh, strict=True)
            ]
        )
    return np.array(
        [
            min(b.discharge_w, max(0.0, e - b.least_wh) * b.discharge_efficiency / hours)
            for b, e in zip(batteries, energy_wh, strict=True)
        ]
    )


def _resting(battery: Battery, count: int) -> PlannedDevice:
    return PlannedDevice(
        (0.0,) * count, (battery.energy_wh,) * count, (Use.REST,) * count, (0.0,) * count
    )
