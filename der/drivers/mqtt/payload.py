"""Reading payloads, which anybody on the broker may have sent: bounded, each fault in words."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from der.drivers.mqtt.points import Point, possible

MOST_BYTES: Final = 64 * 1024
"""A longer payload is none of a plug's, a thermostat's or a meter's."""
_SHOWN: Final = 40
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")
_LONGEST_TEXT: Final = 64

Object = Mapping[str, object]


class PayloadError(Exception):
    """A payload that cannot be used; `str()` is one clause that says why."""


@dataclass(frozen=True, slots=True)
class Field:
    """Where a JSON payload has a value.

    Attributes:
        path: Keys, outermost first.
        point: What the value is.
        scale: Factor that brings it to the point's unit.
        needed: Whether a payload without it is faulty.
    """

    path: tuple[str, ...]
    point: Point
    scale: float = 1.0
    needed: bool = False


def text(payload: bytes) -> str:
    """Return a short payload of plain text.

    Raises:
        PayloadError: It is long, or no text.
    """
    if len(payload) > _LONGEST_TEXT:
        raise PayloadError(f"{len(payload)} bytes are too many for a word or a number")
    try:
        return payload.decode().strip()
    except UnicodeDecodeError as error:
        raise PayloadError(f"is no text: {payload[:_SHOWN]!r}") from error


def number_text(payload: bytes, point: Point, scale: float = 1.0) -> float:
    """Return a payload that is nothing but a number.

    Raises:
        PayloadError: It is no number, or one that the point cannot have.
    """
    words = text(payload)
    if not _NUMBER.fullmatch(words):
        raise PayloadError(f"{words[:_SHOWN]!r} is no number")
    return _checked(float(words) * scale, point)


def switch_text(payload: bytes, on: str, off: str) -> bool:
    """Return whether a payload is the word for on; letters of either case.

    Raises:
        PayloadError: It is neither word.
    """
    words = text(payload)
    if words.lower() not in {on.lower(), off.lower()}:
        raise PayloadError(f"{words[:_SHOWN]!r} is neither {on!r} nor {off!r}")
    return words.lower() == on.lower()


def json_object(payload: bytes) -> Object:
    """Return a payload that is a JSON object.

    Raises:
        PayloadError: It is too long, not JSON, nested too deeply, or no object.
    """
    if len(payload) > MOST_BYTES:
        raise PayloadError(f"{len(payload)} bytes are more than the {MOST_BYTES} that are read")
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise PayloadError(f"is not JSON: {payload[:_SHOWN]!r}") from error
    if not isinstance(found, dict):
        raise PayloadError(f"is no JSON object: {payload[:_SHOWN]!r}")
    return found


def at(found: object, path: Sequence[str]) -> object | None:
    """Return what an object has at a path; None where it has nothing."""
    for key in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(key)
    return found


def word(found: object, path: Sequence[str]) -> str:
    """Return a short text at a path; empty where there is none."""
    value = at(found, path)
    return value[:_LONGEST_TEXT] if isinstance(value, str) else ""


def number(value: object, point: Point, scale: float = 1.0) -> float:
    """Return a JSON number.

    Raises:
        PayloadError: It is something else, or a number that the point cannot have.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PayloadError(f"{_shown(value)} is no number")
    try:
        return _checked(float(value) * scale, point)
    except OverflowError as error:
        raise PayloadError("is a number beyond all measure") from error


def collect(found: Object, fields: Sequence[Field]) -> tuple[dict[Point, float], dict[str, str]]:
    """Return the values of fields, and what is wrong with those that cannot be used.

    Null is no value and no fault: a device that has nothing to tell says so by it.
    """
    measured: dict[Point, float] = {}
    faults: dict[str, str] = {}
    for field in fields:
        value = at(found, field.path)
        if value is None:
            if field.needed and field.point not in measured:
                faults[field.point] = f"{'.'.join(field.path)} is missing"
            continue
        try:
            measured[field.point] = number(value, field.point, field.scale)
            faults.pop(field.point, None)
        except PayloadError as error:
            faults[field.point] = f"{'.'.join(field.path)}: {error}"
    return measured, faults


def _checked(value: float, point: Point) -> float:
    if not math.isfinite(value):
        raise PayloadError(f"{value} is no measurement")
    if not possible(point, value):
        raise PayloadError(f"{value:g} cannot be as {point}")
    return value


def _shown(value: object) -> str:
    words = repr(value)
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN]}..."
