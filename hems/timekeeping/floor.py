"""Before when it cannot be: the hub's release, and what a file beside the store says.

A machine without a battery for its clock wakes in 1970, or where somebody saved the time last. The
file holds when the hub last knew the time for sure, written at most once an hour.
"""

import json
import logging
import math
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

_log = logging.getLogger(__name__)

STAMP: Final = "released.toml"
"""When this was released: written beside this module as a release is built, and nowhere else."""
_WRITTEN: Final = datetime(2025, 7, 1, tzinfo=UTC).timestamp()
"""Before this there was no such software: what holds for a tree that was not released."""
EVERY_S: Final = 3600.0
"""How often the file is written at most."""
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Mark:
    """An instant at which the time was known.

    Attributes:
        at: UTC epoch seconds.
        boot: Which start of the machine it was; empty where that is not told.
    """

    at: float
    boot: str = ""


_MARK: Final = TypeAdapter(Mark)


def stamped(at: int) -> str:
    """Return what the stamp of a release says.

    Args:
        at: The time that the release bears, UTC epoch seconds.
    """
    return f"at = {at}  # seconds since 1970: before this it cannot be\n"


def released(stamp: Path | None = None) -> float:
    """Return before when it cannot be, since this software was not there; UTC epoch seconds.

    Args:
        stamp: The release's; None for this one's.
    """
    path = Path(__file__).with_name(STAMP) if stamp is None else stamp
    try:
        at = tomllib.loads(path.read_text(encoding="utf-8")).get("at")
    except FileNotFoundError:  # a tree under development
        return _WRITTEN
    except (OSError, ValueError) as error:  # TOMLDecodeError and UnicodeDecodeError are values
        _log.warning("%s: when this was released cannot be read: %s", path, error)
        return _WRITTEN
    return max(_WRITTEN, float(at)) if isinstance(at, int) else _WRITTEN


def place(store: Path) -> Path:
    """Return where the file of a store is."""
    return store.with_name(f"{store.name}.time")


def this_boot() -> str:
    """Return which start of the machine this is; empty where the kernel does not tell."""
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def read(path: Path) -> Mark | None:
    """Return what the file says; None where there is none, or it makes no sense."""
    try:
        found = _MARK.validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        _log.warning("%s: when the time was last known cannot be read: %s", path, error)
        return None
    return found if math.isfinite(found.at) and found.at > 0 else None


def write(path: Path, mark: Mark) -> None:
    """Write the file, so that a reader finds all of it or what was before; never raises."""
    draft = path.with_name(f".{path.name}.new")
    try:
        draft.write_text(json.dumps({"at": round(mark.at), "boot": mark.boot}) + "\n")
        draft.replace(path)
    except OSError as error:  # the time itself goes on
        _log.warning("%s: that the time is known cannot be kept: %s", path, error.strerror)
