"""The form of a description's file: TOML, checked at this edge, and nowhere else.

Compiled into frozen records by `compiler`; docs/modbus-maps.md explains each key to people.
"""

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from der.drivers.mapped.meaning import LimitUnit
from der.drivers.mapped.points import Kind, Table
from der.drivers.mapped.steps import Feed, Quantity, When
from der.model import Alarm, DeviceKind, RunState

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Signed = Annotated[str, Field(pattern=r"^-?[a-z][a-z0-9_]{0,39}$")]
"""A point's name, with "-" before it for the other sign."""
Flagged = Annotated[str, Field(pattern=r"^!?[a-z][a-z0-9_]{0,39}$")]
"""A point's name, with "!" before it for the contrary."""
Words = Annotated[str, Field(min_length=1, max_length=400)]
Number = Annotated[float, Field(allow_inf_nan=False)]
TermsPart = Signed | Annotated[tuple[Signed, ...], Field(min_length=1)]

_PATTERN_BITS: Final = 64
_PHASES: Final = 3


class Part(BaseModel):
    """Base of all parts: strict keys, frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)


class BusPart(Part):
    """How the device wants to be asked."""

    port: int = Field(502, ge=1, le=65535)
    unit: int = Field(1, ge=0, le=255)
    most: int = Field(125, ge=1, le=125)
    """Most registers in one frame."""
    gap: int | None = Field(None, ge=0)
    """Most registers between two points that may be read along; none stands for any number."""
    word_order: Literal["big", "little"] = "big"
    byte_order: Literal["big", "little"] = "big"
    single: bool = False
    """One register is written by function 6 and not by function 16."""


class PointPart(Part):
    """A value of the device."""

    table: Table = Table.HOLDING
    address: int = Field(ge=0, le=65535)
    type: Kind | None = None
    length: int | None = Field(None, ge=1, le=125)
    scale: Number = Field(1.0, ge=-1e12, le=1e12)
    offset: Number = 0.0
    exponent: Name | None = None
    word_order: Literal["big", "little"] | None = None
    byte_order: Literal["big", "little"] | None = None
    bits: tuple[int, int] | None = None
    """Lowest bit and number of bits of a bit field."""
    invalid: int | tuple[int, ...] = ()
    absent: Number | None = None
    low: Number | None = None
    high: Number | None = None
    takes: tuple[Number, Number] | None = None
    """Least and greatest number that a set-point may bring here."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        kind = Kind.BIT if self.type is None and self.table.of_bits else self.type
        if kind is None:
            raise ValueError("a register needs a type")
        if self.table.of_bits is not (kind is Kind.BIT):
            raise ValueError(f"a {self.table} cannot be a {kind}")
        if (kind is Kind.TEXT) is not (self.length is not None):
            raise ValueError("length goes with the type text, and only with it")
        if self.address + (self.length or kind.size) > 65536:  # noqa: PLR2004 - all there are
            raise ValueError("it ends beyond address 65535")
        if abs(self.scale) < 1e-12:  # noqa: PLR2004 - as the bounds of the field
            raise ValueError("a scale of 0 makes every value the same")
        if self.absent is not None and self.invalid == ():
            raise ValueError("absent is what the patterns of invalid stand for, and there are none")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"low {self.low:g} is not below high {self.high:g}")
        if self.takes is not None and self.takes[0] >= self.takes[1]:
            raise ValueError(f"takes {self.takes[0]:g} to {self.takes[1]:g}, which is nothing")
        return self

    @model_validator(mode="after")
    def _field(self) -> Self:
        if self.bits is None:
            return self
        first, count = self.bits
        if self.type is None or self.type.floating or self.type.signed or self.type is Kind.TEXT:
            raise ValueError("bits are of an unsigned number")
        if first < 0 or count < 1 or first + count > self.type.size * 16:
            raise ValueError(f"bits {first} to {first + count - 1} are not in a {self.type}")
        return self

    @field_validator("invalid", mode="after")
    @classmethod
    def _as_pattern(cls, value: int | tuple[int, ...]) -> tuple[int, ...]:
        patterns = value if isinstance(value, tuple) else (value,)
        if any(not 0 <= pattern < 1 << _PATTERN_BITS for pattern in patterns):
            raise ValueError("is the unsigned pattern of the registers, such as 0x8000")
        return patterns


