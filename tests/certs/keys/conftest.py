"""A store of each kind, on real hardware in software."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from certs.keys.opening import Kind, StoreSettings, key_store
from certs.keys.sealing import FileBackend
from certs.keys.secret import Cost
from certs.keys.store import KeyStore
from tests.certs.keys.hardware import (
    MODULE,
    PIN,
    TOKEN,
    SoftTpm,
    make_token,
    needs_softhsm,
    needs_swtpm,
    secret_file,
)

CHEAP = Cost(passes=1, memory_kib=64)
"""What Argon2id costs is not what these tests are about."""


@dataclass(frozen=True)
class Kept:
    """A store and a folder for the files of its keys."""

    kind: Kind
    store: KeyStore
    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / "hub.key"


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the folder of a token's PIN; SoftHSM looks for its settings once a process."""
    before = os.environ.get("SOFTHSM2_CONF")
    folder = tmp_path_factory.mktemp("token")
    make_token(folder)
    secret_file(folder, PIN)
    yield folder
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


@pytest.fixture
def tpm(tmp_path: Path) -> Iterator[SoftTpm]:
    running = SoftTpm(tmp_path / "tpm")
    running.start()
    yield running
    running.stop()


def settings_of(kind: Kind, request: pytest.FixtureRequest, folder: Path) -> StoreSettings:
    if kind is Kind.PKCS11:
        pin = secret_file(request.getfixturevalue("token"), PIN)
        return StoreSettings(kind, pin, MODULE, TOKEN)
    if kind is Kind.TPM:
        running: SoftTpm = request.getfixturevalue("tpm")
        return StoreSettings(kind, tcti=running.tcti)
    if kind is Kind.FILE:
        return StoreSettings(kind, secret_file(folder, "open, sesame: 17 thieves"))
    return StoreSettings(kind)


HARDWARE = [
    pytest.param(Kind.PKCS11, marks=needs_softhsm),
    pytest.param(Kind.TPM, marks=needs_swtpm),
]
STORES = [Kind.FILE, *HARDWARE]
EVERY = [Kind.PLAIN, *STORES]


@pytest.fixture
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    """Return a store of the kind that the test is parametrised with."""
    kind: Kind = request.param
    settings = settings_of(kind, request, tmp_path)
    folder = tmp_path / "home"
    folder.mkdir()
    if kind is Kind.FILE and settings.secret is not None:
        return Kept(kind, KeyStore(FileBackend(settings.secret, CHEAP)), folder)
    return Kept(kind, key_store(settings), folder)
