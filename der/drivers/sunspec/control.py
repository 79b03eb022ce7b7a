"""Active-power control of a SunSpec inverter: model 704 set-points with their reversion.

A set-point and the time after which the inverter drops it go out in one frame, so that the
inverter never holds a limit without its end. Where a device refuses such a frame, the points go
out one by one: what it reverts to, then the set-point, then the enable that puts it in force.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from der.drivers.sunspec.map import Located, SunSpecMap, want
from der.drivers.sunspec.model import Block, encode, not_implemented
from der.errors import PermanentError, RefusalError, TransientError
from der.model import Control, Setpoint

_ON: Final = 1
_OFF: Final = 0
_WATTS: Final = 1  # WSetMod
_ROUNDING: Final = 1e-6


@dataclass(frozen=True, slots=True)
class ControlPoints:
    """Names of one control's points in model 704, and the model's sign of power.

    Attributes:
        mode: Selects the unit of the set-point; None where there is one unit only.
        percent: Whether the value is a percentage of the inverter's maximum power.
        sign: Factor between the device's sign and the passive sign.
    """

    enable: str
    value: str
    revert_enable: str
    revert_value: str
    revert_time: str
    mode: str | None
    percent: bool
    sign: float = -1.0

    @property
    def order(self) -> tuple[str, ...]:
        """The points in the order in which they are written if one frame can't carry them."""
        mode = () if self.mode is None else (self.mode,)
        return (
            self.revert_enable,
            self.revert_value,
            self.revert_time,
            *mode,
            self.value,
            self.enable,
        )


CONTROL_POINTS: Final[Mapping[Control, ControlPoints]] = {
    Control.FLOOR: ControlPoints(
        enable="WMaxLimPctEna",
        value="WMaxLimPct",
        revert_enable="WMaxLimPctEnaRvrt",
        revert_value="WMaxLimPctRvrt",
        revert_time="WMaxLimPctRvrtTms",
        mode=None,
        percent=True,
    ),
    Control.TARGET: ControlPoints(
        enable="WSetEna",
        value="WSet",
        revert_enable="WSetEnaRvrt",
        revert_value="WSetRvrt",
        revert_time="WSetRvrtTms",
        mode="WSetMod",
        percent=False,
    ),
}


def raw_value(points: ControlPoints, power_w: float, max_w: float, exponent: int) -> int:
    """Return the register value of a power, rounded towards less power.

    Args:
        points: Which control.
        power_w: W, passive sign.
        max_w: The inverter's maximum power in W, of which a percentage counts.
        exponent: The power of ten that scales the point.
    """
    value = points.sign * power_w
    if points.percent:
        value = min(100.0, max(0.0, 100.0 * value / max_w))
    scaled = value / 10.0**exponent
    return math.trunc(scaled + math.copysign(_ROUNDING, scaled))


class ActivePowerControl:
    """One control of one inverter."""

    def __init__(
        self, device: SunSpecMap, at: Located, points: ControlPoints, max_w: float
    ) -> None:
        self._map = device
        self._at = at
        self._points = points
        self._max_w = max_w
        self._one_frame = True

    def limit_w(self, block: Block) -> float | None:
        """Return the set-point in force as the inverter says, W, passive sign; None if none."""
        if block.number(self._points.enable) != _ON:
            return None
        value = block.number(self._points.value)
        if value is None:
            return None
        return self._points.sign * (value / 100.0 * self._max_w if self._points.percent else value)

    async def write(self, setpoint: Setpoint, present: Block) -> None:
        """Put a set-point in force and see that the inverter took it.

        Args:
            setpoint: W, passive sign.
            present: Model 704 as last read; points between ours go back as they were.

        Raises:
            PermanentError: The inverter lacks a point, or refuses it.
            TransientError: No usable answer, or it confirmed and did not change.
        """
        values = self._values(setpoint, present)
        if self._one_frame:
            try:
                await self._write_frame(values, present)
            except RefusalError:
                self._one_frame = False  # some devices refuse frames with points they lack
        if not self._one_frame:
            for name in self._points.order:
                if name in values and self._implemented(name, present):
                    await self._write_point(name, values[name])
        await self._verify(
            {name: values[name] for name in (self._points.value, self._points.enable)}
        )

    async def release(self) -> None:
        """Give the inverter back to its own control; errors as for `write`."""
        await self._write_point(self._points.enable, _OFF)
        await self._verify({self._points.enable: _OFF})

    def _values(self, setpoint: Setpoint, present: Block) -> dict[str, int]:
        points, device = self._points, self._map.bus.device
        exponent = present.exponent(points.value)
        if exponent is None or not self._implemented(points.value, present):
            raise PermanentError(f"{device}: the inverter has no model 704 point {points.value}")
        # Ignored while the reversion is "disabled", but never left unlike what it should be.
        revert_w = setpoint.revert_w
        own_w = points.sign * self._max_w if points.percent else 0.0
        values = {
            points.revert_enable: _OFF if revert_w is None else _ON,
            points.revert_value: raw_value(
                points, own_w if revert_w is None else revert_w, self._max_w, exponent
            ),
            points.revert_time: math.ceil(setpoint.lapse_s),
            points.value: raw_value(points, setpoint.power_w, self._max_w, exponent),
            points.enable: _ON,
        }
        if points.mode is not None:
            values[points.mode] = _WATTS
        return values

    def _implemented(self, name: str, present: Block) -> bool:
        raw = present.raw(name)
        point = present.model.points[name]
        return raw is not None and raw != encode(point, not_implemented(point))

    async def _write_frame(self, values: Mapping[str, int], present: Block) -> None:
        model = self._at.model
        start, count = model.span(self._points.order)
        registers: list[int] = []
        for point in model.points.values():
            if start <= point.offset < start + count:
                if point.name in values:
                    registers += encode(point, values[point.name])
                else:
                    registers += present.raw(point.name) or encode(point, not_implemented(point))
        await self._map.bus.write_holding(
            self._at.address + start, registers, f"model 704 {self._points.value}"
        )

    async def _write_point(self, name: str, value: int) -> None:
        point = self._at.model.points[name]
        await self._map.bus.write_holding(
            self._at.address + point.offset, encode(point, value), f"model 704 {name}"
        )

    async def _verify(self, expected: Mapping[str, int]) -> None:
        (block,) = await self._map.read([want(self._at, list(expected))], "model 704 read-back")
        for name, value in expected.items():
            if block.raw(name) != encode(self._at.model.points[name], value):
                raise TransientError(
                    f"{self._map.bus.device}: model 704 {name} reads {block.number(name)} after "
                    f"a confirmed write of another value"
                )
