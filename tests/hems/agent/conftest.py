"""A hub's watch over a small installation, with a real agent."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.certs.agent.installed import Provider, small
from tests.hems.agent.rig import Guardhouse


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Provider:
    return Provider.made(tmp_path_factory.mktemp("provider"))


@pytest.fixture
def guardhouse(provider: Provider, tmp_path: Path) -> Guardhouse:
    """Return one that is not entered yet."""
    return Guardhouse(provider, small(tmp_path / "software"), tmp_path / "hub")


@pytest.fixture
async def house(guardhouse: Guardhouse) -> AsyncIterator[Guardhouse]:
    """Return one that runs, whose files were all read."""
    async with guardhouse:
        await guardhouse.checked()
        yield guardhouse
