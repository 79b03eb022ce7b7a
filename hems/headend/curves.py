"""DER curves: from an operator's points to what goes on the wire (pure rules)."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from hems.headend.errors import DispatchError
from hems.headend.modes import Mode
from hems.sep2.resources import CurveData, DERCurve

MAX_POINTS: Final = 10

Point: TypeAlias = tuple[float, float]

_INT32: Final = 2**31 - 1
_FINEST: Final = -6
_NOISE: Final = 1e-6
"""What binary fractions may be off, in units of the last digit."""
_VOLTAGE: Final = frozenset({Mode.VOLT_VAR, Mode.VOLT_WATT})
_PER_UNIT: Final = 100.0
_MAX_HUNDREDTHS: Final = 655.35
_MAX_FOLLOW_S: Final = (2**32 - 1) / 100.0

REFERENCES: Final[Mapping[str, int]] = {
    "none": 0,
    "max_w": 1,
    "max_var": 2,
    "available_var": 3,
    "voltage": 4,
    "max_charge_w": 5,
    "max_discharge_w": 6,
    "available_w": 7,
    "max_va": 8,
}
"""What per cents may be of, and its code (DERUnitRefType)."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is said of a curve of one mode.

    Attributes:
        code: DERCurveType.
        x: Sensible range of the x axis as the operator gives it, and its unit.
        y: Sensible range of the y axis.
        of: What per cents of the y axis are of where the operator does not say.
        may: What they may be of.
    """

    code: int
    x: tuple[float, float, str]
    y: tuple[float, float]
    of: str
    may: frozenset[str]


_VARS: Final = frozenset({"max_w", "max_var", "available_var", "max_va"})
_WATTS: Final = frozenset({"max_w", "available_w"})
_PERCENT: Final = (-100.0, 100.0)

_KINDS: Final[Mapping[Mode, _Kind]] = {
    Mode.FREQ_WATT: _Kind(0, (40.0, 70.0, "Hz"), _PERCENT, "max_w", frozenset({"max_w"})),
    Mode.VOLT_VAR: _Kind(11, (0.0, 1.5, "per unit of voltage"), _PERCENT, "max_var", _VARS),
    Mode.VOLT_WATT: _Kind(12, (0.0, 1.5, "per unit of voltage"), _PERCENT, "max_w", _WATTS),
    Mode.WATT_PF: _Kind(
        13, (*_PERCENT, "per cent of power"), (-1.0, 1.0), "none", frozenset({"none"})
    ),
    Mode.WATT_VAR: _Kind(14, (*_PERCENT, "per cent of power"), _PERCENT, "max_var", _VARS),
}


@dataclass(frozen=True, slots=True)
class CurveOrder:
    """A curve as an operator gives it.

    Attributes:
        points: (x, y). x in per unit of the reference voltage (volt-var, volt-watt), Hz
            (freq-watt) or per cent of rated power (watt-var, watt-PF; negative to charge); y in
            per cent, positive to inject, or a power factor, positive to absorb reactive power.
        of: What per cents of y are of, a key of `REFERENCES`; None for what is usual.
        open_loop_s: Time to 90 % of a new target; None for the device's own.
        ramp_up: Greatest rise, per cent a second.
        ramp_down: Greatest fall, per cent a second.
        filter_s: Time in which a low-pass filter settles to 95 % of a step.
        v_ref_percent: What volt-var voltages are multiplied with, per cent.
        v_ref_follows_s: Time constant with which the reference follows the voltage (volt-var).
        name: Its description.
    """

    points: tuple[Point, ...]
    of: str | None = None
    open_loop_s: float | None = None
    ramp_up: float | None = None
    ramp_down: float | None = None
    filter_s: float | None = None
    v_ref_percent: float | None = None
    v_ref_follows_s: float | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve that events of a programme may name.

    Attributes:
        mrid: 32 upper-case hex digits.
        program: Index of its programme.
        mode: The mode it is for.
        order: As the operator gave it; `of` is set.
        created: creationTime, epoch s.
    """

    mrid: str
    program: int
    mode: Mode
    order: CurveOrder
    created: int


def make_curve(
    mode: Mode, order: CurveOrder, program: int, now: float, mrid: str, *, raw: bool = False
) -> Curve:
    """Judge a curve.

    Args:
        mode: The mode it is for.
        order: The curve.
        program: Index of its programme.
        now: Epoch s.
        mrid: Its mRID.
        raw: Whether what makes no sense, yet can be told, may pass: homes are tested with it.

    Raises:
        DispatchError: It makes no sense; the message says which point and why.
    """
    kind = _KINDS.get(mode)
    if kind is None:
        raise DispatchError(f"{mode.value} is not followed along a curve")
    order = replace(order, of=order.of or kind.of)
    if order.of not in REFERENCES:
        known = ", ".join(REFERENCES)
        raise DispatchError(f"{mode.value}: per cents of {str(order.of)[:20]!r}; known: {known}")
    _check_form(mode, order)
    if not raw:
        _check_sense(mode, kind, order)
    return Curve(mrid, program, mode, order, int(now))


