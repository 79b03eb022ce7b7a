"""The request for a certificate (PKCS #10), as a device of IEEE 2030.5 writes it; pure."""

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certs.est.errors import EstError, Fault
from certs.est.wire import Wishes, in_base64
from certs.hwname import HardwareName


def request_body(
    key: ec.EllipticCurvePrivateKey, name: HardwareName | None, wishes: Wishes
) -> bytes:
    """Return the body of a request: no subject, and which hardware it is.

    Args:
        key: The key that the certificate is for; P-256.
        name: Which hardware it is; None where the server is to give it a name.
        wishes: What the server wants of it.

    Raises:
        EstError: The server wants another kind of key, signature, or a link to the connection.
    """
    if not (wishes.p256 and wishes.sha256):
        raise EstError(Fault.REFUSED, "the server does not take a key of IEEE 2030.5 (P-256)")
    if wishes.linked:
        raise EstError(
            Fault.REFUSED, "the server wants requests tied to their connection; ours are not"
        )
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    if name is not None:
        san = x509.SubjectAlternativeName([name.other_name()])
        builder = builder.add_extension(san, critical=True)
    return in_base64(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))


def public_octets(key: ec.EllipticCurvePrivateKey | x509.Certificate) -> bytes:
    """Return the public key of a holder as it is compared."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
