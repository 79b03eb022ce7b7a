"""What a grid event asks and does, in a sentence that the owner understands."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from der.model import Control, DeviceKind, DeviceState, Quality
from der.sentence import Quantity, Template, listed, say
from programs.signal import SignalKind


def quantity(value: float, unit: str) -> Quantity:
    """Return "1.5 kW" from 1500 and "W"; "800 W" stays as it is."""
    if abs(value) >= 1000.0:  # noqa: PLR2004 - the SI step
        return Quantity(f"{value / 1000.0:.3g}", f"k{unit}")
    return Quantity(f"{value:.0f}", unit)


_TITLES: Final[Mapping[SignalKind, tuple[Template, str]]] = MappingProxyType(
    {
        SignalKind.IMPORT_LIMIT: (Template("Take at most {amount} from the grid"), "W"),
        SignalKind.EXPORT_LIMIT: (Template("Feed at most {amount} into the grid"), "W"),
        SignalKind.LOAD_LIMIT: (Template("Use at most {amount} in the house"), "W"),
        SignalKind.GENERATION_LIMIT: (Template("Produce at most {amount}"), "W"),
        SignalKind.SHED: (Template("Take {amount} less than when the event began"), "W"),
        SignalKind.ENERGY: (Template("Save {amount} over the event"), "Wh"),
        SignalKind.DUTY_CYCLE: (Template("Run what can wait {amount} of the time"), "%"),
        SignalKind.DISCONNECT: (Template("Solar and battery stop feeding the grid"), "W"),
        SignalKind.SLOPE: (Template("Change net power by at most {amount} a minute"), "W"),
        SignalKind.RESERVE: (Template("Give {amount} of what was held ready"), "W"),
    }
)
_SET_POINTS: Final[Mapping[SignalKind, tuple[Template, Template, Template]]] = MappingProxyType(
    {
        SignalKind.STORAGE_POWER: (
            Template("The battery take {power}"),
            Template("The battery give {power}"),
            Template("The battery rest"),
        ),
        SignalKind.DER_POWER: (
            Template("Solar and battery together take {power}"),
            Template("Solar and battery together give {power}"),
            Template("Solar and battery together rest"),
        ),
    }
)
"""Titles of taking, giving and resting."""


_FUNCTIONS: Final[Mapping[SignalKind, tuple[str, Template]]] = MappingProxyType(
    {
        SignalKind.VOLT_VAR: (
            say("Hold the voltage by reactive power (Volt-VAR)"),
            Template("{names}: reactive power as the voltage asks; no energy is lost to you."),
        ),
        SignalKind.WATT_VAR: (
            say("Reactive power by active power (Watt-VAR)"),
            Template("{names}: reactive power as the output asks; no energy is lost to you."),
        ),
        SignalKind.VOLT_WATT: (
            say("Give less at high voltage (Volt-Watt)"),
            Template("{names}: less power while the voltage is high."),
        ),
        SignalKind.FREQUENCY_WATT: (
            say("Active power by frequency"),
            Template("{names}: less power while the frequency is high."),
        ),
        SignalKind.FREQUENCY_DROOP: (
            say("Active power by frequency (droop)"),
            Template(
                "{names}: less power while the frequency is high, and of a battery more while it "
                "is low."
            ),
        ),
    }
)
_REACTIVE: Final = frozenset(
    {SignalKind.REACTIVE_POWER, SignalKind.POWER_FACTOR, SignalKind.CHARGING_FACTOR}
)
_REACTIVE_EFFECT: Final = Template("{names}: held; no energy is lost to you.")
_NOTHING: Final = say("Nothing here can help.")


def title(kind: SignalKind, value: float) -> str:
    """Return what is asked, in one line."""
    if kind in _FUNCTIONS:
        return _FUNCTIONS[kind][0]
    if kind is SignalKind.REACTIVE_POWER:
        if not value:
            return say("No reactive power")
        size = quantity(abs(value), "var")
        if value > 0:
            return say("Inverters absorb {size}", size=size)
        return say("Inverters inject {size}", size=size)
    if kind in {SignalKind.POWER_FACTOR, SignalKind.CHARGING_FACTOR}:
        return _factor(value, charging=kind is SignalKind.CHARGING_FACTOR)
    if kind in _SET_POINTS:
        return _set_point(_SET_POINTS[kind], value)
    words, unit = _TITLES[kind]
    return words(amount=quantity(value, unit))


def _factor(value: float, *, charging: bool) -> str:
    factor = abs(value)
    if factor == 1.0:
        held = say("Inverters hold a power factor of {factor:g}", factor=factor)
    elif value > 0:
        held = say("Inverters hold a power factor of {factor:g}, absorbing", factor=factor)
    else:
        held = say("Inverters hold a power factor of {factor:g}, injecting", factor=factor)
    return say("{asked} while charging", asked=held) if charging else held


def _set_point(titles: tuple[Template, Template, Template], power_w: float) -> str:
    take, give, rest = titles
    if not power_w:
        return rest()
    return (take if power_w > 0 else give)(power=quantity(abs(power_w), "W"))


def effect(kind: SignalKind, devices: Sequence[DeviceState]) -> str:
    """Return what the home does about it, from what the home has and can reach."""
    devices = [d for d in devices if d.quality is not Quality.LOST]
    if kind in {SignalKind.EXPORT_LIMIT, SignalKind.GENERATION_LIMIT, SignalKind.DISCONNECT}:
        helpers = _names(devices, Control.TARGET, Control.FLOOR)
        return say("{names} held back as needed.", names=listed(helpers)) if helpers else _NOTHING
    if kind in _FUNCTIONS or kind in _REACTIVE:
        helpers = _names(devices, Control.TARGET, Control.FLOOR)
        does = _FUNCTIONS[kind][1] if kind in _FUNCTIONS else _REACTIVE_EFFECT
        return does(names=listed(helpers)) if helpers else _NOTHING
    sources = [d.spec.name for d in devices if d.spec.kind is DeviceKind.BATTERY]
    if kind in {SignalKind.STORAGE_POWER, SignalKind.DER_POWER}:
        return (
            say("{names} follows. | {names} follow.", names=listed(sources))
            if sources
            else _NOTHING
        )
    if kind is SignalKind.DUTY_CYCLE:
        sources = []
    waits = [
        d.spec.name
        for d in sorted(devices, key=lambda d: d.spec.essentiality)
        if d.spec.control in {Control.CEILING, Control.SWITCH}
    ]
    if not sources and not waits:
        return _NOTHING
    if not waits:
        return say("{sources} gives power. | {sources} give power.", sources=listed(sources))
    if not sources:
        return say("{loads} may slow down or wait.", loads=listed(waits))
    return say(
        "{sources} gives power; {loads} may slow down or wait. | "
        "{sources} give power; {loads} may slow down or wait.",
        sources=listed(sources),
        loads=listed(waits),
    )


def _names(devices: Sequence[DeviceState], *controls: Control) -> list[str]:
    return [d.spec.name for d in devices if d.spec.control in controls]
