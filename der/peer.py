"""Who is at the other end of a connection: its address, and the key that it has proved to hold."""

import hashlib
import ssl
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a connection.

    Attributes:
        host: Its IP address; empty where nobody sees it.
        key: SHA-256 of its public key (SubjectPublicKeyInfo), hex digits; empty where it has
            shown no certificate.
    """

    host: str = ""
    key: str = ""


def peer_of(name: object, tls: object) -> Peer:
    """Return who is there, of what a transport tells.

    Args:
        name: Its "peername".
        tls: Its "ssl_object"; None without TLS.
    """
    host = str(name[0]) if isinstance(name, tuple) and name else ""
    shown = tls.getpeercert(binary_form=True) if isinstance(tls, ssl.SSLObject) else None
    return Peer(host, "" if shown is None else key_of(shown))


def key_of(certificate: bytes) -> str:
    """Return the SHA-256 of a certificate's public key (SubjectPublicKeyInfo), hex digits.

    Args:
        certificate: DER; one that a handshake has accepted.
    """
    public = x509.load_der_x509_certificate(certificate).public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()
