"""What a grid event asks and does, in a sentence that the owner understands."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from der.model import Control, DeviceKind, DeviceState, Quality
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
    }
)
_SET_POINTS: Final[Mapping[SignalKind, str]] = MappingProxyType(
    {
        SignalKind.STORAGE_POWER: "The battery",
        SignalKind.DER_POWER: "Solar and battery together",
    }
)


def title(kind: SignalKind, value: float) -> str:
    """Return what is asked, in one line."""
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
        return f"{_list(helpers)} held back as needed." if helpers else "Nothing here can help."
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
        parts.append(f"{_list(sources)} gives power")
    if waits:
        parts.append(f"{_list(waits)} may slow down or wait")
    return f"{'; '.join(parts)}." if parts else "Nothing here can help."


def _names(devices: Sequence[DeviceState], *controls: Control) -> list[str]:
    return [d.spec.name for d in devices if d.spec.control in controls]


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
