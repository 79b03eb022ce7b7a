"""Judging what an event or a default control asks: pure rules that refuse nonsense."""

import math
from collections.abc import Mapping
from typing import Final

from hems.headend.curves import REFERENCES
from hems.headend.errors import DispatchError
from hems.headend.modes import CURVES, RANGES, SIGNED_PERCENT, SWITCHES, Mode, Range, Value

_VAR_REFERENCES: Final = {
    REFERENCES[name] for name in ("max_w", "max_var", "available_var", "max_va")
}
_BAND: Final = Range(0.0, 5.0, 0.0, (2**32 - 1) / 1000.0)
_DROOP: Final = Range(0.001, 1.0, 0.0, 65.535)
_RESPONSE: Final = Range(0.0, 600.0, 0.0, 655.35)
_DROOP_PARTS: Final = (
    ("dead_band_over_hz", _BAND),
    ("dead_band_under_hz", _BAND),
    ("droop_over", _DROOP),
    ("droop_under", _DROOP),
    ("open_loop_s", _RESPONSE),
)
MAX_RAMP_S: Final = 655.35


def check_values(values: Mapping[Mode, Value], *, raw: bool = False) -> None:
    """Refuse values that no home could follow.

    Args:
        values: By mode.
        raw: Whether values beyond what is sensible may pass, as far as their types carry them.

    Raises:
        DispatchError: The first that is wrong; the message names it.
    """
    for mode, value in values.items():
        if mode in CURVES:
            if not isinstance(value, str):
                raise DispatchError(f"{mode.value} must name a curve")
        elif mode is Mode.FREQ_DROOP:
            _check_droop(_parts(mode, value, len(_DROOP_PARTS)), raw=raw)
        elif mode is Mode.FIXED_VAR:
            _check_fixed_var(_parts(mode, value, 2), raw=raw)
        else:
            _check_number(mode, value, raw=raw)


def check_ramp(ramp_s: float | None) -> None:
    """Refuse a ramp that cannot be told.

    Raises:
        DispatchError: It is outside 0 to 655.35 s.
    """
    if ramp_s is not None and not (math.isfinite(ramp_s) and 0 <= ramp_s <= MAX_RAMP_S):
        raise DispatchError(f"ramp_s {ramp_s} is outside 0 to {MAX_RAMP_S} s")


def _check_number(mode: Mode, value: Value, *, raw: bool) -> None:
    if not isinstance(value, float | int):
        raise DispatchError(f"{mode.value} must be a number")
    _inside(mode.value, value, RANGES[mode], raw=raw)
    if mode in SWITCHES and value not in {0, 1}:
        raise DispatchError(f"{mode.value} {value} is neither 0 nor 1")
    if mode in {Mode.PF_INJECT, Mode.PF_ABSORB} and value == 0 and not raw:
        raise DispatchError(f"{mode.value} 0 is no power factor: nothing but vars")


def _check_droop(parts: tuple[float, ...], *, raw: bool) -> None:
    for (name, allowed), part in zip(_DROOP_PARTS, parts, strict=True):
        _inside(f"freq_droop {name}", part, allowed, raw=raw)


def _check_fixed_var(parts: tuple[float, ...], *, raw: bool) -> None:
    reference, percent = parts
    if not raw and reference not in _VAR_REFERENCES:
        raise DispatchError(f"fixed_var: per cents cannot be of reference {reference:g}")
    _inside("fixed_var", percent, SIGNED_PERCENT, raw=raw)


def _parts(mode: Mode, value: Value, count: int) -> tuple[float, ...]:
    if not isinstance(value, tuple) or len(value) != count:
        raise DispatchError(f"{mode.value} must have {count} parts")
    return value


def _inside(name: str, value: float, allowed: Range, *, raw: bool) -> None:
    least = allowed.raw_least if raw else allowed.least
    most = allowed.raw_most if raw else allowed.most
    if not math.isfinite(value) or not least <= value <= most:
        raise DispatchError(f"{name} {value} is outside {least:g} to {most:g}")
