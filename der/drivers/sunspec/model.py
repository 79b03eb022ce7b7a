"""SunSpec models: where points lie in a model and what their registers mean. No I/O to devices.

Definitions come from the JSON files of the SunSpec Alliance that the package `sunspec2` installs;
only models that a device has are loaded.

A point has a path. Fixed points go by their name ("W"); a point of a group that occurs once has
the group's name before it ("PFWInj.PF"); a point of a group that repeats has the repetition's
number too, counted from 1 as SunSpec counts curves ("Crv[1].ActPt", "Crv[1].Pt[2].V",
"module[3].DCW"). How often a group repeats is the device's own business: `load_model` gives the
model as defined, with no repetitions; `Model.lay_out` gives it as a device has it. The models of
a `SunSpecMap` are laid out already.
"""

import json
import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Final, TypedDict

from der.errors import PermanentError

_DEFINITIONS: Final = files("sunspec2") / "models" / "json"

HEADER_SIZE: Final = 2
"""Registers of a model's header, id and length, which the length itself does not count."""

FORMATS: Final[Mapping[str, str]] = {
    "int16": "h",
    "int32": "i",
    "int64": "q",
    "uint16": "H",
    "uint32": "I",
    "uint64": "Q",
    "acc16": "H",
    "acc32": "I",
    "acc64": "Q",
    "enum16": "H",
    "enum32": "I",
    "bitfield16": "H",
    "bitfield32": "I",
    "bitfield64": "Q",
    "sunssf": "h",
    "count": "H",
    "float32": "f",
    "float64": "d",
}
"""Format characters of module `struct` for the numeric types; the others are texts and bytes."""


class _PointJson(TypedDict, total=False):
    name: str
    type: str
    size: int
    sf: str | int
    mandatory: str
    access: str


class _GroupJson(TypedDict, total=False):
    name: str
    count: str | int
    points: list[_PointJson]
    groups: list["_GroupJson"]


class _ModelJson(TypedDict):
    group: _GroupJson


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a model.

    Attributes:
        name: Its path ("WMaxLimPct", "Crv[1].Pt[2].V").
        type: SunSpec type name ("uint16").
        offset: Registers from the model's id register.
        size: Registers it takes.
        scale: Path of the point that holds its scale factor, the factor itself, or None.
        mandatory: Whether every device with this model must have it.
        writable: Whether the model allows it to be written.
    """

    name: str
    type: str
    offset: int
    size: int
    scale: str | int | None
    mandatory: bool
    writable: bool = False

    @property
    def end(self) -> int:
        """Offset of the register after it."""
        return self.offset + self.size


@dataclass(frozen=True, slots=True)
class Group:
    """A group of points as a model defines it.

    Attributes:
        name: Its own name ("Pt").
        count: Name of the model's point that says how often it occurs; 0 for as often as the
            model's length allows; None for once.
        points: Its own points, offsets counted from the group's begin.
        groups: Groups in it, which follow its points.
    """

    name: str
    count: str | int | None
    points: tuple[Point, ...]
    groups: tuple["Group", ...]

    def walk(self) -> Iterator["Group"]:
        """Yield the group and all groups in it."""
        yield self
        for group in self.groups:
            yield from group.walk()


@dataclass(frozen=True, slots=True)
class Model:
    """A model's points by path, in the order of their registers.

    Attributes:
        id: Its number.
        points: As defined (`load_model`), or as one device has them (`lay_out`).
        definition: What it is laid out from.
    """

    id: int
    points: Mapping[str, Point]
    definition: Group

    @property
    def end(self) -> int:
        """Registers that its points take, header included."""
        return max(point.end for point in self.points.values())

    @property
    def counts(self) -> tuple[str, ...]:
        """Names of the points that say how often its groups repeat."""
        named = (group.count for group in self.definition.walk())
        return tuple(dict.fromkeys(name for name in named if isinstance(name, str)))

    @property
    def repeats(self) -> bool:
        """Whether it has groups whose number is the device's own business."""
        return any(group.count is not None for group in self.definition.walk())

    def span(self, names: Sequence[str]) -> tuple[int, int]:
        """Return offset and number of registers that cover the named points."""
        start = min(self.points[name].offset for name in names)
        return start, max(self.points[name].end for name in names) - start

    def lay_out(self, counts: Mapping[str, int], size: int) -> "Model":
        """Return the model as a device has it, with as many repetitions of its groups.

        Args:
            counts: Values of the points in `counts`; one that is not named counts as 0.
            size: Registers that the model has in the device, header included. Repetitions that
                do not lie within it wholly are left out, whatever the counts say.
        """
        placed = _Layout(counts, size).place(self.definition, "", 0, {})
        return Model(self.id, {point.name: point for point in placed}, self.definition)


