"""What MQTT devices tell: single values with the range that each can have, and settings."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Point(StrEnum):
    """One measured value; units as in `der.model.Reading`, consumption positive."""

    POWER = "power_w"
    POWER_A = "power_a_w"
    POWER_B = "power_b_w"
    POWER_C = "power_c_w"
    SUPPLIED = "supplied_w"
    """Power given to the grid, where a meter tells it apart from what is taken."""
    REACTIVE = "reactive_var"
    VOLTAGE = "voltage_v"
    VOLTAGE_A = "voltage_a_v"
    VOLTAGE_B = "voltage_b_v"
    VOLTAGE_C = "voltage_c_v"
    FREQUENCY = "frequency_hz"
    IMPORT = "energy_import_wh"
    IMPORT_A = "energy_import_a_wh"
    IMPORT_B = "energy_import_b_wh"
    IMPORT_C = "energy_import_c_wh"
    EXPORT = "energy_export_wh"
    EXPORT_A = "energy_export_a_wh"
    EXPORT_B = "energy_export_b_wh"
    EXPORT_C = "energy_export_c_wh"
    TEMPERATURE = "temp_c"
    DEMAND = "demand"
    """Share of its power that a thermostat calls for, 0 to 1."""


PHASE_POWERS: Final = (Point.POWER_A, Point.POWER_B, Point.POWER_C)
PHASE_VOLTAGES: Final = (Point.VOLTAGE_A, Point.VOLTAGE_B, Point.VOLTAGE_C)
PHASE_IMPORTS: Final = (Point.IMPORT_A, Point.IMPORT_B, Point.IMPORT_C)
PHASE_EXPORTS: Final = (Point.EXPORT_A, Point.EXPORT_B, Point.EXPORT_C)

_POWER: Final = (-1e6, 1e6)
_VOLTAGE: Final = (0.0, 1000.0)
_ENERGY: Final = (0.0, 1e11)
_RANGES: Final[Mapping[Point, tuple[float, float]]] = {
    Point.REACTIVE: _POWER,
    Point.SUPPLIED: (0.0, 1e6),
    Point.FREQUENCY: (0.0, 100.0),
    Point.TEMPERATURE: (-60.0, 150.0),
    Point.DEMAND: (0.0, 1.0),
    **dict.fromkeys((Point.POWER, *PHASE_POWERS), _POWER),
    **dict.fromkeys((Point.VOLTAGE, *PHASE_VOLTAGES), _VOLTAGE),
    **dict.fromkeys((Point.IMPORT, *PHASE_IMPORTS), _ENERGY),
    **dict.fromkeys((Point.EXPORT, *PHASE_EXPORTS), _ENERGY),
}


def possible(point: Point, value: float) -> bool:
    """Return whether a home's device can have such a value at all; NaN never can."""
    low, high = _RANGES[point]
    return math.isfinite(value) and low <= value <= high


def with_sum(measured: Mapping[Point, float]) -> dict[Point, float]:
    """Return values with the phases' sum as power, where all three are told and no power is.

    A power that came alone in an earlier message would else outlive what the phases say now.
    """
    whole = dict(measured)
    if Point.POWER not in whole and all(point in whole for point in PHASE_POWERS):
        total_w = sum(whole[point] for point in PHASE_POWERS)
        if possible(Point.POWER, total_w):
            whole[Point.POWER] = total_w
    return whole


@dataclass(frozen=True, slots=True)
class Settings:
    """What a device is set to; None where it has no such setting or has not told it.

    Attributes:
        on: Whether its switch is closed.
        target_c: Temperature that a thermostat keeps to.
        mode: How a thermostat runs, in its own words ("heat", "auto", "off").
        target_name: What it calls its temperature.
    """

    on: bool | None = None
    target_c: float | None = None
    mode: str | None = None
    target_name: str | None = None

    def then(self, later: "Settings") -> "Settings":
        """Return these settings with what is told later in their place."""
        return Settings(
            self.on if later.on is None else later.on,
            self.target_c if later.target_c is None else later.target_c,
            self.mode if later.mode is None else later.mode,
            self.target_name if later.target_name is None else later.target_name,
        )

    def __bool__(self) -> bool:
        return self != _UNSET


_UNSET: Final = Settings()


@dataclass(frozen=True, slots=True)
class Facts:
    """What one message tells.

    Attributes:
        measured: Values, each possible.
        faults: What of the message cannot be used, by what it should have told: one clause each.
        settings: What the device is set to.
        online: Whether it says, or the broker says for it, that it is there.
        maker: Its manufacturer.
        model: Its model.
        firmware: Its firmware's version.
        refused: Why it does not do what it was told; empty if it does not say so.
        answer: Whether it is said in answer to something that the device was told.
        call: The number of the call that it answers (`Message.call`); 0 where none is named.
    """

    measured: Mapping[Point, float] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    settings: Settings = _UNSET
    online: bool | None = None
    maker: str = ""
    model: str = ""
    firmware: str = ""
    refused: str = ""
    answer: bool = False
    call: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """A message to publish.

    Attributes:
        topic: Where.
        payload: What; empty and retained takes a retained message away.
        retain: Whether the broker keeps it for those who come later.
        call: Its number, where the device's protocol numbers calls and answers; else 0.
    """

    topic: str
    payload: str
    retain: bool = False
    call: int = 0
