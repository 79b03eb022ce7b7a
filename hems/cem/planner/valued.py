"""What the batteries of a plan are worth and how they behave, once everything else has its place.

The programme plans batteries as if the day were known, so that cars, runs and heat find their best
places beside them. What it says of the batteries themselves is then replaced: by what each kWh is
worth while nobody knows how the day will go, and the manner that follows from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from hems.cem.forecast.past import Floats, Paths
from hems.cem.forecast.paths import expected
from hems.cem.planner.plan import Plan, PlannedDevice
from hems.cem.planner.problem import BySlot, Problem
from hems.cem.planner.worth.bands import bands
from hems.cem.planner.worth.manner import manners
from hems.cem.planner.worth.shares import shared
from hems.cem.planner.worth.storage import pooled, stored_value


def valued(plan: Plan, problem: Problem, ways: Paths) -> Plan:
    """Return the plan with its batteries' manners; batteries of no use are left as they are.

    Args:
        plan: Of all devices.
        problem: What it answers.
        ways: How load and sun may go.
    """
    usable = tuple(b for b in problem.batteries if b.most_wh > b.least_wh)
    if not usable:
        return plan
    together, slots = pooled(usable), problem.slots
    beside = _beside(plan, problem)
    foretold_w, _ = expected(ways)
    # Beside what the paths know: runs under way, cars, and all that is planned.
    other_w = beside.house_w - np.array(plan.sun_w) - foretold_w + beside.cars_w
    staircase = bands(
        problem.prices,
        problem.limits,
        slots.hours,
        curtailable=problem.curtailable,
        peak_w=max((*plan.net_w, 0.0)),
        bought_w=beside.bought_w.tolist(),
    )
    value = stored_value(
        slots,
        together,
        staircase,
        ways,
        other_w=other_w.tolist(),
        end_per_kwh=problem.end_value_per_kwh,
    )
    made = manners(value, beside.house_w + beside.cars_w)
    batteries = shared(usable, made, slots.hours)
    changed_w = _sum_w(batteries, slots.count) - _sum_w(
        {name: plan.devices[name] for name in batteries}, slots.count
    )
    return replace(
        plan,
        devices={**plan.devices, **batteries},
        net_w=_kept(np.array(plan.net_w) + changed_w, problem),
    )


@dataclass(frozen=True, slots=True)
class _Beside:
    """What is planned beside the batteries, by slot, W.

    Attributes:
        house_w: Load, sun and all that is planned, cars apart.
        cars_w: What of the cars the batteries have to do with: what takes the sun's surplus, and
            what goes beyond the import limit.
        bought_w: The rest of what cars take: it is bought.
    """

    house_w: Floats
    cars_w: Floats
    bought_w: Floats


def _beside(plan: Plan, problem: Problem) -> _Beside:
    """Return what is planned beside the batteries."""
    count, cars = problem.slots.count, {car.id for car in problem.cars}
    apart = {*cars, *(battery.id for battery in problem.batteries)}
    charging_w = np.array(problem.charging_w or (0.0,) * count)
    house_w = np.array(plan.load_w) - charging_w + np.array(plan.sun_w)
    house_w += _sum_w({name: of for name, of in plan.devices.items() if name not in apart}, count)
    cars_w = charging_w + _sum_w({name: plan.devices[name] for name in cars}, count)
    if problem.car_from_storage:
        return _Beside(house_w, cars_w, np.zeros(count))
    lacking_w = cars_w - np.maximum(-house_w, 0.0)
    bought_w = np.clip(lacking_w, 0.0, np.array(problem.limits.import_w))
    return _Beside(house_w, cars_w - bought_w, bought_w)


def _sum_w(devices: Mapping[str, PlannedDevice], count: int) -> Floats:
    total_w = np.zeros(count)
    for planned in devices.values():
        total_w += np.array(planned.power_w)
    return total_w


def _kept(net_w: Floats, problem: Problem) -> BySlot:
    """Return the net power with the sun held back as far as the export limit needs."""
    least_w = -np.array(problem.limits.export_w) if problem.curtailable else -np.inf
    return tuple(float(w) for w in np.maximum(net_w, least_w))
