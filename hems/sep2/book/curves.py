"""DERCurve in neutral words, and what is wrong with the curves that a control names."""

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from hems.sep2 import resources as res
from hems.sep2.rules.curve import Curve
from hems.sep2.rules.events import ModeValue

_MODES: Final = (
    *("opModFreqWatt", "opModHFRTMayTrip", "opModHFRTMustTrip", "opModHVRTMayTrip"),
    *("opModHVRTMomentaryCessation", "opModHVRTMustTrip", "opModLFRTMayTrip"),
    *("opModLFRTMustTrip", "opModLVRTMayTrip", "opModLVRTMomentaryCessation"),
    *("opModLVRTMustTrip", "opModVoltVar", "opModVoltWatt", "opModWattPF", "opModWattVar"),
)
"""DERCurveType, by its code."""

_POWER_FACTOR: Final = "opModWattPF"


@dataclass(frozen=True, slots=True)
class _Axes:
    """What a curve of one mode can mean.

    Attributes:
        x: Least and greatest x.
        y: The same of y.
        of: Codes of what its per cents may be of (DERUnitRefType).
    """

    x: tuple[float, float]
    y: tuple[float, float]
    of: frozenset[int]


_PERCENT: Final = (-100.0, 100.0)
_VOLTAGE: Final = (0.0, 200.0)
_VARS: Final = frozenset({1, 2, 3, 8})
_AXES: Final[Mapping[str, _Axes]] = {
    "opModVoltVar": _Axes(_VOLTAGE, _PERCENT, _VARS),
    "opModVoltWatt": _Axes(_VOLTAGE, (0.0, 100.0), frozenset({1})),
    "opModWattVar": _Axes(_PERCENT, _PERCENT, _VARS),
    "opModFreqWatt": _Axes((40.0, 70.0), _PERCENT, frozenset({1})),
    "opModWattPF": _Axes(_PERCENT, (-1.0, 1.0), frozenset({0})),
}
"""What no device could follow lies outside; ride-through curves are not the home's to set.

Per cents of the power that is available now (7) are not among them: no device here takes a curve
of them.
"""
_MOST_POINTS: Final = 10
_ABSURD: Final = 1e9
_USUAL_FOLLOWS_S: Final = 300.0
"""Time constant of a reference voltage that follows, where none is named (IEEE 1547, 5.3.3)."""


def curve_of(resource: res.DERCurve, href: str) -> Curve:
    """Return a curve in neutral words.

    Args:
        resource: As read.
        href: How a control names it.

    Raises:
        ValueError: It cannot be followed; the message says why.
    """
    if not 0 <= resource.curve_type < len(_MODES):
        raise ValueError(f"curve {href} has the unknown type {resource.curve_type}")
    mode = _MODES[resource.curve_type]
    points = tuple(_point(p, resource, mode) for p in resource.curve_data)
    wrong = _wrong(points) or _meaningless(points, resource.y_ref_type, _AXES.get(mode))
    if wrong:
        raise ValueError(f"curve {href} {wrong}")
    if resource.v_ref is not None and resource.v_ref <= 0:
        raise ValueError(f"curve {href} has a reference voltage of {resource.v_ref}")
    return Curve(
        href=href,
        mode=mode,
        points=points,
        y_ref=resource.y_ref_type,
        open_loop_s=_hundredths(resource.open_loop_tms),
        ramp_up=_hundredths(resource.ramp_inc_tms),
        ramp_down=_hundredths(resource.ramp_dec_tms),
        filter_s=_hundredths(resource.ramp_pt1_tms),
        v_ref=_hundredths(resource.v_ref),
        v_ref_follows_s=_follows_s(resource),
    )


def _point(point: res.CurveData, curve: res.DERCurve, mode: str) -> tuple[float, float]:
    x = _scaled(point.xvalue, curve.x_multiplier)
    y = _scaled(point.yvalue, curve.y_multiplier)
    if mode == _POWER_FACTOR:
        y = math.nan if point.excitation is None else y if point.excitation else -y
    return x, y


def _scaled(value: int, multiplier: int) -> float:
    # Dividing by a whole power of ten rounds once; multiplying by 0.1 would round twice.
    return value / 10**-multiplier if multiplier < 0 else float(value * 10**multiplier)


def _follows_s(curve: res.DERCurve) -> float | None:
    """Return with which time constant the reference voltage follows; None where it does not."""
    if not curve.autonomous_v_ref_enable:
        return None
    return _hundredths(curve.autonomous_v_ref_time_constant) or _USUAL_FOLLOWS_S


def _hundredths(value: int | None) -> float | None:
    return None if value is None else value / 100


def _wrong(points: tuple[tuple[float, float], ...]) -> str:
    if not 1 <= len(points) <= _MOST_POINTS:
        return f"has {len(points)} points, not 1 to {_MOST_POINTS}"
    if any(not math.isfinite(v) or abs(v) > _ABSURD for point in points for v in point):
        return "has a point that is no number"
    if any(b[0] < a[0] for a, b in itertools.pairwise(points)):
        return "goes back along its x axis"
    return ""


def _meaningless(points: tuple[tuple[float, float], ...], of: int, axes: _Axes | None) -> str:
    """Say what of a curve nobody can mean, empty if nothing."""
    if axes is None:
        return ""
    if of not in axes.of:
        return f"has per cents of reference {of}, which it cannot be followed by"
    for number, point in enumerate(points, start=1):
        for name, value, (least, most) in zip("xy", point, (axes.x, axes.y), strict=True):
            if not least <= value <= most:
                return f"has {name} {value:g} at point {number}, beyond {least:g} to {most:g}"
    return ""


def named(modes: Mapping[str, ModeValue]) -> dict[str, str]:
    """Return the hrefs of the curves that an event or default control names, by mode."""
    return {m: v for m, v in modes.items() if m in _MODES and isinstance(v, str)}


def unusable(
    modes: Mapping[str, ModeValue], wanted: Iterable[str], curves: Mapping[str, Curve | str]
) -> dict[str, str]:
    """Return what is wrong with the curves of modes, by mode; nothing for those that are right.

    Args:
        modes: What an event sets.
        wanted: The modes that the home would carry out.
        curves: What is known, by href: the curve, or why it cannot be used.
    """
    wrong: dict[str, str] = {}
    for mode, href in named(modes).items():
        if mode in wanted:
            found = curves.get(href, f"curve {href} is not to be found")
            if isinstance(found, str):
                wrong[mode] = found
            elif found.mode != mode:
                wrong[mode] = f"curve {href} is for {found.mode}, not for {mode}"
    return wrong