def _check_form(mode: Mode, order: CurveOrder) -> None:
    """Refuse what the schema has no room for."""
    if not 1 <= len(order.points) <= MAX_POINTS:
        raise DispatchError(
            f"{mode.value}: a curve has 1 to {MAX_POINTS} points, not {len(order.points)}"
        )
    for number, point in enumerate(order.points, start=1):
        if not all(math.isfinite(value) and abs(value) <= _INT32 / 1e4 for value in point):
            raise DispatchError(f"{mode.value}: point {number} is not two numbers that fit")
    for name, value, most in (
        ("open_loop_s", order.open_loop_s, _MAX_HUNDREDTHS),
        ("ramp_up", order.ramp_up, _MAX_HUNDREDTHS),
        ("ramp_down", order.ramp_down, _MAX_HUNDREDTHS),
        ("filter_s", order.filter_s, _MAX_HUNDREDTHS),
        ("v_ref_percent", order.v_ref_percent, _MAX_HUNDREDTHS),
        ("v_ref_follows_s", order.v_ref_follows_s, _MAX_FOLLOW_S),
    ):
        if value is not None and not (math.isfinite(value) and 0 <= value <= most):
            raise DispatchError(f"{mode.value}: {name} {value:g} is outside 0 to {most:g}")


def _check_sense(mode: Mode, kind: _Kind, order: CurveOrder) -> None:
    """Refuse what can be told but not followed."""
    if order.of not in kind.may:
        allowed = " or ".join(sorted(kind.may))
        raise DispatchError(f"{mode.value}: per cents cannot be of {order.of!r}, only {allowed}")
    (least, most, unit), (low, high) = kind.x, kind.y
    for number, (x, y) in enumerate(order.points, start=1):
        if not least <= x <= most:
            raise DispatchError(
                f"{mode.value}: point {number}: x {x:g} is outside {least:g} to {most:g} {unit}"
            )
        if not low <= y <= high:
            raise DispatchError(
                f"{mode.value}: point {number}: y {y:g} is outside {low:g} to {high:g}"
            )
        if mode is Mode.WATT_PF and y == 0:
            raise DispatchError(
                f"{mode.value}: point {number}: 0 is no power factor: nothing but vars"
            )
    for number, (a, b) in enumerate(itertools.pairwise(order.points), start=2):
        if b[0] < a[0]:
            raise DispatchError(
                f"{mode.value}: point {number} goes back from x {a[0]:g} to {b[0]:g}"
            )
    if order.v_ref_percent == 0:
        raise DispatchError(f"{mode.value}: v_ref_percent 0 leaves no voltage to go by")
    if mode is not Mode.VOLT_VAR and (
        order.v_ref_percent is not None or order.v_ref_follows_s is not None
    ):
        raise DispatchError(f"{mode.value}: only volt_var curves have a reference voltage")


def same(curve: Curve, other: Curve) -> bool:
    """Whether two curves of one programme say the same."""
    return (curve.program, curve.mode, curve.order) == (other.program, other.mode, other.order)


def curve_resource(curve: Curve, href: str) -> DERCurve:
    """Write a curve; voltages go out in per cent, as the standard has them.

    Args:
        curve: The curve.
        href: Its address.
    """
    order = curve.order
    xs = [_wire_x(curve.mode, x) for x, _ in order.points]
    factors = curve.mode is Mode.WATT_PF
    ys = [abs(y) if factors else y for _, y in order.points]
    x_scale, y_scale = _scale(xs), _scale(ys)
    data = tuple(
        CurveData(
            excitation=point[1] >= 0 if factors else None,
            xvalue=_whole(x, x_scale),
            yvalue=_whole(y, y_scale),
        )
        for x, y, point in zip(xs, ys, order.points, strict=True)
    )
    follows = order.v_ref_follows_s
    return DERCurve(
        href=href,
        mrid=curve.mrid,
        description=order.name,
        autonomous_v_ref_enable=None if follows is None else True,
        autonomous_v_ref_time_constant=_hundredths(follows),
        creation_time=curve.created,
        curve_data=data,
        curve_type=_KINDS[curve.mode].code,
        open_loop_tms=_hundredths(order.open_loop_s),
        ramp_dec_tms=_hundredths(order.ramp_down),
        ramp_inc_tms=_hundredths(order.ramp_up),
        ramp_pt1_tms=_hundredths(order.filter_s),
        v_ref=_hundredths(order.v_ref_percent),
        x_multiplier=x_scale,
        y_multiplier=y_scale,
        y_ref_type=REFERENCES[order.of or "none"],
    )


def _wire_x(mode: Mode, x: float) -> float:
    return x * _PER_UNIT if mode in _VOLTAGE else x


def _hundredths(value: float | None) -> int | None:
    return None if value is None else round(value * 100)


def _scale(values: Sequence[float]) -> int:
    """Return the power of ten in which all values are whole, or as fine as they fit."""
    scale = 0
    while scale > _FINEST and any(_off(value, scale) > _NOISE for value in values):
        if any(abs(value) * 10.0 ** (1 - scale) > _INT32 for value in values):
            break
        scale -= 1
    return scale


def _off(value: float, scale: int) -> float:
    scaled = value * 10.0**-scale
    return abs(scaled - round(scaled))


def _whole(value: float, scale: int) -> int:
    return round(value * 10.0**-scale)
