"""What the hub writes to its guard process: one line of JSON each, the first with the devices."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter, ValidationError

from der.addresses import Shared
from der.description import DeviceDescription
from der.registry import DRIVERS, Driver


@dataclass(frozen=True, slots=True)
class Opening:
    """The first line.

    Attributes:
        devices: All devices that may be held.
        shared: What they share.
    """

    devices: tuple[DeviceDescription, ...]
    shared: Shared


@dataclass(frozen=True, slots=True)
class Note:
    """Every other line: a device holds a set-point, or runs by itself.

    Attributes:
        device: Its id.
        until: When it is given back, on the machine's monotonic clock, which all its processes
            share; None if it runs by itself.
        opened: Whether its switch was opened with the set-point.
    """

    device: str
    until: float | None
    opened: bool = False


class LetterError(ValueError):
    """A line that makes no sense; `str()` says what is wrong with it."""


_DESCRIPTION: Final = TypeAdapter(DeviceDescription)
_SHARED: Final = TypeAdapter(Shared)
_NOTE: Final = TypeAdapter(Note)


def opening(devices: Iterable[DeviceDescription], shared: Shared) -> bytes:
    """Return the first line."""
    described = [_DESCRIPTION.dump_python(device, mode="json") for device in devices]
    words = {"devices": described, "shared": _SHARED.dump_python(shared, mode="json")}
    return json.dumps(words).encode() + b"\n"


def note(words: Note) -> bytes:
    """Return a further line."""
    return _NOTE.dump_json(words) + b"\n"


def read_opening(line: bytes) -> Opening:
    """Return what the first line says; raises LetterError."""
    try:
        raw = json.loads(line)
        devices = tuple(_described(each) for each in raw["devices"])
        return Opening(devices, _SHARED.validate_python(raw["shared"]))
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise LetterError(f"the first line does not describe devices: {error}") from error


def read_note(line: bytes) -> Note:
    """Return what a further line says; raises LetterError."""
    try:
        return _NOTE.validate_json(line)
    except ValidationError as error:
        raise LetterError(f"a line makes no sense: {error.errors()[0]['msg']}") from error


def _described(raw: dict[str, object]) -> DeviceDescription:
    """Return a device; the type of its address is that of its driver."""
    address = DRIVERS[Driver(str(raw["driver"]))].address
    at = TypeAdapter(address).validate_python(raw["at"])
    return _DESCRIPTION.validate_python({**raw, "at": at})
