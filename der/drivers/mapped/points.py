"""Points of a described Modbus device: registers or bits to numbers, and back. Pure.

A point's number is `raw * scale * 10 ** exponent + offset`, in the unit of the point. What the
device cannot mean reads None: a sentinel of its maker, a NaN, a number outside the point's bounds.
"""

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Final, Literal

_WIDTH: Final = 16
_BYTES: Final = 2
_MOST_EXPONENT: Final = 10
"""SunSpec's scale factors, the common kind of exponent in a register, end there."""
_SLACK: Final = 1e-9
"""A product of binary fractions may miss the whole number that it means by this share."""
_GREATEST_F32: Final = 3.4e38
_EXACT: Final = 1e-12
_NEAR: Final = 1e-4
"""A number read back from a float of 32 bits may differ by this share from what was written."""


class Table(StrEnum):
    """The four address spaces of a Modbus device."""

    COIL = "coil"
    DISCRETE = "discrete"
    HOLDING = "holding"
    INPUT = "input"

    @property
    def of_bits(self) -> bool:
        """Whether an address holds a bit and not a register."""
        return self in {Table.COIL, Table.DISCRETE}


class Kind(StrEnum):
    """How a number, or a text, lies in registers."""

    U16 = "u16"
    S16 = "s16"
    U32 = "u32"
    S32 = "s32"
    U64 = "u64"
    S64 = "s64"
    F32 = "f32"
    F64 = "f64"
    TEXT = "text"
    BIT = "bit"

    @property
    def size(self) -> int:
        """Registers, or bits, that it takes; 0 for a text, whose length its point says."""
        if self is Kind.TEXT:
            return 0
        return 1 if self is Kind.BIT else int(self.value[1:]) // _WIDTH

    @property
    def signed(self) -> bool:
        """Whether it is a whole number in two's complement."""
        return self.value.startswith("s")

    @property
    def floating(self) -> bool:
        """Whether it is an IEEE 754 number."""
        return self.value.startswith("f")


class Rounding(Enum):
    """Where a number goes that lies between two steps of a point."""

    TO_ZERO = "to-zero"
    """A power or a limit: never more than was asked."""
    UP = "up"
    """A time: never shorter than was asked."""
    NEAREST = "nearest"


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a device.

    Attributes:
        name: As in the description.
        table: Where it lies.
        address: First register or bit, counted from 0.
        kind: How it lies there.
        size: Registers or bits.
        scale: Unit of the point for each step of the raw number.
        offset: Added after scaling.
        exponent: Name of the point that holds the power of ten; "" for none.
        little_words: The register with the low bits comes first.
        little_bytes: The low byte of each register comes first.
        shift: Lowest bit of a bit field.
        width: Bits of a bit field; 0 where the point is the whole number.
        invalid: Raw patterns, unsigned, that mean "no value".
        absent: The number that they stand for, where their maker says so (an inverter that
            sleeps gives no power); None for no number.
        low: Least number that can be read.
        high: Greatest number that can be read.
        least: Least number that is written, but for what the description itself says.
        most: Greatest number that is written, likewise.
    """

    name: str
    table: Table
    address: int
    kind: Kind
    size: int
    scale: float = 1.0
    offset: float = 0.0
    exponent: str = ""
    little_words: bool = False
    little_bytes: bool = False
    shift: int = 0
    width: int = 0
    invalid: frozenset[int] = frozenset()
    absent: float | None = None
    low: float = -math.inf
    high: float = math.inf
    least: float = -math.inf
    most: float = math.inf


@dataclass(frozen=True, slots=True)
class Values:
    """What was decoded of one reading.

    Attributes:
        numbers: Of each point that has one.
        texts: Of each text point.
        nonsense: Points whose number lies outside their bounds, with that number.
    """

    numbers: Mapping[str, float] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    nonsense: Mapping[str, float] = field(default_factory=dict)


Cells = Mapping[tuple[Table, int], int]
"""Registers and bits as they were read, by table and address."""


def decode_all(points: Mapping[str, Point], cells: Cells) -> Values:
    """Decode all points whose cells are there."""
    raws: dict[str, float] = {}
    numbers: dict[str, float] = {}
    texts: dict[str, str] = {}
    for point in points.values():
        places = [(point.table, point.address + i) for i in range(point.size)]
        if not all(place in cells for place in places):
            continue
        words = [cells[place] for place in places]
        if point.kind is Kind.TEXT:
            texts[point.name] = decode_text(point, words)
        elif (raw := decode_raw(point, words)) is not None:
            raws[point.name] = raw
        elif point.absent is not None and _is_invalid(point, words):
            numbers[point.name] = point.absent
    nonsense: dict[str, float] = {}
    for name, raw in raws.items():
        point = points[name]
        number = scaled(point, raw, raws.get(point.exponent) if point.exponent else 0.0)
        if number is None:
            continue
        if point.low <= number <= point.high:
            numbers[name] = number
        else:
            nonsense[name] = number
    return Values(numbers, texts, nonsense)


def decode_raw(point: Point, words: Sequence[int]) -> float | None:
    """Return the number that lies in registers, unscaled; None for "no value"."""
    if point.kind is Kind.BIT:
        return float(words[0])
    if _is_invalid(point, words):
        return None
    data = _data(point, words)
    if point.kind.floating:
        (number,) = struct.unpack(">f" if point.size == _BYTES else ">d", data)
        return number if math.isfinite(number) else None
    if point.width:
        pattern = int.from_bytes(data, "big")
        return float(pattern >> point.shift & ((1 << point.width) - 1))
    return float(int.from_bytes(data, "big", signed=point.kind.signed))


def _is_invalid(point: Point, words: Sequence[int]) -> bool:
    return bool(point.invalid) and int.from_bytes(_data(point, words), "big") in point.invalid


def decode_text(point: Point, words: Sequence[int]) -> str:
    """Return the text that lies in registers, up to its first NUL; what is no ASCII is left out."""
    return _data(point, words).split(b"\0")[0].decode("ascii", "ignore").strip()


def scaled(point: Point, raw: float, exponent: float | None) -> float | None:
    """Return a raw number in the point's unit; None where its exponent cannot be."""
    if exponent is None or not abs(exponent) <= _MOST_EXPONENT:
        return None
    number = _times(raw, _factor(point, exponent)) + point.offset
    return number if math.isfinite(number) else None


