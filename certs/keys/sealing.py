"""Keys in encrypted files: AES-256-GCM under a key that Argon2id makes of the store's secret.

Fields: cost, salt, check, public key, nonce, sealed private key. All before the last are
authenticated with it. `check` is made of the secret too: it tells a wrong secret from a changed
file. What else is sealed has the same fields but for the public key.
"""

import hmac
import os
import threading
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from certs.keys import inplace
from certs.keys.backend import Fields, Held, TlsContent, read_public, spki
from certs.keys.counting import Counters
from certs.keys.envelope import packed
from certs.keys.errors import KeyStoreError, SecretError, TamperedError
from certs.keys.secret import Cost, SecretPlace, derive

_SALT: Final = 16
_NONCE: Final = 12
_KEY: Final = 32
_CHECK: Final = 16
_FIELDS: Final = 6
_SECRET_FIELDS: Final = 5
_PUBLIC: Final = 3
_PASSWORD: Final = 24
_KEPT: Final = 8


class FileBackend:
    """Encrypts keys with a secret that lies elsewhere.

    Args:
        secret: Where it comes from.
        cost: What a guess at it costs, for keys that are kept from now on.
    """

    label = "HEMS SEALED KEY"
    secret_label = "HEMS SEALED SECRET"  # noqa: S105 - a label
    held = Held.ENCRYPTED
    counters: Counters | None = None

    def __init__(self, secret: SecretPlace, cost: Cost | None = None) -> None:
        self._secret = secret
        self._cost = Cost() if cost is None else cost
        self._derived: dict[tuple[bytes, bytes, Cost], bytes] = {}
        self._lock = threading.Lock()

    def make(self) -> Fields:
        """Make a P-256 key; returns what is kept of it."""
        return self.take(ec.generate_private_key(ec.SECP256R1()))

    def take(self, key: ec.EllipticCurvePrivateKey) -> Fields:
        """Seal a key; returns what is kept of it.

        Raises:
            SecretError: The secret cannot be read.
        """
        plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return self._seal(self.label, plain, spki(key.public_key()))

    def seal(self, secret: bytes) -> Fields:
        """Seal another secret than a key; returns what is kept of it.

        Raises:
            SecretError: The store's own secret cannot be read.
        """
        return self._seal(self.secret_label, secret)

    def unseal(self, fields: Fields) -> bytes:
        """Return a secret that was sealed.

        Raises:
            SecretError: The store's own secret is missing or wrong.
            TamperedError: The file was changed.
        """
        if len(fields) != _SECRET_FIELDS:
            raise KeyStoreError("it does not have the fields of a sealed secret")
        return self._open(self.secret_label, fields)

    def forget(self, fields: Fields) -> str:
        """Erase what is elsewhere than in the file: nothing."""
        del fields
        return ""

    def public(self, fields: Fields) -> ec.EllipticCurvePublicKey:
        """Return the public key.

        Raises:
            KeyStoreError: The file is damaged.
        """
        return read_public(_whole(fields)[_PUBLIC])

    def sign(self, fields: Fields, digest: bytes) -> bytes:
        """Return the ECDSA signature, DER, of a SHA-256 digest.

        Raises:
            KeyStoreError: As `open`.
        """
        return self.open(fields).sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))

    def tls(self, fields: Fields) -> TlsContent:
        """Return a stub, so that the key is opened for the moment of each signature only.

        So a home whose secret is away starts, goes on by itself, and signs once it is back. Where
        OpenSSL takes no stubs, it is given the key, encrypted once more: memory, too, is written
        to disks.

        Raises:
            KeyStoreError: As `open`, where OpenSSL takes no stubs.
        """
        if inplace.usable():
            return TlsContent(inplace.stub(self.public(fields), lambda d: self.sign(fields, d)))
        password = os.urandom(_PASSWORD).hex().encode()
        lock = BestAvailableEncryption(password)
        pem = self.open(fields).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
        return TlsContent(pem, password)

    def erase(self, fields: Fields) -> str:
        """Erase what is elsewhere than in the file: the stub's signer."""
        inplace.forget(self.public(fields))
        return ""

    def check(self, kept: Sequence[Fields]) -> None:
        """Try the secret on the keys that there are.

        Raises:
            KeyStoreError: It is missing, or wrong.
        """
        self._secret.read()
        for fields in kept:
            self.open(fields)

    def open(self, fields: Fields) -> ec.EllipticCurvePrivateKey:
        """Return the key.

        Raises:
            SecretError: The secret is missing or wrong.
            TamperedError: The file was changed.
        """
        key = load_der_private_key(self._open(self.label, _whole(fields)), password=None)
        public = fields[_PUBLIC]
        if not isinstance(key, ec.EllipticCurvePrivateKey) or spki(key.public_key()) != public:
            raise TamperedError("its public key is another one's")
        return key

    def _seal(self, label: str, plain: bytes, *public: bytes) -> Fields:
        salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
        sealer, check = self._keys(salt, self._cost)
        head = (self._cost.encode(), salt, check, *public, nonce)
        return (*head, AESGCM(sealer).encrypt(nonce, plain, _bound(label, head)))

    def _open(self, label: str, fields: Fields) -> bytes:
        cost, salt, check, *_, nonce, sealed = fields
        try:
            sealer, right = self._keys(salt, Cost.decode(cost))
        except ValueError as error:
            raise TamperedError(str(error)) from error
        if not hmac.compare_digest(check, right):
            raise SecretError(
                f"the secret from {self._secret.path} is not the one that the key was sealed with"
            )
        try:
            return AESGCM(sealer).decrypt(nonce, sealed, _bound(label, fields[:-1]))
        except (InvalidTag, ValueError) as error:
            raise TamperedError("it was changed since it was written") from error

    def _keys(self, salt: bytes, cost: Cost) -> tuple[bytes, bytes]:
        """Return the key that seals, and what tells that the secret is the right one."""
        secret = self._secret.read()
        # One at a time: each takes as much memory as an attacker's guess is to take.
        with self._lock:
            name = (hashed(secret), salt, cost)
            made = self._derived.get(name)
            if made is None:
                made = derive(secret, salt, cost, _KEY + _CHECK)
                while len(self._derived) >= _KEPT:
                    del self._derived[next(iter(self._derived))]
                self._derived[name] = made
        return made[:_KEY], made[_KEY:]


def hashed(content: bytes) -> bytes:
    """Return the SHA-256 of some octets."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(content)
    return digest.finalize()


def _bound(label: str, head: Fields) -> bytes:
    """Return what is authenticated with it: every other field, and the kind of file."""
    return packed((label.encode(), *head))


def _whole(fields: Fields) -> Fields:
    if len(fields) != _FIELDS:
        raise KeyStoreError("it does not have the fields of a sealed key")
    return fields
