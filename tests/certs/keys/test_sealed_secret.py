"""Secrets that are no private keys, in every kind of store, on real hardware in software."""

import contextlib
import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certs.errors import CertificateError
from certs.keys import sealed_secret
from certs.keys.backend import MOST_SEALED, Held
from certs.keys.envelope import decode
from certs.keys.errors import KeyStoreError, KeyStoreGoneError, SecretError
from certs.keys.opening import Kind, StoreSettings, key_store
from certs.keys.sealing import FileBackend
from certs.keys.store import KeyStore
from certs.pem import write_file
from tests.certs.keys.conftest import CHEAP, EVERY, STORES, Kept
from tests.certs.keys.hardware import SoftTpm, needs_swtpm, secret_file
from tests.examples import examples

pytestmark = pytest.mark.requirement("L1-CRYPT", "L2-KEYS")

SECRET = bytes(range(48))
HELD = {
    Kind.PLAIN: Held.PLAIN,
    Kind.FILE: Held.ENCRYPTED,
    Kind.PKCS11: Held.TOKEN,
    Kind.TPM: Held.TPM,
}


@pytest.mark.parametrize("kept", EVERY, indirect=True)
def test_a_secret_comes_back_and_is_its_owner_s_alone(kept: Kept) -> None:
    kept.store.seal(kept.path, SECRET)
    assert kept.store.unseal(kept.path) == SECRET
    assert kept.store.held(kept.path) is HELD[kept.kind]
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    assert [each.name for each in kept.folder.iterdir()] == ["hub.key"]
    assert kept.store.move(kept.path) is False
    kept.path.chmod(0o640)
    with pytest.raises(CertificateError, match="others than its owner"):
        kept.store.unseal(kept.path)


@pytest.mark.parametrize("kept", EVERY, indirect=True)
@pytest.mark.parametrize("size", [1, MOST_SEALED])
def test_secrets_of_every_length_that_is_taken(kept: Kept, size: int) -> None:
    kept.store.seal(kept.path, bytes(size))
    assert kept.store.unseal(kept.path) == bytes(size)
    with pytest.raises(ValueError, match="too long"):
        kept.store.seal(kept.path, bytes(MOST_SEALED + 1))
    assert kept.store.unseal(kept.path) == bytes(size)


@pytest.mark.parametrize("kept", STORES, indirect=True)
def test_the_file_does_not_have_the_secret_and_another_store_cannot_open_it(kept: Kept) -> None:
    kept.store.seal(kept.path, SECRET)
    envelope = decode(kept.path.read_bytes())
    for each in (kept.path.read_bytes(), *envelope.fields):
        assert SECRET not in each
        assert SECRET.hex().encode() not in each
    with pytest.raises(KeyStoreError, match="held otherwise"):
        KeyStore().unseal(kept.path)
    with pytest.raises(KeyStoreError, match="held otherwise"):
        KeyStore().move(kept.path)
    with pytest.raises(KeyStoreError, match="held otherwise"):
        KeyStore().erase(kept.path)
    assert kept.path.exists()


@pytest.mark.parametrize("kept", STORES, indirect=True)
def test_a_plain_secret_is_moved_in_and_out_and_written_over(kept: Kept) -> None:
    KeyStore().seal(kept.path, SECRET)
    handle = os.open(kept.path, os.O_RDONLY)  # the disk's own view of the file that is given up
    try:
        assert kept.store.move(kept.path) is True
        assert b"SECRET" not in os.pread(handle, 65_536, 0)
    finally:
        os.close(handle)
    assert kept.store.held(kept.path) is HELD[kept.kind]
    assert kept.store.unseal(kept.path) == SECRET
    copy = kept.path.read_bytes()
    assert kept.store.release(kept.path) is True
    assert kept.store.release(kept.path) is False
    assert KeyStore().unseal(kept.path) == SECRET
    if kept.kind is not Kind.FILE:  # what the hardware has forgotten, no copy of the file opens
        kept.path.write_bytes(copy)
        with pytest.raises(KeyStoreError):
            kept.store.unseal(kept.path)


@pytest.mark.parametrize("kept", STORES, indirect=True)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_power_cut_while_a_secret_is_moved_leaves_one_that_opens(
    kept: Kept, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    KeyStore().seal(kept.path, SECRET)

    def cut(path: Path, content: bytes, *, mode: int) -> None:
        if when == "after":
            write_file(path, content, mode=mode)
        os._exit(9)

    child = os.fork()
    if child == 0:
        monkeypatch.setattr(sealed_secret, "write_file", cut)
        kept.store.move(kept.path)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert kept.store.unseal(kept.path) == SECRET
    kept.store.move(kept.path)
    assert kept.store.held(kept.path) is HELD[kept.kind]
    assert kept.store.unseal(kept.path) == SECRET


@pytest.mark.parametrize("kept", EVERY, indirect=True)
@pytest.mark.requirement("LC-DECOMMISSION")
def test_what_is_erased_is_gone_from_hardware_too(kept: Kept) -> None:
    kept.store.seal(kept.path, SECRET)
    copy = kept.path.read_bytes()
    erased = kept.store.erase(kept.path)
    assert not kept.path.exists()
    if HELD[kept.kind] in {Held.TOKEN, Held.TPM}:
        assert "can open the secret no more" in erased.elsewhere
        kept.path.touch(mode=0o600)
        kept.path.write_bytes(copy)
        with pytest.raises(KeyStoreError):
            kept.store.unseal(kept.path)


@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(at=st.floats(0, 1, exclude_max=True), by=st.integers(1, 255))
def test_a_changed_file_is_told_and_never_another_secret(
    tmp_path_factory: pytest.TempPathFactory, at: float, by: int
) -> None:
    folder = tmp_path_factory.mktemp("changed")
    store = KeyStore(FileBackend(secret_file(folder, "open, sesame: 17 thieves"), CHEAP))
    path = folder / "s.key"
    store.seal(path, SECRET)
    content = bytearray(path.read_bytes())
    content[int(at * len(content))] ^= by
    path.write_bytes(content)
    with contextlib.suppress(CertificateError):
        assert store.unseal(path) == SECRET, "what was changed is of no account, as a line's end"


def test_the_wrong_secret_is_told_from_a_changed_file(tmp_path: Path) -> None:
    path = tmp_path / "s.key"
    KeyStore(FileBackend(secret_file(tmp_path, "open, sesame: 17 thieves"), CHEAP)).seal(
        path, SECRET
    )
    other = KeyStore(FileBackend(secret_file(tmp_path, "close, sesame: 18 thieves"), CHEAP))
    with pytest.raises(SecretError, match="not the one"):
        other.unseal(path)


@needs_swtpm
def test_a_tpm_that_is_away_is_told_and_comes_back(tmp_path: Path, tpm: SoftTpm) -> None:
    store = key_store(StoreSettings(Kind.TPM, tcti=tpm.tcti))
    path = tmp_path / "s.key"
    store.seal(path, SECRET)
    tpm.stop()
    with pytest.raises(KeyStoreGoneError, match="the TPM"):
        store.unseal(path)
    tpm.start()
    assert store.unseal(path) == SECRET
