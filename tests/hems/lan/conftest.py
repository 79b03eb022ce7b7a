"""Multicast DNS has one port and one `hems.local` a machine: these tests wait for each other."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _alone_with_the_name() -> Iterator[None]:
    with Path(tempfile.gettempdir(), f"hems-mdns-{os.getuid()}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
