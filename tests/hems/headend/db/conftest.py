"""Databases of former versions."""

from pathlib import Path

import pytest

from tests.hems.headend.db.former import Places


@pytest.fixture
def places(tmp_path: Path, request: pytest.FixtureRequest) -> Places:
    return Places(tmp_path, request)
