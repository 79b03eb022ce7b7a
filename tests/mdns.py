"""Multicast DNS has one port a machine, and whoever listens on loopback hears every test's server.

The tests that speak it wait for each other, whichever worker runs them.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def multicast_dns() -> Iterator[None]:
    """Have this machine's multicast DNS for one test alone."""
    with Path(tempfile.gettempdir(), f"hems-mdns-{os.getuid()}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
