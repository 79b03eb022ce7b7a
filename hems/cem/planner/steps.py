"""From the plan to what each device is told, step by step: adjacent slots alike are one. Pure.

The words of each step are those of `hems.cem.planner.reasons`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from der.model import Control, DeviceKind, DeviceSpec
from hems.cem.needs import CarNeed, RunRequest
from hems.cem.planner.plan import Plan, PlannedDevice
from hems.cem.planner.problem import Prices
from hems.cem.planner.reasons import Course, Stretch, battery, car, heat, run
from programs.economy import Step, Use

_ALIKE_W: Final = 20.0
"""Powers of neighbouring slots that differ by less than this are the same to a device."""
_DRIVEN: Final = frozenset({Use.CHARGE, Use.SELL})
"""Manners for which the step's power is a figure to keep to."""
_RUNS_W: Final = 1.0
_ALL_SUN: Final = 0.98
"""A car that is planned to run on so much sun follows the sun that there is, and not the figure."""

Behaviour = tuple[Use | None, int]
"""What tells one slot from the next: the manner, and the power in steps of `_ALIKE_W`."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the owner wants of the planned devices, by id: it is part of the reasons.

    Attributes:
        cars: Of chargers.
        runs: Of appliances.
    """

    cars: Mapping[str, CarNeed]
    runs: Mapping[str, RunRequest]


def steps(
    plan: Plan,
    prices: Prices,
    specs: Mapping[str, DeviceSpec],
    zone: ZoneInfo,
    *,
    cars: Iterable[CarNeed] = (),
    runs: Iterable[RunRequest] = (),
) -> Mapping[str, tuple[Step, ...]]:
    """Return the steps of each planned device, in order of time, without a gap.

    Args:
        plan: The plan.
        prices: What it was made with, on the same slots.
        specs: The home's devices, by id; one that is not among them gets no steps.
        zone: The home's, in which times are told.
        cars: What is wanted of cars.
        runs: What is wanted of appliances.
    """
    course = Course(plan, prices, zone)
    wishes = Wishes({c.device: c for c in cars}, {r.device: r for r in runs})
    return {
        name: _steps(planned, specs[name], course, wishes)
        for name, planned in plan.devices.items()
        if name in specs and planned.power_w
    }


def _steps(
    planned: PlannedDevice, spec: DeviceSpec, course: Course, wishes: Wishes
) -> tuple[Step, ...]:
    appliance = spec.kind is DeviceKind.PLUG and spec.comfort is None
    found: list[Step] = []
    for stretch in stretches(planned, spec, course, runs=appliance):
        if planned.uses:
            reason = battery(planned, stretch, course)
        elif spec.control is Control.CEILING:
            reason = car(planned, stretch, course, wishes.cars.get(spec.id))
        elif appliance:
            reason = run(planned, stretch, course, wishes.runs.get(spec.id))
        else:
            cools = spec.comfort is not None and spec.comfort.cools
            reason = heat(planned, stretch, course, on=_on(spec), cools=cools)
        starts_at, ends_at = course.starts_at(stretch.first), course.starts_at(stretch.end)
        found.append(Step(starts_at, ends_at, stretch.power_w, stretch.use, reason))
    return tuple(found)


def stretches(
    planned: PlannedDevice, spec: DeviceSpec, course: Course, *, runs: bool = False
) -> tuple[Stretch, ...]:
    """Return the plan of a device in stretches of equal behaviour, which cover it exactly.

    Args:
        planned: The device over the plan.
        spec: The device.
        course: The plan and its prices.
        runs: Whether it is an appliance, whose whole run is one stretch.
    """
    behaves = _behaviour(planned, spec, course, runs=runs)
    found: list[Stretch] = []
    for (use, _), slots in groupby(range(len(planned.power_w)), behaves):
        numbers = tuple(slots)
        power_w = sum(planned.power_w[i] for i in numbers) / len(numbers)
        found.append(Stretch(numbers[0], numbers[-1] + 1, power_w, use))
    return tuple(found)


def _behaviour(
    planned: PlannedDevice, spec: DeviceSpec, course: Course, *, runs: bool
) -> Callable[[int], Behaviour]:
    def of_battery(slot: int) -> Behaviour:
        use = planned.uses[slot]
        return use, _rounded(planned.power_w[slot]) if use in _DRIVEN else 0

    def of_run(slot: int) -> Behaviour:
        return None, int(planned.power_w[slot] > _RUNS_W)

    def of_switch(slot: int) -> Behaviour:
        return None, int(planned.power_w[slot] >= _on(spec))

    def of_car(slot: int) -> Behaviour:
        steps = _rounded(planned.power_w[slot])
        if steps > 0 and course.sunny((slot,), planned.power_w, _ALL_SUN):
            return Use.KEEP, 0
        return None, steps

    if planned.uses:
        return of_battery
    if runs:
        return of_run
    return of_switch if spec.control is Control.SWITCH else of_car


def _rounded(power_w: float) -> int:
    return round(power_w / _ALIKE_W)


def _on(spec: DeviceSpec) -> float:
    """Return the mean power in W from which a switched device is on, as its programme has it."""
    return spec.max_w / 2
