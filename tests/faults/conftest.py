"""What the fault tests share: a PKI for all of them, a simulated house for each of their files."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from certs.pki import Pki, init_pki
from tests.faults.bench import Bench, Line, house, whole_line

EVENING = (
    *("--fixed-load", "1600", "--pv-w", "800", "--battery-soc", "0.7"),
    *("--ev-soc", "0.3", "--ev-max-a", "16", "--ev-arrive-hour", "7.5"),
    *("--tank-temp", "40", "--room-temp", "18"),
)
"""A house at a known draw, everything in it running: about 7.5 kW with the heat pump."""


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """Return a test PKI with a utility and a hub in it."""
    return init_pki(tmp_path_factory.mktemp("keys") / "pki")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> AsyncIterator[Bench]:
    """Return a running house, on which each test starts hubs of its own."""
    folder: Path = tmp_path_factory.mktemp("bench")
    async with house(folder, pki, EVENING) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> AsyncIterator[Line]:
    """Return a running line: a real head-end, the house and a hub."""
    async with whole_line(tmp_path_factory.mktemp("line"), pki, EVENING) as made:
        yield made
