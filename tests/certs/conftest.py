"""A fresh PKI for each test."""

from pathlib import Path

import pytest

from certs.pki import Pki, init_pki


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return init_pki(tmp_path / "pki")
