"""Physical quantities: a whole number times a power of ten, in the SI unit of the type."""

import math
from typing import Annotated, Self, get_args, get_type_hints

from hems.sep2.resources.wire import (
    Attribute,
    Int8,
    Int16,
    Int32,
    Int48,
    Integer,
    Record,
    UInt8,
    UInt16,
    UInt48,
    record,
)

__all__ = [
    "ActivePower",
    "ActivePowerDelta",
    "AmpereHour",
    "ApparentPower",
    "CurrentRMS",
    "FixedVar",
    "PowerFactor",
    "PowerFactorWithExcitation",
    "ReactivePower",
    "ReactivePowerDelta",
    "ReactiveSusceptance",
    "RealEnergy",
    "Scaled",
    "SignedRealEnergy",
    "UnitValueType",
    "UnsignedActivePower",
    "UnsignedFixedVar",
    "UnsignedReactivePower",
    "VoltageRMS",
    "WattHour",
]

_LEAST_MULTIPLIER = -3
"""Nothing in a home is told finer than in thousandths."""


@record
class Scaled(Record):
    """What the quantities share; each declares `value` again with its own range."""

    multiplier: Annotated[Int8, "multiplier"]
    value: Annotated[Int48, "value"]

    @property
    def amount(self) -> float:
        """The quantity in the unit of its type."""
        # Dividing by a whole power of ten rounds once; multiplying by 0.1 would round twice.
        if self.multiplier < 0:
            return float(self.value / 10**-self.multiplier)
        return float(self.value * 10**self.multiplier)

    @classmethod
    def of(cls, amount: float) -> Self:
        """Return the quantity nearest to an amount in the unit of the type.

        The multiplier is 0 where a whole number fits, negative (to thousandths) for fractions
        and positive for what is greater than the type's integer.

        Raises:
            ValueError: If the amount is not finite, or negative where the type has no sign.
        """
        least, most = _range(cls)
        if not math.isfinite(amount) or amount < 0 <= least:
            raise ValueError(f"{cls.__name__} cannot be {amount}")
        multiplier = 0
        while not least <= round(amount / 10**multiplier) <= most:
            multiplier += 1
        while multiplier > _LEAST_MULTIPLIER and multiplier <= 0:
            scale = 10**-multiplier
            if round(amount * scale) == amount * scale or not (
                least <= round(amount * scale * 10) <= most
            ):
                break
            multiplier -= 1
        value = round(amount * 10**-multiplier if multiplier <= 0 else amount / 10**multiplier)
        return cls(multiplier=multiplier, value=value)


_ranges: dict[type[Scaled], tuple[int, int]] = {}


def _range(cls: type[Scaled]) -> tuple[int, int]:
    """Return the least and the greatest value that the type can carry."""
    if cls not in _ranges:
        hint = get_type_hints(cls, include_extras=True)["value"]
        integer = next(a for a in get_args(hint) if isinstance(a, Integer))
        _ranges[cls] = (integer.least, integer.most)
    return _ranges[cls]


@record
class ActivePower(Scaled):
    """Active power."""

    value: Annotated[Int16, "value"]

    @property
    def watts(self) -> float:
        """The quantity in W."""
        return self.amount


@record
class UnsignedActivePower(Scaled):
    """Magnitude of an active power (2023)."""

    value: Annotated[UInt16, "value"]

    @property
    def watts(self) -> float:
        """The quantity in W."""
        return self.amount


@record
class ActivePowerDelta(Scaled):
    """Change of active power (2023); `bidirectional` lets it cross zero."""

    value: Annotated[Int16, "value"]
    bidirectional: Annotated[UInt8 | None, Attribute("bidirectional")] = None

    @property
    def watts(self) -> float:
        """The quantity in W."""
        return self.amount


@record
class ReactivePower(Scaled):
    """Reactive power."""

    value: Annotated[Int16, "value"]

    @property
    def vars(self) -> float:
        """The quantity in var."""
        return self.amount


@record
class UnsignedReactivePower(Scaled):
    """Magnitude of a reactive power (2023)."""

    value: Annotated[UInt16, "value"]

    @property
    def vars(self) -> float:
        """The quantity in var."""
        return self.amount


@record
class ReactivePowerDelta(Scaled):
    """Change of reactive power (2023); `bidirectional` lets it cross zero."""

    value: Annotated[Int16, "value"]
    bidirectional: Annotated[UInt8 | None, Attribute("bidirectional")] = None

    @property
    def vars(self) -> float:
        """The quantity in var."""
        return self.amount


@record
class ApparentPower(Scaled):
    """Apparent power."""

    value: Annotated[UInt16, "value"]

    @property
    def volt_amperes(self) -> float:
        """The quantity in VA."""
        return self.amount


@record
class CurrentRMS(Scaled):
    """Current, root mean square."""

    value: Annotated[UInt16, "value"]

    @property
    def amperes(self) -> float:
        """The quantity in A."""
        return self.amount


@record
class VoltageRMS(Scaled):
    """Voltage, root mean square."""

    value: Annotated[UInt16, "value"]

    @property
    def volts(self) -> float:
        """The quantity in V."""
        return self.amount


@record
class AmpereHour(Scaled):
    """Charge."""

    value: Annotated[UInt16, "value"]

    @property
    def ampere_hours(self) -> float:
        """The quantity in Ah."""
        return self.amount


@record
class WattHour(Scaled):
    """Energy capacity."""

    value: Annotated[UInt16, "value"]

    @property
    def watt_hours(self) -> float:
        """The quantity in Wh."""
        return self.amount


@record
class ReactiveSusceptance(Scaled):
    """Susceptance."""

    value: Annotated[UInt16, "value"]

    @property
    def siemens(self) -> float:
        """The quantity in S."""
        return self.amount


@record
class RealEnergy(Scaled):
    """Real energy."""

    value: Annotated[UInt48, "value"]

    @property
    def watt_hours(self) -> float:
        """The quantity in Wh."""
        return self.amount


@record
class SignedRealEnergy(Scaled):
    """Real energy with a sign."""

    value: Annotated[Int48, "value"]

    @property
    def watt_hours(self) -> float:
        """The quantity in Wh."""
        return self.amount


@record
class PowerFactor(Record):
    """Displacement power factor."""

    displacement: Annotated[UInt16, "displacement"]
    multiplier: Annotated[Int8, "multiplier"]


@record
class PowerFactorWithExcitation(Record):
    """Displacement power factor; `excitation` true is under-excited (absorbing var)."""

    displacement: Annotated[UInt16, "displacement"]
    excitation: Annotated[bool, "excitation"]
    multiplier: Annotated[Int8, "multiplier"]


@record
class FixedVar(Record):
    """Reactive power in hundredths of a per cent of what `ref_type` names."""

    ref_type: Annotated[UInt8, "refType"]
    value: Annotated[Int16, "value"]


@record
class UnsignedFixedVar(Record):
    """Magnitude of reactive power in hundredths of a per cent of what `ref_type` names (2023)."""

    ref_type: Annotated[UInt8, "refType"]
    value: Annotated[UInt16, "value"]


@record
class UnitValueType(Record):
    """A value times 10^multiplier in the unit that `unit` (UomType) names."""

    multiplier: Annotated[Int8, "multiplier"]
    unit: Annotated[UInt8, "unit"]
    value: Annotated[Int32, "value"]
