"""Writing files over before they go; on flash that is no proof, for old cells may stay."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from certs.keys.errors import KeyStoreError

_PIECE: Final = 65_536
_HOW: Final = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""No link is followed, and no pipe waited for."""


@contextmanager
def old(path: Path) -> Iterator[Callable[[], int]]:
    """Give what writes a file's present content over, once another file has its name.

    Raises:
        KeyStoreError: It cannot be written over.
    """
    try:
        handle = os.open(path, _HOW)
    except OSError as error:
        raise KeyStoreError(f"{path}: cannot be written over: {error.strerror}") from error
    try:
        yield lambda: _scribble(path, handle)
    finally:
        os.close(handle)


def overwrite(path: Path) -> int:
    """Write a file over and remove it; returns its size.

    Raises:
        KeyStoreError: It cannot be, or is a link.
    """
    try:
        if path.is_symlink():
            raise KeyStoreError(f"{path}: is a link; erase what it stands for")
        handle = os.open(path, _HOW)
        try:
            size = _scribble(path, handle)
        finally:
            os.close(handle)
        path.unlink()
    except OSError as error:
        raise KeyStoreError(f"{path}: cannot be erased: {error.strerror}") from error
    if path.exists():
        raise KeyStoreError(f"{path}: is there again")
    return size


def _scribble(path: Path, handle: int) -> int:
    about = os.fstat(handle)
    if not stat.S_ISREG(about.st_mode):
        raise KeyStoreError(f"{path}: is no plain file")
    for start in range(0, about.st_size, _PIECE):
        os.pwrite(handle, os.urandom(min(_PIECE, about.st_size - start)), start)
    os.fsync(handle)
    return about.st_size
