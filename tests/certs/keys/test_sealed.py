"""Encrypted key files: what opens them, and what does not."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from certs.issue import new_key
from certs.keys import inplace
from certs.keys.envelope import Envelope, decode, encode
from certs.keys.errors import KeyStoreError, SecretError, TamperedError
from certs.keys.sealing import FileBackend
from certs.keys.secret import Cost
from certs.keys.store import KeyStore
from certs.pem import write_key
from tests.certs.keys.conftest import CHEAP
from tests.certs.keys.hardware import secret_file

pytestmark = pytest.mark.requirement("L1-CRYPT", "L2-KEYS")

SECRET = "open, sesame: 17 thieves"


@pytest.fixture
def backend(tmp_path: Path) -> FileBackend:
    return FileBackend(secret_file(tmp_path, SECRET), CHEAP)


def test_a_wrong_secret_is_told_from_a_changed_file(tmp_path: Path, backend: FileBackend) -> None:
    path = tmp_path / "hub.key"
    KeyStore(backend).make(path)
    (tmp_path / "wrong").mkdir()
    other = KeyStore(FileBackend(secret_file(tmp_path / "wrong", SECRET + "!"), CHEAP))
    with pytest.raises(SecretError, match=r"secret from .*wrong/secret is not the one") as caught:
        other.sign(path, b"data")
    assert SECRET not in str(caught.value)
    fields = list(decode(path.read_bytes()).fields)
    fields[5] = fields[5][:-1] + bytes((fields[5][-1] ^ 1,))
    path.write_bytes(encode(Envelope(FileBackend.label, tuple(fields))))
    with pytest.raises(TamperedError, match="changed since"):
        KeyStore(backend).sign(path, b"data")


@pytest.mark.parametrize("field", range(6))
def test_no_field_can_be_another_key_s(backend: FileBackend, field: int) -> None:
    """Two good files by the same secret: no mixture of them is good."""
    one, two = backend.make(), backend.make()
    mixed = list(one)
    mixed[field] = two[field]
    if tuple(mixed) == one:
        pytest.skip("the two do not differ there")
    with pytest.raises(KeyStoreError):
        backend.open(tuple(mixed))


def test_a_secret_that_changes_while_the_hub_runs_counts_at_once(
    tmp_path: Path, backend: FileBackend
) -> None:
    store, path = KeyStore(backend), tmp_path / "hub.key"
    store.make(path)
    (tmp_path / "secret").write_text("another secret altogether")
    with pytest.raises(SecretError):
        store.sign(path, b"data")
    (tmp_path / "secret").unlink()
    with pytest.raises(SecretError, match="No such file"):
        store.check([path])
    secret_file(tmp_path, SECRET)
    store.check([path])


def test_two_files_of_the_same_key_have_nothing_in_common(backend: FileBackend) -> None:
    key = new_key()
    one, two = backend.take(key), backend.take(key)
    assert one[3] == two[3]  # the public key
    assert not {one[1], one[4], one[5]} & {two[1], two[4], two[5]}


def test_a_file_that_asks_for_too_much_memory_is_refused(backend: FileBackend) -> None:
    cost, *rest = backend.make()
    assert Cost.decode(cost) == CHEAP
    huge = b"".join(n.to_bytes(4, "big") for n in (3, 2**31, 1))
    with pytest.raises(TamperedError, match="out of bounds"):
        backend.open((huge, *rest))


def test_a_move_that_fails_leaves_the_plain_key(tmp_path: Path, backend: FileBackend) -> None:
    path, key = tmp_path / "hub.key", new_key()
    write_key(path, key)
    before = path.read_bytes()
    (tmp_path / "secret").chmod(0o644)
    with pytest.raises(SecretError):
        KeyStore(backend).move(path)
    assert path.read_bytes() == before


def test_openssl_that_takes_no_stub_is_given_the_key_locked(
    backend: FileBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = backend.make()
    monkeypatch.setattr(inplace, "usable", lambda: False)
    content = backend.tls(fields)
    assert b"ENCRYPTED PRIVATE KEY" in content.pem
    key = load_pem_private_key(content.pem, content.password)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    signature = key.sign(b"data", ec.ECDSA(hashes.SHA256()))
    backend.public(fields).verify(signature, b"data", ec.ECDSA(hashes.SHA256()))
    with pytest.raises(TypeError):
        load_pem_private_key(content.pem, None)
