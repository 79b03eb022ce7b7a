"""DER programmes, their controls and curves (distributed energy resources function set)."""

from typing import Annotated

from hems.sep2.resources.base import (
    IdentifiedObject,
    Link,
    List,
    RandomizableEvent,
    RespondableSubscribableIdentifiedObject,
    SubscribableIdentifiedObject,
    SubscribableList,
)
from hems.sep2.resources.quantities import (
    ActivePower,
    ActivePowerDelta,
    FixedVar,
    PowerFactorWithExcitation,
    ReactivePower,
    ReactivePowerDelta,
    UnsignedActivePower,
    UnsignedFixedVar,
    UnsignedReactivePower,
    VoltageRMS,
)
from hems.sep2.resources.wire import (
    STORAGE_NS,
    Attribute,
    Bits32,
    Extension,
    Flagged,
    Int8,
    Int16,
    Int32,
    Int64,
    Record,
    UInt8,
    UInt16,
    UInt32,
    record,
)

__all__ = [
    "CurveData",
    "DERControl",
    "DERControlBase",
    "DERControlList",
    "DERCurve",
    "DERCurveList",
    "DERProgram",
    "DERProgramList",
    "DefaultDERControl",
    "FreqDroopType",
]


@record
class FreqDroopType(Record):
    """Frequency droop: dead bands in mHz, slopes in thousandths, response in 0.01 s."""

    dbof: Annotated[UInt32, "dBOF"]
    dbuf: Annotated[UInt32, "dBUF"]
    kof: Annotated[UInt16, "kOF"]
    kuf: Annotated[UInt16, "kUF"]
    open_loop_tms: Annotated[UInt16, "openLoopTms"]
    p_min: Annotated[ActivePower | None, "pMin"] = None


@record
class DERControlBase(Record):
    """What a control asks for, one field a mode; percentages are in hundredths of a per cent.

    Signs are the standard's generator signs where it has them: `op_mod_fixed_w` and
    `op_mod_target_w` positive is generation. The CSIP-AUS limits are magnitudes at the
    connection point (Imp, Exp) or of the device (Gen, Load); `op_mod_storage_target_w` of its
    storage extension is the power of all storage together. `ramp_tms` is in 0.01 s.

    Attributes:
        disabled: Names of the fields that the server sent but marked disabled (2023): the mode
            takes its place among events, yet is not carried out.
    """

    op_mod_connect: Annotated[bool | None, "opModConnect"] = None
    op_mod_delta_var: Annotated[ReactivePowerDelta | None, "opModDeltaVar"] = None
    op_mod_delta_w: Annotated[ActivePowerDelta | None, "opModDeltaW"] = None
    op_mod_energize: Annotated[bool | None, "opModEnergize"] = None
    op_mod_fixed_pf_absorb_w: Annotated[PowerFactorWithExcitation | None, "opModFixedPFAbsorbW"] = (
        None
    )
    op_mod_fixed_pf_inject_w: Annotated[PowerFactorWithExcitation | None, "opModFixedPFInjectW"] = (
        None
    )
    op_mod_fixed_v: Annotated[Int16 | None, "opModFixedV"] = None
    op_mod_fixed_var: Annotated[FixedVar | None, "opModFixedVar"] = None
    op_mod_fixed_w: Annotated[Int16 | None, "opModFixedW"] = None
    op_mod_freq_droop: Annotated[FreqDroopType | None, "opModFreqDroop"] = None
    op_mod_freq_watt: Annotated[Link | None, "opModFreqWatt"] = None
    op_mod_grid_connect_permit: Annotated[bool | None, "opModGridConnectPermit"] = None
    op_mod_hfrt_may_trip: Annotated[Link | None, "opModHFRTMayTrip"] = None
    op_mod_hfrt_must_trip: Annotated[Link | None, "opModHFRTMustTrip"] = None
    op_mod_hvrt_may_trip: Annotated[Link | None, "opModHVRTMayTrip"] = None
    op_mod_hvrt_momentary_cessation: Annotated[Link | None, "opModHVRTMomentaryCessation"] = None
    op_mod_hvrt_must_trip: Annotated[Link | None, "opModHVRTMustTrip"] = None
    op_mod_island_permit: Annotated[bool | None, "opModIslandPermit"] = None
    op_mod_lfrt_may_trip: Annotated[Link | None, "opModLFRTMayTrip"] = None
    op_mod_lfrt_must_trip: Annotated[Link | None, "opModLFRTMustTrip"] = None
    op_mod_lvrt_may_trip: Annotated[Link | None, "opModLVRTMayTrip"] = None
    op_mod_lvrt_momentary_cessation: Annotated[Link | None, "opModLVRTMomentaryCessation"] = None
    op_mod_lvrt_must_trip: Annotated[Link | None, "opModLVRTMustTrip"] = None
    op_mod_max_lim_pct_va_absorb: Annotated[UInt16 | None, "opModMaxLimPctVAAbsorb"] = None
    op_mod_max_lim_pct_va_inject: Annotated[UInt16 | None, "opModMaxLimPctVAInject"] = None
    op_mod_max_lim_pct_var_absorb: Annotated[UnsignedFixedVar | None, "opModMaxLimPctVarAbsorb"] = (
        None
    )
    op_mod_max_lim_pct_var_inject: Annotated[UnsignedFixedVar | None, "opModMaxLimPctVarInject"] = (
        None
    )
    op_mod_max_lim_pct_w_absorb: Annotated[UInt16 | None, "opModMaxLimPctWAbsorb"] = None
    op_mod_max_lim_var_absorb: Annotated[UnsignedReactivePower | None, "opModMaxLimVarAbsorb"] = (
        None
    )
    op_mod_max_lim_var_inject: Annotated[UnsignedReactivePower | None, "opModMaxLimVarInject"] = (
        None
    )
    op_mod_max_lim_w: Annotated[UInt16 | None, "opModMaxLimW"] = None
    op_mod_max_lim_w_absorb: Annotated[UnsignedActivePower | None, "opModMaxLimWAbsorb"] = None
    op_mod_max_lim_w_inject: Annotated[UnsignedActivePower | None, "opModMaxLimWInject"] = None
    op_mod_target_v: Annotated[VoltageRMS | None, "opModTargetV"] = None
    op_mod_target_var: Annotated[ReactivePower | None, "opModTargetVar"] = None
    op_mod_target_w: Annotated[ActivePower | None, "opModTargetW"] = None
    op_mod_volt_var: Annotated[Link | None, "opModVoltVar"] = None
    op_mod_volt_watt: Annotated[Link | None, "opModVoltWatt"] = None
    op_mod_watt_pf: Annotated[Link | None, "opModWattPF"] = None
    op_mod_watt_var: Annotated[Link | None, "opModWattVar"] = None
    ramp_tms: Annotated[UInt16 | None, "rampTms"] = None
    op_mod_imp_lim_w: Annotated[ActivePower | None, Extension("opModImpLimW")] = None
    op_mod_exp_lim_w: Annotated[ActivePower | None, Extension("opModExpLimW")] = None
    op_mod_gen_lim_w: Annotated[ActivePower | None, Extension("opModGenLimW")] = None
    op_mod_load_lim_w: Annotated[ActivePower | None, Extension("opModLoadLimW")] = None
    op_mod_storage_target_w: Annotated[
        ActivePower | None, Extension("opModStorageTargetW", STORAGE_NS)
    ] = None
    disabled: Annotated[frozenset[str], Flagged("disabled")] = frozenset()


