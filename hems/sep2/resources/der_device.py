"""A DER as it describes itself: ratings, settings, status, availability."""

from typing import Annotated

from hems.sep2.resources.base import Link, List, Resource, SubscribableResource
from hems.sep2.resources.quantities import (
    ActivePower,
    AmpereHour,
    ApparentPower,
    CurrentRMS,
    PowerFactor,
    ReactivePower,
    ReactiveSusceptance,
    UnsignedActivePower,
    UnsignedReactivePower,
    VoltageRMS,
    WattHour,
)
from hems.sep2.resources.wire import (
    STORAGE_NS,
    Attribute,
    Bits8,
    Bits32,
    Extension,
    Int16,
    Int64,
    Record,
    String6,
    UInt8,
    UInt16,
    UInt32,
    record,
)

__all__ = [
    "DER",
    "ConnectStatusType",
    "ConnectStatusType2",
    "DERAvailability",
    "DERCapability",
    "DERList",
    "DERSettings",
    "DERStatus",
    "InverterStatusType",
    "LocalControlModeStatusType",
    "ManufacturerStatusType",
    "OperationalModeStatusType",
    "StateOfChargeStatusType",
    "StorageModeStatusType",
]


@record
class DER(SubscribableResource):
    """One distributed energy resource of a device: links to what it says of itself."""

    associated_der_program_list_link: Annotated[Link | None, "AssociatedDERProgramListLink"] = None
    associated_usage_point_link: Annotated[Link | None, "AssociatedUsagePointLink"] = None
    current_der_controls_link: Annotated[Link | None, "CurrentDERControlsLink"] = None
    current_der_program_link: Annotated[Link | None, "CurrentDERProgramLink"] = None
    der_availability_link: Annotated[Link | None, "DERAvailabilityLink"] = None
    der_capability_link: Annotated[Link | None, "DERCapabilityLink"] = None
    der_component_list_link: Annotated[Link | None, "DERComponentListLink"] = None
    der_settings_link: Annotated[Link | None, "DERSettingsLink"] = None
    der_status_link: Annotated[Link | None, "DERStatusLink"] = None


