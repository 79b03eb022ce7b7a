"""Descriptions by name or path, from the product's own folder or anybody's."""

import os
import re
import stat
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from der.drivers.mapped.compiler import compiled
from der.drivers.mapped.device_map import DeviceMap
from der.drivers.mapped.lint import faults
from der.drivers.mapped.schema import FilePart
from der.errors import PermanentError
from der.model import DeviceKind

_FOLDER: Final = Path(__file__).parent / "maps"
_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_KEY: Final = re.compile(r"[a-z][a-z0-9_]*")
_NO_KEYS: Final = frozenset({"str", "int", "float"})
"""What the checker puts into a place to say which of several forms it tried."""
_LARGEST: Final = 500_000


@dataclass(frozen=True, slots=True)
class Bundled:
    """A description that comes with the product.

    Attributes:
        name: To be given as `map`.
        title: What the device is, for people.
        kinds: What such a device can be in a home.
        port: TCP port that its maker chose.
        unit: Unit identifier that its maker chose.
        controlled: Whether it takes set-points.
    """

    name: str
    title: str
    kinds: frozenset[DeviceKind]
    port: int
    unit: int
    controlled: bool


def bundled() -> list[Bundled]:
    """Return the descriptions that come with the product, by name."""
    found = []
    for name in names():
        device = load(name)
        found.append(
            Bundled(
                name,
                device.title,
                device.kinds,
                device.bus.port,
                device.bus.unit,
                device.control is not None,
            )
        )
    return found


def names() -> list[str]:
    """Return the names of the descriptions that come with the product."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load(name_or_path: str) -> DeviceMap:
    """Return a description.

    Args:
        name_or_path: Name of a description that comes with the product, or path of a file.

    Raises:
        PermanentError: No such file, or what is wrong in it: file, place and reason.
    """
    if _NAME.fullmatch(name_or_path) and name_or_path in names():
        return _bundled(name_or_path)
    try:
        text = _read(Path(name_or_path))
    except UnicodeDecodeError as error:
        raise PermanentError(f"{name_or_path}: is not UTF-8 text: {error.reason}") from error
    except FileNotFoundError as error:
        known = ", ".join(names())
        raise PermanentError(
            f"{name_or_path}: no such file, and no description of this name comes with the product "
            f"(there are: {known})"
        ) from error
    except (OSError, ValueError) as error:
        raise PermanentError(f"{name_or_path}: cannot be read: {error}") from error
    return parse(text, name_or_path)


def _read(path: Path) -> str:
    """Return a file's text; raises OSError, UnicodeDecodeError, PermanentError."""
    # A named pipe would wait for its writer, a device go on for ever: and a home with it.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise PermanentError(f"{path}: is no ordinary file")
        body = file.read(_LARGEST + 1)
    if len(body) > _LARGEST:
        raise PermanentError(f"{path}: is too large for a description")
    return body.decode()


def parse(text: str, name: str) -> DeviceMap:
    """Return a description from its text.

    Args:
        text: TOML.
        name: What to call it in messages.

    Raises:
        PermanentError: What is wrong in it: file, place and reason.
    """
    try:
        part = FilePart.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PermanentError(f"{name}: is not TOML: {error}") from error
    except ValidationError as error:
        raise PermanentError(f"{name}: {_worded(error.errors())}") from error
    device = compiled(part, name)
    for fault in faults(device):
        raise PermanentError(f"{name}: {fault}")
    return device


@lru_cache(maxsize=64)
def _bundled(name: str) -> DeviceMap:
    return parse((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"), name)


def _worded(errors: Sequence[ErrorDetails]) -> str:
    """Return the first mistake; where several forms were tried, all that would have been right."""
    place = _place(errors[0]["loc"])
    reasons = dict.fromkeys(_reason(error) for error in errors if _place(error["loc"]) == place)
    return f"{place}: {'; or '.join(reasons)}"


def _place(loc: Iterable[int | str]) -> str:
    place = ""
    for part in loc:
        if isinstance(part, int):
            place += f"[{part}]"
        elif part == "[key]":
            continue
        elif part not in _NO_KEYS and _KEY.fullmatch(part):
            place += f".{part}" if place else part
    return place or "the file"


def _reason(error: ErrorDetails) -> str:
    match error["type"]:
        case "extra_forbidden":
            return "unknown key"
        case "missing":
            return "is missing"
        case "string_pattern_mismatch":
            return f"{error['input']!r} is no name"
        case "value_error":
            return error["msg"].removeprefix("Value error, ")
    return error["msg"].replace("Input should be", "must be", 1).replace("Input", "it", 1)
