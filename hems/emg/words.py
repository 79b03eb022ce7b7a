"""What a grid event asks and does, in a sentence that the owner understands."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from der.model import Control, DeviceKind, DeviceState, Quality
from der.sentence import say
from programs.signal import SignalKind


def quantity(value: float, unit: str) -> str:
    """Return "1.5 kW" from 1500 and "W"; "800 W" stays as it is."""
    if abs(value) >= 1000.0:  # noqa: PLR2004 - the SI step
        return f"{value / 1000.0:.3g} k{unit}"
    return f"{value:.0f} {unit}"


_TITLES: Final[Mapping[SignalKind, tuple[str, str]]] = MappingProxyType(
    {
        SignalKind.IMPORT_LIMIT: ("Take at most {} from the grid", "W"),
        SignalKind.EXPORT_LIMIT: ("Feed at most {} into the grid", "W"),
        SignalKind.LOAD_LIMIT: ("Use at most {} in the house", "W"),
        SignalKind.GENERATION_LIMIT: ("Produce at most {}", "W"),
        SignalKind.SHED: ("Take {} less than when the event began", "W"),
        SignalKind.ENERGY: ("Save {} over the event", "Wh"),
        SignalKind.DUTY_CYCLE: ("Run what can wait {} of the time", "%"),
        SignalKind.DISCONNECT: ("Solar and battery stop feeding the grid", "W"),
        SignalKind.SLOPE: ("Change net power by at most {} a minute", "W"),
        SignalKind.RESERVE: ("Give {} of what was held ready", "W"),
    }
)
_SET_POINTS: Final[Mapping[SignalKind, str]] = MappingProxyType(
    {
        SignalKind.STORAGE_POWER: "The battery",
        SignalKind.DER_POWER: "Solar and battery together",
    }
)


_FUNCTIONS: Final[Mapping[SignalKind, tuple[str, str]]] = MappingProxyType(
    {
        SignalKind.VOLT_VAR: (
            "Hold the voltage by reactive power (Volt-VAR)",
            "absorbs or injects reactive power as the voltage asks; no energy is lost to you",
        ),
        SignalKind.WATT_VAR: (
            "Reactive power by active power (Watt-VAR)",
            "absorbs or injects reactive power as its output asks; no energy is lost to you",
        ),
        SignalKind.VOLT_WATT: (
            "Give less at high voltage (Volt-Watt)",
            "gives less while the voltage is high",
        ),
        SignalKind.FREQUENCY_WATT: (
            "Active power by frequency",
            "gives less while the frequency is high",
        ),
        SignalKind.FREQUENCY_DROOP: (
            "Active power by frequency (droop)",
            "gives less while the frequency is high, and a battery more while it is low",
        ),
    }
)
_REACTIVE: Final = frozenset(
    {SignalKind.REACTIVE_POWER, SignalKind.POWER_FACTOR, SignalKind.CHARGING_FACTOR}
)
_REACTIVE_EFFECT: Final = "holds it; no energy is lost to you"


def title(kind: SignalKind, value: float) -> str:
    """Return what is asked, in one line."""
    if kind in _FUNCTIONS:
        return _FUNCTIONS[kind][0]
    if kind is SignalKind.REACTIVE_POWER:
        verb = "absorb" if value > 0 else "inject"
        return f"Inverters {verb} {quantity(abs(value), 'var')}" if value else "No reactive power"
    if kind in {SignalKind.POWER_FACTOR, SignalKind.CHARGING_FACTOR}:
        when = " while charging" if kind is SignalKind.CHARGING_FACTOR else ""
        how = "" if abs(value) == 1.0 else ", absorbing" if value > 0 else ", injecting"
        return say(
            "Inverters hold a power factor of {value:g}{how}{when}",
            value=abs(value),
            how=how,
            when=when,
        )
    if kind in _SET_POINTS:
        return _set_point(_SET_POINTS[kind], value)
    words, unit = _TITLES[kind]
    return words.format(quantity(value, unit))


def _set_point(who: str, power_w: float) -> str:
    verb = "take" if power_w > 0 else "give"
    return f"{who} {verb} {quantity(abs(power_w), 'W')}" if power_w else f"{who} rest"


def effect(kind: SignalKind, devices: Sequence[DeviceState]) -> str:
    """Return what the home does about it, from what the home has and can reach."""
    devices = [d for d in devices if d.quality is not Quality.LOST]
    if kind in {SignalKind.EXPORT_LIMIT, SignalKind.GENERATION_LIMIT, SignalKind.DISCONNECT}:
        helpers = _names(devices, Control.TARGET, Control.FLOOR)
        return (
            say("{list} held back as needed.", list=_list(helpers))
            if helpers
            else "Nothing here can help."
        )
    if kind in _FUNCTIONS or kind in _REACTIVE:
        helpers = _names(devices, Control.TARGET, Control.FLOOR)
        does = _FUNCTIONS[kind][1] if kind in _FUNCTIONS else _REACTIVE_EFFECT
        return f"{_list(helpers)} {does}." if helpers else "Nothing here can help."
    sources = [d.spec.name for d in devices if d.spec.kind is DeviceKind.BATTERY]
    if kind in {SignalKind.STORAGE_POWER, SignalKind.DER_POWER}:
        return f"{_list(sources)} follows." if sources else "Nothing here can help."
    if kind is SignalKind.DUTY_CYCLE:
        sources = []
    waits = [
        d.spec.name
        for d in sorted(devices, key=lambda d: d.spec.essentiality)
        if d.spec.control in {Control.CEILING, Control.SWITCH}
    ]
    parts = []
    if sources:
        parts.append(say("{list} gives power", list=_list(sources)))
    if waits:
        parts.append(say("{list} may slow down or wait", list=_list(waits)))
    return f"{'; '.join(parts)}." if parts else "Nothing here can help."


def _names(devices: Sequence[DeviceState], *controls: Control) -> list[str]:
    return [d.spec.name for d in devices if d.spec.control in controls]


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
