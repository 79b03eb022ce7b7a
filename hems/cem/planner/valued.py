"""What the batteries of a plan are worth and how they behave, once everything else has its place.

The programme plans batteries as if the day were known, so that cars, runs and heat find their best
places beside them. What it says of the batteries themselves is then replaced: by what each kWh is
worth while nobody knows how the day will go, and the manner that follows from it.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hems.cem.forecast.past import Floats, Outlook
from hems.cem.planner.plan import Plan, PlannedDevice
from hems.cem.planner.problem import BySlot, Problem
from hems.cem.planner.worth.bands import bands
from hems.cem.planner.worth.manner import manners
from hems.cem.planner.worth.shares import shared
from hems.cem.planner.worth.storage import pooled, stored_value


def valued(plan: Plan, problem: Problem, outlook: Outlook) -> Plan:
    """Return the plan with its batteries' manners; batteries of no use are left as they are.

    Args:
        plan: Of all devices.
        problem: What it answers.
        outlook: How load and sun may go.
    """
    usable = tuple(b for b in problem.batteries if b.most_wh > b.least_wh)
    if not usable:
        return plan
    together, slots = pooled(usable), problem.slots
    ids = {battery.id for battery in problem.batteries}
    other_w = np.zeros(slots.count)
    for name, planned in plan.devices.items():
        if name not in ids:
            other_w += np.array(planned.power_w)
    rest_w = np.array(plan.load_w) + np.array(plan.sun_w) + other_w
    staircase = bands(
        problem.prices,
        problem.limits,
        slots.hours,
        curtailable=problem.curtailable,
        peak_w=max((*plan.net_w, 0.0)),
    )
    value = stored_value(
        slots,
        together,
        staircase,
        outlook.paths,
        other_w=other_w.tolist(),
        end_per_kwh=problem.end_value_per_kwh,
    )
    made = manners(value, rest_w)
    batteries = shared(usable, made, slots.hours)
    changed_w = _sum_w(batteries, slots.count) - _sum_w(
        {name: plan.devices[name] for name in batteries}, slots.count
    )
    return replace(
        plan,
        devices={**plan.devices, **batteries},
        net_w=_kept(np.array(plan.net_w) + changed_w, problem),
    )


def _sum_w(devices: Mapping[str, PlannedDevice], count: int) -> Floats:
    total_w = np.zeros(count)
    for planned in devices.values():
        total_w += np.array(planned.power_w)
    return total_w


def _kept(net_w: Floats, problem: Problem) -> BySlot:
    """Return the net power with the sun held back as far as the export limit needs."""
    least_w = -np.array(problem.limits.export_w) if problem.curtailable else -np.inf
    return tuple(float(w) for w in np.maximum(net_w, least_w))
