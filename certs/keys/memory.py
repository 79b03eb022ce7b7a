"""Files in memory only: OpenSSL reads keys from files, and a key must not lie on a disk."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def in_memory(content: bytes) -> Iterator[Path]:
    """Give a file of this process alone that is gone with the block.

    Raises:
        OSError: The kernel has no memory for it.
    """
    handle = os.memfd_create("key", os.MFD_CLOEXEC)
    try:
        os.fchmod(handle, 0o600)
        with os.fdopen(os.dup(handle), "wb") as file:
            file.write(content)
        yield Path(f"/proc/self/fd/{handle}")
    finally:
        os.close(handle)
