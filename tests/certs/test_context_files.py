"""Each bad file that a context is made of ends in one error that names it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as s

from certs.errors import CertificateError
from certs.identity import IdentityFiles
from certs.issue import new_key
from certs.pki import Pki
from certs.tls import client_context, server_context

pytestmark = pytest.mark.requirement("L2-KEYS")


@pytest.mark.parametrize("which", ["certificate", "key", "roots", "crls"])
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda path: path.unlink(), "does not exist"),
        (lambda path: path.write_text("garbage"), "PEM"),
        (lambda path: path.write_bytes(path.read_bytes()[:120]), "in it"),
        (lambda path: (path.unlink(), path.mkdir()), "cannot be read"),
    ],
)
def test_a_bad_file_is_named_with_what_is_wrong(
    pki: Pki, which: str, spoil: Callable[[Path], object], says: str
) -> None:
    identity, trust = pki.identity("hub"), pki.trust
    files = {
        "certificate": identity.certificate,
        "key": identity.key,
        "roots": trust.roots,
        "crls": trust.crls,
    }
    spoil(files[which])
    for make in (server_context, client_context):
        with pytest.raises(CertificateError, match=says) as refusal:
            make(identity, trust)
        assert str(refusal.value).startswith(f"{files[which]}: ")


def test_a_key_of_another_certificate_is_named(pki: Pki) -> None:
    mixed = IdentityFiles(pki.identity("hub").certificate, pki.identity("utility").key)
    with pytest.raises(CertificateError, match="does not belong to the certificate in"):
        client_context(mixed, pki.trust)


def test_an_encrypted_key_is_named_and_asks_nobody(pki: Pki) -> None:
    key = pki.identity("hub").key
    key.write_bytes(
        new_key().private_bytes(
            s.Encoding.PEM, s.PrivateFormat.PKCS8, s.BestAvailableEncryption(b"secret")
        )
    )
    with pytest.raises(CertificateError, match="the private key is encrypted"):
        client_context(pki.identity("hub"), pki.trust)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_key_that_others_may_read_is_refused(pki: Pki, mode: int) -> None:
    key = pki.identity("hub").key
    key.chmod(mode)
    with pytest.raises(CertificateError) as refusal:
        client_context(pki.identity("hub"), pki.trust)
    assert str(refusal.value) == (
        f"{key}: others than its owner may read the private key; chmod 600 it"
    )
    key.chmod(0o600)
    client_context(pki.identity("hub"), pki.trust)
