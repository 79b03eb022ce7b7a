"""What must outlast a power cut is on the disk before anything builds on it."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Have a file's content, or a folder's names, be on the disk.

    Raises:
        OSError: It cannot be, or the file system does not know how.
    """
    number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(number)
    finally:
        os.close(number)
