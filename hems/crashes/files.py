"""The folder of crash reports: few, small, readable by their owner only."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final, Self

FOLDER: Final = "crashes"
MOST: Final = 10
"""So many reports are kept; the oldest go."""
_STAMP: Final = "%Y%m%dT%H%M%SZ"
_NAME: Final = re.compile(r"crash-(\d{8}T\d{6}Z)-\d+(?:-\d+)?\.txt")
_OPEN: Final = "running-"


@dataclass(frozen=True, slots=True)
class Kept:
    """A report that is kept.

    Attributes:
        path: Its file.
        at: When the program ended, UTC epoch seconds.
    """

    path: Path
    at: float


def keep(folder: Path, at: float, text: str) -> Kept:
    """Write a report, and remove the oldest ones that are too many.

    Args:
        folder: Where to; it is made if it is not there.
        at: When it happened, UTC epoch seconds.
        text: The report.

    Raises:
        OSError: It cannot be written.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    stamp = datetime.fromtimestamp(at, UTC).strftime(_STAMP)
    base = f"crash-{stamp}-{os.getpid()}"
    for number in range(MOST + 1):
        path = folder / (f"{base}.txt" if not number else f"{base}-{number}.txt")
        try:
            opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            continue
        with os.fdopen(opened, "w", encoding="utf-8") as file:
            file.write(text)
        break
    # The one that was just written stays, though a machine without a clock dates it 1970.
    former = sorted(  # what is of a time to come goes first: nobody knows its age
        (each for each in _kept(folder) if each.path != path),
        key=lambda each: (each.at <= at, each.at),
    )
    for old in former[: max(len(former) - (MOST - 1), 0)]:
        old.path.unlink(missing_ok=True)
    return Kept(path, int(at))


def newest(folder: Path, now: float) -> Kept | None:
    """Return the last report; None where there is none, or the folder cannot be read.

    Args:
        folder: Where they are.
        now: UTC epoch seconds. A report of a time to come was dated by a clock that was wrong:
            nobody knows its age, so it is the last one only where there is no other.
    """
    try:
        return max(
            _kept(folder), key=lambda each: (each.at <= now, -abs(now - each.at)), default=None
        )
    except OSError:
        return None


def _kept(folder: Path) -> Iterator[Kept]:
    for path in folder.iterdir():
        if found := _NAME.fullmatch(path.name):
            at = datetime.strptime(found[1], _STAMP).replace(tzinfo=UTC)
            yield Kept(path, at.timestamp())


@dataclass(frozen=True, slots=True)
class Run:
    """The file in which the interpreter writes where it was if a signal ends it.

    It is locked as long as its process lives, so that nobody takes it for one that was left.

    Attributes:
        path: Where it is.
        file: It, open.
    """

    path: Path
    file: IO[bytes]

    @classmethod
    def begun(cls, folder: Path) -> Self:
        """Return the file of this process, new.

        Raises:
            OSError: It cannot be made.
        """
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / f"{_OPEN}{os.getpid()}"
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        file = os.fdopen(number, "r+b", buffering=0)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return cls(path, file)

    def end(self) -> None:
        """Remove it: the process ends in order."""
        with suppress(OSError):  # it was empty, and the next start removes it
            self.path.unlink(missing_ok=True)
        self.file.close()


def left_behind(folder: Path) -> Iterator[tuple[str, float]]:
    """Yield what runs have left that a signal ended, and when; then it is gone.

    A run that was killed without a word, as by a power cut, has left an empty file; that is not
    told.

    Raises:
        OSError: The folder cannot be read.
    """
    for path in sorted(folder.glob(f"{_OPEN}*")) if folder.is_dir() else ():
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                continue  # of another worker, which lives
            text, at = file.read().decode("utf-8", "replace"), os.fstat(file.fileno()).st_mtime
            path.unlink(missing_ok=True)
        if text.strip():
            yield text, at
