"""OCPP 1.6 MeterValues as measurements in SI units. Pure."""

from collections.abc import Iterator, Sequence
from typing import NotRequired, TypedDict

from der.drivers.ocpp.meter import ENERGY, SOC, UNITS, Measured, number


class SampledValue(TypedDict):
    """One value as OCPP 1.6 names it, keys in snake case."""

    value: str
    measurand: NotRequired[str]
    phase: NotRequired[str]
    unit: NotRequired[str]
    location: NotRequired[str]


class MeterValue(TypedDict):
    """Values taken at one time."""

    timestamp: str
    sampled_value: list[SampledValue]


def measured(values: Sequence[MeterValue]) -> tuple[Measured, ...]:
    """Return what a message measures, in the order of time, without what is no number."""
    return tuple(one for value in values for one in _each(value))


def _each(value: MeterValue) -> Iterator[Measured]:
    for sampled in value["sampled_value"]:
        found = number(sampled["value"])
        if found is None:
            continue
        measurand = sampled.get("measurand", ENERGY)
        # The unit is optional, and a state of charge without one counts in percent.
        unit = sampled.get("unit", "Percent" if measurand == SOC else "")
        yield Measured(
            found * UNITS.get(unit, 1.0),
            measurand,
            sampled.get("phase", ""),
            sampled.get("location", ""),
        )
