"""What an OCPP 1.6 charger's MeterValues say, in SI units. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NotRequired, TypedDict

_DEFAULT_MEASURAND: Final = "Energy.Active.Import.Register"
_PHASES: Final = frozenset({"L1", "L2", "L3", "L1-N", "L2-N", "L3-N"})
_UNITS: Final[Mapping[str, float]] = {"kW": 1e3, "kWh": 1e3, "kVA": 1e3, "Percent": 0.01}
_ELSEWHERE: Final = frozenset({"Inlet", "Body", "Cable"})


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


@dataclass(frozen=True, slots=True)
class MeterSample:
    """The newest values of a charger; None where it sent none.

    Attributes:
        at: When the power was received, UTC epoch seconds.
        power_w: Active power drawn.
        energy_wh: Running total drawn.
        soc: The car's state of charge, 0 to 1.
        voltage_v: Phase to neutral, mean of the phases.
        offered_w: The power that the charger allows the car.
    """

    at: float
    power_w: float | None = None
    energy_wh: float | None = None
    soc: float | None = None
    voltage_v: float | None = None
    offered_w: float | None = None


def parse_meter_values(
    values: Sequence[MeterValue], at: float, nominal_v: float, before: MeterSample | None = None
) -> MeterSample | None:
    """Read one MeterValues message.

    Args:
        values: The message's `meterValue`.
        at: When it was received, UTC epoch seconds.
        nominal_v: Phase voltage for chargers that send currents and no voltage.
        before: The sample before, for what this message leaves out (power excepted).

    Returns:
        The newest sample; None if no value of it can be used and there was none before.
    """
    found: dict[str, dict[str, float]] = {}
    for value in values:  # in the order they were taken: the last one stays
        for sampled in value["sampled_value"]:
            number = _number(sampled)
            if number is not None and sampled.get("location") not in _ELSEWHERE:
                measurand = sampled.get("measurand", _DEFAULT_MEASURAND)
                found.setdefault(measurand, {})[sampled.get("phase", "")] = number
    voltage_v = _mean(found.get("Voltage"))
    volts = voltage_v or nominal_v
    power_w = _total(found.get("Power.Active.Import"))
    if power_w is None:
        power_w = _times(_total(found.get("Current.Import")), volts)
    offered_w = _total(found.get("Power.Offered"))
    old = before or MeterSample(at)
    if power_w is None and not found:
        return before
    return MeterSample(
        at=at if power_w is not None else old.at,
        power_w=old.power_w if power_w is None else power_w,
        energy_wh=_or(_total(found.get(_DEFAULT_MEASURAND)), old.energy_wh),
        soc=_or(_share(found.get("SoC")), old.soc),
        voltage_v=_or(voltage_v, old.voltage_v),
        offered_w=_or(offered_w, old.offered_w),
    )


def _number(sampled: SampledValue) -> float | None:
    try:
        number = float(sampled["value"])
    except ValueError:
        return None  # signed data and free text are allowed here, and not for us
    # The unit is optional, and a state of charge without one counts in percent.
    default = "Percent" if sampled.get("measurand") == "SoC" else ""
    factor = _UNITS.get(sampled.get("unit", default), 1.0)
    return number * factor if math.isfinite(number) else None


def _total(phases: Mapping[str, float] | None) -> float | None:
    """The value for all phases, or else the sum of those given singly."""
    if not phases:
        return None
    if "" in phases:
        return phases[""]
    single = [number for phase, number in phases.items() if phase in _PHASES]
    return sum(single) if single else None


def _mean(phases: Mapping[str, float] | None) -> float | None:
    if not phases:
        return None
    if "" in phases:
        return phases[""]
    single = [number for phase, number in phases.items() if phase in _PHASES]
    return sum(single) / len(single) if single else None


def _share(phases: Mapping[str, float] | None) -> float | None:
    number = _total(phases)
    return None if number is None else min(1.0, max(0.0, number))


def _times(amperes: float | None, volts: float) -> float | None:
    return None if amperes is None else amperes * volts


def _or(new: float | None, old: float | None) -> float | None:
    return old if new is None else new
