"""SunSpec register image, laid out from the alliance's published model definitions.

The definitions are the JSON files that come with `pysunspec2`; nothing about a register's place,
type or scale factor is written here by hand. Values go in and out in engineering units. Points of
groups carry the group's name, and its number where it repeats: "PFWInj.PF", "Crv.2.Pt.1.V".
"""

import json
import math
import struct
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
    "count": 16, "acc16": 16,
    "int32": 32, "uint32": 32, "enum32": 32, "bitfield32": 32, "acc32": 32,
    "uint64": 64, "int64": 64, "acc64": 64, "bitfield64": 64,
}  # fmt: skip
"""Width of each integer point type, bits."""

FLOATS = {"float32": ">f", "float64": ">d"}


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
    count: int | str


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

    def encode(self, raw: float | str | None) -> list[int]:
        """Return the point's registers; None is the type's "not implemented" value."""
        if self.kind == "string":
            text = (raw if isinstance(raw, str) else "").encode("ascii")[: self.size * 2]
            return _words(text.ljust(self.size * 2, b"\0"))
        if self.kind in FLOATS:
            number = raw if isinstance(raw, float | int) else math.nan
            return _words(struct.pack(FLOATS[self.kind], number))
        if not isinstance(raw, int):
            return _words(self._unimplemented().to_bytes(self.size * 2, "big"))
        bits = TYPE_BITS[self.kind]
        # The bottom of a signed type and the top of an unsigned one mean "not implemented".
        low, high = (-(1 << bits - 1) + 1, (1 << bits - 1) - 1) if self.signed else (0, 2**bits - 2)
        held = max(low, min(high, raw))
        return _words(held.to_bytes(self.size * 2, "big", signed=self.signed))

    def decode(self, registers: Sequence[int]) -> float | None:
        """Return the number in the point's registers; None if it says "not implemented"."""
        data = b"".join(word.to_bytes(2, "big") for word in registers)
        if self.kind in FLOATS:
            value: float = struct.unpack(FLOATS[self.kind], data)[0]
            return value if math.isfinite(value) else None
        if int.from_bytes(data, "big") == self._unimplemented():
            return None
        return int.from_bytes(data, "big", signed=self.signed)

    def _unimplemented(self) -> int:
        bits = TYPE_BITS[self.kind]
        if self.kind in {"acc16", "acc32", "acc64"}:
            return 0
        if self.kind == "pad" or self.signed:
            return 1 << bits - 1
        return (1 << bits) - 1


class RegisterMap:
    """The registers of a device that has certain models.

    Args:
        models: Model numbers in the order in which they stand.
        scales: Scale factors by model and name, for example {(701, "W_SF"): 0}.
        counts: How often groups repeat by model and name, for example {(705, "Crv"): 3}; the
            points that say so in the map are filled in from it. None given means none.
    """

    def __init__(
        self,
        models: Iterable[int],
        scales: Mapping[Key, int],
        counts: Mapping[Key, int] | None = None,
    ) -> None:
        self.points: dict[Key, Point] = {}
        self._scales = dict(scales)
        self._lengths: dict[int, int] = {}
        self._counted: dict[Key, int] = {}
        address = BASE + len(_MARKER)
        for model in models:
            start = address
            for point in self._lay_out(model, address, counts or {}):
                self.points[point.key] = point
                address = point.address + point.size
            self._lengths[model] = address - start - 2
        self.end = address + len(_END)
        self._by_address = {point.address: point for point in self.points.values()}
        bare = [word for p in self.points.values() for word in p.encode(self._raw(p, None))]
        self._bare = (*_MARKER, *bare, *_END)  # what a device shows that has no value at all

    def image(self, values: Mapping[Key, Value | None]) -> list[int]:
        """Return all registers from `BASE` on.

        Args:
            values: Points in engineering units; those not named are not implemented.

        Raises:
            KeyError: A value names a point that no model has.
        """
        registers = list(self._bare)
        for key, value in values.items():
            point = self.points.get(key)
            if point is None:
                raise KeyError(f"point in no model of this device: {key}")
            start = point.address - BASE
            registers[start : start + point.size] = point.encode(self._raw(point, value))
        return registers

    def parse(self, address: int, registers: Sequence[int]) -> dict[Key, float | None]:
        """Read a peer's write as points in engineering units.

        Raises:
            RefusedError: It begins or ends inside a point, or touches one that is read-only.
        """
        values: dict[Key, float | None] = {}
        here, left = address, list(registers)
        while left:
            point = self._by_address.get(here)
            if point is None or len(left) < point.size or point.access is Access.READ:
                raise RefusedError(
                    ExceptionCode.ILLEGAL_ADDRESS,
                    f"no whole writable point at register {here}",
                )
            raw = point.decode(left[: point.size])
            values[point.key] = None if raw is None else _scaled(raw, self._exponent(point))
            here, left = here + point.size, left[point.size :]
        return values

    def _raw(self, point: Point, value: Value | None) -> float | str | None:
        model, name = point.key
        if point.kind == "sunssf":
            return self._scales.get(point.key)
        if name == "ID":
            return model
        if name == "L":
            return self._lengths[model]
        if point.key in self._counted:
            return self._counted[point.key]
        if value is None or isinstance(value, str) or point.kind in FLOATS:
            return value
        return round(_scaled(value, -self._exponent(point)))

    def _exponent(self, point: Point) -> int:
        return self._scales[(point.key[0], point.scale)] if point.scale else 0

    def _lay_out(self, model: int, address: int, counts: Mapping[Key, int]) -> Iterator[Point]:
        source = files("sunspec2") / "models" / "json" / f"model_{model}.json"
        try:
            definition: _ModelJson = json.loads(source.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"SunSpec model {model}: {error}") from error
        for point in self._points(model, definition["group"], "", counts):
            access = Access.WRITE if point.get("access") == "RW" else Access.READ
            key = (model, point["name"])
            scale = str(point.get("sf", ""))
            yield Point(key, point["type"], address, point["size"], scale, access)
            address += point["size"]

    def _points(
        self, model: int, group: _GroupJson, prefix: str, counts: Mapping[Key, int]
    ) -> Iterator[_PointJson]:
        for point in group.get("points", []):
            yield {**point, "name": prefix + point["name"]}
        for inner in group.get("groups", []):
            name, counted = inner["name"], inner.get("count")
            if counted is None:
                yield from self._points(model, inner, f"{prefix}{name}.", counts)
                continue
            times = counts.get((model, name), 0)
            if isinstance(counted, str):
                self._counted[model, counted] = times
            for number in range(1, times + 1):
                yield from self._points(model, inner, f"{prefix}{name}.{number}.", counts)


def _scaled(value: float, exponent: int) -> float:
    """Return value * 10**exponent; dividing keeps 0.3 at 0.3, which a product would not."""
    return value * 10.0**exponent if exponent >= 0 else value / 10.0**-exponent


def _words(data: bytes) -> list[int]:
    return list(struct.unpack(f">{len(data) // 2}H", data))
