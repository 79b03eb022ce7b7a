"""A small file that only its owner can read: written whole, refused when others can read it.

Whoever can read such a file is the hub's own user, or root: that is what it proves.
"""

import os
import stat
from pathlib import Path
from typing import Final

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class ExposedError(Exception):
    """Others can read it; `str()` says so."""


def write(path: Path, text: str) -> None:
    """Write it anew; nobody else can read it at any moment.

    Raises:
        OSError: It cannot be written.
        ExposedError: The file system lets others read it all the same; it is gone again.
    """
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(number, "w", encoding="utf-8") as file:
        exposed = _exposed(os.fstat(file.fileno()))
        if not exposed:
            file.write(text)
    if exposed:
        draft.unlink()
        raise ExposedError(f"{path}: this file system cannot keep a file from others")
    draft.replace(path)


def read(path: Path) -> str:
    """Return what it holds.

    Raises:
        OSError: There is none, or it is not ours to read.
        ExposedError: Others can read it.
    """
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(number, encoding="utf-8", errors="replace") as file:
        if _exposed(os.fstat(file.fileno())):
            raise ExposedError(f"{path}: others can read it, so it proves nothing; chmod 600 it")
        return file.read()


def _exposed(status: os.stat_result) -> bool:
    return bool(status.st_mode & _OTHERS) or not stat.S_ISREG(status.st_mode)
