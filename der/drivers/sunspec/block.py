"""What a device gave of its models: values by point, out of the bytes of a few frames.

A cycle reads the same registers again and again, so all that can be worked out beforehand is: a
`Reader` is made once for a set of points and turns the bytes of its frames into values with one
call of `struct`.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from der.drivers.sunspec.model import FORMATS, Model, Point, implemented, not_implemented

_SCALE_MAX: Final = 10
_FACTORS: Final[Mapping[float | None, tuple[float, float]]] = {
    # Dividing keeps 2.5 at 2.5; a product with 10**-1 would not.
    exponent: (10.0 ** max(exponent, 0), 10.0 ** max(-exponent, 0))
    for exponent in range(-_SCALE_MAX, _SCALE_MAX + 1)
}
"""What to multiply with and what to divide by, for each power of ten that can be."""
_NO_PLACE: Final = -1


@dataclass(frozen=True, slots=True)
class Located:
    """A model in a device.

    Attributes:
        model: As the device has it.
        address: Register of its id.
        size: Registers it has there, header included.
    """

    model: Model
    address: int
    size: int


class _Field:
    """Where a point's value lies among the values of a reader, and how it is told."""

    __slots__ = ("byte", "exponent", "last", "missing", "place", "point", "scale")

    def __init__(self, point: Point, place: int, byte: int) -> None:
        self.point = point
        self.place = place
        self.byte = byte
        self.last = byte + 2 * point.size
        self.missing = not_implemented(point)
        # A counter that must count and reads zero is a new one; elsewhere zero means "none".
        if point.type.startswith("acc") and point.mandatory:
            self.missing = -1
        self.scale = _NO_PLACE  # place of its scale factor, where that was read
        self.exponent = _fixed_exponent(point)


def _fixed_exponent(point: Point) -> int | None:
    """Return the power of ten that scales a point by definition; None where a device says it."""
    return None if isinstance(point.scale, str) else point.scale or 0


class Block:
    """The points of one model as a device gave them.

    Points that the device's model does not have (it is shorter than its definition), or that were
    not read, are None; so are those that the device calls not implemented, and those whose scale
    factor it does not give. A path that no such model can have is a KeyError.
    """

    __slots__ = ("_data", "_fields", "_values", "model")

    def __init__(
        self,
        model: Model,
        fields: Mapping[str, _Field],
        values: Sequence[float],
        data: bytes,
    ) -> None:
        self.model = model
        self._fields = fields
        self._values = values
        self._data = data

    def number(self, name: str) -> float | None:
        """Return a numeric point's value in its unit; None if the device does not have it now."""
        field = self._fields.get(name)
        if field is None:
            self._see_defined(name)
            return None
        values = self._values
        value = values[field.place]
        # What is not finite differs from itself by NaN; a float says so that it is not there.
        if value == field.missing or value - value:
            return None
        exponent = field.exponent if field.scale < 0 else values[field.scale]
        if exponent == 0:
            return value
        factor = _FACTORS.get(exponent)
        return None if factor is None else value * factor[0] / factor[1]

    def numbers(self) -> dict[str, float | None]:
        """Return all numeric points that were read, as `number` does."""
        return {
            name: self.number(name)
            for name, field in self._fields.items()
            if field.point.type in FORMATS
        }

    def raw(self, name: str) -> tuple[int, ...] | None:
        """Return a point's registers; None if the device's model ends before it."""
        field = self._field(name)
        if field is None:
            return None
        return struct.unpack(f">{field.point.size}H", self._data[field.byte : field.last])

    def has(self, name: str) -> bool:
        """Whether the device implements a point, whatever its scale factor is."""
        field = self._field(name)
        if field is None:
            return False
        if field.point.type not in FORMATS:
            return any(self._data[field.byte : field.last])
        return implemented(field.point, self._values[field.place]) is not None

    def exponent(self, name: str) -> int | None:
        """Return the power of ten that scales a point; None if the device gives no valid one."""
        field = self._field(name)
        if field is None:
            return None
        exponent = field.exponent if field.scale < 0 else self._values[field.scale]
        return int(exponent) if exponent is not None and exponent in _FACTORS else None

    def text(self, name: str) -> str:
        """Return a string point's text, empty if the device does not have it."""
        field = self._field(name)
        if field is None:
            return ""
        return decode_text(self._data[field.byte : field.last])

    def _field(self, name: str) -> _Field | None:
        field = self._fields.get(name)
        if field is None:
            self._see_defined(name)
        return field

    def _see_defined(self, name: str) -> None:
        if name not in self.model.points:
            raise KeyError(f"SunSpec model {self.model.id} has no point {name}")


def decode_text(packed: bytes) -> str:
    """Return a string point's text; bytes that are no UTF-8 are replaced, not an error."""
    return packed.split(b"\0", 1)[0].decode("utf-8", "replace").strip()


class Reader:
    """Decodes the bytes of certain frames into blocks of certain models.

    Args:
        frames: (first address, registers) of each frame, in ascending order, not overlapping.
        models: The models to be decoded, each of them once.
    """

    def __init__(self, frames: Sequence[tuple[int, int]], models: Iterable[Located]) -> None:
        self.frames = tuple(frames)
        self._models = tuple(models)
        self._fields: list[dict[str, _Field]] = [{} for _ in self._models]
        self._struct = self._compile()

    @property
    def size(self) -> int:
        """Bytes that all frames have together."""
        return self._struct.size

    def blocks(self, data: bytes) -> list[Block]:
        """Return a block for each model, in their order.

        Args:
            data: The registers of all frames, one after the other, high byte first.
        """
        values = self._struct.unpack(data)
        return [
            Block(at.model, fields, values, data)
            for at, fields in zip(self._models, self._fields, strict=True)
        ]

    def _compile(self) -> struct.Struct:
        """Make the format of all frames, and the fields in it."""
        parts = [">"]
        place = byte = done = 0
        for address, index, point in self._points():
            at = self._byte(address, point.size)
            if at is None:
                continue
            byte, size = at, 2 * point.size
            if byte < done:
                continue  # models that overlap: the device's list is wrong, the first one counts
            parts.append(f"{byte - done}x{FORMATS.get(point.type, f'{size}s')}")
            self._fields[index][point.name] = _Field(point, place, byte)
            place += 1
            done = byte + size
        parts.append(f"{2 * sum(count for _, count in self.frames) - done}x")
        for fields in self._fields:
            for field in fields.values():
                scale = field.point.scale
                if isinstance(scale, str) and scale in fields:
                    field.scale = fields[scale].place
        return struct.Struct("".join(parts))

    def _points(self) -> list[tuple[int, int, Point]]:
        """Return (address, index of its model, point) in ascending order of addresses."""
        return sorted(
            (
                (at.address + point.offset, index, point)
                for index, at in enumerate(self._models)
                for point in at.model.points.values()
                if point.end <= at.size
            ),
            key=lambda found: found[:2],
        )

    def _byte(self, address: int, size: int) -> int | None:
        """Return where registers begin in the data; None if no frame has all of them."""
        before = 0
        for start, count in self.frames:
            if start <= address and address + size <= start + count:
                return 2 * (before + address - start)
            before += count
        return None


def block_of(model: Model, data: bytes) -> Block:
    """Return a block of registers that begin with the model's id, as many as there are."""
    count = len(data) // 2
    return Reader([(0, count)], [Located(model, 0, count)]).blocks(data)[0]
