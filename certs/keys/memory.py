"""Keys stay in memory: files there, for OpenSSL reads keys from files, and no image of a crash."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def keep_out_of_cores() -> None:
    """Have no image of this process, nor of those it starts, be written should it crash.

    The limit is one octet, not none: with none the kernel still hands the image to a program that
    collects such (core(5)).
    """
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    limit = 1 if most == resource.RLIM_INFINITY else min(most, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))


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