@cache
def is_defined(model_id: int) -> bool:
    """Whether there is a definition of a model."""
    return (_DEFINITIONS / f"model_{model_id}.json").is_file()


@cache
def load_model(model_id: int) -> Model:
    """Load a model's definition: its fixed points, and those of groups that occur once.

    Raises:
        PermanentError: No such model is defined.
    """
    if not is_defined(model_id):
        raise PermanentError(f"SunSpec model {model_id} has no definition")
    text = (_DEFINITIONS / f"model_{model_id}.json").read_text("utf-8")
    definition: _ModelJson = json.loads(text)
    bare = Model(model_id, {}, _group(definition["group"]))
    return bare.lay_out({}, 0)


def repetitions(model: Model, group: str) -> int:
    """Return how often a group occurs in a model that was laid out.

    Args:
        model: As a device has it.
        group: Path without the number that is asked for ("Crv", "Crv[1].Pt").
    """
    numbers = (
        name[len(group) + 1 :].partition("]")[0]
        for name in model.points
        if name.startswith(f"{group}[")
    )
    return max((int(number) for number in numbers), default=0)


def decode(point: Point, registers: Sequence[int]) -> float | None:
    """Return a numeric point's unscaled value, or None where the device says "not implemented".

    Args:
        point: Which point.
        registers: Its registers, as many as its size.
    """
    packed = struct.pack(f">{len(registers)}H", *registers)
    return implemented(point, struct.unpack(f">{FORMATS[point.type]}", packed)[0])


def implemented(point: Point, value: float) -> float | None:
    """Return a point's unscaled value as it is, or None where it says "not implemented"."""
    if point.type.startswith("float"):
        return value if math.isfinite(value) else None
    if point.type.startswith("acc"):
        # Zero means "not accumulated"; but a meter that must count and reads zero is a new one.
        return value if value or point.mandatory else None
    return None if value == not_implemented(point) else value


def encode(point: Point, value: float) -> tuple[int, ...]:
    """Return the registers of an unscaled value, an integer unless the point is a float.

    Raises:
        ValueError: The point cannot hold the value.
    """
    try:
        packed = struct.pack(f">{FORMATS[point.type]}", value)
    except (struct.error, OverflowError) as error:
        raise ValueError(f"{value} does not fit {point.type} {point.name}") from error
    return struct.unpack(f">{point.size}H", packed)


def not_implemented(point: Point) -> float:
    """Return the number that stands for "not implemented" in a point of this type."""
    bits = point.size * 16
    if point.type.startswith("float"):
        return math.nan
    if point.type.startswith("acc"):
        return 0
    if point.type.startswith("int") or point.type == "sunssf":
        return -(1 << (bits - 1))
    return (1 << bits) - 1


def _group(group: _GroupJson) -> Group:
    points = []
    offset = 0
    for entry in group["points"]:
        points.append(
            Point(
                name=entry["name"],
                type=entry["type"],
                offset=offset,
                size=entry["size"],
                scale=entry.get("sf"),
                mandatory=entry.get("mandatory") == "M",
                writable=entry.get("access") == "RW",
            )
        )
        offset += entry["size"]
    inner = tuple(_group(inner) for inner in group.get("groups", ()))
    return Group(group["name"], group.get("count"), tuple(points), inner)


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a device has the groups of a model that repeat; arguments as for `Model.lay_out`."""

    counts: Mapping[str, int]
    size: int

    def place(
        self, group: Group, prefix: str, offset: int, scope: Mapping[str, str]
    ) -> list[Point]:
        """Return a group's points at their offsets in the model.

        Args:
            group: What to place.
            prefix: Path before its points' names.
            offset: Where it begins.
            scope: Paths of the points of the groups around it, by name; the nearest ones count.
        """
        scope = {**scope, **{point.name: prefix + point.name for point in group.points}}
        placed = [
            replace(
                point,
                name=prefix + point.name,
                offset=offset + point.offset,
                scale=scope[point.scale] if isinstance(point.scale, str) else point.scale,
            )
            for point in group.points
        ]
        for inner in group.groups:
            end = placed[-1].end if placed else offset
            if inner.count is None:
                placed += self.place(inner, f"{prefix}{inner.name}.", end, scope)
            else:
                placed += self._repeated(inner, prefix, end, scope)
        return placed

    def _repeated(
        self, group: Group, prefix: str, offset: int, scope: Mapping[str, str]
    ) -> list[Point]:
        most = self.counts.get(group.count, 0) if isinstance(group.count, str) else self.size
        placed: list[Point] = []
        for number in range(1, most + 1):
            end = placed[-1].end if placed else offset
            more = self.place(group, f"{prefix}{group.name}[{number}].", end, scope)
            if not more or more[-1].end > self.size:
                break
            placed += more
        return placed
