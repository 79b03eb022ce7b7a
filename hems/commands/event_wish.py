"""What the operator wants dispatched, from the command line to the head-end's words. Pure."""

import argparse
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from hems import units

_REACTIVE: Final = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*(var|kvar|Mvar)\s*")
_SIZES: Final[Mapping[str, float]] = {"var": 1.0, "kvar": 1e3, "Mvar": 1e6}
_CURVE_ID: Final = re.compile(r"[0-9A-Fa-f]{32}")
_DROOP_PARTS: Final = (2, 3)


def body(options: argparse.Namespace) -> dict[str, object]:
    """Return the order for an event as the head-end takes it.

    Raises:
        UnitError: An amount or time is not one, or one is missing.
    """
    asked = asks(options)
    if not asked:
        raise units.UnitError("say what is asked: --limit-import, --shed, ... (see --help)")
    if options.minutes is None:
        raise units.UnitError("say how long the event lasts: --minutes N")
    if not math.isfinite(options.minutes):
        raise units.UnitError(f"--minutes {options.minutes} is not a number of minutes")
    order: dict[str, object] = {
        **asked,
        "seconds": round(options.minutes * 60.0),
        "randomize_start_s": round(units.duration_s(options.randomize_start)),
    }
    start_in_s = units.duration_s(options.start)
    if start_in_s > 0:  # without a start it begins at once, in the second that runs
        order["start"] = f"+{math.ceil(start_in_s)}s"
    if options.program is not None:
        order["program"] = options.program
    if options.group is not None:
        order["group"] = options.group
    return order


def asks(options: argparse.Namespace) -> dict[str, object]:
    """Return what is asked by the head-end's names, ramp and `raw` with it; empty if nothing.

    Raises:
        UnitError: An amount is not one.
    """
    found = {
        key: parse(text)
        for key, (name, parse) in _ASKS.items()
        if (text := getattr(options, name)) is not None
    }
    if options.disconnect:
        found["connect"] = False
    if found and options.ramp is not None:
        found["ramp_s"] = units.duration_s(options.ramp)
    if found and options.raw:
        found["raw"] = True
    return found


def number(text: str) -> float:
    """Return a number, with or without a per-cent sign.

    Raises:
        UnitError: It is none.
    """
    try:
        value = float(text.strip().removesuffix("%"))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise units.UnitError(f"{text!r} is not a number")
    return value


def _vars(text: str) -> float:
    match = _REACTIVE.fullmatch(text)
    if match is None:
        raise units.UnitError(
            f"{text!r} is no reactive power; write a number and one of {', '.join(_SIZES)}"
        )
    return float(match[1]) * _SIZES[match[2]]


def _curve(text: str) -> object:
    """Read "x:y,x:y,..." or the id of a curve."""
    if _CURVE_ID.fullmatch(text):
        return text.upper()
    return {"points": [list(_pair(point)) for point in text.split(",")]}


def _pair(text: str) -> Iterator[float]:
    x, colon, y = text.partition(":")
    if not colon:
        raise units.UnitError(f"{text!r} is not a point of a curve; write x:y,x:y as 0.92:44")
    yield number(x)
    yield number(y)


def _droop(text: str) -> object:
    parts = text.split(":")
    if len(parts) not in _DROOP_PARTS:
        raise units.UnitError(f"{text!r} is not a droop; write BAND:DROOP as 0.036:0.05")
    band, droop = number(parts[0]), number(parts[1])
    made = {"dead_band_hz": band, "droop": droop}
    if len(parts) > len(made):
        made["open_loop_s"] = number(parts[2])
    return made


def _power_factor(text: str) -> object:
    factor, _, side = text.replace(":", " ").partition(" ")
    if side.strip() not in {"absorb", "inject"}:
        raise units.UnitError(
            f"{text!r} does not say where the vars go; write 0.95:absorb or 0.95:inject"
        )
    return {"power_factor": number(factor), "vars": side.strip()}


def _yes_no(text: str) -> bool:
    if text not in {"yes", "no"}:
        raise units.UnitError(f"{text!r} is neither yes nor no")
    return text == "yes"


_ASKS: Final[Mapping[str, tuple[str, Callable[[str], object]]]] = {
    "limit_import_w": ("limit_import", units.power_w),
    "limit_export_w": ("limit_export", units.power_w),
    "limit_load_w": ("limit_load", units.power_w),
    "limit_generation_w": ("limit_generation", units.power_w),
    "limit_absorb_var": ("limit_absorb_var", _vars),
    "limit_inject_var": ("limit_inject_var", _vars),
    "limit_generation_percent": ("limit_generation_percent", number),
    "shed_w": ("shed", units.power_w),
    "reduce_energy_wh": ("reduce_energy", units.energy_wh),
    "duty_cycle_percent": ("duty_cycle", number),
    "volt_var": ("volt_var", _curve),
    "volt_watt": ("volt_watt", _curve),
    "watt_var": ("watt_var", _curve),
    "watt_pf": ("watt_pf", _curve),
    "freq_watt": ("freq_watt", _curve),
    "freq_droop": ("freq_droop", _droop),
    "fixed_var": ("fixed_var", number),
    "power_factor_inject": ("power_factor", _power_factor),
    "power_factor_absorb": ("power_factor_charging", _power_factor),
    "target_w": ("target", units.power_w),
    "target_var": ("target_var", _vars),
    "storage_target_w": ("storage_target", units.power_w),
    "fixed_w_percent": ("fixed_power", number),
    "island_permit": ("island", _yes_no),
}
"""By the head-end's name: the option, and how its text is read."""
