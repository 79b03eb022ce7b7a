"""What pays: the plan's word about each device, at the rank of economy.

| device | step | what is asked |
|---|---|---|
| battery | even out | the meter at zero |
| | keep | the same, but it gives nothing |
| | charge | the same, but it takes at least the step's power |
| | give | the same, but it takes nothing |
| | sell | the same, but it gives at least the step's power |
| | rest | zero |
| car | power | that, and more where the sun leaves more over; below half of its least \
power it waits |
| | keep | what the sun leaves over, alone |
| heater | power | off below half of its rating, else its thermostat decides |

Without a plan, or with one that is too old, the batteries even out, as they do without a planner,
and cars and heaters run by themselves. Cars that charge from the sun alone follow the house and
need no plan. A battery that the owner holds is not planned for. Appliances have a programme of
their own (`programs.runs`).

What a car prefers it takes from anywhere; what it takes beyond that, or where it prefers nothing,
the allocator gives it of the sun's surplus alone (`hems.cem.surplus`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from der.model import Control, DeviceSpec, DeviceState, Quality
from der.sentence import say
from programs.about import About
from programs.inputs import Inputs
from programs.proposal import HOME, Bounds, Proposal, Rank
from programs.self_consumption import SelfConsumptionPolicy, StorageUse

ID = "economy"

ABOUT: Final = About(
    use_cases=("BUC-1",),
    title="What pays",
    triggered_by="Prices, of the contract or published by the utility, and the plan made of them",
    asks="Batteries, cars and heaters follow the plan: they take when power is cheap or the sun "
    "shines, and give or wait when it is dear.",
    ends="When a newer plan takes its place; a plan that is too old is not followed.",
    carried_by=("TimeTariffInterval", "ConsumptionTariffInterval"),
    clause="IEEE 2030.5, Pricing function set",
    leaving="Batteries then only even out the house, cars and heaters run at any hour, and what "
    "the plan would have saved is paid.",
)

_LEAST_W: Final = 1.0
"""A car that is planned less than this waits, however little it could take."""
_SEVERAL: Final = say("Each battery does what the plan has found to pay")
_SUN_ONLY: Final = say("It takes what the sun leaves over, and nothing else")
_EVEN: Final = SelfConsumptionPolicy()
_KNOWN: Final = frozenset({Quality.GOOD, Quality.ASLEEP})


class Use(StrEnum):
    """How a battery behaves within a step of the plan: what each kWh stored is worth decides.

    Powers of the step are forecasts; the house is not. So a battery is told a manner, not a
    figure, wherever the manner is what pays.
    """

    EVEN_OUT = "even-out"
    """Takes what the sun leaves over and gives what the house lacks: the meter goes to zero."""
    KEEP = "keep"
    """Takes what the sun leaves over; gives nothing, because it is worth more later."""
    CHARGE = "charge"
    """Draws from the grid, too, up to the step's power."""
    GIVE = "give"
    """Gives what the house lacks; what the sun leaves over is sold, not stored."""
    SELL = "sell"
    """Discharges at the step's power, into the grid if need be."""
    REST = "rest"
    """Neither."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one device is to do for a time.

    Attributes:
        starts_at: UTC epoch seconds.
        ends_at: UTC epoch seconds.
        power_w: Mean power, passive sign: what a car, a heater or an appliance is to take, or
            what a battery that charges or sells is driven at.
        use: How a battery behaves; `Use.KEEP` for a car that takes what the sun leaves over and no
            more; None for others.
        reason: One sentence for the owner ("Charging now: the cheapest hours before 07:00").
    """

    starts_at: float
    ends_at: float
    power_w: float
    use: Use | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class EconomyPolicy:
    """What pays, as planned.

    Attributes:
        steps: By device id, in order of time; a device without steps is not planned.
        good_until: From then on the plan is too old to be followed, UTC epoch seconds.
        solar: Ids of chargers whose cars charge from the sun alone.
        valid_s: How long one statement lasts unless renewed, in s.
    """

    steps: Mapping[str, tuple[Step, ...]] = field(default_factory=dict)
    good_until: float = math.inf
    solar: frozenset[str] = frozenset()
    valid_s: float = 60.0


def step_at(steps: tuple[Step, ...], now: float) -> Step | None:
    """Return the step in force at `now`, UTC epoch seconds; None outside all of them."""
    return next((s for s in steps if s.starts_at <= now < s.ends_at), None)


