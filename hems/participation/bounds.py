"""How far an image of the home lies outside what an event asks; pure.

| asked | outside is | in |
|---|---|---|
| limit on import, export | what the meter shows beyond it | W |
| limit on load, generation | what all loads draw, or all makers give, beyond it | W |
| shed | what the meter shows above baseline less shed | W |
| disconnection | what is still given | W |
| set-point of P or Q | what the devices run beside it, beyond their accuracy | W, var |
| power factor | the reactive power beside it, beyond accuracy | var |
| volt-var, watt-var | the reactive power beside the curve, beyond accuracy | share of rating |
| volt-watt, frequency-watt | what is given above the curve, beyond accuracy | share of rating |
| slope | what the net power changes a minute beyond it | W/min |

An energy and a duty cycle bound no single second, and what a droop asks depends on the power
before a disturbance, which nobody knows here: these have no outside.
"""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from der.commands import DeviceOptions
from der.curves import Curve, ShareOf
from der.model import Control, DeviceKind, DeviceState, Quality, Reading
from der.sentence import say
from hems.emg.words import quantity
from hems.image import Image
from programs.following import along, share_of_voltage, var_of
from programs.signal import Signal, SignalKind
from programs.slope import slope_w_min

UNITS: Final[Mapping[SignalKind, str]] = MappingProxyType(
    {
        SignalKind.ENERGY: "Wh",
        SignalKind.DUTY_CYCLE: "%",
        SignalKind.REACTIVE_POWER: "var",
        SignalKind.POWER_FACTOR: "power factor",
        SignalKind.CHARGING_FACTOR: "power factor",
        SignalKind.VOLT_VAR: "curve",
        SignalKind.VOLT_WATT: "curve",
        SignalKind.WATT_VAR: "curve",
        SignalKind.FREQUENCY_WATT: "curve",
        SignalKind.FREQUENCY_DROOP: "curve",
        SignalKind.SLOPE: "W/min",
    }
)
"""Units of what is asked; all that is not named is in W."""

SET_POINTS: Final = frozenset({SignalKind.STORAGE_POWER, SignalKind.DER_POWER})
EXCLUSIVE: Final = SET_POINTS | {SignalKind.REACTIVE_POWER, SignalKind.POWER_FACTOR}
"""Of these one order can hold at a time, whatever modes they come in."""
LESS: Final = frozenset(
    {
        SignalKind.IMPORT_LIMIT,
        SignalKind.LOAD_LIMIT,
        SignalKind.SHED,
        SignalKind.RESERVE,
        SignalKind.ENERGY,
        SignalKind.DUTY_CYCLE,
    }
)
"""Of these what is taken less than the baseline is what was delivered; of reactive power, curves,
limits on what is given and slopes it is no measure."""
INSIDE: Final = frozenset(
    {SignalKind.LOAD_LIMIT, SignalKind.GENERATION_LIMIT, SignalKind.DISCONNECT}
)
"""Limits on what loads draw or makers give, wherever the meter stands; in W."""
ACCURACY: Final = 0.05
"""Share of its rating by which a device may miss a set-point (IEEE 1547-2018, clause 4.4 asks as
much of its measurements)."""
NOMINAL_V: Final = 230.0
_NOTHING: Final[Mapping[str, DeviceOptions]] = MappingProxyType({})
_ROUNDING_W: Final = 1.0
"""Meters tell whole watts."""
_MAKERS: Final = frozenset({DeviceKind.PV, DeviceKind.BATTERY})
_RUNS_W: Final = 20.0
"""A load that draws less is off."""
_FACTORS: Final = frozenset({SignalKind.POWER_FACTOR, SignalKind.CHARGING_FACTOR})
_REACTIVE: Final = frozenset({SignalKind.VOLT_VAR, SignalKind.WATT_VAR})
_CURVES: Final = _REACTIVE | {SignalKind.VOLT_WATT, SignalKind.FREQUENCY_WATT}


def unit(kind: SignalKind) -> str:
    """Return the unit of what is asked."""
    return UNITS.get(kind, "W")


