"""Keys in a PKCS #11 token: a smart card, a USB key, a security module, or SoftHSM for tests.

A session lasts for one call: a token that was pulled and put back is found again by the next.

A secret is locked with a key that the token alone can agree on (ECDH on P-256, which most have, and
few have AES): fields id, the token's public point, that of a key made for this once, nonce, sealed.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final, cast

import pkcs11
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pkcs11.exceptions import (
    PinIncorrect,
    PinInvalid,
    PinLenRange,
    PinLocked,
    PKCS11Error,
)
from pkcs11.util.ec import encode_named_curve_parameters

from certs.keys.backend import Fields, Held
from certs.keys.envelope import packed
from certs.keys.errors import KeyStoreError, KeyStoreGoneError, SecretError, TamperedError
from certs.keys.secret import SecretPlace

_ID: Final = 16
_LABEL: Final = "hems"
_P256: Final = ec.SECP256R1()
_CURVE: Final = encode_named_curve_parameters("secp256r1")
_BITS: Final = 256
_NONCE: Final = 12
_COUNT: Final = 8
_SECRET_FIELDS: Final = 5
_OCTET_STRING: Final = 0x04
_BAD_PIN: Final = (PinIncorrect, PinInvalid, PinLenRange)


class Token:
    """A token of a PKCS #11 module.

    Args:
        module: The module's shared library.
        label: The token's label.
        pin: Where its user's PIN is read; None for a token that asks for none.
    """

    held = Held.TOKEN
    label = "HEMS TOKEN KEY"
    secret_label = "HEMS TOKEN SECRET"  # noqa: S105 - a label
    counter_label = "HEMS TOKEN COUNTER"

    def __init__(self, module: str, label: str, pin: SecretPlace | None) -> None:
        self.name = f"the token {label!r}"
        self._module = module
        self._token = label
        self._pin = pin
        self._refused: str | None = None

    def make(self) -> tuple[bytes, ec.EllipticCurvePublicKey]:
        """Make a key in the token; returns its id and public key."""
        where = os.urandom(_ID)
        with self._session(rw=True) as session:
            return where, _generated(session, where, pkcs11.MechanismFlag.SIGN)

    def take(self, key: ec.EllipticCurvePrivateKey) -> bytes:
        """Put a key into the token, not to be read again; returns its id."""
        where = os.urandom(_ID)
        value = key.private_numbers().private_value.to_bytes(32, "big")
        with self._session(rw=True) as session:
            session.create_object(
                {
                    pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY,
                    pkcs11.Attribute.KEY_TYPE: pkcs11.KeyType.EC,
                    pkcs11.Attribute.TOKEN: True,
                    pkcs11.Attribute.PRIVATE: True,
                    pkcs11.Attribute.SENSITIVE: True,
                    pkcs11.Attribute.EXTRACTABLE: False,
                    pkcs11.Attribute.SIGN: True,
                    pkcs11.Attribute.ID: where,
                    pkcs11.Attribute.LABEL: _LABEL,
                    pkcs11.Attribute.EC_PARAMS: _CURVE,
                    pkcs11.Attribute.VALUE: value,
                }
            )
        return where

    def sign(self, where: bytes, digest: bytes) -> bytes:
        """Return the token's signature of a digest, DER."""
        with self._session() as session:
            keys = _objects(session, where, pkcs11.ObjectClass.PRIVATE_KEY)
            if not keys:
                raise KeyStoreError(f"{self.name} has no such key")
            key = cast("pkcs11.SignMixin", keys[0])
            raw = key.sign(digest, mechanism=pkcs11.Mechanism.ECDSA)
        half = len(raw) // 2
        return utils.encode_dss_signature(
            int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big")
        )

    def seal(self, secret: bytes) -> Fields:
        """Lock a secret with what a key of the token and one made for this once agree on."""
        where, nonce, once = os.urandom(_ID), os.urandom(_NONCE), ec.generate_private_key(_P256)
        with self._session(rw=True) as session:
            theirs = _generated(session, where, pkcs11.MechanismFlag.DERIVE)
        head = (where, _octets(theirs), _octets(once.public_key()), nonce)
        agreed = _lock(once.exchange(ec.ECDH(), theirs))
        return (*head, agreed.encrypt(nonce, secret, self._bound(head)))

    def unseal(self, fields: Fields) -> bytes:
        """Return a secret: the token agrees once more with the key of that time."""
        if len(fields) != _SECRET_FIELDS:
            raise KeyStoreError("it does not have the fields of a secret locked by a token")
        where, _, once, nonce, sealed = fields
        with self._session() as session:
            keys = _objects(session, where, pkcs11.ObjectClass.PRIVATE_KEY)
            if not keys:
                raise KeyStoreError(f"{self.name} has no such key")
            made = cast("pkcs11.DeriveMixin", keys[0]).derive_key(
                pkcs11.KeyType.GENERIC_SECRET,
                _BITS,
                mechanism_param=(pkcs11.KDF.NULL, None, once),
                store=False,
                template={
                    pkcs11.Attribute.SENSITIVE: False,
                    pkcs11.Attribute.EXTRACTABLE: True,
                },
            )
            agreed = cast("bytes", made[pkcs11.Attribute.VALUE])
        try:
            return _lock(agreed).decrypt(nonce, sealed, self._bound(fields[:-1]))
        except (InvalidTag, ValueError) as error:
            raise TamperedError("it was changed since it was written") from error

    def erase(self, where: bytes) -> None:
        """Destroy a key's objects and look whether any is left."""
        with self._session(rw=True) as session:
            for each in _objects(session, where):
                each.destroy()
            if _objects(session, where):
                raise KeyStoreError(f"{self.name} still has the key")

    def check(self, wheres: Sequence[bytes]) -> None:
        """See whether the token is there, opens, and has these keys."""
        with self._session() as session:
            for where in wheres:
                if not _objects(session, where, pkcs11.ObjectClass.PRIVATE_KEY):
                    raise KeyStoreError(f"{self.name} does not have a key that is kept in it")

    def make_counter(self) -> bytes:
        """Make a counter: an object that whoever has no PIN can neither read nor put back."""
        where = os.urandom(_ID)
        with self._session(rw=True) as session:
            _put_count(session, where, 0)
        return where

    def count(self, where: bytes) -> int:
        """Put the next number in the place of a counter's; returns it."""
        with self._session(rw=True) as session:
            before = self._counts(session, where)
            number = max(before) + 1
            _put_count(session, where, number)  # first: two of them count as the greater
            for each in before.values():
                each.destroy()
        return number

    def counted(self, where: bytes) -> int:
        """Return how far a counter has counted."""
        with self._session() as session:
            return max(self._counts(session, where))

    def erase_counter(self, where: bytes) -> None:
        """Destroy a counter and look whether any of it is left."""
        with self._session(rw=True) as session:
            for each in _count_objects(session, where):
                each.destroy()
            if _count_objects(session, where):
                raise KeyStoreError(f"{self.name} still has the counter")

    def _counts(self, session: pkcs11.Session, where: bytes) -> dict[int, pkcs11.Object]:
        found = {
            int.from_bytes(cast("bytes", each[pkcs11.Attribute.VALUE]), "big"): each
            for each in _count_objects(session, where)
        }
        if not found:
            raise KeyStoreError(f"{self.name} has no such counter")
        return found

    @contextmanager
    def _session(self, *, rw: bool = False) -> Iterator[pkcs11.Session]:
        pin = None if self._pin is None else self._pin.read(least=1).decode("utf-8", "replace")
        if pin is not None and pin == self._refused:  # tokens lock after a few wrong ones
            raise self._pin_refused()
        try:
            library = pkcs11.lib(self._module)
            with library.get_token(token_label=self._token).open(rw=rw, user_pin=pin) as session:
                yield session
        except _BAD_PIN as error:
            self._refused = pin
            raise self._pin_refused() from error
        except PinLocked as error:
            raise SecretError(f"{self.name} is locked: too many wrong PINs") from error
        except (PKCS11Error, RuntimeError) as error:
            self._begin_anew()
            raise KeyStoreGoneError(f"{self.name} cannot be used: {_said(error)}") from error

    def _bound(self, head: Fields) -> bytes:
        return packed((self.secret_label.encode(), *head))

    def _pin_refused(self) -> SecretError:
        return SecretError(f"{self.name} refuses the PIN, which is not tried again")

    def _begin_anew(self) -> None:
        """Have the module look for its tokens again: some see but those of their first start."""
        with suppress(PKCS11Error, RuntimeError):
            pkcs11.lib(self._module).finalize()


