"""What a plan costs, worked out slowly from the plan alone; and the best of all coarse plans."""

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hems.cem.planner.milp.battery import IDLE_WEAR
from hems.cem.planner.milp.frame import frame
from hems.cem.planner.plan import Plan
from hems.cem.planner.problem import Appliance, Battery, Car, Heat, Problem

Powers = Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class Settled:
    """One slot at the meter: W, and what beyond a limit."""

    net_w: float
    sun_w: float
    over_w: float


def objective(problem: Problem, powers: Powers, nets_w: list[float], over_wh: float) -> float:
    """Return what a plan is reckoned at: money, wear, wishes not met, changes, less what is left.

    Args:
        problem: Of one scenario.
        powers: By device, W by slot.
        nets_w: What the meter shows.
        over_wh: Energy beyond limits.
    """
    hours, prices = problem.slots.hours, problem.prices
    carbon = prices.carbon_kg_per_kwh or (0.0,) * problem.slots.count
    total = over_wh / 1000.0 * frame(problem).breach
    bought_w = [max(net, 0.0, for_cars(problem, powers, t)) for t, net in enumerate(nets_w)]
    for t, (net, bought) in enumerate(zip(nets_w, bought_w, strict=True)):
        buy = prices.import_per_kwh[t] + carbon[t] * prices.carbon_price_per_kg
        sold = bought - net
        total += (bought * buy - sold * prices.export_per_kwh[t]) / 1000.0 * hours
    peak = max(bought_w, default=0.0)
    total += prices.peak_per_kw * max(0.0, peak - prices.peak_so_far_w) / 1000.0
    for battery in problem.batteries:
        total += battery_costs(problem, battery, powers[battery.id])
    for car in problem.cars:
        total += car_costs(problem, car, powers[car.id])
    for heat in problem.heats:
        total += heat_costs(problem, heat, powers[heat.id])
    for appliance in problem.appliances:
        total += appliance_costs(problem, appliance, powers[appliance.id])
    for device, kept in problem.keep.items():
        for was, power in zip(kept, powers[device], strict=True):
            if not math.isnan(was):
                total += abs(power - was) / 1000.0 * hours * problem.change_per_kwh
    return total


def for_cars(problem: Problem, powers: Powers, slot: int) -> float:
    """Return what of the cars the sun leaves to be bought, W; limits have to leave room for it."""
    if problem.car_from_storage or not problem.batteries:
        return 0.0
    only = problem.scenarios[0]
    charging = problem.charging_w[slot] if problem.charging_w else 0.0
    surplus = max(0.0, -only.sun_w[slot] - only.load_w[slot] + charging)
    return charging + sum(powers[car.id][slot] for car in problem.cars) - surplus


def energies(problem: Problem, battery: Battery, powers: tuple[float, ...]) -> list[float]:
    """Return what is in a battery after each slot, Wh."""
    inside, after = min(max(battery.energy_wh, 0.0), battery.most_wh), []
    for power in powers:
        if power > 0:
            inside += power * problem.slots.hours * battery.charge_efficiency
        else:
            inside += power * problem.slots.hours / battery.discharge_efficiency
        after.append(inside)
    return after


def battery_costs(problem: Problem, battery: Battery, powers: tuple[float, ...]) -> float:
    """Return wear, what is missing of what is held back, less what is left."""
    hours = problem.slots.hours
    assert problem.end_value_per_kwh is not None
    levels = energies(problem, battery, powers)
    total = -problem.end_value_per_kwh * levels[-1] / 1000.0
    drawn = sum(-power for power in powers if power < 0) / 1000.0 * hours
    total += drawn * max(battery.wear_per_kwh, IDLE_WEAR)
    shape = frame(problem)
    total += max(0.0, battery.least_wh - levels[-1]) / 1000.0 * shape.reserve * 10.0
    for t, level in enumerate(levels):
        committed = battery.committed_wh[t] if battery.committed_wh else 0.0
        hold = min(battery.least_wh + committed, battery.most_wh)
        assert committed == 0.0  # what is committed is dearer, and not reckoned here
        total += max(0.0, hold - level) / 1000.0 * hours * shape.reserve
    return total


def car_costs(problem: Problem, car: Car, powers: tuple[float, ...]) -> float:
    """Return what is short at deadlines (ahead, and within the plan), less what it is worth."""
    slots = problem.slots
    total = 0.0
    for t, power in enumerate(powers):
        late = car.later_per_kwh_hour * t * slots.hours
        total += (late - car.worth_per_kwh) * power * slots.hours / 1000.0
    for deadline in car.deadlines:
        assert slots.start < deadline.at <= slots.end
        taken = 0.0
        for t, power in enumerate(powers):
            share = min(1.0, max(0.0, (deadline.at - slots.start) / slots.step_s - t))
            taken += power * slots.hours * share
        total += max(0.0, deadline.energy_wh - taken) / 1000.0 * car.shortfall_per_kwh
    return total


