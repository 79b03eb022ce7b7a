"""SunSpec models: where points lie in a model and what their registers mean. No I/O to devices.

Definitions come from the JSON files of the SunSpec Alliance that the package `sunspec2` installs;
only models that a device has are loaded. Points inside repeating groups are not needed here and
are left out.
"""

import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final, TypedDict

from der.errors import PermanentError

HEADER_SIZE: Final = 2
"""Registers of a model's header, id and length, which the length itself does not count."""

_SCALE_MAX: Final = 10

_FORMATS: Final[Mapping[str, str]] = {
    "int16": ">h",
    "int32": ">i",
    "int64": ">q",
    "uint16": ">H",
    "uint32": ">I",
    "uint64": ">Q",
    "acc16": ">H",
    "acc32": ">I",
    "acc64": ">Q",
    "enum16": ">H",
    "enum32": ">I",
    "bitfield16": ">H",
    "bitfield32": ">I",
    "bitfield64": ">Q",
    "sunssf": ">h",
    "count": ">H",
    "float32": ">f",
    "float64": ">d",
}


class _PointJson(TypedDict, total=False):
    name: str
    type: str
    size: int
    sf: str | int
    mandatory: str


class _GroupJson(TypedDict):
    points: list[_PointJson]


class _ModelJson(TypedDict):
    group: _GroupJson


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a model.

    Attributes:
        name: As the model defines it ("WMaxLimPct").
        type: SunSpec type name ("uint16").
        offset: Registers from the model's id register.
        size: Registers it takes.
        scale: Name of the point that holds its scale factor, the factor itself, or None.
        mandatory: Whether every device with this model must have it.
    """

    name: str
    type: str
    offset: int
    size: int
    scale: str | int | None
    mandatory: bool

    @property
    def end(self) -> int:
        """Offset of the register after it."""
        return self.offset + self.size


@dataclass(frozen=True, slots=True)
class Model:
    """A model's fixed points by name, in the order of their registers."""

    id: int
    points: Mapping[str, Point]

    def span(self, names: Sequence[str]) -> tuple[int, int]:
        """Return offset and number of registers that cover the named points."""
        start = min(self.points[name].offset for name in names)
        return start, max(self.points[name].end for name in names) - start


@cache
def load_model(model_id: int) -> Model:
    """Load a model's definition.

    Raises:
        PermanentError: No such model is defined.
    """
    path = files("sunspec2") / "models" / "json" / f"model_{model_id}.json"
    try:
        definition: _ModelJson = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise PermanentError(f"SunSpec model {model_id} has no definition") from error
    points: dict[str, Point] = {}
    offset = 0
    for entry in definition["group"]["points"]:
        size = entry["size"]
        points[entry["name"]] = Point(
            name=entry["name"],
            type=entry["type"],
            offset=offset,
            size=size,
            scale=entry.get("sf"),
            mandatory=entry.get("mandatory") == "M",
        )
        offset += size
    return Model(model_id, points)


def decode(point: Point, registers: Sequence[int]) -> float | None:
    """Return a numeric point's unscaled value, or None where the device says "not implemented".

    Args:
        point: Which point.
        registers: Its registers, as many as its size.
    """
    packed = struct.pack(f">{len(registers)}H", *registers)
    value: float = struct.unpack(_FORMATS[point.type], packed)[0]
    if point.type.startswith("float"):
        return value if math.isfinite(value) else None
    if point.type.startswith("acc"):
        # Zero means "not accumulated"; but a meter that must count and reads zero is a new one.
        return value if value or point.mandatory else None
    return None if value == not_implemented(point) else value


def encode(point: Point, value: int) -> tuple[int, ...]:
    """Return the registers of an unscaled integer value.

    Raises:
        ValueError: The point cannot hold the value.
    """
    try:
        packed = struct.pack(_FORMATS[point.type], value)
    except struct.error as error:
        raise ValueError(f"{value} does not fit {point.type} {point.name}") from error
    return struct.unpack(f">{point.size}H", packed)


def not_implemented(point: Point) -> int:
    """Return the integer that stands for "not implemented" in a point of this type."""
    bits = point.size * 16
    if point.type.startswith("acc"):
        return 0
    if point.type.startswith("int") or point.type == "sunssf":
        return -(1 << (bits - 1))
    return (1 << bits) - 1


def decode_text(registers: Sequence[int]) -> str:
    """Return a string point's text; bytes that are no UTF-8 are replaced, not an error."""
    packed = struct.pack(f">{len(registers)}H", *registers)
    return packed.split(b"\0", 1)[0].decode("utf-8", "replace").strip()


class Block:
    """Registers of one model as a device gave them; points that are not there read as None."""

    def __init__(self, model: Model, registers: Mapping[int, int]) -> None:
        self.model = model
        self._registers = registers

    def raw(self, name: str) -> tuple[int, ...] | None:
        """Return a point's registers; None if the device's model ends before it."""
        point = self.model.points[name]
        span = range(point.offset, point.end)
        if any(offset not in self._registers for offset in span):
            return None
        return tuple(self._registers[offset] for offset in span)

    def number(self, name: str) -> float | None:
        """Return a point's value in its unit; None if the device does not have it (now)."""
        registers = self.raw(name)
        if registers is None:
            return None
        point = self.model.points[name]
        value = decode(point, registers)
        if value is None or point.scale is None:
            return value
        exponent = self.exponent(name)
        if exponent is None:
            return None
        # Dividing keeps 2.5 at 2.5; a product with 10**-1 would not.
        return value * 10.0**exponent if exponent >= 0 else value / 10.0**-exponent

    def exponent(self, name: str) -> int | None:
        """Return the power of ten that scales a point; None if the device gives no valid one."""
        scale = self.model.points[name].scale
        if scale is None:
            return 0
        if isinstance(scale, int):
            return scale
        registers = self.raw(scale)
        value = None if registers is None else decode(self.model.points[scale], registers)
        if value is None or abs(value) > _SCALE_MAX:
            return None
        return int(value)

    def text(self, name: str) -> str:
        """Return a string point's text, empty if the device does not have it."""
        registers = self.raw(name)
        return "" if registers is None else decode_text(registers)
