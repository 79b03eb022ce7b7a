"""A file that the program keeps for itself: private, and after a power cut the old or the new."""

import contextlib
import os
from pathlib import Path
from typing import Final, TextIO

from certs import own_writes

MODE: Final = 0o600  # it may hold passwords


def replace(path: Path, content: str) -> None:
    """Put a content in the place of a file's present one, on the disk when this returns.

    One writer at a time: one draft serves all, so that a power cut leaves no more than that.

    Raises:
        OSError: It cannot be written; the old one is as it was.
    """
    draft = path.with_name(f".{path.name}.new")
    try:
        with _private(draft) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        own_writes.wrote(content.encode())
        draft.replace(path)
        sync_folder(path.parent)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Make what was renamed or removed in a folder durable.

    Raises:
        OSError: It cannot be read.
    """
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _private(draft: Path) -> TextIO:
    """Open a file for writing that nobody else could ever read."""
    number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, MODE)
    os.fchmod(number, MODE)
    return os.fdopen(number, "w", encoding="utf-8")