@record
class DERList(List):
    """The DERs of a device."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    der: Annotated[tuple[DER, ...], "DER"] = ()


@record
class DERCapability(Resource):
    """Nameplate ratings of a DER; `modes_supported` is a bitmap of control modes."""

    modes_supported: Annotated[Bits32, "modesSupported"]
    modes_supported2: Annotated[Bits32 | None, "modesSupported2"] = None
    rtg_abnormal_category: Annotated[UInt8 | None, "rtgAbnormalCategory"] = None
    rtg_max_a: Annotated[CurrentRMS | None, "rtgMaxA"] = None
    rtg_max_ah: Annotated[AmpereHour | None, "rtgMaxAh"] = None
    rtg_max_charge_rate_va: Annotated[ApparentPower | None, "rtgMaxChargeRateVA"] = None
    rtg_max_charge_rate_w: Annotated[ActivePower | None, "rtgMaxChargeRateW"] = None
    rtg_max_discharge_rate_va: Annotated[ApparentPower | None, "rtgMaxDischargeRateVA"] = None
    rtg_max_discharge_rate_w: Annotated[ActivePower | None, "rtgMaxDischargeRateW"] = None
    rtg_max_v: Annotated[VoltageRMS | None, "rtgMaxV"] = None
    rtg_max_va: Annotated[ApparentPower | None, "rtgMaxVA"] = None
    rtg_max_var: Annotated[ReactivePower | None, "rtgMaxVar"] = None
    rtg_max_var_neg: Annotated[ReactivePower | None, "rtgMaxVarNeg"] = None
    rtg_max_w: Annotated[ActivePower, "rtgMaxW"]
    rtg_max_wh: Annotated[WattHour | None, "rtgMaxWh"] = None
    rtg_min_pf_over_excited: Annotated[PowerFactor | None, "rtgMinPFOverExcited"] = None
    rtg_min_pf_under_excited: Annotated[PowerFactor | None, "rtgMinPFUnderExcited"] = None
    rtg_min_v: Annotated[VoltageRMS | None, "rtgMinV"] = None
    rtg_normal_category: Annotated[UInt8 | None, "rtgNormalCategory"] = None
    rtg_over_excited_pf: Annotated[PowerFactor | None, "rtgOverExcitedPF"] = None
    rtg_over_excited_w: Annotated[ActivePower | None, "rtgOverExcitedW"] = None
    rtg_reactive_susceptance: Annotated[ReactiveSusceptance | None, "rtgReactiveSusceptance"] = None
    rtg_under_excited_pf: Annotated[PowerFactor | None, "rtgUnderExcitedPF"] = None
    rtg_under_excited_w: Annotated[ActivePower | None, "rtgUnderExcitedW"] = None
    rtg_v_nom: Annotated[VoltageRMS | None, "rtgVNom"] = None
    type: Annotated[UInt8, "type"]
    doe_modes_supported: Annotated[Bits8 | None, Extension("doeModesSupported")] = None
    vpp_modes_supported: Annotated[Bits8 | None, Extension("vppModesSupported", STORAGE_NS)] = None


@record
class DERSettings(SubscribableResource):
    """Settings of a DER as its owner or installer chose them, within its ratings."""

    modes_enabled: Annotated[Bits32 | None, "modesEnabled"] = None
    modes_enabled2: Annotated[Bits32 | None, "modesEnabled2"] = None
    set_es_delay: Annotated[UInt32 | None, "setESDelay"] = None
    set_es_high_freq: Annotated[UInt16 | None, "setESHighFreq"] = None
    set_es_high_volt: Annotated[Int16 | None, "setESHighVolt"] = None
    set_es_low_freq: Annotated[UInt16 | None, "setESLowFreq"] = None
    set_es_low_volt: Annotated[Int16 | None, "setESLowVolt"] = None
    set_es_ramp_tms: Annotated[UInt32 | None, "setESRampTms"] = None
    set_es_random_delay: Annotated[UInt32 | None, "setESRandomDelay"] = None
    set_grad_w: Annotated[UInt16, "setGradW"]
    set_max_a: Annotated[CurrentRMS | None, "setMaxA"] = None
    set_max_ah: Annotated[AmpereHour | None, "setMaxAh"] = None
    set_max_charge_rate_va: Annotated[ApparentPower | None, "setMaxChargeRateVA"] = None
    set_max_charge_rate_w: Annotated[ActivePower | None, "setMaxChargeRateW"] = None
    set_max_discharge_rate_va: Annotated[ApparentPower | None, "setMaxDischargeRateVA"] = None
    set_max_discharge_rate_w: Annotated[ActivePower | None, "setMaxDischargeRateW"] = None
    set_max_v: Annotated[VoltageRMS | None, "setMaxV"] = None
    set_max_va: Annotated[ApparentPower | None, "setMaxVA"] = None
    set_max_var: Annotated[ReactivePower | None, "setMaxVar"] = None
    set_max_var_neg: Annotated[ReactivePower | None, "setMaxVarNeg"] = None
    set_max_w: Annotated[ActivePower, "setMaxW"]
    set_max_wh: Annotated[WattHour | None, "setMaxWh"] = None
    set_min_pf_over_excited: Annotated[PowerFactor | None, "setMinPFOverExcited"] = None
    set_min_pf_under_excited: Annotated[PowerFactor | None, "setMinPFUnderExcited"] = None
    set_min_v: Annotated[VoltageRMS | None, "setMinV"] = None
    set_soft_grad_w: Annotated[UInt16 | None, "setSoftGradW"] = None
    set_v_nom: Annotated[VoltageRMS | None, "setVNom"] = None
    set_v_ref: Annotated[VoltageRMS | None, "setVRef"] = None
    set_v_ref_ofs: Annotated[VoltageRMS | None, "setVRefOfs"] = None
    updated_time: Annotated[Int64, "updatedTime"]
    doe_modes_enabled: Annotated[Bits8 | None, Extension("doeModesEnabled")] = None
    vpp_modes_enabled: Annotated[Bits8 | None, Extension("vppModesEnabled", STORAGE_NS)] = None
    set_min_wh: Annotated[WattHour | None, Extension("setMinWh", STORAGE_NS)] = None


@record
class ConnectStatusType(Record):
    """Connection bitmap (0 connected, 1 available, 2 operating, 3 test, 4 fault) and time."""

    date_time: Annotated[Int64, "dateTime"]
    value: Annotated[Bits8, "value"]


@record
class ConnectStatusType2(Record):
    """Connection bitmap of 2023 (0 connected, 1 energised) and its time."""

    date_time: Annotated[Int64, "dateTime"]
    value: Annotated[Bits8, "value"]


@record
class InverterStatusType(Record):
    """Operating state of the inverter and its time, UTC epoch s."""

    date_time: Annotated[Int64, "dateTime"]
    value: Annotated[UInt8, "value"]


@record
class LocalControlModeStatusType(Record):
    """Whether the device is under local (0) or remote (1) control, and since when."""

    date_time: Annotated[Int64, "dateTime"]
    value: Annotated[UInt8, "value"]


@record
class ManufacturerStatusType(Record):
    """The maker's own status code and its time."""

    date_time: Annotated[Int64, "dateTime"]
    value: Annotated[String6, "value"]


