"""A private key for `cryptography` that a store signs for: requests and certificates want one."""

from collections.abc import Callable
from typing import NoReturn

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    KeySerializationEncryption,
    PrivateFormat,
)

Buffer = bytes | bytearray | memoryview


class StoredKey(ec.EllipticCurvePrivateKey):
    """A P-256 key that is elsewhere.

    Args:
        public: Its public key.
        sign: Returns the ECDSA signature with SHA-256, DER, of some data.
    """

    def __init__(self, public: ec.EllipticCurvePublicKey, sign: Callable[[bytes], bytes]) -> None:
        self._public = public
        self._sign = sign

    @property
    def curve(self) -> ec.EllipticCurve:
        """P-256."""
        return self._public.curve

    @property
    def key_size(self) -> int:
        """Bits."""
        return self._public.key_size

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """Return the public key."""
        return self._public

    def sign(self, data: Buffer, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        """Return a signature, DER.

        Raises:
            UnsupportedAlgorithm: Another one than ECDSA with SHA-256 is asked for.
            CertificateError: The store cannot sign.
        """
        if not isinstance(signature_algorithm, ec.ECDSA) or not isinstance(
            signature_algorithm.algorithm, hashes.SHA256
        ):
            raise UnsupportedAlgorithm("a stored key signs by ECDSA with SHA-256 only")
        return self._sign(bytes(data))

    def exchange(self, algorithm: ec.ECDH, peer_public_key: ec.EllipticCurvePublicKey) -> NoReturn:
        """Refuse: a stored key signs and nothing else."""
        del algorithm, peer_public_key
        raise UnsupportedAlgorithm("a stored key signs and nothing else")

    def private_numbers(self) -> NoReturn:
        """Refuse: a stored key does not leave its store."""
        raise UnsupportedAlgorithm("a stored key does not leave its store")

    def private_bytes(
        self,
        encoding: Encoding,
        format: PrivateFormat,  # noqa: A002 - the interface's name
        encryption_algorithm: KeySerializationEncryption,
    ) -> NoReturn:
        """Refuse: a stored key does not leave its store."""
        del encoding, format, encryption_algorithm
        raise UnsupportedAlgorithm("a stored key does not leave its store")

    def __copy__(self) -> "StoredKey":
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> "StoredKey":
        return self
