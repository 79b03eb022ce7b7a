"""Grid functions of 2030.5 in house words: curves, droop, reactive power, power factors.

2030.5 counts active and reactive power that a DER gives positive, in per cent; the house counts
what is taken, in shares. So reactive powers turn their sign here, and the curve of watt-var its
order too.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from der.curves import Curve, Droop, GridFunction, GridSupport, ShareOf
from der.sentence import Template, say
from hems.emg.ratings import Ratings
from hems.sep2.rules.curve import Curve as WireCurve
from hems.sep2.rules.events import ModeValue
from programs.signal import SignalKind
from programs.support import Place

CURVES: Final[Mapping[str, tuple[SignalKind, GridFunction]]] = MappingProxyType(
    {
        "opModVoltVar": (SignalKind.VOLT_VAR, GridFunction.VOLT_VAR),
        "opModVoltWatt": (SignalKind.VOLT_WATT, GridFunction.VOLT_WATT),
        "opModWattVar": (SignalKind.WATT_VAR, GridFunction.WATT_VAR),
        "opModFreqWatt": (SignalKind.FREQUENCY_WATT, GridFunction.FREQUENCY_WATT),
    }
)
"""Modes whose value is the href of a curve."""

DROOP: Final = "opModFreqDroop"

FACTORS: Final[Mapping[str, SignalKind]] = MappingProxyType(
    {
        "opModFixedPFInjectW": SignalKind.POWER_FACTOR,
        "opModFixedPFAbsorbW": SignalKind.CHARGING_FACTOR,
    }
)
"""Modes whose value is a power factor, positive where reactive power is absorbed, as here."""

FIXED_VAR: Final = "opModFixedVar"
"""Per cent of a reference, positive where reactive power is injected."""

TARGET_VAR: Final = "opModTargetVar"
"""In var, with the same sign."""

SUPPORTED: Final = frozenset({*CURVES, DROOP, *FACTORS, FIXED_VAR, TARGET_VAR})
"""The modes that are grid functions; which of them a home carries out hangs on its devices."""

REACTIVE: Final = frozenset({"opModVoltVar", "opModWattVar", FIXED_VAR, TARGET_VAR, *FACTORS})
"""Those that exclude one another, but for the two power factors."""

TAKEN_UP: Final[Mapping[Place, frozenset[str]]] = MappingProxyType(
    {
        Place.REACTIVE: REACTIVE,
        Place.VOLT_WATT: frozenset({"opModVoltWatt"}),
        Place.FREQUENCY: frozenset({"opModFreqWatt", DROOP}),
    }
)
"""The modes that are about each place of a device."""

_REFERENCES: Final[Mapping[int, ShareOf]] = MappingProxyType(
    {1: ShareOf.MAX_W, 2: ShareOf.MAX_VAR, 3: ShareOf.AVAILABLE_VAR, 8: ShareOf.MAX_VA}
)
_DROOP_MEMBERS: Final = 5
_TO_90: Final = math.log(10.0)
"""Time constants in which a first-order lag follows nine tenths of a step."""
_WHOLE_RANGE: Final = 100.0
_USUAL_RESPONSE_S: Final = 10.0
"""The slowest of the usual times of curves of the voltage (IEEE 1547-2018, tables 8 and 10)."""
_TO_90_FROM_95: Final = _TO_90 / math.log(20.0)
"""A first-order lag that has settled to 95 % had 90 % after this share of the time."""


def kind_of(mode: str) -> SignalKind | None:
    """Return what a mode asks; None if it is no grid function."""
    if mode in CURVES:
        return CURVES[mode][0]
    if mode in FACTORS:
        return FACTORS[mode]
    if mode in {FIXED_VAR, TARGET_VAR}:
        return SignalKind.REACTIVE_POWER
    return SignalKind.FREQUENCY_DROOP if mode == DROOP else None


def meaning(mode: str, value: ModeValue, ratings: Ratings) -> tuple[SignalKind, float] | None:
    """Return a grid function's kind of signal and its value in var, or a power factor, or 0."""
    kind = kind_of(mode)
    match value:
        case str() if mode in CURVES and kind is not None:
            return kind, 0.0
        case float() | int() if mode == TARGET_VAR:
            return SignalKind.REACTIVE_POWER, 0.0 - value
        case float() | int() if mode in FACTORS:
            return FACTORS[mode], float(value)
        case (reference, percent) if mode == FIXED_VAR:
            whole = _whole(int(reference), percent, ratings)
            return SignalKind.REACTIVE_POWER, 0.0 - percent / 100.0 * whole
        case tuple() if mode == DROOP and len(value) == _DROOP_MEMBERS:
            return SignalKind.FREQUENCY_DROOP, 0.0
    return None


