"""Payloads of IEC 61968-9: readings, controls of end devices, what end devices tell."""

from dataclasses import dataclass
from typing import Annotated

from hems.headend.cim.binding import At, Place
from hems.headend.cim.der import EndDevice, GroupNamed, Name
from hems.headend.cim.scalars import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """A type by its code."""

    ref: Annotated[str, At("ref", Place.ATTRIBUTE)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From when to when, epoch s; open where nothing is said."""

    end: Annotated[float | None, Instant(), At("end")] = None
    start: Annotated[float | None, Instant(), At("start")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A value, at the end of its interval where it has one."""

    at: Annotated[float, Instant(), At("timeStamp")]
    value: Annotated[float, At("value")]
    period: Annotated[Span | None, At("timePeriod")] = None
    type: Annotated[Ref, At("ReadingType")]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterReading:
    """Readings of one home."""

    meter: Annotated[EndDevice, At("Meter")]
    readings: Annotated[tuple[Reading, ...], At("Readings")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterReadings:
    """Readings."""

    readings: Annotated[tuple[MeterReading, ...], At("MeterReading")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSchedule:
    """Of which time something is asked for."""

    span: Annotated[Span, At("scheduleInterval")]


@dataclass(frozen=True, slots=True, kw_only=True)
class GetMeterReadings:
    """Which readings are asked for; all that is not said is open."""

    devices: Annotated[tuple[EndDevice, ...], At("EndDevice")] = ()
    groups: Annotated[tuple[GroupNamed, ...], At("EndDeviceGroup")] = ()
    types: Annotated[tuple[Ref, ...], At("ReadingType")] = ()
    schedules: Annotated[tuple[TimeSchedule, ...], At("TimeSchedule")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandResponse:
    """What loads are asked: minutes, K, per cent."""

    command: Annotated[str | None, At("command")] = None
    duration_min: Annotated[float | None, At("duration")] = None
    indefinite: Annotated[bool | None, At("durationIndefinite")] = None
    start: Annotated[float | None, Instant(), At("startDateTime")] = None
    load_percent: Annotated[float | None, At("avgLoadAdjustment")] = None
    cooling_k: Annotated[float | None, At("coolingOffset")] = None
    duty_percent: Annotated[float | None, At("dutyCycle")] = None
    heating_k: Annotated[float | None, At("heatingOffset")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndDeviceControl:
    """What devices, by themselves or by groups, are to do."""

    mrid: Annotated[str | None, At("mRID")] = None
    mandatory: Annotated[bool | None, At("drProgramMandatory")] = None
    issuer: Annotated[str | None, At("issuerID")] = None
    tracking: Annotated[str | None, At("issuerTrackingID")] = None
    reason: Annotated[str | None, At("reason")] = None
    demand_response: Annotated[DemandResponse | None, At("PanDemandResponse")] = None
    type: Annotated[Ref | None, At("EndDeviceControlType")] = None
    groups: Annotated[tuple[GroupNamed, ...], At("EndDeviceGroups")] = ()
    devices: Annotated[tuple[EndDevice, ...], At("EndDevices")] = ()
    span: Annotated[Span | None, At("scheduledInterval")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndDeviceControls:
    """Controls, to be made or cancelled, or that were."""

    controls: Annotated[tuple[EndDeviceControl, ...], At("EndDeviceControl")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """The device that an event is about."""

    mrid: Annotated[str, At("mRID")]
    names: Annotated[tuple[Name, ...], At("Names")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """A further value of an event."""

    name: Annotated[str, At("name")]
    value: Annotated[str | None, At("value")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndDeviceEvent:
    """What a device tells; `tracking` is the control that it speaks of."""

    mrid: Annotated[str | None, At("mRID")] = None
    created: Annotated[float, Instant(), At("createdDateTime")]
    issuer: Annotated[str | None, At("issuerID")] = None
    tracking: Annotated[str | None, At("issuerTrackingID")] = None
    reason: Annotated[str | None, At("reason")] = None
    severity: Annotated[str | None, At("severity")] = None
    asset: Annotated[Asset, At("Assets")]
    details: Annotated[tuple[Detail, ...], At("EndDeviceEventDetails")] = ()
    type: Annotated[Ref, At("EndDeviceEventType")]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndDeviceEvents:
    """What devices tell."""

    events: Annotated[tuple[EndDeviceEvent, ...], At("EndDeviceEvent")] = ()
