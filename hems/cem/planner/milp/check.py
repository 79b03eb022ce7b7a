"""Whether a plan can be carried out: slow, obvious, and apart from how plans are made. Pure.

What is soft (deadlines, comfort, reserves that are not there) is not looked at; what is hard is.
"""

import math
from collections.abc import Iterator
from typing import Final

from hems.cem.planner.plan import Plan, PlannedDevice
from hems.cem.planner.problem import Appliance, Battery, Car, Heat, Problem

TOLERANCE: Final = 1.0
"""W, Wh."""


def check(problem: Problem, plan: Plan) -> tuple[str, ...]:
    """Return what is wrong with a plan, one clause each; empty if nothing is.

    Over several scenarios a plan tells the mean; then what holds in each scenario but not for
    their mean is not looked at.
    """
    faults = [*_shape(problem, plan)]
    if not faults:
        for battery in problem.batteries:
            faults += _battery(problem, battery, plan.devices[battery.id])
        for car in problem.cars:
            faults += _car(problem, car, plan.devices[car.id])
        for appliance in problem.appliances:
            faults += _appliance(problem, appliance, plan.devices[appliance.id])
        for heat in problem.heats:
            faults += _heat(problem, heat, plan.devices[heat.id])
        if len(problem.scenarios) == 1:
            faults += _meter(problem, plan)
            faults += _surplus(problem, plan)
    return tuple(faults)


def _shape(problem: Problem, plan: Plan) -> Iterator[str]:
    count = problem.slots.count
    asked = {
        one.id
        for some in (problem.batteries, problem.cars, problem.appliances, problem.heats)
        for one in some
    }
    if set(plan.devices) != asked:
        yield f"plans {sorted(plan.devices)}, not {sorted(asked)}"
    rows = [plan.load_w, plan.sun_w, plan.net_w]
    for device in plan.devices.values():
        rows += [device.power_w, *([device.level] if device.level else [])]
    if any(len(row) != count for row in rows):
        yield f"not all rows have {count} slots"
    if not all(math.isfinite(value) for row in rows for value in row):
        yield "a figure is not finite"
    if not (math.isfinite(plan.cost) and math.isfinite(plan.objective)):
        yield "its cost is not finite"


def _battery(problem: Problem, battery: Battery, planned: PlannedDevice) -> Iterator[str]:
    before = min(max(battery.energy_wh, 0.0), battery.most_wh)
    start = before
    committed = battery.committed_wh or (0.0,) * problem.slots.count
    for t, (power, after) in enumerate(zip(planned.power_w, planned.level, strict=True)):
        if not -battery.discharge_w - TOLERANCE <= power <= battery.charge_w + TOLERANCE:
            yield f"{battery.id}: {power:.0f} W in slot {t}"
        hold = min(battery.least_wh + committed[t], battery.most_wh, start)
        if not hold - TOLERANCE <= after <= battery.most_wh + TOLERANCE:
            yield f"{battery.id}: {after:.0f} Wh after slot {t}"
        stored = (
            power * battery.charge_efficiency if power > 0 else power / battery.discharge_efficiency
        )
        due = before + stored * problem.slots.hours
        if len(problem.scenarios) == 1 and abs(after - due) > TOLERANCE:
            yield f"{battery.id}: {after:.0f} Wh after slot {t}, not {due:.0f}"
        before = after


def _car(problem: Problem, car: Car, planned: PlannedDevice) -> Iterator[str]:
    taken = 0.0
    mean = car.surplus_only and len(problem.scenarios) > 1
    for t, (power, level) in enumerate(zip(planned.power_w, planned.level, strict=True)):
        least = 0.0 if mean else min(car.least_w, car.most_w) * car.present[t]
        if power > TOLERANCE and power < least - TOLERANCE:
            yield f"{car.id}: {power:.0f} W in slot {t}, below its least"
        if not -TOLERANCE <= power <= car.most_w * car.present[t] + TOLERANCE:
            yield f"{car.id}: {power:.0f} W in slot {t}"
        taken += power * problem.slots.hours
        if abs(level - taken) > TOLERANCE:
            yield f"{car.id}: {level:.0f} Wh taken after slot {t}, not {taken:.0f}"
    if taken > max([car.room_wh, *(one.energy_wh for one in car.deadlines)]) + TOLERANCE:
        yield f"{car.id}: takes {taken:.0f} Wh, more than its room"


def _appliance(problem: Problem, appliance: Appliance, planned: PlannedDevice) -> Iterator[str]:
    slots = problem.slots
    profile = appliance.profile_w
    begins = []
    for begin, starts in enumerate(slots):
        run = [0.0] * begin + list(profile)
        run = (run + [0.0] * slots.count)[: slots.count]
        same = all(abs(a - b) <= TOLERANCE for a, b in zip(run, planned.power_w, strict=True))
        if same and (begin == 0 or starts >= appliance.earliest - 1e-3):
            begins.append(begin)
    if not begins and appliance.earliest < slots.end - slots.step_s:
        yield f"{appliance.id}: not one whole run"


