"""A folder that a demo may call its own: marked at its first use, locked while it runs."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

MARKER: Final = ".hems-demo"


class FolderError(Exception):
    """The folder cannot be used; `str()` is one sentence that names it."""


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Hold a folder while the context lasts.

    Args:
        folder: A new or empty folder, or one that a demo has marked before.

    Raises:
        FolderError: It holds something else, another demo uses it now, or it cannot be made.
    """
    marker = folder / MARKER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not marker.exists() and any(folder.iterdir()):
            raise FolderError(f"{folder}: is not empty and no demo's folder; it is left as it is")
        with marker.open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise FolderError(f"{folder}: another demo is running in it") from error
            yield
    except (FileExistsError, NotADirectoryError) as error:
        raise FolderError(f"{folder}: is not a folder") from error
    except OSError as error:
        raise FolderError(f"{folder}: cannot be used: {error.strerror}") from error
