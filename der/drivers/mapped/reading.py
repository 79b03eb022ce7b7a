"""From a described device's points to a `Reading`. Pure."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from der.drivers.mapped.meaning import (
    BOUNDS,
    RATING,
    AlarmRule,
    Assumed,
    Condition,
    LimitRule,
    LimitUnit,
    PhaseTerms,
    ReadingMap,
    StateRule,
    Terms,
)
from der.drivers.mapped.points import Values
from der.errors import TransientError
from der.model import Alarm, PhaseReading, Reading, RunState

_MOST_POWER_W: Final = 1e6
_BEYOND: Final = 5.0
"""A power of more than so many times the greatest that the device is rated for is a wrong scale
factor: an appliance that starts, or a short circuit before the fuse blows, stays below."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a home knows of the device that is read.

    Attributes:
        device: Its id, for messages.
        rating_w: The greatest power that it is rated for, either way; 0 where that is not known.
        phases: Phases on which it runs.
        voltage_v: Phase to neutral.
        inverted: It counts the other way round than its description says.
    """

    device: str
    rating_w: float
    phases: int = 1
    voltage_v: float = 230.0
    inverted: bool = False

    @property
    def watts_per_ampere(self) -> float:
        """Power of 1 A on each phase."""
        return self.phases * self.voltage_v


def reading(rules: ReadingMap, values: Values, standing: Standing, at: float) -> Reading:
    """Return a reading.

    Args:
        rules: What the points mean.
        values: What was read of them.
        standing: The device in its home.
        at: UTC epoch seconds.

    Raises:
        TransientError: The power has no value, or one that cannot be.
    """
    sign = -1.0 if standing.inverted else 1.0
    numbers: dict[str, float | None] = dict.fromkeys(BOUNDS)
    suspect: set[str] = set()
    for name, terms in rules.numbers.items():
        number, sane = _sum(terms, values), not _nonsense(terms, values)
        low, high = BOUNDS[name]
        if not sane or (number is not None and not low <= number <= high):
            suspect.add(name)
        else:
            numbers[name] = number
    if standing.inverted:
        imported, exported = numbers["energy_import_wh"], numbers["energy_export_wh"]
        numbers["energy_import_wh"], numbers["energy_export_wh"] = exported, imported
    limit_w = _limit_w(rules.limits, values, standing)
    if limit_w is not None and abs(limit_w) > _MOST_POWER_W:
        limit_w = None
        suspect.add("limit_w")
    soc, reactive = numbers["soc"], numbers["reactive_var"]
    return Reading(
        at=at,
        power_w=sign * _power_w(rules.power, values, standing) + 0.0,
        reactive_var=None if reactive is None else sign * reactive + 0.0,
        voltage_v=numbers["voltage_v"],
        frequency_hz=numbers["frequency_hz"],
        energy_import_wh=numbers["energy_import_wh"],
        energy_export_wh=numbers["energy_export_wh"],
        soc=None if soc is None else min(soc, 1.0),
        capacity_wh=numbers["capacity_wh"],
        temp_c=numbers["temp_c"],
        connected=_holds(rules.connected, values),
        wants_power=_holds(rules.wants_power, values),
        forming=_holds(rules.forming, values),
        grid_voltage_v=numbers["grid_voltage_v"],
        grid_frequency_hz=numbers["grid_frequency_hz"],
        angle_deg=numbers["angle_deg"],
        limit_w=limit_w,
        phases=_phases(rules.phases, values, sign),
        alarms=_alarms(rules.alarms, values),
        state=_state(rules.state, values),
        suspect=frozenset(suspect),
    )


def _power_w(power: Terms | Assumed, values: Values, standing: Standing) -> float:
    if isinstance(power, Assumed):
        runs = True if power.runs is None else power.runs.holds(values)
        return standing.rating_w if runs is not False else 0.0  # not known: the worst case
    names = " + ".join(term.point for term in power)
    bad = _nonsense(power, values)
    if bad:
        said = ", ".join(f"{name} of {values.nonsense[name]:g}" for name in bad)
        raise TransientError(f"{standing.device}: {said} W makes no sense")
    number = _sum(power, values)
    if number is None:
        raise TransientError(f"{standing.device}: point {names} has no value")
    most_w = _BEYOND * standing.rating_w or _MOST_POWER_W
    if not abs(number) <= most_w:
        raise TransientError(
            f"{standing.device}: {names} of {number:g} W makes no sense "
            f"for a device of {standing.rating_w:g} W"
        )
    return number


def _sum(terms: Terms, values: Values) -> float | None:
    found = [values.numbers.get(term.point) for term in terms]
    parts = [number for number in found if number is not None]
    if not parts or len(parts) < len(terms):
        return None
    total = math.fsum(term.sign * part for term, part in zip(terms, parts, strict=True))
    return total + 0.0  # never -0.0


def _nonsense(terms: Terms, values: Values) -> list[str]:
    return [term.point for term in terms if term.point in values.nonsense]


def _holds(condition: Condition | None, values: Values) -> bool | None:
    return None if condition is None else condition.holds(values)


def _limit_w(rules: Iterable[LimitRule], values: Values, standing: Standing) -> float | None:
    for rule in rules:
        if not all(condition.holds(values) for condition in rule.when):
            continue
        number = _sum(rule.terms, values) if rule.terms else rule.value
        whole = 1.0 if not rule.of else values.numbers.get(rule.of)
        if rule.of == RATING:
            whole = standing.rating_w
        if number is None or whole is None:
            return None
        unit = standing.watts_per_ampere if rule.unit is LimitUnit.AMPERES else 1.0
        return number * rule.factor * whole * unit + 0.0  # never -0.0
    return None


def _phases(rules: Iterable[PhaseTerms], values: Values, sign: float) -> tuple[PhaseReading, ...]:
    phases = []
    for rule in rules:
        power_w, voltage_v = _sum(rule.power_w, values), _sum(rule.voltage_v, values)
        phases.append(PhaseReading(None if power_w is None else sign * power_w + 0.0, voltage_v))
    while phases and phases[-1] == PhaseReading():
        phases.pop()
    return tuple(phases)


def _alarms(rules: Iterable[AlarmRule] | None, values: Values) -> frozenset[Alarm] | None:
    if rules is None:
        return None
    return frozenset(rule.alarm for rule in rules if rule.when.holds(values))


def _state(rule: StateRule | None, values: Values) -> RunState | None:
    return None if rule is None else rule.states.get(values.numbers.get(rule.point, math.nan))
