"""OCPP 2.0.1 meter values as measurements in SI units. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final, NotRequired, TypedDict

from der.drivers.ocpp.meter import ENERGY, SOC, UNITS, Measured, number

_EXPONENTS: Final = 9
"""Greatest power of ten that a multiplier makes sense with."""


class UnitOfMeasure(TypedDict):
    """Unit and power of ten of a value."""

    unit: NotRequired[str]
    multiplier: NotRequired[int]


class SampledValue(TypedDict):
    """One value as OCPP 2.0.1 names it, keys in snake case."""

    value: float
    measurand: NotRequired[str]
    phase: NotRequired[str]
    location: NotRequired[str]
    unit_of_measure: NotRequired[UnitOfMeasure]


class MeterValue(TypedDict):
    """Values taken at one time."""

    timestamp: str
    sampled_value: list[SampledValue]


def measured(values: Sequence[MeterValue]) -> tuple[Measured, ...]:
    """Return what a message measures, in the order of time, without what is no number."""
    return tuple(one for value in values for one in _each(value))


def _each(value: MeterValue) -> Iterator[Measured]:
    for sampled in value["sampled_value"]:
        measurand = sampled.get("measurand", ENERGY)
        unit_of_measure = sampled.get("unit_of_measure", UnitOfMeasure())
        exponent = unit_of_measure.get("multiplier", 0)
        if abs(exponent) > _EXPONENTS:
            continue
        # The unit's default is Wh; a state of charge without one counts in percent.
        unit = unit_of_measure.get("unit", "Percent" if measurand == SOC else "")
        found = number(sampled["value"] * 10.0**exponent * UNITS.get(unit, 1.0))
        if found is not None:
            yield Measured(found, measurand, sampled.get("phase", ""), sampled.get("location", ""))
