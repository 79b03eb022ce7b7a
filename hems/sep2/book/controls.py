"""From resources to neutral words: what programmes, controls and default controls ask.

Percentages leave here in per cent, quantities in base units, signs as the standard has them.
"""

import functools
from dataclasses import fields, replace
from typing import Final, TypeAlias, get_args, get_type_hints

from hems.sep2 import resources as res
from hems.sep2.resources.wire import Extension
from hems.sep2.rules.events import DISABLED, Default, ModeValue, Program, Status

Control: TypeAlias = (
    res.DERControl
    | res.EndDeviceControl
    | res.TimeTariffInterval
    | res.TextMessage
    | res.FlowReservationResponse
)
"""An event as it goes over the wire; `hems.sep2.book.kinds` tells the five apart."""

AnyProgram: TypeAlias = (
    res.DERProgram | res.DemandResponseProgram | res.MessagingProgram | res.TariffProfile
)

_FORWARD: Final = "LoadShiftForward."
_NOT_MODES: Final = frozenset({"ramp_tms", "disabled", "extensions"})

_REDUCTIONS: Final = {
    0: ("TargetReduction.Wh", 1000.0),
    1: ("TargetReduction.W", 1000.0),
    2: ("TargetReduction.W", 1.0),
    7: ("TargetReduction.Wh", 1055.05585262 / 3600.0),
    11: ("TargetReduction.Wh", 1e6 / 3600.0),
}
"""UnitType of a TargetReduction (kWh, kW, W, BTU, MJ): mode, and its unit's worth in Wh or W."""


def program_of(resource: AnyProgram) -> Program:
    """Return what events need to know of their programme."""
    return Program(resource.mrid.upper(), resource.description or "", resource.primacy)


def default_of(control: res.DefaultDERControl, program: Program) -> Default:
    """Return a DefaultDERControl in neutral words."""
    gradient = None if control.set_grad_w is None else control.set_grad_w / 100
    return Default(control.mrid.upper(), program, _base_modes(control.der_control_base), gradient)


def cancelled(control: Control, now: float) -> Control:
    """Return a control as if its server had cancelled it now; for those that vanish."""
    status = replace(control.event_status, current_status=int(Status.CANCELLED), date_time=int(now))
    return replace(control, event_status=status)


def der_modes(control: res.DERControl) -> dict[str, ModeValue]:
    """Return what a DERControl sets, by 2030.5 name."""
    return _base_modes(control.der_control_base)


def curve_modes(control: Control | res.DefaultDERControl) -> dict[str, ModeValue]:
    """Return what a control sets of modes that may name a curve; nothing where none can."""
    if isinstance(control, res.DERControl | res.DefaultDERControl):
        return _base_modes(control.der_control_base)
    return {}


def load_modes(control: res.EndDeviceControl) -> dict[str, ModeValue]:
    """Return what a load control asks.

    Its elements are named "Element.part". A TargetReduction is "TargetReduction.W" or
    "TargetReduction.Wh" whatever prefix it came with. An Offset is a change in K or per cent: where
    load is shed, what cools goes up and what heats goes down. A control that is to raise the load
    (`loadShiftForward`) turns these signs, and prefixes what else it asks with "LoadShiftForward.".
    """
    forward = control.load_shift_forward
    modes: dict[str, ModeValue] = {}
    if control.target_reduction is not None:
        name, value = _reduction(control.target_reduction)
        modes[_FORWARD + name if forward else name] = value
    if control.duty_cycle is not None:
        name = "DutyCycle"
        modes[_FORWARD + name if forward else name] = float(control.duty_cycle.normal_value)
    if control.appliance_load_reduction is not None:
        modes["ApplianceLoadReduction"] = float(control.appliance_load_reduction.type)
    if control.offset is not None:
        more = -1.0 if forward else 1.0
        _put(modes, "Offset.cooling", control.offset.cooling_offset, 0.1 * more)
        _put(modes, "Offset.heating", control.offset.heating_offset, -0.1 * more)
        load = control.offset.load_adjustment_percentage_offset
        _put(modes, "Offset.load", load, -0.01 * more)
    if control.set_point is not None:
        _put(modes, "SetPoint.cooling", control.set_point.cooling_setpoint, 0.01)
        _put(modes, "SetPoint.heating", control.set_point.heating_setpoint, 0.01)
    return modes