def amount(outside: float, kind: SignalKind) -> str:
    """Return how far outside what is asked the home is, for the owner to read."""
    match unit(kind):
        case "curve":
            return say("{outside:.0%} of the rating", outside=outside)
        case "power factor" | "var":
            return quantity(outside, "var")
        case "W/min":
            return say("{power} a minute", power=quantity(outside, "W"))
        case _:
            return quantity(outside, "W")


def outside(
    signal: Signal,
    image: Image,
    past: Sequence[tuple[float, float]],
    options: Mapping[str, DeviceOptions] = _NOTHING,
) -> float | None:
    """Return how far an image lies outside what is asked, never negative.

    Args:
        signal: What is asked.
        image: What the devices said.
        past: Net power of the last minute, for a slope: UTC epoch seconds and W, oldest first.
        options: What devices say that they can do, by id, for curves in shares of that.

    Returns:
        In the unit of `bounds`' table; None where that is not measured, or nothing bounds it.
    """
    if signal.kind is SignalKind.SLOPE:
        slope = slope_w_min(past, image.at)
        return None if slope is None else max(abs(slope) - signal.value, 0.0)
    if signal.kind in _CURVES:
        return _beside_curve(signal, image, options)
    makers = _makers(signal, image)
    if signal.kind in _FACTORS:
        return _beside_factor(signal, makers)
    measured, asked, most = _measured(signal, image, makers)
    if measured is None or asked is None:
        return None
    if signal.kind in SET_POINTS or signal.kind is SignalKind.REACTIVE_POWER:
        return max(abs(measured - asked) - most, 0.0)
    over = measured - asked
    return over if over > most else 0.0


def _measured(
    signal: Signal, image: Image, makers: Sequence[DeviceState]
) -> tuple[float | None, float | None, float]:
    """Return what is measured, what it is compared with, and by how much it may be more."""
    net_w, value = image.net_w, signal.value
    match signal.kind:
        case SignalKind.IMPORT_LIMIT:
            return net_w, value, _ROUNDING_W
        case SignalKind.EXPORT_LIMIT:
            return None if net_w is None else -net_w, value, _ROUNDING_W
        case SignalKind.SHED:
            limit_w = None if signal.baseline_w is None else signal.baseline_w - value
            return net_w, limit_w, _ROUNDING_W
        case SignalKind.LOAD_LIMIT:
            given_w = _given(_makers(None, image))
            return None if net_w is None or given_w is None else net_w + given_w, value, _ROUNDING_W
        case SignalKind.GENERATION_LIMIT:
            return _given(makers), value, _ROUNDING_W
        case SignalKind.DISCONNECT:
            return _given(makers), 0.0, ACCURACY * _rating(makers)
        case SignalKind.STORAGE_POWER:
            storage = [m for m in makers if m.spec.kind is DeviceKind.BATTERY]
            return _power(storage), value, ACCURACY * _rating(storage)
        case SignalKind.DER_POWER:
            return _power(makers), value, ACCURACY * _rating(makers)
        case SignalKind.REACTIVE_POWER:
            return _reactive(makers), value, ACCURACY * _rating(makers)
        case _:
            return None, None, 0.0


def der_power(signal: Signal, image: Image) -> float | None:
    """Return the power of what a set-point of active power is about, W; None where unknown."""
    makers = _makers(signal, image)
    if signal.kind is SignalKind.STORAGE_POWER:
        makers = [m for m in makers if m.spec.kind is DeviceKind.BATTERY]
    return _power(makers)


def running(signal: Signal, image: Image) -> frozenset[str]:
    """Return the flexible loads that run, of those that a duty cycle is about."""
    return frozenset(
        name
        for name, state in image.devices.items()
        if state.spec.control in {Control.CEILING, Control.SWITCH}
        and (not signal.devices or name in signal.devices)
        and state.reading is not None
        and state.quality is Quality.GOOD
        and state.reading.power_w > _RUNS_W
    )


def _makers(signal: Signal | None, image: Image) -> list[DeviceState]:
    named = frozenset[str]() if signal is None else signal.devices
    return [
        state
        for name, state in image.devices.items()
        if state.spec.kind in _MAKERS and (not named or name in named)
    ]