def settings(mode: str, value: ModeValue, curves: Mapping[str, WireCurve]) -> GridSupport | None:
    """Return the function that a mode asks devices to run; None where it is none.

    Args:
        mode: Its 2030.5 name.
        value: As in `Event.modes`.
        curves: The curve of each mode that names one, by mode.
    """
    if mode in CURVES and mode in curves:
        return _curve(CURVES[mode][1], curves[mode])
    if mode == DROOP and isinstance(value, tuple) and len(value) == _DROOP_MEMBERS:
        over, under, over_k, under_k, response = value
        return Droop(
            GridFunction.FREQUENCY_DROOP,
            over_hz=over / 1000.0,
            under_hz=under / 1000.0,
            over_droop=over_k / 1000.0,
            under_droop=under_k / 1000.0,
            response_s=response / 100.0,
        )
    return None


def beyond(mode: str, value: ModeValue, ratings: Ratings) -> str:
    """Say why a grid function's value is more than the devices can do, empty if it is not.

    Args:
        mode: Its 2030.5 name.
        value: As in `Event.modes`.
        ratings: What the devices here can do together.
    """
    asked = meaning(mode, value, ratings)
    if asked is None:
        return ""
    kind, figure = asked
    if kind is SignalKind.REACTIVE_POWER:
        most_var = ratings.absorbed_var if figure > 0 else ratings.injected_var
        if abs(figure) > most_var + _ROUNDED:
            asks = _ABSORB if figure > 0 else _INJECT
            return asks(mode=mode, asked=abs(figure), most=most_var)
    if kind in {SignalKind.POWER_FACTOR, SignalKind.CHARGING_FACTOR}:
        least = ratings.least_factor(absorbing=figure > 0)
        if 0.0 < abs(figure) < least - _NEARLY:
            return say(
                "{mode} of {factor:g}, and the least here is {least:.2f}",
                mode=mode,
                factor=abs(figure),
                least=least,
            )
    return ""


_ROUNDED: Final = 1.0
_ABSORB: Final = Template("{mode} asks to absorb {asked:.0f} var, and the most here is {most:.0f}")
_INJECT: Final = Template("{mode} asks to inject {asked:.0f} var, and the most here is {most:.0f}")
_NEARLY: Final = 0.01


def _whole(reference: int, percent: float, ratings: Ratings) -> float:
    """Return what 100 % is in var; injection is positive in 2030.5.

    What is left beside the present active power is taken as the rating: category B inverters keep
    it at any power (IEEE 1547-2018, 5.2).
    """
    match _REFERENCES.get(reference):
        case ShareOf.MAX_W:
            return ratings.generation_w
        case ShareOf.MAX_VA:
            return ratings.apparent_va
        case _:
            return ratings.injected_var if percent > 0 else ratings.absorbed_var


def _response_s(curve: WireCurve) -> float | None:
    """Return in what time a device is to follow a curve; None for its own.

    Devices know one time and no ramp. A first-order lag keeps within a ramp limit where it is so
    slow that a step over the whole range begins no steeper. A time that is shorter than devices
    take anyway is not named to one that is asked for none.
    """
    response_s = curve.open_loop_s
    if response_s is None and curve.filter_s is not None:
        response_s = curve.filter_s * _TO_90_FROM_95
    limits = [limit for limit in (curve.ramp_up, curve.ramp_down) if limit]
    if not limits:
        return response_s
    within_s = _WHOLE_RANGE / min(limits) * _TO_90
    if response_s is None:
        return within_s if within_s > _USUAL_RESPONSE_S else None
    return max(response_s, within_s)


def _curve(function: GridFunction, curve: WireCurve) -> Curve | None:
    of = _REFERENCES.get(curve.y_ref)
    if of is None:
        return None
    reactive = function in {GridFunction.VOLT_VAR, GridFunction.WATT_VAR}
    by_voltage = function is GridFunction.VOLT_VAR  # the one with a reference voltage of its own
    x_by = {GridFunction.WATT_VAR: -0.01, GridFunction.FREQUENCY_WATT: 1.0}.get(function, 0.01)
    points = [(x * x_by + 0.0, y * (-0.01 if reactive else 0.01) + 0.0) for x, y in curve.points]
    return Curve(
        function,
        tuple(sorted(points, key=lambda point: point[0]) if x_by > 0 else reversed(points)),
        of,
        _response_s(curve),
        None if curve.v_ref is None or not by_voltage else curve.v_ref / 100.0,
        curve.v_ref_follows_s if by_voltage else None,
    )
