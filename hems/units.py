"""Quantities as people write them: "1500 W", "1.5kW", "3 kWh", "10 min", "+5m".

Used by the configuration file and the command line, so that both refuse the same nonsense in
the same words.
"""

import math
import re
from collections.abc import Mapping
from typing import Final

_QUANTITY = re.compile(r"\s*([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*([A-Za-z]*)\s*")

_POWER: Final = {"W": 1.0, "kW": 1e3, "MW": 1e6}
_ENERGY: Final = {"Wh": 1.0, "kWh": 1e3, "MWh": 1e6}
_CURRENT: Final = {"A": 1.0}
_FREQUENCY: Final = {"Hz": 1.0, "mHz": 1e-3}
_VOLUME: Final = {"l": 1.0}
_REACTIVE: Final = {"var": 1.0, "kvar": 1e3}
_VOLTAGE: Final = {"V": 1.0, "kV": 1e3}
_DURATION: Final = {
    "s": 1.0,
    "sec": 1.0,
    "m": 60.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86400.0,
}
_KINDS: Final[Mapping[str, Mapping[str, float]]] = {
    "power": _POWER,
    "energy": _ENERGY,
    "current": _CURRENT,
    "frequency": _FREQUENCY,
    "volume": _VOLUME,
    "duration": _DURATION,
    "reactive power": _REACTIVE,
    "voltage": _VOLTAGE,
}


class UnitError(ValueError):
    """A quantity that is not one, or of the wrong kind; `str()` is one sentence."""


def power_w(text: str | float) -> float:
    """Return a power in W from "1500 W" or "1.5kW"."""
    return _quantity(text, "power")


def energy_wh(text: str | float) -> float:
    """Return an energy in Wh from "500 Wh" or "3 kWh"."""
    return _quantity(text, "energy")


def current_a(text: str | float) -> float:
    """Return a current in A from "16 A"."""
    return _quantity(text, "current")


def frequency_hz(text: str | float) -> float:
    """Return a frequency in Hz from "50 Hz" or "20 mHz"."""
    return _quantity(text, "frequency")


def volume_l(text: str | float) -> float:
    """Return a volume in litres from "200 l"."""
    return _quantity(text, "volume")


def reactive_var(text: str | float) -> float:
    """Return a reactive power in var from "500 var" or "2 kvar"."""
    return _quantity(text, "reactive power")


def voltage_v(text: str | float) -> float:
    """Return a voltage in V from "230 V"."""
    return _quantity(text, "voltage")


def duration_s(text: str | float) -> float:
    """Return a duration in s from "30s", "10 min", "2h"."""
    return _quantity(text, "duration")


def _quantity(text: str | float, kind: str) -> float:
    units = _KINDS[kind]
    known = ", ".join(units)
    if not isinstance(text, str):
        raise UnitError(f"{text!r} has no unit; a {kind} is written with one of {known}")
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise UnitError(f"{text!r} is not a {kind}; write a number and one of {known}")
    number, unit = match.groups()
    if unit not in units:
        other = next((name for name, table in _KINDS.items() if unit in table), None)
        if other is not None:
            what = f"is of the kind {other}, not {kind}"
        elif unit:
            what = f"has an unknown unit {unit!r}"
        else:
            what = "has no unit"
        raise UnitError(f"{text!r} {what}; a {kind} is written with one of {known}")
    value = float(number) * units[unit]
    if not math.isfinite(value):
        raise UnitError(f"{text!r} is not a finite {kind}")
    return value
