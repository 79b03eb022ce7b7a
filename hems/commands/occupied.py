"""One program at a time has a home: its hub, or a command that changes what it has on the disk.

Two hubs would give the devices two masters, and a store that is put under a new key, restored or
erased beside a running hub would be lost. The lock is the folder's own, so nothing lies about for
it, and it ends with its process, however that ends.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class OccupiedError(Exception):
    """Another program has the home now; `str()` names its folder."""


@contextmanager
def occupied(folder: Path) -> Iterator[None]:
    """Have a home to oneself while the context lasts.

    Where the file system knows no locks, or there is no folder yet, it is gone on without.

    Args:
        folder: The home's.

    Raises:
        OccupiedError: Another program has it.
    """
    try:
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:  # whoever needs it says what is wrong with it
        yield
        return
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OccupiedError(
                f"{folder}: a hub runs on this home, or a command is changing it: end that first"
            ) from error
        except OSError:
            pass
        yield
    finally:
        os.close(number)
