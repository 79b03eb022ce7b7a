"""What a scenario's figures are of: the courses that it records, and numbers with their unit."""

import math
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BeforeValidator


class Course(StrEnum):
    """What is recorded each second. Powers are passive: consumption and import positive."""

    NET = "net"
    """At the meter, true and not as measured, W."""
    IMPORT = "import"
    """What of it is taken from the grid, W."""
    EXPORT = "export"
    """What of it is given, W."""
    LOADS = "loads"
    """All that consumes behind the meter, a battery's charge included, W."""
    GENERATION = "generation"
    """All that produces there, a battery's discharge included, W."""
    BASE = "base"
    """What nobody controls, W."""
    PV = "pv"
    BATTERY = "battery"
    CAR = "car"
    WATER_HEATER = "water_heater"
    HEAT_PUMP = "heat_pump"
    SUN = "sun"
    """What the sun offers, W, not negative."""
    REACTIVE = "reactive"
    """Reactive power at the meter, absorbing positive, var."""
    PHASE_A = "phase_a"
    """Power of a phase at the meter, W."""
    PHASE_B = "phase_b"
    PHASE_C = "phase_c"
    CHARGE = "charge"
    """Of the battery, 0 to 1."""
    CAR_CHARGE = "car_charge"
    """Of the car's battery, 0 to 1."""
    TANK = "tank"
    """Hot water, degC."""
    ROOM = "room"
    """degC."""
    VOLTAGE = "voltage"
    FREQUENCY = "frequency"
    PRICE = "price"
    """What a kWh from the grid costs by the home's own reckoning; NaN where it knows none."""


_UNITS: Final[Mapping[str, float]] = {
    "W": 1.0,
    "kW": 1e3,
    "Wh": 1.0,
    "kWh": 1e3,
    "var": 1.0,
    "kvar": 1e3,
    "V": 1.0,
    "Hz": 1.0,
    "%": 0.01,
    "degC": 1.0,
    "W/min": 1.0,
    "kW/min": 1e3,
    "/kWh": 1.0,
}
_AMOUNT: Final = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*(\S+)\s*")


def _amount(text: object) -> float:
    match = _AMOUNT.fullmatch(text) if isinstance(text, str) else None
    if match is None or match[2] not in _UNITS:
        known = ", ".join(_UNITS)
        raise ValueError(f"{text!r} is no quantity; write a number and one of {known}")
    return float(match[1]) * _UNITS[match[2]]


Amount = Annotated[float, BeforeValidator(_amount)]
"""A number with its unit, in SI base units; per cents become shares."""

UNIT_OF: Final[Mapping[Course, str]] = {
    **dict.fromkeys(Course, "W"),
    Course.REACTIVE: "var",
    Course.CHARGE: "%",
    Course.CAR_CHARGE: "%",
    Course.TANK: "degC",
    Course.ROOM: "degC",
    Course.VOLTAGE: "V",
    Course.FREQUENCY: "Hz",
    Course.PRICE: "/kWh",
}
"""How people read each course."""


def in_words(value: float, unit: str) -> str:
    """Return a figure for people to read: 1534 and "W" give "1.53 kW"."""
    if math.isnan(value):
        return "unknown"
    if unit == "%":
        return f"{100 * value:.1f} %"
    if unit in {"W", "Wh", "var", "W/min"} and abs(value) >= 1000.0:  # noqa: PLR2004 - SI step
        return f"{value / 1000.0:.2f} k{unit}"
    digits = {"Hz": 3, "V": 1, "degC": 1, "/kWh": 3}.get(unit, 0)
    return f"{value:.{digits}f} {unit}"