def _heat(problem: Problem, heat: Heat, planned: PlannedDevice) -> Iterator[str]:
    hours, before = problem.slots.hours, heat.temp_c
    for t, (power, after) in enumerate(zip(planned.power_w, planned.level, strict=True)):
        whole = heat.modulates or min(abs(power), abs(power - heat.power_w)) <= TOLERANCE
        if not whole or not -TOLERANCE <= power <= heat.power_w + TOLERANCE:
            yield f"{heat.id}: {power:.0f} W in slot {t}"
        # Small steps instead of the closed form, as an apart way to the same figure.
        due = before
        for _ in range(200):
            gains = heat.gain[t] * power - heat.draw_w[t]
            loses = heat.loss_w_per_k * (due - heat.ambient_c[t])
            due += (gains - loses) * hours / 200 / max(heat.wh_per_k, 1e-3)
        if heat.loss_w_per_k * hours < heat.wh_per_k and abs(after - due) > 0.1 + 0.01 * abs(
            due - before
        ):
            yield f"{heat.id}: {after:.2f} degC after slot {t}, not {due:.2f}"
        before = after
    yield from _least_times(problem, heat, planned)


def _least_times(problem: Problem, heat: Heat, planned: PlannedDevice) -> Iterator[str]:
    if heat.modulates:
        return
    was_on, lasted = heat.on_for_s > 0, abs(heat.on_for_s)
    for t, power in enumerate(planned.power_w):
        on = power > heat.power_w / 2
        if on != was_on and heat.power_w > 0:
            if lasted < (heat.least_on_s if was_on else heat.least_off_s) - 1.0:
                yield f"{heat.id}: goes {'on' if on else 'off'} in slot {t}, after {lasted:.0f} s"
            was_on, lasted = on, 0.0
        lasted += problem.slots.step_s


def _meter(problem: Problem, plan: Plan) -> Iterator[str]:
    only = problem.scenarios[0]
    for t in range(problem.slots.count):
        power = sum(device.power_w[t] for device in plan.devices.values())
        due = plan.load_w[t] + plan.sun_w[t] + power
        if abs(plan.net_w[t] - due) > TOLERANCE:
            yield f"meter: {plan.net_w[t]:.0f} W in slot {t}, not {due:.0f}"
        sun = plan.sun_w[t]
        held = abs(sun - only.sun_w[t]) > TOLERANCE
        if not only.sun_w[t] - TOLERANCE <= sun <= TOLERANCE or (held and not problem.curtailable):
            yield f"sun: {sun:.0f} W in slot {t} of {only.sun_w[t]:.0f}"
        fixed = only.load_w[t] + only.sun_w[t]
        unasked = fixed + _unasked(problem, plan, t)
        if plan.net_w[t] > max(problem.limits.import_w[t], unasked) + TOLERANCE:
            yield f"meter: {plan.net_w[t]:.0f} W of import in slot {t}"
        given = problem.limits.export_w[t]
        if -plan.net_w[t] > (given if problem.curtailable else max(given, -fixed)) + TOLERANCE:
            yield f"meter: {-plan.net_w[t]:.0f} W of export in slot {t}"
        # Beside cars a battery may sell; then the meter does not tell what became of its energy.
        bought_w = _bought_for_cars(problem, plan, t)
        fed = bought_w > 0 and plan.net_w[t] < bought_w - TOLERANCE
        if fed and problem.prices.export_per_kwh[t] <= 0:
            yield (
                f"meter: {plan.net_w[t]:.0f} W in slot {t}, "
                f"though cars take {bought_w:.0f} W more than the sun leaves"
            )


def _bought_for_cars(problem: Problem, plan: Plan, slot: int) -> float:
    """Return the least that is to be bought for cars, if batteries are not to feed them, W.

    Where the import limit leaves less than they could take, that is in proportion.
    """
    if problem.car_from_storage or not problem.batteries:
        return -math.inf
    charging_w = problem.charging_w[slot] if problem.charging_w else 0.0
    only = problem.scenarios[0]
    surplus_w = max(0.0, -only.sun_w[slot] - only.load_w[slot] + charging_w)
    cars = [car for car in problem.cars if not car.surplus_only]
    could_w = charging_w + sum(car.most_w * car.present[slot] for car in cars)
    takes_w = charging_w + sum(plan.devices[car.id].power_w[slot] for car in cars)
    room_w = problem.limits.import_w[slot] + surplus_w
    return takes_w * min(1.0, room_w / max(could_w, TOLERANCE)) - surplus_w


def _unasked(problem: Problem, plan: Plan, slot: int) -> float:
    """Return what runs and heaters that have to stay on draw in a slot, W."""
    runs = sum(plan.devices[one.id].power_w[slot] for one in problem.appliances)
    elapsed = slot * problem.slots.step_s
    stay = sum(
        heat.power_w
        for heat in problem.heats
        if heat.on_for_s > 0 and heat.on_for_s + elapsed < heat.least_on_s and not heat.modulates
    )
    return runs + stay


def _surplus(problem: Problem, plan: Plan) -> Iterator[str]:
    only = problem.scenarios[0]
    stored = {battery.id for battery in problem.batteries}
    for t in range(problem.slots.count):
        drawn = sum(one.power_w[t] for id_, one in plan.devices.items() if id_ not in stored)
        for car in problem.cars:
            power = plan.devices[car.id].power_w[t]
            left = -only.sun_w[t] - only.load_w[t] - drawn + power
            if car.surplus_only and power > TOLERANCE and power > left + TOLERANCE:
                yield f"{car.id}: {power:.0f} W in slot {t}, of {left:.0f} W left over"
