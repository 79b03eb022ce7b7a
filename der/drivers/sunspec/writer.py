"""Writing points of a SunSpec model: whole frames where a device takes them, single points else.

Every write can be verified by reading it back. Numbers are rounded to what the scale factor can
hold in the direction that the caller calls safe.
"""

import math
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Final

from der.drivers.sunspec.block import Block, Located
from der.drivers.sunspec.map import SunSpecMap, want
from der.drivers.sunspec.model import Point, encode, not_implemented
from der.errors import PermanentError, RefusalError, TransientError

MAX_WRITTEN: Final = 123
"""Most registers that one Modbus write may carry (application protocol V1.1b3, 6.12)."""

ILLEGAL_ADDRESS: Final = 2
"""Modbus exception of a device for what it does not have."""

_TOLERANCE: Final = 1e-6
"""Of one step: a number so near to a whole step is that step, and not the one before it."""


class Rounding(Enum):
    """Where a number goes that lies between two steps of its scale factor."""

    NEAREST = "nearest"
    DOWN = "down"
    UP = "up"
    TO_ZERO = "to-zero"


def steps(value: float, exponent: int, rounding: Rounding) -> int:
    """Return a value as a number of steps of 10**exponent.

    Args:
        value: Finite, in the point's unit.
        exponent: Power of ten of the scale factor.
        rounding: Where to go if it lies between two.
    """
    scaled = value / 10.0**exponent if exponent >= 0 else value * 10.0**-exponent
    nearest = round(scaled)
    if rounding is Rounding.NEAREST or abs(scaled - nearest) < _TOLERANCE:
        return nearest
    if rounding is Rounding.TO_ZERO:
        return math.trunc(scaled)
    return math.floor(scaled) if rounding is Rounding.DOWN else math.ceil(scaled)


class PointWriter:
    """Writes points of one model of one device.

    Args:
        device: Its models.
        at: Where the model is.
    """

    def __init__(self, device: SunSpecMap, at: Located) -> None:
        self._map = device
        self.at = at
        self._singly = False

    @property
    def device(self) -> str:
        """Id of the device, for messages."""
        return self._map.bus.device

    async def read(self, names: Iterable[str] = ()) -> Block:
        """Read points; none named means all.

        Raises:
            TransientError: No usable answer.
        """
        (block,) = await self._map.read([want(self.at, names)], f"model {self.at.model.id}")
        return block

    async def write(self, values: Mapping[str, int], present: Block) -> None:
        """Write unscaled values.

        Points that lie side by side go out in one frame; so do those with writable ones between
        them, which go back as they were. Frames follow the order of the last named point in
        each. Where the device refuses a frame, all points go out one by one in the order named,
        and it may refuse those that it does not implement: safest is to name what ends a control
        first, and what puts it in force last.

        Args:
            values: Points by path.
            present: The model as last read.

        Raises:
            PermanentError: A value does not fit its point, or the device refuses it.
            TransientError: No usable answer.
        """
        encoded = {name: self._encode(name, value) for name, value in values.items()}
        if not self._singly:
            try:
                for run in self._runs(encoded, present):
                    await self._frame(run, encoded, present)
            except RefusalError:
                if len(values) == 1:
                    raise
                self._singly = True  # some devices refuse frames of several points
            else:
                return
        for name, registers in encoded.items():
            try:
                await self._send(self._point(name), registers, name)
            except RefusalError as refusal:
                missing = refusal.code == ILLEGAL_ADDRESS and not present.has(name)
                if not missing or present.raw(name) is None:
                    raise

    async def verify(self, values: Mapping[str, int]) -> Block:
        """Read points back and return them.

        Raises:
            TransientError: No usable answer, or a point holds something else.
        """
        (block,) = await self._map.read(
            [want(self.at, values)], f"model {self.at.model.id} read-back"
        )
        self._compare(values, block)
        return block

    async def verify_timed(self, values: Mapping[str, int], timer: str, present: Block) -> None:
        """Verify a control that has a reversion timer, if the device implements it.

        A timer may have begun to count down; one that reads zero does not run.

        Args:
            values: As written, the timer among them.
            timer: Its point.
            present: The model as read before the write.

        Raises:
            TransientError: As for `verify`.
        """
        if not present.has(timer):
            await self.verify({name: values[name] for name in values if name != timer})
            return
        (block,) = await self._map.read(
            [want(self.at, values)], f"model {self.at.model.id} read-back"
        )
        self._compare({name: values[name] for name in values if name != timer}, block)
        left_s = block.number(timer)
        if left_s is None or not 0 < left_s <= values[timer]:
            raise self._not_taken(timer, block)

    def exponent(self, name: str, present: Block) -> int:
        """Return the power of ten of a point's scale factor.

        Raises:
            PermanentError: The device does not give it.
        """
        exponent = present.exponent(name)
        if exponent is None:
            raise self.missing(str(self._point(name).scale))
        return exponent

    def missing(self, name: str) -> PermanentError:
        """Return the error for a point that the device does not have."""
        return PermanentError(f"{self.device}: the inverter has no model {self.at.model.id} {name}")

    def _compare(self, values: Mapping[str, int], block: Block) -> None:
        for name, value in values.items():
            if block.raw(name) != self._encode(name, value):
                raise self._not_taken(name, block)

    def _not_taken(self, name: str, block: Block) -> TransientError:
        value = block.number(name)
        return TransientError(
            f"{self.device}: model {self.at.model.id} {name} reads "
            f"{'nothing' if value is None else f'{value:g}'} after a confirmed write of another "
            f"value"
        )

    def _point(self, name: str) -> Point:
        return self.at.model.points[name]

    def _encode(self, name: str, value: int) -> tuple[int, ...]:
        try:
            return encode(self._point(name), value)
        except ValueError as error:
            raise PermanentError(f"{self.device}: model {self.at.model.id}: {error}") from error

    def _runs(self, encoded: Mapping[str, tuple[int, ...]], present: Block) -> list[list[Point]]:
        """Return points that go out together, bridges between them included."""
        named = sorted((self._point(name) for name in encoded), key=lambda point: point.offset)
        order = {name: place for place, name in enumerate(encoded)}
        runs: list[list[Point]] = [[named[0]]]
        for point in named[1:]:
            run = runs[-1]
            bridge = self._bridge(run[-1], point, present)
            length = point.end - run[0].offset
            if bridge is None or length > MAX_WRITTEN:
                runs.append([point])
            else:
                run += [*bridge, point]
        return sorted(runs, key=lambda run: max(order.get(p.name, -1) for p in run))

    def _bridge(self, before: Point, after: Point, present: Block) -> list[Point] | None:
        """Return the points between two, if they may be written back as they were."""
        points = self.at.model.points.values()
        between = [p for p in points if before.end <= p.offset < after.offset]
        usable = all(p.writable and present.raw(p.name) is not None for p in between)
        return between if usable else None

    async def _frame(
        self, run: list[Point], encoded: Mapping[str, tuple[int, ...]], present: Block
    ) -> None:
        registers: list[int] = []
        for point in run:
            held = encoded.get(point.name) or present.raw(point.name)
            registers += held or encode(point, not_implemented(point))
        named = [point.name for point in run if point.name in encoded]
        label = named[0] if len(named) == 1 else f"{named[0]} to {named[-1]}"
        await self._send(run[0], registers, label)

    async def _send(self, first: Point, registers: Iterable[int], label: str) -> None:
        await self._map.bus.write_holding(
            self.at.address + first.offset, list(registers), f"model {self.at.model.id} {label}"
        )
