"""Which of the files that a server offers is meant for this device (software download)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from hems.sep2 import resources as res


class FileKind(IntEnum):
    """File.type; from 0x8000 on the maker's own."""

    SOFTWARE = 0
    CREDENTIAL = 1
    CONFIGURATION = 2
    LOG = 3


@dataclass(frozen=True, slots=True)
class Target:
    """The device that files are for.

    Attributes:
        lfdi: Its LFDI.
        pen: Private enterprise number of its maker.
        model: Its model.
        serial: Its serial number.
        hardware: Version of its hardware.
        software: Version that it runs now.
        kinds: What files it takes.
    """

    lfdi: str
    pen: int
    model: str
    serial: str
    hardware: str
    software: str
    kinds: frozenset[int] = frozenset({FileKind.SOFTWARE})


def fits(file: res.File, target: Target) -> bool:
    """Whether a file is meant for a device; what a file does not name is no condition."""
    own = (
        (file.lfdi and file.lfdi.upper().zfill(40), target.lfdi.upper().zfill(40)),
        (file.mf_ser_num, target.serial),
        (file.mf_hw_ver, target.hardware),
    )
    return (
        file.type in target.kinds
        and file.mf_id == target.pen
        and file.mf_model == target.model
        and all(named is None or named == mine for named, mine in own)
    )


def choose(files: Iterable[res.File], target: Target) -> res.File | None:
    """Return the file to load; None if none is meant for the device, or it runs that already.

    One that names the very device goes before one for all of its kind, then the one that is to be
    activated last, then the higher version.

    Args:
        files: What the server offers.
        target: The device.
    """
    news = [f for f in files if fits(f, target) and f.mf_ver != target.software]
    return max(news, key=_rank, default=None)


def _rank(file: res.File) -> tuple[bool, bool, int, tuple[tuple[int, str], ...]]:
    timed = file.activate_time is not None
    return file.lfdi is not None, timed, file.activate_time or 0, version_key(file.mf_ver)


def version_key(version: str) -> tuple[tuple[int, str], ...]:
    """Return what orders versions: numbers by value, words by letters ("1.10" after "1.9")."""
    parts = re.findall(r"\d+|[a-zA-Z]+", version)
    return tuple((int(p), "") if p.isdigit() else (-1, p.lower()) for p in parts)
