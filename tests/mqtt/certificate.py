"""A self-signed certificate for a broker in a test, and others that it signs."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Made:
    """Where its files are."""

    certificate: Path
    key: Path


def self_signed(folder: Path, name: str, lasts: timedelta) -> Made:
    """Make a certificate for a host name, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    return _written(folder, _builder(key, name, name, lasts, authority=True), key, key)


def signed_by(by: Made, folder: Path, name: str, lasts: timedelta) -> Made:
    """Make a certificate for a host name that another one has signed, and its key.

    Args:
        by: The other one.
        folder: Where it is kept.
        name: The host's.
        lasts: From an hour ago on; may be over.
    """
    issuer = x509.load_pem_x509_certificate(by.certificate.read_bytes())
    signer = serialization.load_pem_private_key(by.key.read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    (said,) = issuer.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    key = ec.generate_private_key(ec.SECP256R1())
    made = _builder(key, name, str(said.value), lasts, authority=False)
    return _written(folder, made, key, signer)


def _builder(
    key: ec.EllipticCurvePrivateKey, name: str, issuer: str, lasts: timedelta, *, authority: bool
) -> x509.CertificateBuilder:
    begin = datetime.now(UTC) - timedelta(hours=1)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + lasts)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )


def _written(
    folder: Path,
    builder: x509.CertificateBuilder,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
) -> Made:
    made = Made(folder / "broker.pem", folder / "broker.key")
    certificate = builder.sign(signer, hashes.SHA256())
    made.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return made
