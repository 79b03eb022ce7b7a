"""SunSpec register image, laid out from the alliance's published model definitions.

The definitions are the JSON files that come with `pysunspec2`; nothing about a register's place,
type or scale factor is written here by hand. Values go in and out in engineering units.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from importlib.resources import files
from typing import TypedDict

from der.sim.errors import DataError, ExceptionCode, RefusedError

BASE = 40000
"""Where the marker stands; one of the three places where a client looks for it."""

_MARKER = (0x5375, 0x6E53)  # "SunS"
_END = (0xFFFF, 0)

TYPE_BITS = {
    "int16": 16, "uint16": 16, "enum16": 16, "bitfield16": 16, "sunssf": 16, "pad": 16,
    "int32": 32, "uint32": 32, "enum32": 32, "bitfield32": 32, "acc32": 32,
    "uint64": 64, "int64": 64, "acc64": 64,
}  # fmt: skip
"""Width of each numeric point type, bits."""


class Access(Enum):
    """What a peer may do with a point."""

    READ = "read"
    WRITE = "write"


class _PointJson(TypedDict, total=False):
    name: str
    type: str
    size: int
    sf: str | int
    access: str


class _GroupJson(TypedDict, total=False):
    points: list[_PointJson]
    groups: list["_GroupJson"]
    name: str


class _ModelJson(TypedDict):
    group: _GroupJson


Key = tuple[int, str]
"""A point: model number and name, for example (704, "WSetEna")."""

Value = float | str
"""A point in engineering units: watts, not watts divided by a scale factor."""


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the map.

    Attributes:
        key: Model and name.
        kind: SunSpec type, for example uint16.
        address: First register.
        size: Number of registers.
        scale: Name of its scale factor in the same model, or "" for none.
        access: What a peer may do with it by the model; the device decides what it supports.
    """

    key: Key
    kind: str
    address: int
    size: int
    scale: str
    access: Access

    @property
    def signed(self) -> bool:
        """Whether its numbers may be negative."""
        return self.kind in {"int16", "int32", "int64", "sunssf"}

    def encode(self, raw: int | str | None) -> list[int]:
        """Return the point's registers; None is the type's "not implemented" value."""
        if self.kind == "string":
            text = (raw if isinstance(raw, str) else "").encode("ascii")[: self.size * 2]
            return _words(text.ljust(self.size * 2, b"\0"))
        if not isinstance(raw, int):
            return _words(self._unimplemented().to_bytes(self.size * 2, "big"))
        bits = TYPE_BITS[self.kind]
        # The bottom of a signed type and the top of an unsigned one mean "not implemented".
        low, high = (-(1 << bits - 1) + 1, (1 << bits - 1) - 1) if self.signed else (0, 2**bits - 2)
        held = max(low, min(high, raw))
        return _words(held.to_bytes(self.size * 2, "big", signed=self.signed))

    def decode(self, registers: Sequence[int]) -> int | None:
        """Return the number in the point's registers; None if it says "not implemented"."""
        data = b"".join(word.to_bytes(2, "big") for word in registers)
        if int.from_bytes(data, "big") == self._unimplemented():
            return None
        return int.from_bytes(data, "big", signed=self.signed)

    def _unimplemented(self) -> int:
        bits = TYPE_BITS[self.kind]
        if self.kind in {"acc32", "acc64"}:
            return 0
        if self.kind == "pad" or self.signed:
            return 1 << bits - 1
        return (1 << bits) - 1


class RegisterMap:
    """The registers of a device that has certain models.

    Args:
        models: Model numbers in the order in which they stand.
        scales: Scale factors by model and name, for example {(701, "W_SF"): 0}.
    """

    def __init__(self, models: Iterable[int], scales: Mapping[Key, int]) -> None:
        self.points: dict[Key, Point] = {}
        self._scales = dict(scales)
        self._lengths: dict[int, int] = {}
        address = BASE + len(_MARKER)
        for model in models:
            start = address
            for point in _lay_out(model, address):
                self.points[point.key] = point
                address = point.address + point.size
            self._lengths[model] = address - start - 2
        self.end = address + len(_END)

    def image(self, values: Mapping[Key, Value | None]) -> list[int]:
        """Return all registers from `BASE` on.

        Args:
            values: Points in engineering units; those not named are not implemented.

        Raises:
            KeyError: A value names a point that no model has.
        """
        if unknown := values.keys() - self.points.keys():
            raise KeyError(f"points in no model of this device: {sorted(unknown)}")
        registers = list(_MARKER)
        for key, point in self.points.items():
            registers += point.encode(self._raw(point, values.get(key)))
        return [*registers, *_END]

    def parse(self, address: int, registers: Sequence[int]) -> dict[Key, float | None]:
        """Read a peer's write as points in engineering units.

        Raises:
            RefusedError: It begins or ends inside a point, or touches one that is read-only.
        """
        values: dict[Key, float | None] = {}
        here, left = address, list(registers)
        by_address = {point.address: point for point in self.points.values()}
        while left:
            point = by_address.get(here)
            if point is None or len(left) < point.size or point.access is Access.READ:
                raise RefusedError(
                    ExceptionCode.ILLEGAL_ADDRESS,
                    f"no whole writable point at register {here}",
                )
            raw = point.decode(left[: point.size])
            values[point.key] = None if raw is None else raw * 10.0 ** self._exponent(point)
            here, left = here + point.size, left[point.size :]
        return values

    def _raw(self, point: Point, value: Value | None) -> int | str | None:
        model, name = point.key
        if point.kind == "sunssf":
            return self._scales.get(point.key)
        if name == "ID":
            return model
        if name == "L":
            return self._lengths[model]
        if value is None or isinstance(value, str):
            return value
        return round(value / 10.0 ** self._exponent(point))

    def _exponent(self, point: Point) -> int:
        return self._scales[(point.key[0], point.scale)] if point.scale else 0


def _lay_out(model: int, address: int) -> Iterator[Point]:
    source = files("sunspec2") / "models" / "json" / f"model_{model}.json"
    try:
        definition: _ModelJson = json.loads(source.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"SunSpec model {model}: {error}") from error
    for point in _points(definition["group"], ""):
        access = Access.WRITE if point.get("access") == "RW" else Access.READ
        key = (model, point["name"])
        yield Point(key, point["type"], address, point["size"], str(point.get("sf", "")), access)
        address += point["size"]


def _points(group: _GroupJson, prefix: str) -> Iterator[_PointJson]:
    for point in group.get("points", []):
        yield {**point, "name": prefix + point["name"]}
    for inner in group.get("groups", []):
        yield from _points(inner, f"{prefix}{inner['name']}.")


def _words(data: bytes) -> list[int]:
    return [int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)]
