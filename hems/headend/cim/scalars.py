"""Single values between XML text and Python, each checked; reasons alone, the caller adds where."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final

from hems.sep2.codec.scalar import shown

MOST_CHARACTERS: Final = 4096
_MOST_DIGITS: Final = 40

_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_WHOLE: Final = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
LATEST: Final = 253_402_214_400.0
"""Epoch s at which the last day of the year 9999 begins."""
_BOOLEANS: Final[Mapping[str, bool]] = {"true": True, "1": True, "false": False, "0": False}
Read = Callable[[str], object]
Write = Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class Instant:
    """Says of a float that it is a point of time: UTC epoch seconds here, a date on the wire."""


def form_of(kind: type[Any]) -> tuple[Read, Write]:
    """Return how values of a class are read and written; both raise ValueError."""
    if issubclass(kind, Enum):
        return _enum(kind), lambda value: str(value.value)
    return _KINDS[kind]


def _enum(kind: type[Enum]) -> Read:
    def read_(text: str) -> object:
        for each in kind:
            if each.value == text:
                return each
        known = ", ".join(str(each.value) for each in kind)
        raise ValueError(f"{shown(text)} is none of {known}")

    return read_


def _read_text(text: str) -> str:
    return text


def _write_text(value: str) -> str:
    if not value or value != value.strip():
        raise ValueError(f"{shown(value)} is empty or has space around it")
    if len(value) > MOST_CHARACTERS:
        raise ValueError(f"it is longer than {MOST_CHARACTERS} characters")
    return value


def _read_number(text: str) -> float:
    if len(text) > _MOST_DIGITS or _NUMBER.fullmatch(text) is None:
        raise ValueError(f"{shown(text)} is not a number")
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{shown(text)} is beyond all numbers")
    return value


def _write_number(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a number")
    return repr(int(value)) if value.is_integer() and abs(value) < _EXACT else repr(float(value))


_EXACT: Final = 1e15


def _read_whole(text: str) -> int:
    if _WHOLE.fullmatch(text) is None:
        raise ValueError(f"{shown(text)} is not a whole number")
    return int(text)


def _read_boolean(text: str) -> bool:
    if text not in _BOOLEANS:
        raise ValueError(f"{shown(text)} is not a boolean")
    return _BOOLEANS[text]


def read_time(text: str) -> float:
    """Return a date with its time zone as epoch s.

    Raises:
        ValueError: It is none; the message says so.
    """
    if _TIME.fullmatch(text) is None:
        raise ValueError(f"{shown(text)} is not a date and time with its zone")
    try:
        at = datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{shown(text)} is no date: {error}") from error
    if not 0 <= at <= LATEST:
        raise ValueError(f"{shown(text)} is outside the years 1970 to 9999")
    return at


def write_time(at: float) -> str:
    """Return epoch s as a date in UTC, to the microsecond.

    Raises:
        ValueError: It is outside the years 1970 to 9999.
    """
    if not 0 <= at <= LATEST:
        raise ValueError(f"{at} is outside the years 1970 to 9999")
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


_KINDS: Final[Mapping[type[Any], tuple[Read, Write]]] = {
    str: (_read_text, _write_text),
    float: (_read_number, lambda value: _write_number(float(value))),
    int: (_read_whole, str),
    bool: (_read_boolean, lambda value: "true" if value else "false"),
    Instant: (read_time, write_time),
}