def _put(modes: dict[str, ModeValue], name: str, value: int | None, unit: float) -> None:
    if value is not None:
        modes[name] = value * unit


def _reduction(target: res.TargetReduction) -> tuple[str, float]:
    name, unit = _REDUCTIONS.get(target.type, (f"TargetReduction.{target.type}", 1.0))
    return name, target.value * unit


def _base_modes(base: res.DERControlBase) -> dict[str, ModeValue]:
    modes: dict[str, ModeValue] = {}
    for attribute, name in _wire_names().items():
        value = getattr(base, attribute)
        if value is not None:
            modes[name] = _value(value)
        if attribute in base.disabled or name in base.disabled:
            modes[name] = DISABLED
    return modes


def _value(value: object) -> ModeValue:
    match value:
        case bool():
            return float(value)
        case int():
            return value / 100
        case res.Link():
            return value.href
        case res.PowerFactorWithExcitation():
            factor = float(value.displacement * 10.0**value.multiplier)
            return factor if value.excitation else -factor
        case res.FixedVar() | res.UnsignedFixedVar():
            return (float(value.ref_type), value.value / 100)
        case res.FreqDroopType():
            members = (value.dbof, value.dbuf, value.kof, value.kuf, value.open_loop_tms)
            return tuple(float(m) for m in members)
        case res.Scaled():
            return value.amount
    raise TypeError(f"a control mode of type {type(value).__name__}")


@functools.cache
def _wire_names() -> dict[str, str]:
    """Return the control modes: attribute of DERControlBase -> element name."""
    hints = get_type_hints(res.DERControlBase, include_extras=True)
    names: dict[str, str] = {}
    for field in fields(res.DERControlBase):
        if field.name in _NOT_MODES:
            continue
        for mark in get_args(hints[field.name])[1:]:
            names[field.name] = mark.name if isinstance(mark, Extension) else str(mark)
    return names


# Bit positions of DERControlType (0 and 1 are charge and discharge, which no control sets) and
# DERControlType2, 2023.
_BITS: Final = (
    *("", "", "opModConnect", "opModEnergize", "opModFixedPFAbsorbW", "opModFixedPFInjectW"),
    *("opModFixedVar", "opModFixedW", "opModFreqDroop", "opModFreqWatt", "opModHFRTMayTrip"),
    *("opModHFRTMustTrip", "opModHVRTMayTrip", "opModHVRTMomentaryCessation"),
    *("opModHVRTMustTrip", "opModLFRTMayTrip", "opModLFRTMustTrip", "opModLVRTMayTrip"),
    *("opModLVRTMomentaryCessation", "opModLVRTMustTrip", "opModMaxLimW", "opModTargetVar"),
    *("opModTargetW", "opModVoltVar", "opModVoltWatt", "opModWattPF", "opModWattVar"),
    *("opModDeltaVar", "opModDeltaW", "opModFixedV", "opModGridConnectPermit"),
    "opModIslandPermit",
)
_BITS2: Final = (
    *("opModMaxLimPctVAAbsorb", "opModMaxLimPctVAInject", "opModMaxLimPctVarAbsorb"),
    *("opModMaxLimPctVarInject", "opModMaxLimPctWAbsorb", "opModMaxLimVarAbsorb"),
    *("opModMaxLimVarInject", "opModMaxLimWAbsorb", "opModMaxLimWInject", "opModTargetV"),
)


def mode_bits(modes: frozenset[str]) -> tuple[int, int]:
    """Return modes as (DERControlType, DERControlType2); CSIP-AUS's have no bits there."""
    return (
        sum(1 << i for i, name in enumerate(_BITS) if name in modes),
        sum(1 << i for i, name in enumerate(_BITS2) if name in modes),
    )
