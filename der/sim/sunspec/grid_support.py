"""Grid support of a simulated inverter: fixed var and power factor, curves, droop; and it acts.

SunSpec's signs hold here: generation and injected reactive power positive. Of the functions that
move reactive power the first that is on counts: set var, power factor, volt-var, watt-var.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from der.sim.physics.supply import NOMINAL_HZ, NOMINAL_V
from der.sim.sunspec import ac_controls
from der.sim.sunspec.parts import Part, Timed
from der.sim.sunspec.registers import Key
from der.sim.sunspec.slots import Adoption, Slot, SlotFunction
from der.sim.sunspec.support_shapes import (
    DROOP,
    POINTS,
    SUPPORT_SCALES,
    VOLT_VAR,
    VOLT_WATT,
    WATT_VAR,
    points_of,
)

MODELS = (705, 706, 711, 712)
VAR_SHARE = 0.44
"""Reactive power that an inverter of category B can move, as share of its apparent power."""


@dataclass(frozen=True, slots=True)
class Ratings:
    """What an inverter can do.

    Attributes:
        max_w: Greatest active power.
        max_va: Greatest apparent power.
        max_var: Greatest reactive power either way.
    """

    max_w: float
    max_va: float
    max_var: float

    @classmethod
    def of(cls, max_w: float) -> "Ratings":
        """Return the ratings of an inverter of category B that keeps its vars at full power."""
        max_va = 1.1 * max_w
        return cls(max_w, max_va, VAR_SHARE * max_va)

    def available_var(self, power_w: float) -> float:
        """Return the reactive power that fits beside an active power."""
        return min(self.max_var, math.sqrt(max(0.0, self.max_va**2 - power_w**2)))

    def reference(self, kind: float, power_w: float) -> float:
        """Return what 100 % of a reactive power is, by VarSetMod or DeptRef."""
        return {
            ac_controls.OF_MAX_W: self.max_w,
            ac_controls.OF_MAX_VAR: self.max_var,
            ac_controls.OF_AVAILABLE: self.available_var(power_w),
        }.get(int(kind), self.max_va)


@dataclass(frozen=True, slots=True)
class Grid:
    """What an inverter measures.

    Attributes:
        power_w: Its own active power, generation positive.
        voltage_v: Phase to neutral.
        frequency_hz: Of the grid.
    """

    power_w: float
    voltage_v: float = NOMINAL_V
    frequency_hz: float = NOMINAL_HZ


def interpolate(points: Sequence[tuple[float, float]], x: float) -> float:
    """Return a curve's y at x; beyond its ends it stays level.

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


class GridSupport:
    """The functions of one inverter.

    Args:
        ratings: What it can do.
        adoption: What becomes of requests to adopt a curve.
        reverts: Whether its curves have reversion timers.
        slots: How many slots each of them has.
    """

    def __init__(
        self,
        ratings: Ratings,
        adoption: Adoption = Adoption.COMPLETES,
        *,
        reverts: bool = True,
        slots: int = 3,
    ) -> None:
        self.ratings = ratings
        self._var = ac_controls.reactive(ratings.max_var)
        self._injecting = ac_controls.power_factor("PFWInj")
        self._absorbing = ac_controls.power_factor("PFWAbs")
        shapes = (VOLT_VAR, VOLT_WATT, DROOP, WATT_VAR)
        functions = [SlotFunction(shape, slots, adoption, reverts) for shape in shapes]
        self._volt_var, self._volt_watt, self._droop, self._watt_var = functions
        timed = (self._var, self._injecting, self._absorbing)
        self.parts: tuple[Part, ...] = (*(Timed(704, f) for f in timed), *functions)
        self._before_w = 0.0

    @property
    def scales(self) -> dict[Key, int]:
        """Scale factors of models 705, 706, 711 and 712."""
        return {
            (model, name): exponent
            for model, scales in SUPPORT_SCALES.items()
            for name, exponent in scales.items()
        }

    @property
    def counts(self) -> dict[Key, int]:
        """How often their groups repeat."""
        counts = {(711, "Ctl"): self._droop.slots}
        for function in (self._volt_var, self._volt_watt, self._watt_var):
            counts[function.model, "Crv"] = function.slots
            counts[function.model, "Pt"] = POINTS
        return counts

    def reset(self) -> None:
        """Forget the power before a disturbance; the parts forget by themselves."""
        self._before_w = 0.0

    def reactive_var(self, grid: Grid) -> float:
        """Return the reactive power that it is to inject now, within what it can."""
        most = self.ratings.available_var(grid.power_w)
        return max(-most, min(most, self._asked_var(grid)))

    def limit_w(self, grid: Grid) -> float:
        """Return the greatest generation that volt-watt and droop allow now."""
        limit_w = math.inf
        curve = self._volt_watt.running
        if curve is not None:
            share = interpolate(points_of(curve, "V", "W"), 100 * grid.voltage_v / NOMINAL_V)
            limit_w = self.ratings.max_w * share / 100
        droop = self._droop.running
        if droop is not None:
            limit_w = min(limit_w, self._drooped_w(droop, grid))
        return limit_w

    def _drooped_w(self, droop: Slot, grid: Grid) -> float:
        excess_hz = grid.frequency_hz - NOMINAL_HZ - droop["DbOf"]
        if excess_hz <= 0:
            self._before_w = grid.power_w
            return math.inf
        less_w = excess_hz / NOMINAL_HZ / droop["KOf"] * self.ratings.max_w
        return max(droop.get("PMin", 0.0) / 100 * self.ratings.max_w, self._before_w - less_w)

    def _asked_var(self, grid: Grid) -> float:
        if self._var.enabled:
            return self._set_var(grid)
        factor = self._injecting if grid.power_w >= 0 else self._absorbing
        if factor.enabled:
            return self._factored_var(factor.values, grid)
        for function, x, at in (
            (self._volt_var, "V", 100 * grid.voltage_v / NOMINAL_V),
            (self._watt_var, "W", 100 * grid.power_w / self.ratings.max_w),
        ):
            curve = function.running
            if curve is not None:
                share = interpolate(points_of(curve, x, "Var"), at)
                return self.ratings.reference(curve["DeptRef"], grid.power_w) * share / 100
        return 0.0

    def _set_var(self, grid: Grid) -> float:
        values = self._var.values
        if values["VarSetMod"] == ac_controls.VARS:
            return values["VarSet"]
        reference = self.ratings.reference(values["VarSetMod"], grid.power_w)
        return reference * values["VarSetPct"] / 100

    @staticmethod
    def _factored_var(values: dict[str, float], grid: Grid) -> float:
        name = "PFWInj" if grid.power_w >= 0 else "PFWAbs"
        var = abs(grid.power_w) * math.tan(math.acos(values[f"{name}.PF"]))
        return -var if values[f"{name}.Ext"] == ac_controls.UNDER_EXCITED else var
