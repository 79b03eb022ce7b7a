"""What a kind of key store does; `certs.keys.store` does the rest, the same for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from certs.keys.errors import KeyStoreError

if TYPE_CHECKING:
    from certs.keys.counting import Counters

MOST_SEALED: Final = 128
"""Octets of a secret that every kind of store takes: a TPM takes no more."""

Fields = tuple[bytes, ...]
"""What is kept of a key in its file; see `certs.keys.envelope`."""


class Held(StrEnum):
    """How a key is held."""

    PLAIN = "plain"
    """A file that its owner can read, and whoever gets at the disk or a backup."""
    ENCRYPTED = "encrypted"
    """Encrypted on the disk, by a secret that lies elsewhere; opened in memory only."""
    TOKEN = "token"  # noqa: S105 - a kind of hardware
    """In a PKCS #11 token, which signs itself."""
    TPM = "tpm"
    """In this machine's TPM, which signs itself."""


@dataclass(frozen=True, slots=True)
class TlsContent:
    """What OpenSSL is given of a key.

    Attributes:
        pem: In memory only.
        password: With which it is encrypted; None where it holds nothing secret.
    """

    pem: bytes
    password: bytes | None = None


class Backend(Protocol):
    """A kind of key store. Its calls block, and come from any thread.

    Attributes:
        label: Of the PEM block of the files of its keys.
        secret_label: Of those of what it has sealed.
        held: How it holds keys.
        counters: Of its hardware; None where nothing there can only go up.
    """

    label: str
    secret_label: str
    held: Held
    counters: "Counters | None"

    def make(self) -> Fields:
        """Make a P-256 key; returns what is kept of it."""
        ...

    def take(self, key: ec.EllipticCurvePrivateKey) -> Fields:
        """Take a key that exists already; returns what is kept of it."""
        ...

    def public(self, fields: Fields) -> ec.EllipticCurvePublicKey:
        """Return the public key; asks neither secret nor hardware."""
        ...

    def sign(self, fields: Fields, digest: bytes) -> bytes:
        """Return the ECDSA signature, DER, of a SHA-256 digest."""
        ...

    def tls(self, fields: Fields) -> TlsContent:
        """Return what OpenSSL is given."""
        ...

    def erase(self, fields: Fields) -> str:
        """Erase what of the key is elsewhere than in its file; returns what was done."""
        ...

    def seal(self, secret: bytes) -> Fields:
        """Lock a secret of at most `MOST_SEALED` octets; returns what is kept of it."""
        ...

    def unseal(self, fields: Fields) -> bytes:
        """Return a secret that was locked."""
        ...

    def forget(self, fields: Fields) -> str:
        """Erase what of a secret is elsewhere than in its file; returns what was done."""
        ...

    def check(self, kept: Sequence[Fields]) -> None:
        """See whether these keys can be used now.

        Raises:
            KeyStoreError: They cannot.
        """
        ...


def spki(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return a public key as DER (SubjectPublicKeyInfo)."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def read_public(field: bytes) -> ec.EllipticCurvePublicKey:
    """Read a public key from DER.

    Raises:
        KeyStoreError: It is none, or none on P-256.
    """
    try:
        key = load_der_public_key(field)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyStoreError("its public key is damaged") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeyStoreError("its key is not on curve P-256")
    return key