def temperatures(problem: Problem, heat: Heat, powers: tuple[float, ...]) -> list[float]:
    """Return the temperature after each slot."""
    hours, temp, after = problem.slots.hours, heat.temp_c, []
    for t, power in enumerate(powers):
        made = heat.gain[t] * power - heat.draw_w[t]
        if heat.loss_w_per_k > 0:
            still = heat.ambient_c[t] + made / heat.loss_w_per_k
            temp = still + (temp - still) * math.exp(-heat.loss_w_per_k * hours / heat.wh_per_k)
        else:
            temp += made * hours / heat.wh_per_k
        after.append(temp)
    return after


def heat_costs(problem: Problem, heat: Heat, powers: tuple[float, ...]) -> float:
    """Return discomfort."""
    return sum(
        (max(0.0, heat.low_c[t] - temp) + max(0.0, temp - heat.high_c[t]))
        * problem.slots.hours
        * heat.discomfort_per_k_hour
        for t, temp in enumerate(temperatures(problem, heat, powers))
    )


def appliance_costs(problem: Problem, appliance: Appliance, powers: tuple[float, ...]) -> float:
    """Return what its delay is reckoned at; its profile has to begin with a power."""
    begin = next(t for t, power in enumerate(powers) if power > 0)
    done = problem.slots.start + (begin + len(appliance.profile_w)) * problem.slots.step_s
    return max(0.0, done - appliance.ready_by) / 3600.0 * appliance.late_per_hour


def cost_of(problem: Problem, plan: Plan) -> float:
    """Return what a plan is reckoned at."""
    only = problem.scenarios[0]
    over = 0.0
    for t, net in enumerate(plan.net_w):
        over += max(0.0, net - problem.limits.import_w[t])
        if not problem.curtailable or only.sun_w[t] == 0:
            over += max(0.0, -net - problem.limits.export_w[t])
    powers = {id_: one.power_w for id_, one in plan.devices.items()}
    return objective(problem, powers, list(plan.net_w), over * problem.slots.hours)


def coarse(problem: Problem) -> float:
    """Return what the best of all coarse plans is reckoned at, by trying every one."""
    every = [
        *([(b.id, p) for p in _battery_ways(problem, b)] for b in problem.batteries),
        *([(c.id, p) for p in _car_ways(problem, c)] for c in problem.cars),
        *([(a.id, p) for p in _runs(problem, a)] for a in problem.appliances),
        *([(h.id, p) for p in _heat_ways(problem, h)] for h in problem.heats),
    ]
    best = math.inf
    for ways in itertools.product(*every):
        powers = dict(ways)
        settled = _settle(problem, powers)
        if settled is not None:
            best = min(best, objective(problem, powers, settled, 0.0))
    return best


def _battery_ways(problem: Problem, battery: Battery) -> Iterator[tuple[float, ...]]:
    half, full = battery.charge_w / 2, battery.charge_w
    levels = (-battery.discharge_w, -battery.discharge_w / 2, 0.0, half, full)
    for powers in itertools.product(levels, repeat=problem.slots.count):
        inside = energies(problem, battery, powers)
        if all(battery.least_wh <= level <= battery.most_wh for level in inside):
            yield powers


def _car_ways(problem: Problem, car: Car) -> Iterator[tuple[float, ...]]:
    for powers in itertools.product((0.0, car.least_w, car.most_w), repeat=problem.slots.count):
        by_slot = tuple(p * there for p, there in zip(powers, car.present, strict=True))
        if sum(by_slot) * problem.slots.hours <= car.room_wh:
            yield by_slot


def _runs(problem: Problem, appliance: Appliance) -> Iterator[tuple[float, ...]]:
    for begin in range(problem.slots.count - len(appliance.profile_w) + 1):
        if problem.slots.start + begin * problem.slots.step_s >= appliance.earliest:
            rest = problem.slots.count - begin - len(appliance.profile_w)
            yield (0.0,) * begin + appliance.profile_w + (0.0,) * rest


def _heat_ways(problem: Problem, heat: Heat) -> Iterator[tuple[float, ...]]:
    yield from itertools.product((0.0, heat.power_w), repeat=problem.slots.count)


def _settle(problem: Problem, powers: Powers) -> list[float] | None:
    """Return what the meter shows with the sun used where that pays; None beyond a limit."""
    only, nets = problem.scenarios[0], []
    prices, limits = problem.prices, problem.limits
    for t in range(problem.slots.count):
        drawn = only.load_w[t] + sum(power[t] for power in powers.values())
        sun = -only.sun_w[t]
        uses = {sun}
        if problem.curtailable:
            edges = (0.0, drawn, drawn - limits.import_w[t], drawn + limits.export_w[t])
            uses |= {min(max(edge, 0.0), sun) for edge in edges}
        allowed = [
            drawn - use
            for use in uses
            if -limits.export_w[t] - 1e-6 <= drawn - use <= limits.import_w[t] + 1e-6
        ]
        if not allowed:
            return None

        least = max(0.0, for_cars(problem, powers, t))
        if prices.export_per_kwh[t] > prices.import_per_kwh[t] and least > 0:
            allowed = [net for net in allowed if net >= least]  # it cannot buy and sell at once
            if not allowed:
                return None

        def price(net: float, t: int = t, least: float = least) -> float:
            bought = max(net, least)
            return bought * prices.import_per_kwh[t] - (bought - net) * prices.export_per_kwh[t]

        nets.append(min(allowed, key=price))
    return nets
