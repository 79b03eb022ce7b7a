"""How a curve is followed by the hub itself, where a device cannot do it."""

import itertools
from collections.abc import Sequence

from der.commands import DeviceOptions
from der.curves import Curve, ShareOf
from der.model import DeviceState
from programs.inputs import Sensed
from programs.support import FixedVar, var_rating


def along(points: Sequence[tuple[float, float]], x: float) -> float:
    """Return a curve's y at x; beyond its ends it stays level.

    Where it rises or falls at one x, that x has the value of its right side.

    Args:
        points: At least one, in rising order of x.
        x: Where.
    """
    if x < points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if x0 <= x < x1:
            return y0 + (y1 - y0) * ((x - x0) / (x1 - x0))
    return points[-1][1]


def voltage_share(curve: Curve, sensed: Sensed, nominal_v: float) -> float | None:
    """Return the voltage as share of the curve's reference; None while it is unknown."""
    return share_of_voltage(curve, sensed.level_v, nominal_v)


def share_of_voltage(curve: Curve, voltage_v: float | None, nominal_v: float) -> float | None:
    """Return a voltage as share of the curve's reference; None while it is unknown."""
    if voltage_v is None:
        return None
    return voltage_v / (nominal_v * (1.0 if curve.v_ref is None else curve.v_ref))


def held_along(
    curve: Curve,
    x: float,
    device: DeviceState,
    options: DeviceOptions,
    step_share: float,
) -> FixedVar:
    """Return the reactive power that a device is to hold where it cannot run a curve itself.

    Args:
        curve: Whose y is a reactive power.
        x: Where on it.
        device: Which holds it.
        options: What it can do.
        step_share: A change smaller than this share of its rating is not written.
    """
    var = var_of(along(curve.points, x), curve.of, device, options)
    rating_var = var_rating(device, options, absorbs=var > 0)
    return FixedVar(float(round(var)), step_share * rating_var)


def var_of(share: float, of: ShareOf, device: DeviceState, options: DeviceOptions | None) -> float:
    """Return what a share on a reactive curve's y axis is in var, absorbing positive.

    What is left beside the present active power is taken as the rating: category B inverters keep
    it at any power (IEEE 1547-2018, 5.2).
    """
    rating_var = var_rating(device, options, absorbs=share > 0)
    if of is ShareOf.MAX_W:
        whole = -device.spec.min_w
    elif of is ShareOf.MAX_VA and options is not None and options.rated_va is not None:
        whole = options.rated_va
    elif of is ShareOf.MAX_VA:
        whole = -device.spec.min_w
    else:
        whole = rating_var
    return min(max(share * whole, -rating_var), rating_var)
