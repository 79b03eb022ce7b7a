"""Payloads of IEC 61968-5: groups of devices, what they are to do and how they stand."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from hems.headend.cim.binding import At
from hems.headend.cim.scalars import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class NameType:
    """What kind of name it is."""

    name: Annotated[str, At("name")]
    description: Annotated[str | None, At("description")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A name of an object."""

    name: Annotated[str, At("name")]
    name_type: Annotated[NameType | None, At("NameType")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndDevice:
    """A home's gateway; its mRID is the LFDI."""

    mrid: Annotated[str | None, At("mRID")] = None
    names: Annotated[tuple[Name, ...], At("Names")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How something stands."""

    at: Annotated[float | None, Instant(), At("dateTime")] = None
    reason: Annotated[str | None, At("reason")] = None
    remark: Annotated[str | None, At("remark")] = None
    value: Annotated[str | None, At("value")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceGroup:
    """A group and all its devices."""

    mrid: Annotated[str | None, At("mRID")] = None
    description: Annotated[str | None, At("description")] = None
    devices: Annotated[tuple[EndDevice, ...], At("EndDevices")] = ()
    names: Annotated[tuple[Name, ...], At("Names")] = ()
    type: Annotated[str | None, At("type")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DERGroups:
    """Groups, to be made, changed, deleted or as they are."""

    groups: Annotated[tuple[DeviceGroup, ...], At("EndDeviceGroup")]


class Parameter(StrEnum):
    """What of a group is asked or told."""

    ACTIVE_POWER = "activePower"
    REACTIVE_POWER = "reactivePower"
    APPARENT_POWER = "apparentPower"
    VOLTAGE = "voltage"
    INCREASING_RAMP_RATE = "increasingRampRate"
    DECREASING_RAMP_RATE = "decreasingRampRate"
    STATE_OF_CHARGE = "stateOfCharge"


class Direction(StrEnum):
    """Way of the energy: forward is from the grid to the home, reverse to the grid."""

    FORWARD = "forward"
    REVERSE = "reverse"


class Multiplier(StrEnum):
    """Power of ten before a unit."""

    NONE = "none"
    KILO = "k"
    MEGA = "M"

    @property
    def factor(self) -> float:
        """By what a value is multiplied."""
        return {"none": 1.0, "k": 1e3, "M": 1e6}[self.value]


class Unit(StrEnum):
    """Unit of a value."""

    WATT = "W"
    VAR = "VAr"
    VOLT_AMPERE = "VA"
    VOLT = "V"


class CurveStyle(StrEnum):
    """What holds between the points of a curve."""

    CONSTANT = "constantYValue"
    STRAIGHT = "straightLineYValues"


class TimeUnit(StrEnum):
    """Unit of an interval's length."""

    SECOND = "s"
    MINUTE = "m"
    HOUR = "h"
    DAY = "D"

    @property
    def seconds(self) -> int:
        """How long it is."""
        return {"s": 1, "m": 60, "h": 3600, "D": 86400}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """What is asked in one interval, counted from 1: at most, at least, just this."""

    interval: Annotated[int, At("intervalNumber")]
    most: Annotated[float | None, At("maxYValue")] = None
    least: Annotated[float | None, At("minYValue")] = None
    nominal: Annotated[float | None, At("nominalYValue")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Intervals of one length behind one another."""

    confidence: Annotated[float | None, At("confidence")] = None
    style: Annotated[CurveStyle, At("curveStyleKind")] = CurveStyle.CONSTANT
    intervals: Annotated[int | None, At("numberOfIntervals")] = None
    start: Annotated[float, Instant(), At("startTime")]
    duration: Annotated[int, At("timeIntervalDuration")]
    unit: Annotated[TimeUnit, At("timeIntervalUnit")]
    points: Annotated[tuple[CurvePoint, ...], At("DERCurveData")]


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchParameter:
    """One quantity that is asked of a group as a whole."""

    parameter: Annotated[Parameter, At("DERParameter")]
    direction: Annotated[Direction | None, At("flowDirection")] = None
    multiplier: Annotated[Multiplier, At("yMultiplier")]
    unit: Annotated[Unit, At("yUnit")]
    schedules: Annotated[tuple[Schedule, ...], At("DispatchSchedule")]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupAsked:
    """A group by mRID or name, and what is asked of it."""

    mrid: Annotated[str | None, At("mRID")] = None
    parameters: Annotated[tuple[DispatchParameter, ...], At("DERMonitorableParameter")]
    names: Annotated[tuple[Name, ...], At("Names")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDispatch:
    """An order to one group."""

    mrid: Annotated[str | None, At("mRID")] = None
    group: Annotated[GroupAsked, At("EndDeviceGroup")]
    names: Annotated[tuple[Name, ...], At("Names")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DERGroupDispatches:
    """Orders to groups."""

    dispatches: Annotated[tuple[GroupDispatch, ...], At("DERGroupDispatch")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A value and its time."""

    nominal: Annotated[float, At("nominalYValue")]
    at: Annotated[float, Instant(), At("timeStamp")]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusParameter:
    """One quantity that a group as a whole shows."""

    parameter: Annotated[Parameter, At("DERParameter")]
    direction: Annotated[Direction | None, At("flowDirection")] = None
    multiplier: Annotated[Multiplier, At("yMultiplier")]
    unit: Annotated[Unit, At("yUnit")]
    value: Annotated[Measured, At("DERCurveData")]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupStanding:
    """A group and what it shows."""

    mrid: Annotated[str, At("mRID")]
    parameters: Annotated[tuple[StatusParameter, ...], At("DERMonitorableParameter")] = ()
    names: Annotated[tuple[Name, ...], At("Names")] = ()
    status: Annotated[Status | None, At("status")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DERGroupStatuses:
    """How groups stand."""

    groups: Annotated[tuple[GroupStanding, ...], At("EndDeviceGroup")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupNamed:
    """A group by mRID or name."""

    mrid: Annotated[str | None, At("mRID")] = None
    names: Annotated[tuple[Name, ...], At("Names")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DERGroupQueries:
    """Which groups are asked for; all where none is named."""

    groups: Annotated[tuple[GroupNamed, ...], At("EndDeviceGroup")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DERGroupStatusQueries:
    """Of which groups the status is asked for; of all where none is named."""

    groups: Annotated[tuple[GroupNamed, ...], At("EndDeviceGroup")] = ()
