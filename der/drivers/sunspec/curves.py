"""Grid-support functions in house words and in the points of a slot of models 705, 706, 711, 712.

Pure: no I/O. SunSpec counts generation and injected reactive power positive and in percent, the
house what is consumed and absorbed, in shares; so a watt-var curve's points change their order
too. Each rounding goes in the direction that `CurveShape` and `encode_droop` call safe.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from der.curves import Curve, Droop, GridFunction, GridSupport, ShareOf
from der.drivers.sunspec.slot import Slot, SlotView
from der.drivers.sunspec.writer import Rounding
from der.errors import RejectedError

NEUTRAL_HZ: Final = 5.0
"""A dead band that no frequency leaves with the device still connected."""


@dataclass(frozen=True, slots=True)
class CurveShape:
    """How a model keeps a curve.

    Attributes:
        model: Its number.
        x: Name of a point's x.
        y: Name of a point's y.
        x_sign: Factor between the house's x and the model's.
        y_sign: The same for y.
        references: DeptRef's values.
        x_rounding: Safe direction of x.
        y_rounding: Safe direction of y.
        neutral: (x, y) in percent of a curve that changes nothing.
    """

    model: int
    x: str
    y: str
    x_sign: float
    y_sign: float
    references: Mapping[ShareOf, int]
    x_rounding: Rounding
    y_rounding: Rounding
    neutral: tuple[tuple[float, float], ...]


_VARS: Final = {
    ShareOf.MAX_W: 0,
    ShareOf.MAX_VAR: 1,
    ShareOf.AVAILABLE_VAR: 2,
    ShareOf.MAX_VA: 3,
}
CURVES: Final[Mapping[GridFunction, CurveShape]] = {
    # Fewer var never overload anything; where on the voltage axis is nobody's bound.
    GridFunction.VOLT_VAR: CurveShape(
        705,
        "V",
        "Var",
        1.0,
        -1.0,
        _VARS,
        Rounding.NEAREST,
        Rounding.TO_ZERO,
        ((90.0, 0.0), (110.0, 0.0)),
    ),
    # The curve bounds generation and falls with the voltage: less power, and at a lower voltage.
    GridFunction.VOLT_WATT: CurveShape(
        706,
        "V",
        "W",
        1.0,
        1.0,
        {ShareOf.MAX_W: 0},
        Rounding.DOWN,
        Rounding.DOWN,
        ((90.0, 100.0), (110.0, 100.0)),
    ),
    GridFunction.WATT_VAR: CurveShape(
        712,
        "W",
        "Var",
        -1.0,
        -1.0,
        _VARS,
        Rounding.NEAREST,
        Rounding.TO_ZERO,
        ((0.0, 0.0), (100.0, 0.0)),
    ),
}
DROOP_MODEL: Final = 711
MODELS: Final[Mapping[GridFunction, int]] = {
    **{function: shape.model for function, shape in CURVES.items()},
    GridFunction.FREQUENCY_DROOP: DROOP_MODEL,
}


def check(device: str, settings: GridSupport) -> None:
    """See whether settings make sense in themselves.

    Raises:
        RejectedError: No points, or out of order, or numbers that are none.
    """
    what = f"{device}: {settings.function}"
    if isinstance(settings, Curve):
        numbers = [value for point in settings.points for value in point]
        numbers += [v for v in (settings.response_s, settings.v_ref) if v is not None]
        numbers += [v for v in (settings.v_ref_follows_s,) if v is not None]
        if not settings.points:
            raise RejectedError(f"{what} has no points")
        if settings.function not in CURVES:
            raise RejectedError(f"{what} is no curve")
        if any(a[0] > b[0] for a, b in pairwise(settings.points)):
            raise RejectedError(f"{what}: points are not in rising order")
        if settings.function is GridFunction.VOLT_WATT and min(y for _, y in settings.points) < 0:
            raise RejectedError(f"{what}: a share of generation can't be negative")
    elif isinstance(settings, Droop):
        optional = (settings.response_s, settings.least_share)
        bands = (settings.over_hz, settings.under_hz)
        droops = (settings.over_droop, settings.under_droop)
        numbers = [*bands, *droops, *(v for v in optional if v is not None)]
        if min(bands) < 0 or not min(droops) > 0:
            raise RejectedError(f"{what}: dead bands from 0 Hz, droops above 0")
    else:
        raise RejectedError(f"{what}: neither a curve nor a droop")
    if not all(math.isfinite(number) for number in numbers):
        raise RejectedError(f"{what}: not all numbers are finite")


def encode_curve(curve: Curve, slot: SlotView, base: Slot) -> Slot:
    """Return what a slot must hold for a curve.

    Args:
        curve: As `check` has passed it.
        slot: Where it is to go, as read.
        base: What the device ran before; what the curve leaves to the device is taken from it.

    Raises:
        PermanentError: Too many points, or something that the device does not have.
    """
    shape = CURVES[curve.function]
    if len(curve.points) > slot.room:
        raise slot.error(
            f"NPt: {len(curve.points)} points do not fit, there is room for {slot.room}"
        )
    reference = shape.references.get(curve.of)
    if reference is None:
        raise slot.error(f"DeptRef has no value for {curve.of}")
    values: Slot = {"ActPt": len(curve.points), "DeptRef": reference}
    if "Pri" in base:
        values["Pri"] = base["Pri"]
    values |= _reference_voltage(curve, slot)
    values |= _response(curve.response_s, slot, base)
    turned = curve.points if shape.x_sign > 0 else reversed(curve.points)
    for number, (x, y) in enumerate(turned, 1):
        at = f"Pt[{number}]"
        values[f"{at}.{shape.x}"] = slot.steps(
            f"{at}.{shape.x}", 100.0 * shape.x_sign * x, shape.x_rounding
        )
        values[f"{at}.{shape.y}"] = slot.steps(
            f"{at}.{shape.y}", 100.0 * shape.y_sign * y, shape.y_rounding
        )
    return values


def encode_droop(droop: Droop, slot: SlotView, base: Slot) -> Slot:
    """Return what a slot must hold for a droop; arguments as for `encode_curve`.

    Dead bands and droops are rounded down: the device helps the grid sooner and more.
    """
    values: Slot = {
        "DbOf": slot.steps("DbOf", droop.over_hz, Rounding.DOWN),
        "DbUf": slot.steps("DbUf", droop.under_hz, Rounding.DOWN),
        "KOf": max(1, slot.steps("KOf", droop.over_droop, Rounding.DOWN)),
        "KUf": max(1, slot.steps("KUf", droop.under_droop, Rounding.DOWN)),
        **_response(droop.response_s, slot, base),
    }
    if droop.least_share is not None:
        # A bound from below, and not to be passed: up.
        values["PMin"] = slot.steps("PMin", 100.0 * droop.least_share, Rounding.UP)
    elif "PMin" in base:
        values["PMin"] = base["PMin"]
    return values


def encode(settings: GridSupport, slot: SlotView, base: Slot) -> Slot:
    """Return what a slot must hold for settings; as `encode_curve` and `encode_droop`."""
    if isinstance(settings, Curve):
        return encode_curve(settings, slot, base)
    if isinstance(settings, Droop):
        return encode_droop(settings, slot, base)
    raise slot.error(f"cannot hold {settings!r}")  # never: `check` has refused it


def neutral(function: GridFunction, slot: SlotView, base: Slot) -> Slot:
    """Return settings under which a device does what it does without the function.

    What a device reverts to must be a slot; this is the one for "nothing".
    """
    shape = CURVES.get(function)
    if shape is None:
        width_hz = {n: slot.steps(n, NEUTRAL_HZ, Rounding.DOWN) for n in ("DbOf", "DbUf")}
        gentle = {name: slot.steps(name, 1.0, Rounding.DOWN) for name in ("KOf", "KUf")}
        return {**gentle, **base, **width_hz}
    values = {name: value for name, value in base.items() if not name.startswith("Pt[")}
    values |= {"ActPt": len(shape.neutral), "DeptRef": 0}
    for number, (x, y) in enumerate(shape.neutral, 1):
        at = f"Pt[{number}]"
        values[f"{at}.{shape.x}"] = slot.steps(f"{at}.{shape.x}", x, Rounding.NEAREST)
        values[f"{at}.{shape.y}"] = slot.steps(f"{at}.{shape.y}", y, Rounding.DOWN)
    return values


def _reference_voltage(curve: Curve, slot: SlotView) -> Slot:
    """Return the points of volt-var's reference voltage, those that the device has or needs."""
    values: Slot = {}
    running = slot.running
    if curve.v_ref is not None and not running.knows("VRef"):
        raise slot.error("has no VRef")
    if running.has("VRef"):
        share = 1.0 if curve.v_ref is None else curve.v_ref
        values["VRef"] = slot.steps("VRef", 100.0 * share, Rounding.NEAREST)
    elif curve.v_ref not in {None, 1.0}:
        raise slot.error("has no VRef")
    follows = curve.v_ref_follows_s
    if running.has("VRefAutoEna"):
        values["VRefAutoEna"] = int(follows is not None)
        if follows is not None:
            values["VRefAutoTms"] = slot.steps("VRefAutoTms", follows, Rounding.NEAREST)
    elif follows is not None:
        raise slot.error("has no VRefAutoEna")
    return values


def _response(response_s: float | None, slot: SlotView, base: Slot) -> Slot:
    """Return the response time; rounded down it keeps the time asked for, but never to none."""
    if response_s is None:
        return {"RspTms": base["RspTms"]} if "RspTms" in base else {}
    running = slot.running
    if not running.knows("RspTms") or not (running.has("RspTms") or slot.has("RspTms")):
        raise slot.error("has no RspTms")
    least = 1 if response_s > 0 else 0
    return {"RspTms": max(least, slot.steps("RspTms", response_s, Rounding.DOWN))}
