"""The machine: clock, disk, memory, versions, ports."""

import os
import platform
import socket
import ssl
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final

from hems.doctor.facts import Clock, Disk, Listened, Memory, Version
from hems.store.cipher import DRIVER
from hems.timekeeping import floor, kernel

RTC: Final = Path("/sys/class/rtc/rtc0/since_epoch")
MEMORY: Final = Path("/proc/meminfo")
UPTIME: Final = Path("/proc/uptime")
_SECTOR: Final = 512
_SECTORS_WRITTEN: Final = 6
"""Which figure of `/sys/dev/block/*/stat` it is (the kernel's Documentation/block/stat.rst)."""
_CARD: Final = "mmcblk"
"""How the kernel calls SD cards and the like; other disks stand more than anybody here writes."""
_LONG_UP_S: Final = 3600.0
"""What was written within less says nothing of a day."""


def clock(now: float, rtc: Path = RTC) -> Clock:
    """Return how the machine's time stands.

    Args:
        now: UTC epoch seconds.
        rtc: Where the kernel tells the hardware clock's.
    """
    try:
        apart_s = int(rtc.read_text(encoding="ascii")) - now
    except (OSError, ValueError):
        apart_s = None
    kernel_says = kernel.ask()
    kept = None if kernel_says is None else kernel_says.synchronised
    return Clock(now, kept, apart_s, floor.released())


def disk(path: Path) -> Disk:
    """Return the file system that a path is on, or is to be."""
    there = path.absolute()
    try:
        there = next(each for each in (there, *there.parents) if each.exists())
        seen = os.statvfs(there)
        device = there.stat().st_dev
    except OSError as error:  # who fails here is what a doctor is called for
        why = error.strerror or str(error)
        return Disk(there, 0, 0, 0, 0, read_only=False, written_per_day=None, error=why)
    return Disk(
        there,
        seen.f_blocks * seen.f_frsize,
        seen.f_bavail * seen.f_frsize,
        seen.f_files,
        seen.f_favail,
        bool(seen.f_flag & os.ST_RDONLY),
        _written_per_day(device),
    )


def _written_per_day(device: int) -> float | None:
    kept = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}")
    if not kept.resolve().name.startswith(_CARD):
        return None
    try:
        sectors = int((kept / "stat").read_text(encoding="ascii").split()[_SECTORS_WRITTEN])
        up_s = float(UPTIME.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):  # no disk of this machine's own
        return None
    return None if up_s < _LONG_UP_S else sectors * _SECTOR / up_s * 86_400.0


def memory(path: Path = MEMORY) -> Memory | None:
    """Return the machine's memory; None where the kernel does not tell."""
    try:
        told = dict(line.split(":", 1) for line in path.read_text(encoding="ascii").splitlines())
        return Memory(_octets(told["MemTotal"]), _octets(told["MemAvailable"]))
    except (OSError, ValueError, KeyError):
        return None


def _octets(text: str) -> int:
    """Return a size as the kernel writes it ("1024 kB")."""
    return int(text.split(maxsplit=1)[0]) * 1024


def versions() -> tuple[Version, ...]:
    """Return the parts of the software that age."""
    return tuple(
        Version(name, text, number_of(text))
        for name, text in (
            ("hems", version("hems")),
            ("Python", platform.python_version()),
            ("OpenSSL", ssl.OPENSSL_VERSION.removeprefix("OpenSSL ").split(" ")[0]),
            ("SQLite", str(DRIVER.sqlite_version)),
            ("SQLCipher", _sqlcipher()),
            ("kernel", platform.release()),
        )
        if text
    )


def _sqlcipher() -> str:
    connection = DRIVER.connect(":memory:")
    try:
        row = connection.execute("PRAGMA cipher_version").fetchone()
    finally:
        connection.close()
    return str(row[0]) if row else ""


def number_of(text: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with ("6.1.0-18-arm64" gives 6, 1, 0)."""
    found: list[int] = []
    for part in text.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if digits:
            found.append(int(digits))
        if digits != part:
            break
    return tuple(found)


def listened(places: Mapping[str, tuple[str, int]], settings: Mapping[str, str]) -> list[Listened]:
    """Return whether addresses can be had; each is taken for an instant.

    Args:
        places: Host and port by what they are for.
        settings: The setting of each.
    """
    return [
        Listened(f"{host}:{port}", what, settings[what], _refused(host, port))
        for what, (host, port) in places.items()
        if port
    ]


def _refused(host: str, port: int) -> str:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind((host, port))
            taken.listen(1)  # another that listens with the same option shows only here
    except OSError as error:
        return error.strerror or str(error)
    return ""
