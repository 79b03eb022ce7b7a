"""Active power of a SunSpec inverter: models 704 and 123, set-points with their reversion.

A set-point and the time after which the inverter drops it go out in one frame, so that the
inverter never holds a limit without its end. Where a device refuses such a frame, the points go
out one by one: what it reverts to, then the set-point, then the enable that puts it in force.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from der.drivers.sunspec.block import Block, Located
from der.drivers.sunspec.map import SunSpecMap, Wanted, want
from der.drivers.sunspec.model import Point
from der.drivers.sunspec.writer import PointWriter, Rounding, steps
from der.errors import PermanentError
from der.model import Control, Setpoint

_ON: Final = 1
_OFF: Final = 0
_PERCENT, _WATTS = 0, 1  # WSetMod


class ActivePower(Protocol):
    """Limits or sets the active power of one inverter."""

    @property
    def model(self) -> int:
        """The model that it is done by."""
        ...

    @property
    def wanted(self) -> Wanted:
        """What each cycle shall read for it."""
        ...

    def limit_w(self, present: Block) -> float | None:
        """Return the set-point in force, W, passive sign; None if none is, or it can't be told."""
        ...

    def problem(self, present: Block) -> str:
        """Return why it cannot be written; empty if nothing is known."""
        ...

    def timed(self, present: Block) -> bool:
        """Whether the device drops a set-point by itself."""
        ...

    def second_value(self, present: Block) -> bool:
        """Whether the device can hold what it then reverts to."""
        ...

    async def write(self, setpoint: Setpoint, present: Block) -> None:
        """Put a set-point in force and see that the inverter took it.

        Raises:
            PermanentError: The inverter lacks a point, or refuses it.
            TransientError: No usable answer, or it confirmed and did not change.
        """
        ...

    async def release(self) -> None:
        """Give the inverter back to its own control; errors as for `write`."""
        ...


@dataclass(frozen=True, slots=True)
class ControlPoints:
    """Names of one control's points, and the model's sign of power.

    Attributes:
        model: Their model.
        revert_enable: Whether the value that it reverts to is in force then; empty where the
            model has no such value.
        revert_value: That value.
        mode: Selects the unit of the set-point; empty where there is one unit only.
        other: The set-point in the other unit, percent.
        percent: Whether the value is a percentage of the inverter's maximum power.
        sign: Factor between the device's sign and the passive sign.
    """

    model: int
    enable: str
    value: str
    revert_time: str
    revert_enable: str = ""
    revert_value: str = ""
    mode: str = ""
    other: str = ""
    percent: bool = True
    sign: float = -1.0

    @property
    def order(self) -> tuple[str, ...]:
        """The points in the order in which they are written if one frame can't carry them."""
        names = (
            self.revert_enable,
            self.revert_value,
            self.revert_time,
            self.mode,
            self.value,
            self.enable,
        )
        return tuple(name for name in names if name)


LIMIT_704: Final = ControlPoints(
    model=704,
    enable="WMaxLimPctEna",
    value="WMaxLimPct",
    revert_time="WMaxLimPctRvrtTms",
    revert_enable="WMaxLimPctEnaRvrt",
    revert_value="WMaxLimPctRvrt",
)
SET_704: Final = ControlPoints(
    model=704,
    enable="WSetEna",
    value="WSet",
    revert_time="WSetRvrtTms",
    revert_enable="WSetEnaRvrt",
    revert_value="WSetRvrt",
    mode="WSetMod",
    other="WSetPct",
    percent=False,
)
LIMIT_123: Final = ControlPoints(
    model=123,
    enable="WMaxLim_Ena",
    value="WMaxLimPct",
    revert_time="WMaxLimPct_RvrtTms",
)
CONTROL_POINTS: Final[Mapping[Control, tuple[ControlPoints, ...]]] = {
    Control.FLOOR: (LIMIT_704, LIMIT_123),
    Control.TARGET: (SET_704,),
}
"""What does a kind's set-point, the best first; model 124, for batteries, is `storage_rate`'s."""