def _objects(
    session: pkcs11.Session, where: bytes, kind: pkcs11.ObjectClass | None = None
) -> list[pkcs11.Object]:
    wanted: dict[pkcs11.Attribute, object] = {pkcs11.Attribute.ID: where}
    if kind is not None:
        wanted[pkcs11.Attribute.CLASS] = kind
    return list(session.get_objects(wanted))


def _count_objects(session: pkcs11.Session, where: bytes) -> list[pkcs11.Object]:
    return list(
        session.get_objects(
            {
                pkcs11.Attribute.CLASS: pkcs11.ObjectClass.DATA,
                pkcs11.Attribute.LABEL: _counter_name(where),
            }
        )
    )


def _put_count(session: pkcs11.Session, where: bytes, number: int) -> None:
    session.create_object(
        {
            pkcs11.Attribute.CLASS: pkcs11.ObjectClass.DATA,
            pkcs11.Attribute.TOKEN: True,
            pkcs11.Attribute.PRIVATE: True,
            pkcs11.Attribute.LABEL: _counter_name(where),
            pkcs11.Attribute.VALUE: number.to_bytes(_COUNT, "big"),
        }
    )


def _counter_name(where: bytes) -> str:
    return f"{_LABEL} counter {where.hex()}"


def _generated(
    session: pkcs11.Session, where: bytes, may: pkcs11.MechanismFlag
) -> ec.EllipticCurvePublicKey:
    """Make a key on P-256 in the token that cannot leave it, and may do one thing."""
    domain = session.create_domain_parameters(
        pkcs11.KeyType.EC, {pkcs11.Attribute.EC_PARAMS: _CURVE}, local=True
    )
    public, _ = domain.generate_keypair(
        id=where,
        label=_LABEL,
        store=True,
        capabilities=may,
        private_template={
            pkcs11.Attribute.SENSITIVE: True,
            pkcs11.Attribute.EXTRACTABLE: False,
        },
    )
    return _point(cast("bytes", public[pkcs11.Attribute.EC_POINT]))


def _lock(agreed: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), _BITS // 8, salt=None, info=_LABEL.encode()).derive(agreed))


def _octets(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _point(field: bytes) -> ec.EllipticCurvePublicKey:
    """Read CKA_EC_POINT: a point in an OCTET STRING; some modules leave that out."""
    point = field[2:] if len(field) == field[1] + 2 and field[0] == _OCTET_STRING else field
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyStoreError("the token gives no public key on P-256") from error


def _said(error: Exception) -> str:
    """Return what the module says; most of its errors are a name alone."""
    return str(error) or type(error).__name__
