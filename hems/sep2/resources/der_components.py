"""What 2023 adds to a DER: the controls now in force, and the components it is made of."""

from typing import Annotated

from hems.sep2.resources.base import Link, List, SubscribableResource
from hems.sep2.resources.der import DERCurve, FreqDroopType
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
from hems.sep2.resources.wire import Flagged, Hex160, Int16, Int64, UInt16, record

__all__ = ["CurrentDERControls", "DERComponent", "DERComponentBase", "DERComponentList"]


@record
class CurrentDERControls(SubscribableResource):
    """The modes that a DER carries out now, whoever asked; curves are given in full (2023).

    Units and signs are those of `DERControlBase`; `updated_time` is in UTC epoch seconds.

    Attributes:
        disabled: Names of the fields whose element is marked disabled.
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
    op_mod_freq_watt: Annotated[DERCurve | None, "opModFreqWatt"] = None
    op_mod_grid_connect_permit: Annotated[bool | None, "opModGridConnectPermit"] = None
    op_mod_hfrt_may_trip: Annotated[DERCurve | None, "opModHFRTMayTrip"] = None
    op_mod_hfrt_must_trip: Annotated[DERCurve | None, "opModHFRTMustTrip"] = None
    op_mod_hvrt_may_trip: Annotated[DERCurve | None, "opModHVRTMayTrip"] = None
    op_mod_hvrt_momentary_cessation: Annotated[DERCurve | None, "opModHVRTMomentaryCessation"] = (
        None
    )
    op_mod_hvrt_must_trip: Annotated[DERCurve | None, "opModHVRTMustTrip"] = None
    op_mod_island_permit: Annotated[bool | None, "opModIslandPermit"] = None
    op_mod_lfrt_may_trip: Annotated[DERCurve | None, "opModLFRTMayTrip"] = None
    op_mod_lfrt_must_trip: Annotated[DERCurve | None, "opModLFRTMustTrip"] = None
    op_mod_lvrt_may_trip: Annotated[DERCurve | None, "opModLVRTMayTrip"] = None
    op_mod_lvrt_momentary_cessation: Annotated[DERCurve | None, "opModLVRTMomentaryCessation"] = (
        None
    )
    op_mod_lvrt_must_trip: Annotated[DERCurve | None, "opModLVRTMustTrip"] = None
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
    op_mod_volt_var: Annotated[DERCurve | None, "opModVoltVar"] = None
    op_mod_volt_watt: Annotated[DERCurve | None, "opModVoltWatt"] = None
    op_mod_watt_pf: Annotated[DERCurve | None, "opModWattPF"] = None
    op_mod_watt_var: Annotated[DERCurve | None, "opModWattVar"] = None
    updated_time: Annotated[Int64, "updatedTime"]
    disabled: Annotated[frozenset[str], Flagged("disabled")] = frozenset()


@record
class DERComponentBase(SubscribableResource):
    """Links to what a part of a DER says of itself."""

    associated_usage_point_link: Annotated[Link | None, "AssociatedUsagePointLink"] = None
    der_availability_link: Annotated[Link | None, "DERAvailabilityLink"] = None
    der_capability_link: Annotated[Link | None, "DERCapabilityLink"] = None
    der_settings_link: Annotated[Link | None, "DERSettingsLink"] = None
    der_status_link: Annotated[Link | None, "DERStatusLink"] = None


@record
class DERComponent(DERComponentBase):
    """A part of a DER that is a device of its own, by its LFDI."""

    lfdi: Annotated[Hex160, "lFDI"]


@record
class DERComponentList(List):
    """The parts of a DER."""

    der_component: Annotated[tuple[DERComponent, ...], "DERComponent"] = ()
