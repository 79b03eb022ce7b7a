"""A device in words, for the terminal. Pure."""

from collections.abc import Sequence
from typing import Final

from der.model import Expiry
from hems.device_surface import DeviceDetail

_EXPIRY: Final = {
    Expiry.NOTHING_TO_END: "it takes no set-points, so there is nothing to end",
    Expiry.REVERSION: "a timer in the device ends the last set-point",
    Expiry.FALLBACK: "the device goes on with its profile for lost communication",
    Expiry.AUTO_OFF: "the device's own timer ends the last set-point",
    Expiry.GUARD: "nothing in the device ends a set-point: the hub's guard process writes the "
    "safe value",
}


def words(detail: DeviceDetail) -> Sequence[str]:
    """Return a device in lines: who it is, what it can do, what it is safe by, how it runs."""
    lines = [f"{detail.id}: {detail.name} ({detail.kind}, driver {detail.driver})"]
    answers = " ".join(text for text in (detail.manufacturer, detail.model, detail.serial) if text)
    firmware = f", firmware {detail.firmware}" if detail.firmware else ""
    if detail.address:
        lines.append(_row("answers", f"{answers or 'without a name'}{firmware}, {detail.address}"))
    else:
        lines.append(_row("answers", "nobody"))
    lines.append(_row("range", f"{detail.min_w:g} W to {detail.max_w:g} W"))
    lines.append(_row("standing", _standing(detail)))
    able = [*detail.abilities, *detail.functions]
    lines.append(_row("can", ", ".join(able) if able else "be read"))
    lines += [_row("", each) for each in detail.details]
    lines += safeguard(detail)
    lines.append(_row("reading", _reading(detail)))
    if detail.error:
        lines.append(_row("trouble", detail.error))
    return lines


def safeguard(detail: DeviceDetail) -> Sequence[str]:
    """Return what becomes of a device when the hub falls silent, in lines."""
    if not detail.expiry:
        return [_row("if the hub dies", "not known while it does not answer")]
    lines = [_row("if the hub dies", _EXPIRY[Expiry(detail.expiry)])]
    if detail.safe:
        lines.append(_row("then it", detail.safe))
    if detail.risk:
        lines.append(_row("risk", detail.risk))
    return lines


def _standing(detail: DeviceDetail) -> str:
    parts = [f"essentiality {detail.essentiality} (0 is shed first), owned by {detail.ownership}"]
    if detail.phases:
        parts.append(f"on phase {', '.join(detail.phases)}")
    if detail.comfort_low_c is not None and detail.comfort_high_c is not None:
        parts.append(f"comfort {detail.comfort_low_c:g} to {detail.comfort_high_c:g} degC")
    return "; ".join(parts)


def _reading(detail: DeviceDetail) -> str:
    if detail.power_w is None:
        return "none yet"
    parts = [f"{round(detail.power_w)} W"]
    if detail.soc is not None:
        parts.append(f"{detail.soc:.0%} charged")
    if detail.temp_c is not None:
        parts.append(f"{detail.temp_c:.1f} degC")
    if detail.voltage_v is not None:
        parts.append(f"{detail.voltage_v:.0f} V")
    if detail.limit_w is not None:
        parts.append(f"holds {round(detail.limit_w)} W")
    age = "" if detail.age_s is None else f", {detail.age_s:.0f} s old"
    return f"{', '.join(parts)} ({detail.quality}{age})"


def _row(label: str, text: str) -> str:
    return f"  {label:<16} {text}"
