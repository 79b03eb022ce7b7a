"""What a device says of itself: information, status, power, log (support resources)."""

from typing import Annotated, ClassVar

from hems.sep2.resources.base import Link, List, Resource, SubscribableList
from hems.sep2.resources.quantities import ActivePower, RealEnergy
from hems.sep2.resources.wire import (
    CSIPAUS_NS,
    Attribute,
    Bits32,
    Bits64,
    Extension,
    Hex160,
    Int8,
    Int16,
    Int64,
    Record,
    String32,
    String42,
    UInt8,
    UInt16,
    UInt32,
    record,
)

__all__ = [
    "ConnectionPoint",
    "DRLCCapabilities",
    "DeviceInformation",
    "DeviceStatus",
    "GPSLocationType",
    "LogEvent",
    "LogEventList",
    "PEVInfo",
    "PowerStatus",
    "SupportedLocale",
    "SupportedLocaleList",
    "Temperature",
]


@record
class DRLCCapabilities(Record):
    """Load-control abilities: average energy in an hour, greatest demand, options bitmap."""

    average_energy: Annotated[RealEnergy, "averageEnergy"]
    max_demand: Annotated[ActivePower, "maxDemand"]
    options_implemented: Annotated[Bits32, "optionsImplemented"]


@record
class GPSLocationType(Record):
    """Latitude and longitude in degrees, as decimal text."""

    lat: Annotated[String32, "lat"]
    lon: Annotated[String32, "lon"]


@record
class DeviceInformation(Resource):
    """Maker, model, versions and power source of a device; dates in UTC epoch seconds."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    connection_point_id: Annotated[String32 | None, "connectionPointID"] = None
    drlc_capabilities: Annotated[DRLCCapabilities | None, "DRLCCapabilities"] = None
    functions_implemented: Annotated[Bits64 | None, "functionsImplemented"] = None
    gps_location: Annotated[GPSLocationType | None, "gpsLocation"] = None
    lfdi: Annotated[Hex160, "lFDI"]
    mf_date: Annotated[Int64, "mfDate"]
    mf_hw_ver: Annotated[String32, "mfHwVer"]
    mf_id: Annotated[UInt32, "mfID"]
    mf_info: Annotated[String32 | None, "mfInfo"] = None
    mf_model: Annotated[String32, "mfModel"]
    mf_ser_num: Annotated[String32, "mfSerNum"]
    primary_power: Annotated[UInt8, "primaryPower"]
    secondary_power: Annotated[UInt8, "secondaryPower"]
    supported_locale_list_link: Annotated[Link | None, "SupportedLocaleListLink"] = None
    sw_act_time: Annotated[Int64, "swActTime"]
    sw_ver: Annotated[String32, "swVer"]


@record
class SupportedLocale(Resource):
    """A language that the device can speak, as a tag such as "en-AU"."""

    locale: Annotated[String42, "locale"]


@record
class SupportedLocaleList(List):
    """The languages that the device can speak."""

    supported_locale: Annotated[tuple[SupportedLocale, ...], "SupportedLocale"] = ()


@record
class Temperature(Record):
    """A temperature in degrees Celsius times 10^multiplier; `subject` says of what."""

    multiplier: Annotated[Int8, "multiplier"]
    subject: Annotated[UInt8, "subject"]
    value: Annotated[Int16, "value"]


@record
class DeviceStatus(Resource):
    """Operation of a device: `op_time` s in operation, `on_count` starts, `op_state`."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    changed_time: Annotated[Int64, "changedTime"]
    on_count: Annotated[UInt16 | None, "onCount"] = None
    op_state: Annotated[UInt8 | None, "opState"] = None
    op_time: Annotated[UInt32 | None, "opTime"] = None
    temperature: Annotated[tuple[Temperature, ...], "Temperature"] = ()
    time_link: Annotated[Link | None, "TimeLink"] = None


@record
class PEVInfo(Record):
    """Charge state and needs of an electric vehicle; times UTC epoch s, durations s."""

    charging_power_now: Annotated[ActivePower, "chargingPowerNow"]
    energy_request_now: Annotated[RealEnergy, "energyRequestNow"]
    max_forward_power: Annotated[ActivePower, "maxForwardPower"]
    minimum_charging_duration: Annotated[UInt32, "minimumChargingDuration"]
    target_state_of_charge: Annotated[UInt16, "targetStateOfCharge"]
    time_charge_is_needed: Annotated[Int64, "timeChargeIsNeeded"]
    time_charging_status_pev: Annotated[Int64, "timeChargingStatusPEV"]


@record
class PowerStatus(Resource):
    """Power supply of a device; charge in hundredths of a per cent, times in s."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    battery_status: Annotated[UInt8, "batteryStatus"]
    changed_time: Annotated[Int64, "changedTime"]
    current_power_source: Annotated[UInt8, "currentPowerSource"]
    estimated_charge_remaining: Annotated[UInt16 | None, "estimatedChargeRemaining"] = None
    estimated_time_remaining: Annotated[UInt32 | None, "estimatedTimeRemaining"] = None
    pev_info: Annotated[PEVInfo | None, "PEVInfo"] = None
    session_time_on_battery: Annotated[UInt32 | None, "sessionTimeOnBattery"] = None
    total_time_on_battery: Annotated[UInt32 | None, "totalTimeOnBattery"] = None


@record
class LogEvent(Resource):
    """An entry of a device's log: function set, code, running number, maker."""

    created_date_time: Annotated[Int64, "createdDateTime"]
    details: Annotated[String32 | None, "details"] = None
    extended_data: Annotated[UInt32 | None, "extendedData"] = None
    function_set: Annotated[UInt8, "functionSet"]
    log_event_code: Annotated[UInt8, "logEventCode"]
    log_event_id: Annotated[UInt16, "logEventID"]
    log_event_pen: Annotated[UInt32, "logEventPEN"]
    profile_id: Annotated[UInt8, "profileID"]


@record
class LogEventList(SubscribableList):
    """The log of a device, latest first."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    log_event: Annotated[tuple[LogEvent, ...], "LogEvent"] = ()


@record
class ConnectionPoint(Resource):
    """CSIP-AUS: the place in the network that the device is connected to (NMI)."""

    NAMESPACE: ClassVar[str] = CSIPAUS_NS

    connection_point_id: Annotated[String32, Extension("connectionPointId")]
