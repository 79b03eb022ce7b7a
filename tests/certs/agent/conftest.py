"""A provider for all tests of a process, and an installation for each."""

from pathlib import Path

import pytest

from certs.manifest.installation import Installation
from tests.certs.agent.installed import Provider, small


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Provider:
    return Provider.made(tmp_path_factory.mktemp("provider"))


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return small(tmp_path / "software")
