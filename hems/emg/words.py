"""What a grid event asks and does, in a sentence that the owner understands."""

from collections.abc import Sequence

from der.model import Control, DeviceKind, DeviceState, Quality
from programs.signal import SignalKind


def quantity(value: float, unit: str) -> str:
    """Return "1.5 kW" from 1500 and "W"; "800 W" stays as it is."""
    if abs(value) >= 1000.0:  # noqa: PLR2004 - the SI step
        return f"{value / 1000.0:.3g} k{unit}"
    return f"{value:.0f} {unit}"


def title(kind: SignalKind, value: float) -> str:
    """Return what is asked, in one line."""
    match kind:
        case SignalKind.IMPORT_LIMIT:
            return f"Take at most {quantity(value, 'W')} from the grid"
        case SignalKind.EXPORT_LIMIT:
            return f"Feed at most {quantity(value, 'W')} into the grid"
        case SignalKind.LOAD_LIMIT:
            return f"Use at most {quantity(value, 'W')} in the house"
        case SignalKind.GENERATION_LIMIT:
            return f"Produce at most {quantity(value, 'W')}"
        case SignalKind.SHED:
            return f"Take {quantity(value, 'W')} less than when the event began"
        case SignalKind.ENERGY:
            return f"Save {quantity(value, 'Wh')} over the event"
        case SignalKind.STORAGE_POWER:
            return _set_point("The battery", value)
        case SignalKind.DER_POWER:
            return _set_point("Solar and battery together", value)
        case SignalKind.DISCONNECT:
            return "Solar and battery stop feeding the grid"


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
