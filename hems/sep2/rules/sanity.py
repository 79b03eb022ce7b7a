"""Figures of an event that nobody can mean: beyond the range of their type, or reserved.

A percentage above 100 (`PerCent` reaches 10000 hundredths), a power factor above 1 and the like
are answered 253, since no device could obey them. A long duration is not among them: a server
that means "until I say otherwise" sends one, and the limit it brings counts.
"""

import math
from collections.abc import Mapping
from typing import Final

from hems.sep2.rules.events import DISABLED, Event, ModeValue

_ONE_HOUR_S: Final = 3600
_LATEST: Final = 4102444800
_ABSURD: Final = 1e9

_PERCENT: Final = (0.0, 100.0)
_SIGNED_PERCENT: Final = (-100.0, 100.0)
_POWER_FACTOR: Final = (-1.0, 1.0)
_CELSIUS: Final = (-273.15, 327.67)

_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "opModFixedPFAbsorbW": _POWER_FACTOR,
    "opModFixedPFInjectW": _POWER_FACTOR,
    "opModFixedV": _SIGNED_PERCENT,
    "opModFixedVar": _SIGNED_PERCENT,
    "opModFixedW": _SIGNED_PERCENT,
    "opModMaxLimPctVAAbsorb": _PERCENT,
    "opModMaxLimPctVAInject": _PERCENT,
    "opModMaxLimPctVarAbsorb": _PERCENT,
    "opModMaxLimPctVarInject": _PERCENT,
    "opModMaxLimPctWAbsorb": _PERCENT,
    "opModMaxLimW": _PERCENT,
    "ApplianceLoadReduction": (0.0, 1.0),
    "DutyCycle": _PERCENT,
    "Offset.load": _SIGNED_PERCENT,
    "SetPoint.cooling": _CELSIUS,
    "SetPoint.heating": _CELSIUS,
}
"""Least and greatest value of a mode, in the units of `Event.modes`."""

_FACTORS: Final = frozenset({"opModFixedPFAbsorbW", "opModFixedPFInjectW"})
_EXCLUSIVE: Final = (
    frozenset({"opModVoltVar"}),
    frozenset({"opModWattVar"}),
    frozenset({"opModWattPF"}),
    frozenset({"opModFixedVar"}),
    frozenset({"opModTargetVar"}),
    _FACTORS,
)
"""Ways to set reactive power, of which a device runs one at a time (IEEE 1547-2018, 5.3)."""

_REFERENCES: Final = frozenset({1.0, 2.0, 3.0, 8.0})
"""DERUnitRefType of a reactive set-point: %setMaxW, %setMaxVar, %statVarAvail, %setMaxVA."""
_REFERRING: Final = frozenset(
    {"opModFixedVar", "opModMaxLimPctVarAbsorb", "opModMaxLimPctVarInject"}
)
_NEVER_NEGATIVE: Final = (
    "opModImpLimW",
    "opModExpLimW",
    "opModGenLimW",
    "opModLoadLimW",
    "opModMaxLim",
    "TargetReduction",
)
_DROOP: Final = "opModFreqDroop"
_DROOPS: Final = slice(2, 4)
"""Where kOF and kUF stand in its value."""
_TARGET: Final = "TargetReduction."
_UNITS: Final = 13
"""UnitType of a TargetReduction ends there; the values from it on are reserved."""


def nonsense(event: Event, longest_s: float) -> str:
    """Say what is wrong with an event's figures, empty if nothing.

    Args:
        event: As received.
        longest_s: The longest duration that is believed.
    """
    if not event.modes:
        return "it sets no control mode"
    if not 0 < event.duration_s <= longest_s:
        return f"a duration of {event.duration_s} s"
    if not 0 <= event.start <= _LATEST:
        return f"a start at {event.start}"
    for name, value in (
        ("randomizeStart", event.randomize_start_s),
        ("randomizeDuration", event.randomize_duration_s),
    ):
        if abs(value) > _ONE_HOUR_S:
            return f"{name} of {value} s"
    return next(iter(absurd(event.modes).values()), _contradiction(event.modes))


def absurd(modes: Mapping[str, ModeValue]) -> dict[str, str]:
    """Say what is wrong with the values of modes, by mode; nothing for those that can be."""
    return {mode: words for mode, value in modes.items() if (words := _absurd(mode, value))}


def _contradiction(modes: Mapping[str, ModeValue]) -> str:
    """Say which modes of one event contradict each other, empty if none do."""
    set_here = {mode for mode, value in modes.items() if value != DISABLED}
    ways = sorted(min(way & set_here) for way in _EXCLUSIVE if way & set_here)
    if len(ways) < 2:  # noqa: PLR2004 - a pair
        return ""
    return f"it sets {' and '.join(ways)}, of which a device runs one at a time"


def _absurd(mode: str, value: ModeValue) -> str:
    unit = mode.removeprefix(_TARGET)
    if unit.isdecimal() and int(unit) >= _UNITS:
        return f"TargetReduction in unit {unit}, which is reserved"
    if isinstance(value, str):
        return ""
    numbers = value if isinstance(value, tuple) else (value,)
    if mode in _REFERRING and numbers:
        reference, *numbers_left = numbers
        if reference not in _REFERENCES:
            return f"{mode} in per cent of reference {reference:g}, which is reserved"
        numbers = tuple(numbers_left)
    if mode == _DROOP and not all(number > 0 for number in numbers[_DROOPS]):
        return f"{mode} with a droop of 0"
    return next((words for n in numbers if (words := _beyond(mode, n))), "")


def _beyond(mode: str, number: float) -> str:
    if not math.isfinite(number) or abs(number) > _ABSURD:
        return f"{mode} of {number:g}"
    if number < 0 and mode.startswith(_NEVER_NEGATIVE):
        return f"{mode} of {number:g}, which cannot be negative"
    if mode in _FACTORS and not number:
        return f"{mode} of 0, at which no power flows"
    least, greatest = _RANGES.get(mode, (-_ABSURD, _ABSURD))
    if not least <= number <= greatest:
        return f"{mode} of {number:g}, beyond {least:g} to {greatest:g}"
    return ""
