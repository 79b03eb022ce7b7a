"""A PKI and a client of ours, for the tests of this folder."""

import ssl
from pathlib import Path

import pytest

from certs.pki import Pki, init_pki, issue_device
from certs.tls import client_context, server_context
from tests.interop.lone import Lone


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """Return a PKI with the identities utility, hub and other."""
    made = init_pki(Path(tmp_path_factory.mktemp("interop")) / "pki")
    issue_device(made, "other")
    return made


@pytest.fixture
def lone(pki: Pki, tmp_path: Path) -> Lone:
    """Return a client of ours with a store of its own."""
    return Lone(pki, tmp_path)


@pytest.fixture
def context(pki: Pki) -> ssl.SSLContext:
    """Return the utility's server side of TLS."""
    return server_context(pki.identity("utility"), pki.trust)


@pytest.fixture
def notifying(pki: Pki) -> ssl.SSLContext:
    """Return the utility's client side of TLS."""
    return client_context(pki.identity("utility"), pki.trust)
