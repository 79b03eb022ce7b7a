"""The request for a certificate (PKCS #10), as a device of IEEE 2030.5 writes it; pure."""

import base64
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import AttributeOID

from certs.est.errors import EstError, Fault
from certs.est.wire import Wishes, in_base64
from certs.hwname import HardwareName


def request_body(
    key: ec.EllipticCurvePrivateKey,
    name: HardwareName | None,
    wishes: Wishes,
    binding: bytes | None = None,
) -> bytes:
    """Return the body of a request: no subject, and which hardware it is.

    Args:
        key: The key that the certificate is for; P-256.
        name: Which hardware it is; None where the server is to give it a name.
        wishes: What the server wants of it.
        binding: What the connection is known by to both its ends; None where it is by nothing.

    Raises:
        EstError: The server wants another kind of key or signature, or a link to a connection
            that has none.
    """
    if not (wishes.p256 and wishes.sha256):
        raise EstError(Fault.REFUSED, "the server does not take a key of IEEE 2030.5 (P-256)")
    if wishes.linked and binding is None:
        raise EstError(
            Fault.REFUSED,
            "the server wants requests tied to their connection, and this one cannot be tied to",
        )
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    if binding is not None:
        builder = builder.add_attribute(AttributeOID.CHALLENGE_PASSWORD, challenge(binding))
    if name is not None:
        san = x509.SubjectAlternativeName([name.other_name()])
        builder = builder.add_extension(san, critical=True)
    return in_base64(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))


def challenge(binding: bytes) -> bytes:
    """Return the challengePassword that ties a request to a connection (RFC 7030, clause 3.5)."""
    return base64.b64encode(binding)


def tls_unique(connection: ssl.SSLObject | ssl.SSLSocket) -> bytes | None:
    """Return what both ends of a connection know, and no other; None where there is no such thing.

    It is tls-unique (RFC 5929), of TLS 1.2 alone: TLS 1.3 has another one (RFC 9266), which
    Python's `ssl` does not give.
    """
    if connection.version() != "TLSv1.2":
        return None
    return connection.get_channel_binding("tls-unique")


def public_octets(key: ec.EllipticCurvePrivateKey | x509.Certificate) -> bytes:
    """Return the public key of a holder as it is compared."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
