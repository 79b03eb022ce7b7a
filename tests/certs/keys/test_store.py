"""What every kind of store does, on real hardware in software."""

import os
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID

from certs.errors import CertificateError
from certs.issue import new_key
from certs.keys.backend import Held
from certs.keys.envelope import decode
from certs.keys.errors import KeyStoreError
from certs.keys.opening import Kind, StoreSettings, key_store
from certs.keys.store import KeyStore, fingerprint
from certs.pem import write_key
from tests.certs.keys.conftest import EVERY, STORES, Kept

pytestmark = pytest.mark.requirement("L2-KEYS", "L1-AGENT")

HOW = ec.ECDSA(hashes.SHA256())
HELD = {
    Kind.PLAIN: Held.PLAIN,
    Kind.FILE: Held.ENCRYPTED,
    Kind.PKCS11: Held.TOKEN,
    Kind.TPM: Held.TPM,
}


def secret_of(key: ec.EllipticCurvePrivateKey) -> list[bytes]:
    """Return the forms in which a private key could be found in a file."""
    raw = key.private_numbers().private_value.to_bytes(32, "big")
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return [raw, raw.hex().encode(), pem.splitlines()[1]]


@pytest.mark.parametrize("kept", EVERY, indirect=True)
def test_a_key_that_is_made_signs_and_is_its_owner_s_alone(kept: Kept) -> None:
    public = kept.store.make(kept.path)
    signature = kept.store.sign(kept.path, b"data")
    public.verify(signature, b"data", HOW)
    with pytest.raises(InvalidSignature):
        public.verify(signature, b"other", HOW)
    assert isinstance(public.curve, ec.SECP256R1)
    assert fingerprint(kept.store.public(kept.path)) == fingerprint(public)
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    assert kept.store.held(kept.path) is HELD[kept.kind]
    assert [each.name for each in kept.folder.iterdir()] == ["hub.key"]
    kept.store.check([kept.path])


@pytest.mark.parametrize("kept", EVERY, indirect=True)
def test_no_key_is_made_over_another(kept: Kept) -> None:
    kept.store.make(kept.path)
    before = kept.path.read_bytes()
    with pytest.raises(KeyStoreError, match="already"):
        kept.store.make(kept.path)
    assert kept.path.read_bytes() == before


@pytest.mark.parametrize("kept", STORES, indirect=True)
def test_a_plain_key_is_moved_in_and_written_over(kept: Kept) -> None:
    key = new_key()
    write_key(kept.path, key)
    held = os.open(kept.path, os.O_RDONLY)  # the disk's own view of the file that is given up
    try:
        assert kept.store.move(kept.path) is True
        old = os.pread(held, 65_536, 0)
    finally:
        os.close(held)
    key.public_key().verify(kept.store.sign(kept.path, b"data"), b"data", HOW)
    assert kept.store.held(kept.path) is HELD[kept.kind]
    assert len(old) > 200
    assert b"PRIVATE" not in old
    for form in secret_of(key):
        assert form not in old
        assert form not in kept.path.read_bytes()
    assert kept.store.move(kept.path) is False


@pytest.mark.parametrize("kept", STORES, indirect=True)
def test_a_key_that_was_made_elsewhere_is_kept(kept: Kept) -> None:
    key = new_key()
    kept.store.keep(kept.path, key)
    key.public_key().verify(kept.store.sign(kept.path, b"data"), b"data", HOW)
    with pytest.raises(KeyStoreError, match="P-256"):
        kept.store.keep(kept.folder / "other.key", ec.generate_private_key(ec.SECP384R1()))
    assert not (kept.folder / "other.key").exists()


@pytest.mark.parametrize("kept", EVERY, indirect=True)
@pytest.mark.requirement("LC-DECOMMISSION")
def test_what_is_erased_cannot_be_used_again_from_a_copy_either(kept: Kept) -> None:
    kept.store.make(kept.path)
    copy = kept.path.read_bytes()
    erased = kept.store.erase(kept.path)
    assert not kept.path.exists()
    assert erased.size == len(copy)
    with pytest.raises(CertificateError, match="does not exist"):
        kept.store.sign(kept.path, b"data")
    with pytest.raises(CertificateError):
        kept.store.erase(kept.path)
    if kept.kind in {Kind.PKCS11, Kind.TPM}:
        assert "no more" in erased.elsewhere
        kept.path.write_bytes(copy)
        kept.path.chmod(0o600)
        with pytest.raises(KeyStoreError, match="no such key"):
            kept.store.sign(kept.path, b"data")
        with pytest.raises(KeyStoreError, match="does not have"):
            kept.store.check([kept.path])