def fit(point: Point, number: float, exponent: float, rounding: Rounding) -> float:
    """Return the nearest raw number that the point can hold; no bounds are looked at.

    Args:
        point: Where it shall go.
        number: In the point's unit, finite.
        exponent: Power of ten, where the point has one in a register.
        rounding: Where to go between two steps.
    """
    factor = _factor(point, exponent)
    raw = (number - point.offset) / factor
    if point.kind.floating:
        return _float_near(point, raw, rounding)
    near = float(round(raw))
    if abs(raw - near) <= _SLACK * max(1.0, abs(raw)) or rounding is Rounding.NEAREST:
        return near
    # "Towards zero" is meant in the point's unit: towards the raw number that stands for 0.
    centre = -point.offset / factor
    up = factor > 0 if rounding is Rounding.UP else raw < centre
    return float(math.ceil(raw) if up else math.floor(raw))


def encode(point: Point, raw: float) -> list[int] | None:
    """Return a raw number as registers; None where they cannot hold it, NaN and inf among it."""
    if not math.isfinite(raw):
        return None
    if point.kind is Kind.BIT:
        return [int(raw)] if raw in {0.0, 1.0} else None
    try:
        if point.kind.floating:
            data = struct.pack(">f" if point.size == _BYTES else ">d", raw)
        else:
            data = int(raw).to_bytes(point.size * _BYTES, "big", signed=point.kind.signed)
    except OverflowError:
        return None
    if int.from_bytes(data, "big") in point.invalid:
        return None
    return _words(point, data)


def same(point: Point, asked: Sequence[int], seen: Sequence[int]) -> bool:
    """Whether what is read back is what was written; floats may have lost a little."""
    if point.kind.floating:
        first, second = decode_raw(point, asked), decode_raw(point, seen)
        if first is None or second is None:
            return False
        return math.isclose(first, second, rel_tol=_NEAR, abs_tol=_NEAR)
    return list(asked) == list(seen)


def _float_near(point: Point, raw: float, rounding: Rounding) -> float:
    """Return the float nearest to `raw` that the point can hold, and no greater than it."""
    if point.size != _BYTES or rounding is not Rounding.TO_ZERO or not abs(raw) <= _GREATEST_F32:
        return raw
    (near,) = struct.unpack(">f", struct.pack(">f", raw))
    if abs(near) <= abs(raw):
        return float(near)
    (pattern,) = struct.unpack(">I", struct.pack(">f", near))
    (beside,) = struct.unpack(">f", struct.pack(">I", pattern - 1))  # it grows with its magnitude
    return float(beside)


def _times(raw: float, factor: float) -> float:
    """Multiply; by 0.1 as a person would, who divides by 10: 553 tenths are 55.3."""
    inverse = round(1 / factor)
    if abs(inverse) > 1 and abs(inverse * factor - 1) < _EXACT:
        return raw / inverse
    return raw * factor


def _factor(point: Point, exponent: float) -> float:
    # Dividing by a whole power of ten errs less than multiplying by its inexact fraction.
    power = round(exponent)
    return point.scale * 10.0**power if power >= 0 else point.scale / 10.0**-power


def _data(point: Point, words: Sequence[int]) -> bytes:
    ordered = reversed(words) if point.little_words else words
    return b"".join(word.to_bytes(_BYTES, _order(point)) for word in ordered)


def _words(point: Point, data: bytes) -> list[int]:
    order = _order(point)
    words = [int.from_bytes(data[i : i + _BYTES], order) for i in range(0, len(data), _BYTES)]
    return words[::-1] if point.little_words else words


def _order(point: Point) -> Literal["big", "little"]:
    return "little" if point.little_bytes else "big"
