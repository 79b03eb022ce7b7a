"""A small disk with a file system of its own, whose power can be cut and which can be pulled out.

A file behind a loop device carries ext4. What the kernel counts as written to that device is what
an SD card would have to write, journal and all. The file system can be shut down as a power cut
does: what was not yet on the disk is lost, and nothing but what was comes back.
"""

import fcntl
import os
import struct
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

_SHUTDOWN: Final = 0x8004587D
"""The kernel's request FS_IOC_SHUTDOWN."""
_WITHOUT_FLUSH: Final = 2
"""Nothing more is written, the file system's own journal included."""
_SECTOR: Final = 512
"""Octets of a sector as the kernel counts."""
_WRITTEN: Final = 6
"""Sectors written, among the fields of /sys/block/*/stat."""


class DiskError(Exception):
    """This machine cannot carry such a disk; `str()` says why."""


class BlockDisk:
    """A disk that is mounted. Use `block_disk`.

    Args:
        image: The file behind it.
        at: Where it is mounted.
    """

    def __init__(self, image: Path, at: Path) -> None:
        self._image = image
        self._copies = 0
        self.at = at

    @property
    def written(self) -> int:
        """Octets written to it so far, by the kernel's count; only differences mean anything."""
        stat = Path("/sys/dev/block") / self._number() / "stat"
        return int(stat.read_text(encoding="ascii").split()[_WRITTEN]) * _SECTOR

    def sync(self) -> None:
        """Have all that waits in memory written."""
        _run("sync", "-f", str(self.at))

    def pull(self) -> None:
        """Have each read and write end in an I/O error from now on, as on a disk pulled out.

        What was not on the disk is lost: `put_back` finds what there was at this instant.
        """
        folder = os.open(self.at, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, _SHUTDOWN, struct.pack("I", _WITHOUT_FLUSH))
        finally:
            os.close(folder)

    def put_back(self) -> None:
        """Mount what is on it again after `pull`; who has a file of it open keeps errors.

        It is a copy: whoever holds the former one, in a namespace of its own perhaps, would have
        the kernel mount that once more, still shut down.
        """
        self.unmount()
        self._copies += 1
        former, self._image = self._image, self._image.with_name(f"disk{self._copies}.img")
        _run("cp", "--sparse=always", str(former), str(self._image))
        former.unlink()
        self.mount()

    def cut_power(self) -> None:
        """Lose what was not on the disk, and come back."""
        self.pull()
        self.put_back()

    def forbid_writing(self) -> None:
        """Have it be read-only, as the kernel makes a file system in which it finds an error."""
        device = (Path("/sys/dev/block") / self._number()).resolve().name
        fault = Path("/sys/fs/ext4") / device / "trigger_fs_error"
        fault.write_text("a fault for a test", encoding="ascii")

    def shrink(self) -> None:
        """Have each read of what is neither in memory nor in the first megabyte be an I/O error."""
        os.truncate(self._image, 1 << 20)

    def mount(self) -> None:
        """Mount it where it belongs."""
        _run("mount", "-o", "loop,noatime,errors=remount-ro", str(self._image), str(self.at))

    def _number(self) -> str:
        device = self.at.stat().st_dev
        return f"{os.major(device)}:{os.minor(device)}"

    def unmount(self) -> None:
        """Take it away, whoever uses it."""
        with suppress(DiskError):
            _run("umount", "--lazy", str(self.at))


@contextmanager
def block_disk(folder: Path, megabytes: int = 32) -> Iterator[BlockDisk]:
    """Make and mount a disk for as long as the context lasts.

    Args:
        folder: Where its file and its place are made.
        megabytes: How large it is.

    Raises:
        DiskError: This machine does not let us: it needs root, loop devices and ext4.
    """
    folder.mkdir(parents=True, exist_ok=True)
    image, at = folder / "disk.img", folder / "disk"
    at.mkdir()
    with image.open("wb") as file:
        file.truncate(megabytes * 1024 * 1024)
    _run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image))
    disk = BlockDisk(image, at)
    disk.mount()
    try:
        yield disk
    finally:
        disk.unmount()


@contextmanager
def disk_or_skip(folder: Path, megabytes: int = 32) -> Iterator[BlockDisk]:
    """Do as `block_disk`; the test is skipped where that cannot be."""
    with ExitStack() as stack:
        try:
            disk = stack.enter_context(block_disk(folder, megabytes))
        except DiskError as error:
            pytest.skip(f"a disk of its own needs root and loop devices: {error}")
        yield disk


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except OSError as error:
        raise DiskError(f"{command[0]}: {error}") from error
    except subprocess.CalledProcessError as error:
        raise DiskError(f"{command[0]}: {error.stderr.strip()}") from error
