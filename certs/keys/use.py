"""How others see a key store: what TLS contexts and certificate checks ask of it."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec


@dataclass(frozen=True, slots=True)
class TlsKey:
    """What OpenSSL reads a key from, within the block that gave it.

    Attributes:
        path: A file; in memory only, where the key is not a plain file anyhow.
        password: With which it is encrypted; None where it is not.
    """

    path: Path
    password: bytes | None = None


class TlsKeys(Protocol):
    """Where the keys of TLS contexts come from; `certs.keys.store.KeyStore` is one."""

    def public(self, path: Path) -> ec.EllipticCurvePublicKey:
        """Return the public key that belongs to the key of a file."""
        ...

    def tls(self, path: Path) -> AbstractContextManager[TlsKey]:
        """Give a block in which `ssl.SSLContext.load_cert_chain` can read the key of a file."""
        ...
