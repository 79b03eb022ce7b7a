"""What a described device's points mean: the records of a description's [read] part.

Signs are translated here and nowhere else: a term may be taken with the other sign.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from der.drivers.mapped.points import Values
from der.model import Alarm, RunState

RATING: Final = "rating_w"
"""In place of a point: what the device is rated for, as its owner says."""
BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "reactive_var": (-1e6, 1e6),
    "voltage_v": (0.0, 500.0),
    "frequency_hz": (0.0, 70.0),
    "grid_voltage_v": (0.0, 500.0),
    "grid_frequency_hz": (0.0, 70.0),
    "angle_deg": (-180.0, 180.0),
    "energy_import_wh": (0.0, 1e12),
    "energy_export_wh": (0.0, 1e12),
    "soc": (0.0, 1.01),
    "capacity_wh": (0.0, 1e7),
    "temp_c": (-60.0, 200.0),
}
"""Numbers of a reading beside its power, and what they can be in a home. A full battery's state
of charge may round to a little over 1, and an inverter's frequency is 0 while it sleeps."""


@dataclass(frozen=True, slots=True)
class Term:
    """One summand: a point, with its sign."""

    point: str
    sign: float = 1.0


Terms = tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is so or not.

    Attributes:
        point: What is looked at.
        among: Its number is one of these; empty for any but 0.
        above: Its number is greater than this; None where that does not matter.
        below: Its number is less than this; None where that does not matter.
        negated: It is so where the above is not.
    """

    point: str
    among: frozenset[float] = frozenset()
    above: float | None = None
    below: float | None = None
    negated: bool = False

    def holds(self, values: Values) -> bool | None:
        """Whether it is so; None where the point has no value."""
        number = values.numbers.get(self.point)
        if number is None:
            return None
        if self.above is not None or self.below is not None:
            over = self.above is None or number > self.above
            found = over and (self.below is None or number < self.below)
        elif self.among:
            found = number in self.among
        else:
            found = number != 0
        return found is not self.negated


@dataclass(frozen=True, slots=True)
class Assumed:
    """The power of a device that does not measure it: all it is rated for, or nothing.

    Attributes:
        runs: When it is taken to run; None for always.
    """

    runs: Condition | None


class LimitUnit(StrEnum):
    """The unit in which a device says its limit."""

    WATTS = "W"
    AMPERES = "A"
    """On each of its phases."""


@dataclass(frozen=True, slots=True)
class LimitRule:
    """A limit or set-point that is in force when all conditions hold.

    Attributes:
        terms: What it is; empty for `value`.
        value: A limit that no point needs to say, W.
        factor: From the number to the unit, with the sign.
        unit: What it is in.
        of: Point, or `RATING`, that it is a share of; "" for none.
        when: What must be so.
    """

    terms: Terms
    value: float = 0.0
    factor: float = 1.0
    unit: LimitUnit = LimitUnit.WATTS
    of: str = ""
    when: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class PhaseTerms:
    """One phase of the device."""

    power_w: Terms = ()
    voltage_v: Terms = ()


@dataclass(frozen=True, slots=True)
class StateRule:
    """What the device says that it does, by the number of a point."""

    point: str
    states: Mapping[float, RunState]


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """A complaint, and when it is made."""

    alarm: Alarm
    when: Condition


@dataclass(frozen=True, slots=True)
class ReadingMap:
    """What of a device's points makes a reading.

    Attributes:
        power: The active power.
        numbers: Summands of the attributes of `BOUNDS` that the device has.
        phases: Phases A, B and C, as many as it tells apart.
        connected: As `Reading.connected`.
        wants_power: As `Reading.wants_power`.
        forming: As `Reading.forming`.
        limits: The first that applies is the limit in force.
        state: What it does.
        alarms: What it can complain of; None where it cannot say.
    """

    power: Terms | Assumed
    numbers: Mapping[str, Terms] = field(default_factory=dict)
    phases: tuple[PhaseTerms, ...] = ()
    connected: Condition | None = None
    wants_power: Condition | None = None
    forming: Condition | None = None
    limits: tuple[LimitRule, ...] = ()
    state: StateRule | None = None
    alarms: tuple[AlarmRule, ...] | None = None