def _known(state: DeviceState) -> Reading | None:
    """Return a maker's reading; one that sleeps gives nothing, which is known too."""
    well = state.quality in {Quality.GOOD, Quality.ASLEEP}
    return state.reading if well else None


def _power(makers: Sequence[DeviceState]) -> float | None:
    readings = [_known(m) for m in makers]
    powers = [r.power_w for r in readings if r is not None]
    return sum(powers) if powers and len(powers) == len(readings) else None


def _given(makers: Sequence[DeviceState]) -> float | None:
    readings = [_known(m) for m in makers]
    powers = [max(-r.power_w, 0.0) for r in readings if r is not None]
    return sum(powers) if len(powers) == len(readings) else None


def _reactive(makers: Sequence[DeviceState]) -> float | None:
    readings = [_known(m) for m in makers]
    found = [r.reactive_var for r in readings if r is not None and r.reactive_var is not None]
    return sum(found) if found else None


def _rating(makers: Sequence[DeviceState]) -> float:
    return sum(_rated(m) for m in makers)


def _rated(maker: DeviceState) -> float:
    return max(-maker.spec.min_w, maker.spec.max_w, 0.0)


def _beside_factor(signal: Signal, makers: Sequence[DeviceState]) -> float | None:
    """Return by how much the reactive power misses that of a power factor, var."""
    if not 0 < abs(signal.value) <= 1:
        return None
    per_w = math.sqrt(1.0 - signal.value**2) / abs(signal.value)
    missed: list[float] = []
    for maker in makers:
        reading = _known(maker)
        if reading is None or reading.reactive_var is None:
            continue
        gives = reading.power_w < 0.0
        if gives is not (signal.kind is SignalKind.POWER_FACTOR):
            continue
        wanted = math.copysign(per_w * abs(reading.power_w), signal.value)
        missed.append(max(abs(reading.reactive_var - wanted) - ACCURACY * _rated(maker), 0.0))
    return sum(missed) if missed else None


def _beside_curve(
    signal: Signal, image: Image, options: Mapping[str, DeviceOptions]
) -> float | None:
    """Return the greatest miss of a curve among the devices that run it, share of rating."""
    curve = signal.settings
    if not isinstance(curve, Curve) or not curve.points:
        return None
    missed = [
        miss
        for maker in _makers(signal, image)
        if (reading := _known(maker)) is not None
        and (miss := _miss(signal.kind, curve, maker, reading, options.get(maker.spec.id)))
        is not None
    ]
    return max(missed) if missed else None


def _miss(
    kind: SignalKind,
    curve: Curve,
    maker: DeviceState,
    reading: Reading,
    options: DeviceOptions | None,
) -> float | None:
    rated_w = _rated(maker)
    x = _abscissa(kind, curve, reading, rated_w)
    if x is None or not rated_w:
        return None
    wanted = along(curve.points, x)
    if kind not in _REACTIVE:
        return max(-reading.power_w / rated_w - wanted - ACCURACY, 0.0)
    wanted_var = _var(curve.of, wanted, maker, reading, options)
    if reading.reactive_var is None or wanted_var is None:
        return None
    return max(abs(reading.reactive_var - wanted_var) / rated_w - ACCURACY, 0.0)


def _abscissa(kind: SignalKind, curve: Curve, reading: Reading, rated_w: float) -> float | None:
    match kind:
        case SignalKind.WATT_VAR:
            return reading.power_w / rated_w if rated_w else None
        case SignalKind.FREQUENCY_WATT:
            return reading.frequency_hz
        case _:
            if curve.v_ref_follows_s is not None:
                return None  # to where it has followed, the inverter alone knows
            return share_of_voltage(curve, reading.voltage_v, NOMINAL_V)


def _var(
    of: ShareOf,
    share: float,
    maker: DeviceState,
    reading: Reading,
    options: DeviceOptions | None,
) -> float | None:
    """Return what a curve's share is, var; None where the home does not know it."""
    rated_w = _rated(maker)
    match of:
        case ShareOf.MAX_W | ShareOf.MAX_VA:
            return share * rated_w
        case ShareOf.AVAILABLE_VAR:
            return share * math.sqrt(max(rated_w**2 - reading.power_w**2, 0.0))
        case _:
            return None if options is None else var_of(share, of, maker, options)