class ConditionPart(Part):
    """Something that is so or not."""

    point: Name
    among: tuple[Number, ...] = Field((), alias="is")
    above: Number | None = None
    below: Number | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if bool(self.among) is (self.above is not None or self.below is not None):
            raise ValueError("give `is`, or `above` and `below`")
        return self


AnyCondition = Flagged | ConditionPart


class AssumedPart(Part):
    """The power of a device that does not measure it."""

    assume: Literal["rating"]
    when: AnyCondition | None = None


class LimitPart(Part):
    """A limit that the device says is in force."""

    point: TermsPart | None = None
    value: Number | None = None
    factor: Number = 1.0
    unit: LimitUnit = LimitUnit.WATTS
    of: Name | None = None
    when: AnyCondition | tuple[AnyCondition, ...] = ()

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.point is None) is (self.value is None):
            raise ValueError("give one of `point` and `value`")
        return self


class PhasePart(Part):
    """One phase."""

    power_w: TermsPart | None = None
    voltage_v: TermsPart | None = None


class StatePart(Part):
    """What the device says that it does."""

    point: Name
    states: dict[int, RunState] = Field(min_length=1)


class AlarmPart(Part):
    """A complaint of the device."""

    alarm: Alarm
    when: AnyCondition


class ReadPart(Part):
    """What makes a reading; each key is an attribute of `der.model.Reading`."""

    power_w: TermsPart | AssumedPart
    reactive_var: TermsPart | None = None
    voltage_v: TermsPart | None = None
    frequency_hz: TermsPart | None = None
    grid_voltage_v: TermsPart | None = None
    grid_frequency_hz: TermsPart | None = None
    angle_deg: TermsPart | None = None
    energy_import_wh: TermsPart | None = None
    energy_export_wh: TermsPart | None = None
    soc: TermsPart | None = None
    capacity_wh: TermsPart | None = None
    temp_c: TermsPart | None = None
    connected: AnyCondition | None = None
    wants_power: AnyCondition | None = None
    forming: AnyCondition | None = None
    limit_w: tuple[LimitPart, ...] = ()
    phases: tuple[PhasePart, ...] = Field((), max_length=_PHASES)
    state: StatePart | None = None
    alarms: tuple[AlarmPart, ...] | None = None


class IdentifyPart(Part):
    """Points that name the device."""

    manufacturer: Name | None = None
    model: Name | None = None
    serial: Name | None = None
    firmware: Name | None = None


class StepPart(Part):
    """One write."""

    point: Name
    value: Number | Quantity
    factor: Number = 1.0
    per: Name | None = None
    when: When = When.ALWAYS
    below: Number | None = None
    otherwise: Number | None = None
    only_changes: bool = False
    verify: bool = True


class RequirePart(Part):
    """What must be set at the device by hand."""

    when: AnyCondition
    why: Words


class ExpiryPart(Part):
    """What ends a set-point when the hub falls silent."""

    kind: Literal["reversion", "auto-off", "watchdog", "guard", "holds"]
    safe: Words
    risk: str = ""
    timeout_s: Number = Field(0.0, ge=0, le=86_400)
    feed: Feed = Feed.REQUEST
    every_s: Number = Field(0.0, ge=0, le=3_600)


Sequence = tuple[StepPart, ...]


class ControlPart(Part):
    """How the device is controlled."""

    expiry: ExpiryPart
    set: Sequence = ()
    safe: Sequence = ()
    prepare: Sequence = ()
    require: tuple[RequirePart, ...] = ()
    connect: Sequence = ()
    disconnect: Sequence = ()
    reset: Sequence = ()
    form: Sequence = ()
    follow: Sequence = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.expiry.kind == "holds":
            if self.set or self.safe:
                raise ValueError("what holds its position takes no set-points: no set, no safe")
        elif not self.set or not self.safe:
            raise ValueError(f"{'safe' if self.set else 'set'} is missing or empty")
        if bool(self.form) is not bool(self.follow):
            raise ValueError("form and follow belong together")
        return self


class FilePart(Part):
    """A description."""

    title: Words
    manufacturer: Words
    model: str = ""
    kinds: tuple[DeviceKind, ...] = Field(min_length=1)
    source: Words
    firmware: str = ""
    bus: BusPart = BusPart()
    points: dict[Name, PointPart] = Field(min_length=1, max_length=500)
    read: ReadPart
    identify: IdentifyPart = IdentifyPart()
    control: ControlPart | None = None
