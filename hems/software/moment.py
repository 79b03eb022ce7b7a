"""When a new version may take the place of the one that runs: the hours, and the owner's hurry."""

import json
from contextlib import suppress
from datetime import time
from pathlib import Path
from typing import Final

from hems.software.sides import UPDATES, put, taken

NOW: Final = "now.json"
"""In the home's folder of updates: the version that is not to wait for its hours."""
AGAIN_S: Final = 12 * 3600.0
"""What failed by itself is tried by itself again in the next night, and not the same one."""
_DAY_S: Final = 86_400.0

Hours = tuple[time, time]
"""From when until when each day, by the clock on the wall; two times alike are all day."""


def into_s(hours: Hours, wall: time) -> float | None:
    """Return for how long the hours have lasted, s; None outside of them. Pure."""
    begins, ends = map(_of_day_s, hours)
    since = (_of_day_s(wall) - begins) % _DAY_S
    return since if since < _length_s(begins, ends) else None


def due(hours: Hours, wall: time, chance: float, tried_s: float | None) -> bool:
    """Return whether a version is to be installed by itself now. Pure.

    Each hub has its own instant in the first half of the hours, so that not all of a street fetch
    at once, and there is time left for the rest.

    Args:
        hours: When the hub may be started anew.
        wall: The time of day.
        chance: From 0 to 1, drawn once a hub's start.
        tried_s: How long ago it was tried, s; None for not yet.
    """
    since = into_s(hours, wall)
    if since is None or (tried_s is not None and tried_s < AGAIN_S):
        return False
    return since >= chance * _length_s(*map(_of_day_s, hours)) / 2


def hurry(home: Path, version: str) -> None:
    """Have a version not wait for its hours.

    Raises:
        SidesError: That cannot be noted.
    """
    (home / UPDATES).mkdir(mode=0o700, exist_ok=True)
    put(home / UPDATES / NOW, {"version": version}, mode=0o600)


def hurried(home: Path, version: str) -> bool:
    """Return whether a version is not to wait for its hours."""
    try:
        found = json.loads(taken(home, NOW) or b"null")
    except ValueError:
        return False
    return isinstance(found, dict) and found.get("version") == version


def unhurried(home: Path) -> None:
    """Forget which version was in a hurry."""
    with suppress(OSError):
        (home / UPDATES / NOW).unlink()


def _of_day_s(wall: time) -> float:
    return wall.hour * 3600.0 + wall.minute * 60.0 + wall.second


def _length_s(begins: float, ends: float) -> float:
    return (ends - begins) % _DAY_S or _DAY_S