@record
class DERControl(RandomizableEvent):
    """An event of a DER programme."""

    der_control_base: Annotated[DERControlBase, "DERControlBase"]
    device_category: Annotated[Bits32 | None, "deviceCategory"] = None


@record
class DERControlList(SubscribableList):
    """The events of a programme, by start, then creation time and mRID descending."""

    der_control: Annotated[tuple[DERControl, ...], "DERControl"] = ()


@record
class DefaultDERControl(RespondableSubscribableIdentifiedObject):
    """What holds when no event does; delays in 0.01 s, gradients in 0.01 %/s."""

    der_control_base: Annotated[DERControlBase, "DERControlBase"]
    set_es_delay: Annotated[UInt32 | None, "setESDelay"] = None
    set_es_high_freq: Annotated[UInt16 | None, "setESHighFreq"] = None
    set_es_high_volt: Annotated[Int16 | None, "setESHighVolt"] = None
    set_es_low_freq: Annotated[UInt16 | None, "setESLowFreq"] = None
    set_es_low_volt: Annotated[Int16 | None, "setESLowVolt"] = None
    set_es_ramp_tms: Annotated[UInt32 | None, "setESRampTms"] = None
    set_es_random_delay: Annotated[UInt32 | None, "setESRandomDelay"] = None
    set_grad_w: Annotated[UInt16 | None, "setGradW"] = None
    set_soft_grad_w: Annotated[UInt16 | None, "setSoftGradW"] = None
    updated_time: Annotated[Int64 | None, "updatedTime"] = None


@record
class CurveData(Record):
    """A point of a curve, scaled by the curve's multipliers."""

    excitation: Annotated[bool | None, "excitation"] = None
    xvalue: Annotated[Int32, "xvalue"]
    yvalue: Annotated[Int32, "yvalue"]


@record
class DERCurve(IdentifiedObject):
    """A curve that a control may name; response and ramp times in 0.01 s."""

    autonomous_v_ref_enable: Annotated[bool | None, "autonomousVRefEnable"] = None
    autonomous_v_ref_time_constant: Annotated[UInt32 | None, "autonomousVRefTimeConstant"] = None
    creation_time: Annotated[Int64, "creationTime"]
    curve_data: Annotated[tuple[CurveData, ...], "CurveData"]
    curve_type: Annotated[UInt8, "curveType"]
    open_loop_tms: Annotated[UInt16 | None, "openLoopTms"] = None
    ramp_dec_tms: Annotated[UInt16 | None, "rampDecTms"] = None
    ramp_inc_tms: Annotated[UInt16 | None, "rampIncTms"] = None
    ramp_pt1_tms: Annotated[UInt16 | None, "rampPT1Tms"] = None
    v_ref: Annotated[UInt16 | None, "vRef"] = None
    x_multiplier: Annotated[Int8, "xMultiplier"]
    y_multiplier: Annotated[Int8, "yMultiplier"]
    y_ref_type: Annotated[UInt8, "yRefType"]


@record
class DERCurveList(List):
    """The curves of a programme."""

    der_curve: Annotated[tuple[DERCurve, ...], "DERCurve"] = ()


@record
class DERProgram(SubscribableIdentifiedObject):
    """A programme of controls; the lower `primacy` wins."""

    active_der_control_list_link: Annotated[Link | None, "ActiveDERControlListLink"] = None
    default_der_control_link: Annotated[Link | None, "DefaultDERControlLink"] = None
    der_control_list_link: Annotated[Link | None, "DERControlListLink"] = None
    der_curve_list_link: Annotated[Link | None, "DERCurveListLink"] = None
    primacy: Annotated[UInt8, "primacy"]


@record
class DERProgramList(SubscribableList):
    """The programmes assigned to a device."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    der_program: Annotated[tuple[DERProgram, ...], "DERProgram"] = ()