@pytest.mark.parametrize("kept", STORES, indirect=True)
def test_many_threads_may_use_it_at_once(kept: Kept) -> None:
    keys = [kept.folder / f"{i}.key" for i in range(4)]
    with ThreadPoolExecutor(8) as pool:
        made = dict(zip(keys, pool.map(kept.store.make, keys), strict=True))
        todo = [(path, str(n).encode()) for n in range(10) for path in keys]
        done = pool.map(lambda each: kept.store.sign(*each), todo)
        for (path, data), signature in zip(todo, done, strict=True):
            made[path].verify(signature, data, HOW)
    assert len({fingerprint(public) for public in made.values()}) == 4


@pytest.mark.parametrize("kept", EVERY, indirect=True)
def test_requests_and_certificates_are_signed_by_it(kept: Kept) -> None:
    public = kept.store.make(kept.path)
    signer = kept.store.signer(kept.path)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    request = builder.sign(signer, hashes.SHA256())
    assert request.is_signature_valid
    spki = request.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert spki == public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(UnsupportedAlgorithm):
        signer.private_numbers()
    with pytest.raises(UnsupportedAlgorithm):
        signer.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(UnsupportedAlgorithm):
        signer.exchange(ec.ECDH(), public)
    with pytest.raises(UnsupportedAlgorithm):
        signer.sign(b"data", ec.ECDSA(hashes.SHA384()))


@pytest.mark.parametrize("kept", STORES, indirect=True)
def test_another_kind_of_store_says_whose_the_key_is(kept: Kept) -> None:
    kept.store.make(kept.path)
    plain = KeyStore()
    assert plain.held(kept.path) is HELD[kept.kind]
    for use in (plain.public, plain.erase, lambda path: plain.sign(path, b"")):
        with pytest.raises(KeyStoreError, match="held otherwise"):
            use(kept.path)
    assert kept.path.exists()


@pytest.mark.parametrize("kept", STORES, indirect=True)
def test_every_changed_octet_is_found(kept: Kept) -> None:
    kept.store.make(kept.path)
    whole = kept.path.read_bytes()
    step = 1 if kept.kind is not Kind.PKCS11 else 3
    for at in range(0, len(whole), step):
        changed = bytearray(whole)
        changed[at] ^= 0x01
        kept.path.write_bytes(changed)
        if not _means_the_same(whole, bytes(changed)):
            with pytest.raises(CertificateError, match=re.escape(str(kept.path))):
                kept.store.sign(kept.path, b"data")


def _means_the_same(one: bytes, two: bytes) -> bool:
    """Return whether two files hold the same: base64 has spare bits before its padding."""
    try:
        return decode(one) == decode(two)
    except ValueError:
        return False


@pytest.mark.parametrize("kept", STORES, indirect=True)
def test_others_may_not_read_even_what_is_no_secret(kept: Kept) -> None:
    kept.store.make(kept.path)
    kept.path.chmod(0o644)
    with pytest.raises(CertificateError, match="chmod 600"):
        kept.store.sign(kept.path, b"data")


@pytest.mark.parametrize("kept", STORES, indirect=True)
def test_a_folder_that_cannot_be_written_leaves_nothing_behind(kept: Kept) -> None:
    nowhere = kept.folder / "missing" / "hub.key"
    with pytest.raises(CertificateError, match="No such file"):
        kept.store.make(nowhere)
    with pytest.raises(CertificateError, match="No such file"):
        kept.store.keep(nowhere, new_key())


def test_the_same_settings_are_the_same_store() -> None:
    assert key_store(StoreSettings()) is key_store(StoreSettings(Kind.PLAIN))
    with pytest.raises(KeyStoreError, match="secret"):
        key_store(StoreSettings(Kind.FILE))


def test_a_file_without_a_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "hub.key"
    path.write_text("nothing")
    with pytest.raises(KeyStoreError, match="no key in it"):
        KeyStore().held(path)
