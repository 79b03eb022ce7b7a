"""A PKI, a home in it, and TLS contexts of its utility."""

import ssl
from pathlib import Path

import pytest

from certs.pki import Pki, init_pki
from certs.tls import client_context, server_context
from tests.hems.sep2.client_home import Home


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return init_pki(Path(tmp_path_factory.mktemp("pki")) / "pki")


@pytest.fixture
async def home(pki: Pki) -> Home:
    return Home(pki)


@pytest.fixture
def context(pki: Pki) -> ssl.SSLContext:
    return server_context(pki.identity("utility"), pki.trust)


@pytest.fixture
def notifying(pki: Pki) -> ssl.SSLContext:
    return client_context(pki.identity("utility"), pki.trust)
