"""Keys that OpenSSL signs with although it does not have them: TLS with a key in hardware.

The standard library's `ssl` reads a private key from a file and nowhere else. So it is given a
stub: the true public key with 1 for the private one. Signatures are made by OpenSSL's default
method for elliptic-curve keys, which is replaced, once a process, by one that hands what is to be
signed with a stub to the key's own signer and leaves every other key to OpenSSL. Verification and
key exchange are not touched. A stub that got out is worth nothing: with 1 nobody signs for the
true public key.

An OpenSSL provider for TPMs or tokens would do the same with less of our own. That of OpenSSL 3.0
takes over every verification of the process with it, and stays out of order once its TPM was away.
"""

import base64
import ctypes
import ssl
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certs.keys.errors import KeyStoreError

Sign = Callable[[bytes], bytes]
"""Returns the ECDSA signature, DER, of a digest of 32 octets; raises `KeyStoreError`."""

DIGEST: Final = 32
_POINT: Final = 65
_UNCOMPRESSED: Final = 4
_FAILED: Final = 0
_SIGNED: Final = 1

_P: Final = ctypes.c_void_p
_SIGN: Final = ctypes.CFUNCTYPE(
    ctypes.c_int,  # 1 where it was signed
    ctypes.c_int,
    _P,  # what is signed
    ctypes.c_int,
    _P,  # where the signature goes
    ctypes.POINTER(ctypes.c_uint),
    _P,
    _P,
    _P,  # the key, an EC_KEY
)
_FUNCTIONS: Final[dict[str, tuple[Any, list[Any]]]] = {
    "EC_KEY_OpenSSL": (_P, []),
    "EC_KEY_METHOD_new": (_P, [_P]),
    "EC_KEY_METHOD_get_sign": (None, [_P, _P, _P, _P]),
    "EC_KEY_METHOD_set_sign": (None, [_P, _P, _P, _P]),
    "EC_KEY_set_default_method": (None, [_P]),
    "EC_KEY_get0_private_key": (_P, [_P]),
    "EC_KEY_get0_public_key": (_P, [_P]),
    "EC_KEY_get0_group": (_P, [_P]),
    "ECDSA_size": (ctypes.c_int, [_P]),
    "EC_POINT_point2oct": (ctypes.c_size_t, [_P, _P, ctypes.c_int, _P, ctypes.c_size_t, _P]),
    "BN_is_one": (ctypes.c_int, [_P]),
}
"""What is used of libcrypto, by name: what it returns, and its arguments."""


class _Hook:
    """Our signing method in the libcrypto that `ssl` uses.

    Raises:
        KeyStoreError: That library is not within reach, or has no such methods.
    """

    def __init__(self) -> None:
        crypto = _libcrypto()
        self._crypto = crypto
        self.signers: dict[bytes, Sign] = {}
        own = crypto.EC_KEY_OpenSSL()
        sign, setup, sign_raw = _P(), _P(), _P()
        crypto.EC_KEY_METHOD_get_sign(
            own, ctypes.byref(sign), ctypes.byref(setup), ctypes.byref(sign_raw)
        )
        if sign.value is None:
            raise KeyStoreError("this OpenSSL has no signing method for elliptic-curve keys")
        self._by_openssl = _SIGN(sign.value)
        self._callback = _SIGN(self._sign)  # kept: OpenSSL calls it for as long as it runs
        method = crypto.EC_KEY_METHOD_new(own)
        crypto.EC_KEY_METHOD_set_sign(method, ctypes.cast(self._callback, _P), setup, sign_raw)
        crypto.EC_KEY_set_default_method(method)

    def _sign(  # noqa: PLR0917 - OpenSSL's
        self, kind: int, digest: int, size: int, out: int, written: Any, kinv: Any, r: Any, key: int
    ) -> int:
        signer = self._signer(key)
        if signer is None:
            return int(self._by_openssl(kind, digest, size, out, written, kinv, r, key))
        try:
            signature = signer(fitted(ctypes.string_at(digest, size)))
        except KeyStoreError as error:
            _last.failure = str(error)
            return _FAILED
        if len(signature) > self._crypto.ECDSA_size(key):
            return _FAILED
        ctypes.memmove(out, signature, len(signature))
        written[0] = len(signature)
        return _SIGNED

    def _signer(self, key: int) -> Sign | None:
        """Return who signs for a stub; None for a key that OpenSSL has."""
        crypto = self._crypto
        private, point = crypto.EC_KEY_get0_private_key(key), crypto.EC_KEY_get0_public_key(key)
        if not private or not point or not crypto.BN_is_one(private):
            return None
        held = ctypes.create_string_buffer(_POINT)
        size = crypto.EC_POINT_point2oct(
            crypto.EC_KEY_get0_group(key), point, _UNCOMPRESSED, held, _POINT, None
        )
        return self.signers.get(held.raw[:size], _erased)