def raw_value(points: ControlPoints, power_w: float, max_w: float, exponent: int) -> int:
    """Return the register value of a power, rounded towards less power.

    Less is the safe direction: a limit is never exceeded, and a battery that is to move less than
    it may can neither trip the main breaker nor break a limit of the utility's.

    Args:
        points: Which control.
        power_w: W, passive sign.
        max_w: The inverter's maximum power in W, of which a percentage counts.
        exponent: The power of ten that scales the point.
    """
    value = points.sign * power_w
    if points.percent:
        value = min(100.0, max(0.0, 100.0 * value / max_w))
    return steps(value, exponent, Rounding.TO_ZERO)


def seconds(lapse_s: float, point: Point) -> int:
    """Return a time for a point, rounded up; at most what it can hold, which only ends it sooner.

    Args:
        lapse_s: s.
        point: A point of an unsigned type.
    """
    return min(math.ceil(lapse_s), (1 << 16 * point.size) - 2)


class ScaledPower:
    """One control of model 704 or 123 of one inverter.

    Attributes:
        max_w: The inverter's maximum power in W, of which percentages count, as last read:
            somebody may set it anew, and a limit must not grow with it.
    """

    def __init__(
        self, device: SunSpecMap, at: Located, points: ControlPoints, max_w: float
    ) -> None:
        self.max_w = max_w
        self._writer = PointWriter(device, at)
        self._points = points
        names = [*points.order, points.other] if points.other else points.order
        self.wanted = want(at, names, between=True)

    @property
    def percent(self) -> bool:
        """Whether it is told a percentage of the maximum power."""
        return self._points.percent

    @property
    def model(self) -> int:
        """704 or 123."""
        return self._points.model

    def limit_w(self, present: Block) -> float | None:
        """Return the set-point in force as the inverter says, W, passive sign; None if none."""
        points = self._points
        if present.number(points.enable) != _ON:
            return None
        percent = points.percent
        if points.mode and present.number(points.mode) == _PERCENT:
            percent = True  # somebody else's: we set watts
        value = present.number(points.other if percent and points.other else points.value)
        if value is None:
            return None
        return points.sign * (value / 100.0 * self.max_w if percent else value) + 0.0  # no -0.0

    def problem(self, present: Block) -> str:
        """Return why it cannot be written."""
        value = self._points.value
        if present.has(value) and present.exponent(value) is not None:
            return ""
        return f"the inverter has no model {self.model} point {value}"

    def timed(self, present: Block) -> bool:
        """Whether its reversion timer is implemented."""
        return present.has(self._points.revert_time)

    def second_value(self, present: Block) -> bool:
        """Whether what it reverts to is implemented."""
        names = (self._points.revert_value, self._points.revert_enable)
        return all(name and present.has(name) for name in names)

    async def write(self, setpoint: Setpoint, present: Block) -> None:
        """Put a set-point in force; points between ours go back as they were in `present`."""
        values = self._values(setpoint, present)
        await self._writer.write(values, present)
        points = self._points
        proof = {n: values[n] for n in (points.value, points.enable, points.revert_time)}
        await self._writer.verify_timed(proof, points.revert_time, present)

    async def release(self) -> None:
        """Switch the control off, now and for when a timer that still runs has run out."""
        points = self._points
        names = [name for name in (points.revert_enable, points.enable) if name]
        present = await self._writer.read(names)
        off = {n: _OFF for n in names if n == points.enable or present.has(n)}
        await self._writer.write(off, present)
        await self._writer.verify(off)

    def _values(self, setpoint: Setpoint, present: Block) -> dict[str, int]:
        points = self._points
        if problem := self.problem(present):
            raise PermanentError(f"{self._writer.device}: {problem}")
        exponent = self._writer.exponent(points.value, present)
        # Ignored while the reversion is "disabled", but never left unlike what it should be.
        revert_w = setpoint.revert_w
        own_w = points.sign * self.max_w if points.percent else 0.0
        time_point = self._writer.at.model.points[points.revert_time]
        values = {
            points.revert_enable: _OFF if revert_w is None else _ON,
            points.revert_value: raw_value(
                points, own_w if revert_w is None else revert_w, self.max_w, exponent
            ),
            points.revert_time: seconds(setpoint.lapse_s, time_point),
            points.mode: _WATTS,
            points.value: raw_value(points, setpoint.power_w, self.max_w, exponent),
            points.enable: _ON,
        }
        return {name: values[name] for name in points.order}
