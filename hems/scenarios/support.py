"""What a simulated inverter does by itself for the grid: reactive power, curves, droop; pure.

Signs are passive, as in `der.curves`; only a volt-watt curve's y is a share of generation.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from der.commands import HoldReactive
from der.curves import Curve, Droop, GridFunction, GridSupport, ShareOf
from der.sim.physics.supply import NOMINAL_HZ, NOMINAL_V

_APPARENT: Final = 1.1
"""Apparent power for each W of rating: it keeps its vars at full power."""
_VAR_SHARE: Final = 0.44


@dataclass(frozen=True, slots=True)
class Moving:
    """What an inverter measures.

    Attributes:
        power_w: Its own active power, consumption positive.
        voltage_v: Phase to neutral.
        frequency_hz: Of the grid.
    """

    power_w: float
    voltage_v: float
    frequency_hz: float


def reactive_var(
    rated_w: float,
    running: Mapping[GridFunction, GridSupport],
    held: HoldReactive | None,
    now: Moving,
) -> float:
    """Return the reactive power that it moves, absorbing positive, within what it can.

    What is held goes before volt-var, and that before watt-var.
    """
    apparent = _APPARENT * rated_w
    room = math.sqrt(max(apparent**2 - now.power_w**2, 0.0))
    most = min(_VAR_SHARE * apparent, room)
    return max(-most, min(most, _asked_var(rated_w, running, held, now)))


def _asked_var(
    rated_w: float,
    running: Mapping[GridFunction, GridSupport],
    held: HoldReactive | None,
    now: Moving,
) -> float:
    if held is not None and held.reactive_var is not None:
        return held.reactive_var
    if held is not None and held.power_factor is not None:
        factor = held.power_factor
        if now.power_w > 0 and held.charging_factor is not None:
            factor = held.charging_factor
        var = abs(now.power_w) * math.tan(math.acos(min(abs(factor), 1.0)))
        return math.copysign(var, factor)
    for function, x in (
        (GridFunction.VOLT_VAR, now.voltage_v / NOMINAL_V),
        (GridFunction.WATT_VAR, -now.power_w / rated_w),
    ):
        curve = running.get(function)
        if isinstance(curve, Curve):
            at = x / (curve.v_ref or 1.0)
            return interpolate(curve.points, at) * _whole(curve.of, rated_w, now.power_w)
    return 0.0


def _whole(of: ShareOf, rated_w: float, power_w: float) -> float:
    apparent = _APPARENT * rated_w
    most = _VAR_SHARE * apparent
    return {
        ShareOf.MAX_W: rated_w,
        ShareOf.MAX_VAR: most,
        ShareOf.AVAILABLE_VAR: min(most, math.sqrt(max(apparent**2 - power_w**2, 0.0))),
        ShareOf.MAX_VA: apparent,
    }[of]


def supported_w(
    rated_w: float, running: Mapping[GridFunction, GridSupport], wanted_w: float, now: Moving
) -> float:
    """Return the active power that its functions let it have, consumption positive.

    Args:
        rated_w: Its rating.
        running: The functions that are on.
        wanted_w: What it would have without them.
        now: What it measures.
    """
    power_w = wanted_w
    curve = running.get(GridFunction.VOLT_WATT)
    if isinstance(curve, Curve):
        share = interpolate(curve.points, now.voltage_v / NOMINAL_V)
        power_w = max(power_w, -rated_w * share)
    droop = running.get(GridFunction.FREQUENCY_DROOP)
    if isinstance(droop, Droop):
        power_w += _drooped_w(rated_w, droop, now.frequency_hz)
        if droop.least_share is not None:
            power_w = min(power_w, -droop.least_share * rated_w)
    return max(-rated_w, min(rated_w, power_w))


def _drooped_w(rated_w: float, droop: Droop, frequency_hz: float) -> float:
    """Return by how much a droop moves the power: up where the frequency is high."""
    off_hz = frequency_hz - NOMINAL_HZ
    if off_hz > droop.over_hz:
        return (off_hz - droop.over_hz) / NOMINAL_HZ / droop.over_droop * rated_w
    if off_hz < -droop.under_hz:
        return (off_hz + droop.under_hz) / NOMINAL_HZ / droop.under_droop * rated_w
    return 0.0


def interpolate(points: Sequence[tuple[float, float]], x: float) -> float:
    """Return a curve's y at x; level beyond its ends.

    Args:
        points: At least one, in rising order of x.
        x: Where.
    """
    if x <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if x0 <= x < x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return points[-1][1]