_last: Final = threading.local()
"""What went wrong last, by thread: OpenSSL hands on that something did, and not what."""
_LOCK: Final = threading.Lock()
_hooks: list[_Hook] = []
"""One, once there is one: OpenSSL has one default method a process."""


def usable() -> bool:
    """Return whether the OpenSSL of this Python takes stubs."""
    try:
        _hook()
    except KeyStoreError:
        return False
    return True


def stub(public: ec.EllipticCurvePublicKey, sign: Sign) -> bytes:
    """Return the stub of a key, PEM, and have `sign` sign wherever OpenSSL uses it.

    Raises:
        KeyStoreError: The OpenSSL of this Python cannot be made to.
    """
    point = _point(public)
    _hook().signers[point] = sign
    return _pem(point)


def _hook() -> _Hook:
    with _LOCK:
        if not _hooks:
            _hooks.append(_Hook())
        return _hooks[0]


def failure() -> str | None:
    """Return, once, why a stub was not signed for in this thread last; None if it was."""
    why: str | None = getattr(_last, "failure", None)
    _last.failure = None
    return why


def forget(public: ec.EllipticCurvePublicKey) -> None:
    """Sign no more with a key, in no context that has its stub."""
    for hook in _hooks:
        hook.signers.pop(_point(public), None)


def fitted(digest: bytes) -> bytes:
    """Return a digest as ECDSA on P-256 takes it: its left-most 32 octets, or zeros before it."""
    return digest[:DIGEST].rjust(DIGEST, b"\0")


def _erased(_digest: bytes) -> bytes:
    raise KeyStoreError("the key was erased")


def _point(public: ec.EllipticCurvePublicKey) -> bytes:
    return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _pem(point: bytes) -> bytes:
    """Return an ECPrivateKey (RFC 5915) on P-256 with 1 for the private key."""
    one = (1).to_bytes(DIGEST, "big")
    curve = bytes.fromhex("06082a8648ce3d030107")
    body = b"\x02\x01\x01" + _tlv(0x04, one) + _tlv(0xA0, curve)
    body += _tlv(0xA1, _tlv(0x03, b"\0" + point))
    text = base64.encodebytes(_tlv(0x30, body))
    return b"-----BEGIN EC PRIVATE KEY-----\n" + text + b"-----END EC PRIVATE KEY-----\n"


def _tlv(tag: int, content: bytes) -> bytes:
    return bytes((tag, len(content))) + content  # all of these are shorter than 128 octets


def _libcrypto() -> ctypes.CDLL:
    """Return the library that `ssl` itself signs with, and no other of its kind."""
    inner: ModuleType = vars(ssl)["_ssl"]
    try:
        library = ctypes.CDLL(getattr(inner, "__file__", None))
        for name, (returns, takes) in _FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = returns, takes
    except (OSError, AttributeError) as error:
        raise KeyStoreError(
            f"{ssl.OPENSSL_VERSION} of this Python cannot use keys in place: {error}"
        ) from error
    return library
