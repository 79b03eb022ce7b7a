"""Messages that only the browser can read, and that its push service takes from us alone.

RFC 8291 and RFC 8292. What does it is loaded when the first message goes out.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Final, Protocol, cast

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certs.issue import new_key
from der.sentence import say
from hems.push.errors import BadSubscriptionError
from hems.push.subscription import Subscription

_TOKEN_LASTS_S: Final = 12 * 3600.0
_RENEWED_S: Final = 3600.0
_AUTH_OCTETS: Final = 16
_POINT_OCTETS: Final = 65
_SCALAR_OCTETS: Final = 32
_RECORD: Final = 4096


class _Sealer(Protocol):
    def encrypt(
        self,
        content: bytes,
        *,
        private_key: ec.EllipticCurvePrivateKey,
        dh: bytes,
        auth_secret: bytes,
        rs: int,
        version: str,
    ) -> bytes: ...


class _Vapid(Protocol):
    def sign(self, claims: Mapping[str, str | int]) -> Mapping[str, str]: ...


class _VapidMaker(Protocol):
    def __call__(self, private_key: ec.EllipticCurvePrivateKey) -> _Vapid: ...


class _Signing(Protocol):
    Vapid02: _VapidMaker


@dataclass(frozen=True, slots=True)
class _Token:
    header: Mapping[str, str]
    until: float


class Signer:
    """Says towards push services who we are.

    Args:
        key: Our key: subscriptions are made for it.
        contact: Where the operator of a push service reaches us, a mailto: or https: address.
    """

    def __init__(self, key: ec.EllipticCurvePrivateKey, contact: str) -> None:
        self._key = key
        self._contact = contact
        self._tokens: dict[str, _Token] = {}

    @property
    def public(self) -> str:
        """Our public key, as browsers take it: base64url of the uncompressed point."""
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return to_base64url(point)

    def header(self, origin: str, now: float) -> Mapping[str, str]:
        """Return the header that a message to a push service carries.

        Args:
            origin: The service's.
            now: UTC epoch seconds.
        """
        token = self._tokens.get(origin)
        if token is None or not _RENEWED_S < token.until - now <= _TOKEN_LASTS_S:
            until = now + _TOKEN_LASTS_S
            signing = cast("_Signing", import_module("py_vapid"))
            claims: Mapping[str, str | int] = {
                "aud": origin,
                "exp": int(until),
                "sub": self._contact,
            }
            token = _Token(signing.Vapid02(self._key).sign(claims), until)
            self._tokens = {
                **{each: kept for each, kept in self._tokens.items() if kept.until > now},
                origin: token,
            }
        return token.header


def seal(message: bytes, subscription: Subscription) -> bytes:
    """Return a message as only the browser of a subscription can read it.

    Args:
        message: At most some 3,900 octets.
        subscription: Whose keys are taken.
    """
    sealer = cast("_Sealer", import_module("http_ece"))
    return sealer.encrypt(
        message,
        private_key=new_key(),
        dh=subscription.p256dh,
        auth_secret=subscription.auth,
        rs=_RECORD,
        version="aes128gcm",
    )


def check_keys(p256dh: str, auth: str) -> tuple[bytes, bytes]:
    """Return a browser's keys from the base64url it gives.

    Raises:
        BadSubscriptionError: They are none.
    """
    try:
        point, secret = from_base64url(p256dh), from_base64url(auth)
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError as error:
        raise BadSubscriptionError(say("The browser's keys for messages are damaged.")) from error
    if len(point) != _POINT_OCTETS or len(secret) != _AUTH_OCTETS:
        raise BadSubscriptionError(say("The browser's keys for messages are damaged."))
    return point, secret


def key_text(key: ec.EllipticCurvePrivateKey) -> str:
    """Return our key as it is kept."""
    return to_base64url(key.private_numbers().private_value.to_bytes(_SCALAR_OCTETS, "big"))


def key_of(text: str) -> ec.EllipticCurvePrivateKey:
    """Return our key from what was kept.

    Raises:
        ValueError: That is none.
    """
    scalar = from_base64url(text)
    if len(scalar) != _SCALAR_OCTETS:
        raise ValueError("not a P-256 key")
    return ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP256R1())


def to_base64url(octets: bytes) -> str:
    """Return octets in base64url without padding (RFC 7515, clause 2)."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Return the octets of base64url, padded or not.

    Raises:
        ValueError: It is none.
    """
    bare = text.rstrip("=")
    return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