def propose(
    inputs: Inputs, policy: EconomyPolicy, storage: SelfConsumptionPolicy = _EVEN
) -> tuple[Proposal, ...]:
    """Return what the plan's steps in force ask for, and cars that charge from the sun alone.

    Args:
        inputs: The home and what is asked of it.
        policy: The plan.
        storage: What the owner keeps the batteries for; its aim at the meter is taken over.
    """
    expires_at = inputs.now + policy.valid_s
    steps = _in_force(inputs, policy)
    proposals: list[Proposal] = []
    if storage.use is not StorageUse.HOLD:
        proposals += _batteries(inputs, steps, storage.net_w, expires_at)
    for name, state in inputs.devices.items():
        step = steps.get(name)
        if state.spec.control is Control.CEILING and name in policy.solar:
            proposals.append(_asked(name, Bounds(), 0.0, _SUN_ONLY, expires_at))
        elif state.spec.control is Control.CEILING and step is not None:
            proposals.append(_car(state.spec, step, expires_at))
        elif state.spec.control is Control.SWITCH and step is not None and _felt(state):
            on = step.power_w >= state.spec.max_w / 2
            bounds = Bounds() if on else Bounds(upper_w=0.0)
            wish_w = state.spec.max_w if on else None
            proposals.append(_asked(name, bounds, wish_w, step.reason, expires_at))
    return tuple(proposals)


def _in_force(inputs: Inputs, policy: EconomyPolicy) -> Mapping[str, Step]:
    """Return each device's step now, of a plan that is not too old."""
    if inputs.now >= policy.good_until:
        return {}
    found = {name: step_at(steps, inputs.now) for name, steps in policy.steps.items()}
    return {n: step for n, step in found.items() if step is not None and n in inputs.devices}


def _batteries(
    inputs: Inputs, steps: Mapping[str, Step], net_w: float, expires_at: float
) -> list[Proposal]:
    """Return what is asked of the batteries, and of the meter that they are to bring to zero."""
    manners = {
        name: step
        for name, step in steps.items()
        if step.use is not None and inputs.devices[name].spec.control is Control.TARGET
    }
    if not manners:
        return []
    (first, *others) = manners.values()
    reason = _SEVERAL if others else first.reason
    proposals = [_asked(HOME, Bounds(), net_w, reason, expires_at)]
    for name, step in manners.items():
        uses = {other.use for battery, other in manners.items() if battery != name}
        spec = inputs.devices[name].spec
        bounds = _manner(spec, step, feeds=Use.CHARGE not in uses, takes=Use.SELL not in uses)
        if step.use is Use.REST:
            proposals.append(_asked(name, Bounds(), 0.0, step.reason, expires_at))
        elif bounds != Bounds():
            proposals.append(_asked(name, bounds, None, step.reason, expires_at))
    return proposals


def _manner(spec: DeviceSpec, step: Step, *, feeds: bool, takes: bool) -> Bounds:
    """Return the bounds within which a battery brings the meter to zero.

    Args:
        spec: The battery.
        step: What it is to do.
        feeds: Whether it may give: not while another charges, or it would empty into that.
        takes: Whether it may take: not while another sells.
    """
    if step.use is Use.CHARGE:
        return Bounds(lower_w=min(max(step.power_w, 0.0), max(spec.max_w, 0.0)))
    if step.use is Use.SELL:
        return Bounds(upper_w=max(min(step.power_w, 0.0), min(spec.min_w, 0.0)))
    gives = feeds and step.use is not Use.KEEP
    stores = takes and step.use is not Use.GIVE
    return Bounds(-math.inf if gives else 0.0, math.inf if stores else 0.0)


def _car(spec: DeviceSpec, step: Step, expires_at: float) -> Proposal:
    if step.use is Use.KEEP:
        return _asked(spec.id, Bounds(), 0.0, step.reason, expires_at)
    if step.power_w < max(spec.least_on_w / 2, _LEAST_W):
        return _asked(spec.id, Bounds(upper_w=0.0), None, step.reason, expires_at)
    power_w = min(max(step.power_w, spec.least_on_w), spec.max_w)
    return _asked(spec.id, Bounds(), power_w, step.reason, expires_at)


def _felt(state: DeviceState) -> bool:
    """Return whether a heater's temperature is known now: one unknown is not kept off by a plan."""
    if state.spec.comfort is None or state.quality not in _KNOWN or state.reading is None:
        return False
    return state.reading.temp_c is not None


def _asked(
    target: str, bounds: Bounds, preferred_w: float | None, reason: str, expires_at: float
) -> Proposal:
    return Proposal(ID, Rank.ECONOMY, target, bounds, preferred_w, expires_at, reason=reason)