@record
class OperationalModeStatusType(Record):
    """Off (1), operational (2) or test (3), and since when."""

    date_time: Annotated[Int64, "dateTime"]
    value: Annotated[UInt8, "value"]


@record
class StateOfChargeStatusType(Record):
    """State of charge in hundredths of a per cent, and when it was so."""

    date_time: Annotated[Int64, "dateTime"]
    value: Annotated[UInt16, "value"]


@record
class StorageModeStatusType(Record):
    """Charging (0), discharging (1) or holding (2), and since when."""

    date_time: Annotated[Int64, "dateTime"]
    value: Annotated[UInt8, "value"]


@record
class DERStatus(SubscribableResource):
    """What a DER is doing now; `reading_time` UTC epoch s."""

    alarm_status: Annotated[Bits32 | None, "alarmStatus"] = None
    connect_status: Annotated[ConnectStatusType2 | None, "connectStatus"] = None
    gen_connect_status: Annotated[ConnectStatusType | None, "genConnectStatus"] = None
    inverter_status: Annotated[InverterStatusType | None, "inverterStatus"] = None
    local_control_mode_status: Annotated[
        LocalControlModeStatusType | None, "localControlModeStatus"
    ] = None
    manufacturer_status: Annotated[ManufacturerStatusType | None, "manufacturerStatus"] = None
    operational_mode_status: Annotated[
        OperationalModeStatusType | None, "operationalModeStatus"
    ] = None
    reading_time: Annotated[Int64, "readingTime"]
    state_of_charge_status: Annotated[StateOfChargeStatusType | None, "stateOfChargeStatus"] = None
    storage_mode_status: Annotated[StorageModeStatusType | None, "storageModeStatus"] = None
    stor_connect_status: Annotated[ConnectStatusType | None, "storConnectStatus"] = None


@record
class DERAvailability(SubscribableResource):
    """What a DER could do from `reading_time` on: durations in s, reserves in 0.01 %."""

    availability_duration: Annotated[UInt32 | None, "availabilityDuration"] = None
    max_charge_duration: Annotated[UInt32 | None, "maxChargeDuration"] = None
    reading_time: Annotated[Int64, "readingTime"]
    reserve_charge_percent: Annotated[UInt16 | None, "reserveChargePercent"] = None
    reserve_percent: Annotated[UInt16 | None, "reservePercent"] = None
    stat_var_absorb_avail: Annotated[UnsignedReactivePower | None, "statVarAbsorbAvail"] = None
    stat_var_avail: Annotated[ReactivePower | None, "statVarAvail"] = None
    stat_w_absorb_avail: Annotated[UnsignedActivePower | None, "statWAbsorbAvail"] = None
    stat_w_avail: Annotated[ActivePower | None, "statWAvail"] = None
