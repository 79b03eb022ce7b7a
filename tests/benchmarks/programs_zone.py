"""A time zone of its own for a home whose next day is to begin in a few minutes.

What is promised for the next day is offered, granted and called without waiting for a real night:
the home's clock on the wall is shifted, its seconds are not.
"""

import os
import struct
import zoneinfo
from pathlib import Path
from typing import Final

NAME: Final = "Etc/Soon"
_DAY_S: Final = 86_400
_HALF_S: Final = 43_200
_HEADER: Final = ">4sc15x6l"
_TYPE: Final = ">lBB"


def midnight_in(folder: Path, seconds: float, now: float) -> str:
    """Make a zone in which the next day begins in so many seconds; returns its name.

    Programs that are started from now on know it: it is put before the system's own.

    Args:
        folder: Where its file goes (TZif, RFC 8536).
        seconds: Until midnight.
        now: UTC epoch seconds.
    """
    ahead_s = round(-(now + seconds)) % _DAY_S
    if ahead_s > _HALF_S:
        ahead_s -= _DAY_S
    letters = b"SOON\0"
    file = folder / NAME
    file.parent.mkdir(parents=True, exist_ok=True)
    header = struct.pack(_HEADER, b"TZif", b"\0", 0, 0, 0, 0, 1, len(letters))
    file.write_bytes(header + struct.pack(_TYPE, ahead_s, 0, 0) + letters)
    os.environ["PYTHONTZPATH"] = os.pathsep.join([str(folder), *zoneinfo.TZPATH])
    zoneinfo.reset_tzpath([str(folder), *zoneinfo.TZPATH])
    return NAME
