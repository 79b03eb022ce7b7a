"""From single values, heard at different times, to one reading of the device. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from der.drivers.mqtt.points import (
    PHASE_EXPORTS,
    PHASE_IMPORTS,
    PHASE_POWERS,
    PHASE_VOLTAGES,
    Point,
    Settings,
)
from der.model import DeviceSpec, PhaseReading, Reading

_SANE_RANGE: Final = 3.0
"""No device reaches this multiple of its range: such a power comes of a wrong scale."""

_PLAIN: Final[Mapping[str, tuple[Point, Sequence[Point]]]] = {
    "energy_import_wh": (Point.IMPORT, PHASE_IMPORTS),
    "energy_export_wh": (Point.EXPORT, PHASE_EXPORTS),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One value.

    Attributes:
        value: In the unit of its point.
        at: When it was heard, UTC epoch seconds.
    """

    value: float
    at: float


Heard = Mapping[Point, Sample]


class NoPowerError(Exception):
    """There is no power to report; `str()` is one clause."""


class ImpossiblePowerError(NoPowerError):
    """The power that was told is one that the device cannot have."""


def power(spec: DeviceSpec, heard: Heard) -> Sample:
    """Return a device's power, consumption positive.

    It is the one that is told, less what is supplied where a meter tells that apart, or the sum
    of three phases, as old as the oldest part; of a thermostat, which measures none, the share of
    its rating that it calls for.

    Raises:
        NoPowerError: Nothing was heard that makes a power.
        ImpossiblePowerError: What was heard makes one that cannot be.
    """
    found = _power(spec, heard)
    if found is None:
        raise NoPowerError("no usable power has been told")
    most_w = _SANE_RANGE * max(abs(spec.min_w), abs(spec.max_w))
    if most_w and abs(found.value) > most_w:
        raise ImpossiblePowerError(f"a power of {found.value:g} W cannot be")
    return found


def _power(spec: DeviceSpec, heard: Heard) -> Sample | None:
    told, supplied = heard.get(Point.POWER), heard.get(Point.SUPPLIED)
    if told is not None and supplied is not None:
        return Sample(told.value - supplied.value, min(told.at, supplied.at))
    if told is not None:
        return told
    phases = _sum(heard, PHASE_POWERS)
    if phases is not None:
        return phases
    demand = heard.get(Point.DEMAND)
    return None if demand is None else Sample(demand.value * spec.max_w, demand.at)


def reading(
    spec: DeviceSpec,
    heard: Heard,
    settings: Settings,
    *,
    held: Settings | None,
    restricted: bool,
    suspect: frozenset[str] = frozenset(),
    inverted: bool = False,
) -> Reading:
    """Return what is known of a device as one reading.

    Args:
        spec: The device.
        heard: The last value of each point.
        settings: What it is set to.
        held: What its owner had set, while the hub holds it restricted; else None.
        restricted: Whether it is set as a restriction sets it.
        suspect: Attributes whose last value could not be.
        inverted: Whether it counts the other way round.

    Raises:
        NoPowerError: As `power`.
    """
    drawn = power(spec, heard)
    values = _values(heard)
    taken = {name: sample.at for name, sample in values.items() if sample.at < drawn.at}
    sign = -1.0 if inverted else 1.0
    import_wh, export_wh = (_value(values, name) for name in _PLAIN)
    if inverted:
        import_wh, export_wh = export_wh, import_wh
    reactive_var = _value(values, "reactive_var")
    return Reading(
        at=drawn.at,
        power_w=sign * drawn.value,
        reactive_var=None if reactive_var is None else sign * reactive_var,
        voltage_v=_value(values, "voltage_v"),
        frequency_hz=_value(values, "frequency_hz"),
        energy_import_wh=import_wh,
        energy_export_wh=export_wh,
        temp_c=_value(values, "temp_c"),
        connected=settings.on,
        wants_power=_wants(heard, settings, held),
        limit_w=0.0 if held is not None and restricted else None,
        phases=_phases(heard, sign),
        taken=taken,
        suspect=suspect,
    )


def _values(heard: Heard) -> dict[str, Sample]:
    """Return the samples behind a reading's attributes, by attribute."""
    values: dict[str, Sample] = {}
    for point in (Point.REACTIVE, Point.VOLTAGE, Point.FREQUENCY, Point.TEMPERATURE):
        if point in heard:
            values[point.value] = heard[point]
    if Point.VOLTAGE not in heard and Point.VOLTAGE_A in heard:
        values["voltage_v"] = heard[Point.VOLTAGE_A]
    for name, (whole, parts) in _PLAIN.items():
        found = heard.get(whole) or _sum(heard, parts)
        if found is not None:
            values[name] = found
    return values


def _wants(heard: Heard, settings: Settings, held: Settings | None) -> bool | None:
    """Return whether the device would consume if it were let."""
    temp, demand = heard.get(Point.TEMPERATURE), heard.get(Point.DEMAND)
    if held is not None and held.target_c is not None and temp is not None:
        return temp.value < held.target_c
    if demand is not None:
        return demand.value > 0
    if settings.on is False:
        return held is not None and held.on is not False
    return None


def _phases(heard: Heard, sign: float) -> tuple[PhaseReading, ...]:
    phases = [
        PhaseReading(
            sign * heard[watts].value if watts in heard else None,
            heard[volts].value if volts in heard else None,
        )
        for watts, volts in zip(PHASE_POWERS, PHASE_VOLTAGES, strict=True)
    ]
    while phases and phases[-1] == PhaseReading():
        phases.pop()
    return tuple(phases)


def _sum(heard: Heard, points: Sequence[Point]) -> Sample | None:
    """Return the sum of all points, as old as the oldest; None if one is missing."""
    found = [heard[point] for point in points if point in heard]
    if len(found) < len(points):
        return None
    return Sample(sum(s.value for s in found), min(s.at for s in found))


def _value(values: Mapping[str, Sample], name: str) -> float | None:
    return values[name].value if name in values else None
