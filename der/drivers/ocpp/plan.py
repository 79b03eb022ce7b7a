"""Charging limits as steps that lapse, and what rules without the hub, for both versions. Pure.

All are default profiles for transactions: they hold with and without one, and the one of the
higher stack level rules. When a limit's duration has run out, the charger is left with the
fallback at level 0 (OCPP 1.6, 3.13.1; OCPP 2.0.1 part 2, K).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from der.addresses import RateUnit, Wiring
from der.commands import ChargingStep
from der.drivers.ocpp.phases import preferred
from der.model import Setpoint

LIMIT_PROFILE: Final = 1001
FALLBACK_PROFILE: Final = 1000
FALLBACK_LEVEL: Final = 0
CLOCK_MARGIN_S: Final = 60
"""A limit starts so long ago, or a charger whose clock lags a little would not obey yet."""
_ROUNDING: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a plan.

    Attributes:
        start_s: Seconds from the plan's start.
        limit: A current per phase or a power, as the plan's unit says; 0 pauses.
        phases: Phases to charge on.
    """

    start_s: int
    limit: float
    phases: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A charging profile in words that both versions know.

    Attributes:
        id: Of the profile; one of the same id is replaced.
        level: Stack level; higher rules.
        unit: Of the limits.
        steps: In order, the first at 0 s.
        start: When it starts, epoch seconds; None for one that begins
            with each transaction and has no end.
        duration_s: How long it lasts; None without end.
        transaction: The only transaction that it is for; None for any.
    """

    id: int
    level: int
    unit: RateUnit
    steps: tuple[Step, ...]
    start: float | None = None
    duration_s: int | None = None
    transaction: str | None = None

    def shifted(self, by_s: float) -> "Plan":
        """Return it with a start, where it has one, so much later."""
        return self if self.start is None else replace(self, start=self.start + by_s)


@dataclass(frozen=True, slots=True)
class Rating:
    """What a charger is, as far as its limits are concerned.

    Attributes:
        wiring: How it is connected.
        most_a: Greatest current per phase.
        measured_v: Phase to neutral as the charger measures it; None where it does not.
    """

    wiring: Wiring
    most_a: float
    measured_v: float | None = None

    @property
    def fallback_w(self) -> float:
        """Power in W at which it may go on when the hub is silent."""
        return self.wiring.fallback_a * self.wiring.voltage_v * self.wiring.phases


def rate(power_w: float, rating: Rating, phases: int) -> float:
    """Return a power as the charger's limit, rounded down to the tenth that OCPP 1.6 allows.

    Below what a car can be offered on these phases it is 0, which pauses charging.
    """
    wiring = rating.wiring
    volts = wiring.voltage_v * phases
    amperes = min(power_w / volts, rating.most_a)
    if not amperes + _ROUNDING >= wiring.least_a:  # a NaN pauses too
        return 0.0
    if wiring.unit is RateUnit.AMPERES:
        # A voltage above the nominal would make more of the current than was allowed. Whether
        # to pause is judged by the nominal one, or a car would stop and go with each volt.
        real = power_w / (max(wiring.voltage_v, rating.measured_v or 0.0) * phases)
        value = max(min(amperes, real), wiring.least_a)
    else:
        value = amperes * volts
    return math.floor(value * 10.0 + _ROUNDING) / 10.0


def watts(limit: float, unit: RateUnit, wiring: Wiring, phases: int) -> float:
    """Return a limit as a power in W."""
    return limit if unit is RateUnit.WATTS else limit * wiring.voltage_v * phases


def step(start_s: int, power_w: float, rating: Rating, phases: int) -> Step:
    """Return the step of a power in W."""
    return Step(start_s, rate(power_w, rating, phases), phases)


def limit_plan(
    setpoint: Setpoint, rating: Rating, phases: int, now: float, *, ends_in_fallback: bool = False
) -> Plan:
    """Return the plan that holds a limit until it lapses.

    Args:
        setpoint: W, at least 0; what follows the lapse, if anything, is a second step.
        rating: The charger's.
        phases: On which to charge until then.
        now: UTC epoch seconds.
        ends_in_fallback: The charger holds no fallback of its own: the plan goes over into it.
    """
    first = step(0, setpoint.power_w, rating, phases)
    revert_w = setpoint.revert_w
    if revert_w is None and ends_in_fallback:
        revert_w = rating.fallback_w
    return _lapsing((first,), setpoint.lapse_s, revert_w, rating, now)


def steps_plan(
    steps: Sequence[ChargingStep],
    lapse_s: float,
    rating: Rating,
    now: float,
    *,
    ends_in_fallback: bool = False,
) -> Plan:
    """Return the plan that follows steps of power until they lapse; arguments as for `limit_plan`.

    Raises:
        ValueError: The steps do not begin at 0 s, are not in order, or have powers that cannot be.
    """
    starts = [one.start_s for one in steps]
    if not starts or starts[0] != 0 or any(b <= a for a, b in pairwise(starts)):
        raise ValueError("the steps must begin at 0 s and be in order")
    if not all(math.isfinite(one.start_s) and 0 <= one.power_w < math.inf for one in steps):
        raise ValueError("a step needs a power of at least 0 W")
    if not 0 < lapse_s < math.inf:
        raise ValueError("the steps need a lapse time above 0 s")
    made: list[Step] = []
    for one in steps:
        phases = one.phases or preferred(one.power_w, rating.wiring)
        start_s = 0 if one.start_s == 0 else math.floor(one.start_s) + CLOCK_MARGIN_S
        made.append(step(start_s, one.power_w, rating, phases))
    revert_w = rating.fallback_w if ends_in_fallback else None
    return _lapsing(tuple(made), lapse_s, revert_w, rating, now)


def fallback_plan(rating: Rating) -> Plan:
    """Return the permanent plan that rules when the hub is silent."""
    wiring = rating.wiring
    only = step(0, rating.fallback_w, rating, preferred(rating.fallback_w, wiring))
    return Plan(FALLBACK_PROFILE, FALLBACK_LEVEL, wiring.unit, (only,))


def in_force(plan: Plan, now: float) -> Step | None:
    """Return the step of a plan that rules at a time, epoch seconds; None if none does."""
    if plan.start is None:
        return plan.steps[0]
    into_s = now - plan.start
    if into_s < 0 or (plan.duration_s is not None and into_s >= plan.duration_s):
        return None
    return [one for one in plan.steps if one.start_s <= into_s][-1]


def _lapsing(
    steps: tuple[Step, ...], lapse_s: float, revert_w: float | None, rating: Rating, now: float
) -> Plan:
    wiring = rating.wiring
    ends_s = math.ceil(lapse_s) + CLOCK_MARGIN_S
    kept = tuple(one for one in steps if one.start_s < ends_s)
    if revert_w is not None:
        kept = (*kept, step(ends_s, revert_w, rating, preferred(revert_w, wiring)))
    return Plan(
        LIMIT_PROFILE,
        wiring.level,
        wiring.unit,
        kept,
        start=float(math.floor(now) - CLOCK_MARGIN_S),
        duration_s=ends_s if revert_w is None else None,
    )
