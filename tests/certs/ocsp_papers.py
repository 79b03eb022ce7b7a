"""A CA, a certificate of it, and answers about it, rightly and wrongly made."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from certs import issue
from certs.issue import Authority, Validity
from certs.ocsp.question import Question, question

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LASTING = Validity.since(NOW, timedelta(days=365))


@dataclass(frozen=True)
class Signer:
    """Who signs an answer."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@cache
def root() -> Authority:
    return issue.issue_authority("root", LASTING, path_length=1)


@cache
def authority() -> Authority:
    return issue.issue_authority("ca", LASTING, issuer=root(), path_length=0)


@cache
def stranger() -> Authority:
    """Of the same name as the CA, and another."""
    return issue.issue_authority("ca", LASTING, issuer=root(), path_length=0)


def service(of: Authority | None = None) -> x509.Certificate:
    key = issue.new_key().public_key()
    return issue.issue_service(of or authority(), key, "server", ["localhost"], LASTING)


@cache
def leaf() -> x509.Certificate:
    return service()


def asked(certificate: x509.Certificate | None = None) -> Question:
    return question(certificate or leaf(), authority().certificate)


def by_authority() -> Signer:
    return Signer(authority().certificate, authority().key)


def delegated(of: Authority | None = None, validity: Validity = LASTING) -> Signer:
    key = issue.new_key()
    certificate = issue.issue_responder(of or authority(), key.public_key(), "responder", validity)
    return Signer(certificate, key)


def not_delegated() -> Signer:
    """A service of the CA that answers for it without being asked to."""
    key = issue.new_key()
    return Signer(
        issue.issue_service(authority(), key.public_key(), "pushy", ["localhost"], LASTING), key
    )


@dataclass(frozen=True)
class Draft:
    """An answer to be made."""

    to: Question
    signer: Signer
    about: x509.Certificate | None = None
    issuer: x509.Certificate | None = None
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD
    at: datetime = NOW
    until: datetime | None = field(default_factory=lambda: NOW + timedelta(hours=1))
    nonce: bytes | None = None
    extension: tuple[x509.ExtensionType, bool] | None = None
    named: ocsp.OCSPResponderEncoding = ocsp.OCSPResponderEncoding.HASH
    shown: bool = True
    """Whether the signer's certificate comes along."""
    digest: hashes.HashAlgorithm | None = None

    def octets(self) -> bytes:
        gone = self.status is ocsp.OCSPCertStatus.REVOKED
        builder = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                self.about or self.to.certificate,
                self.issuer or self.to.issuer,
                self.digest or self.to.digest,
                self.status,
                self.at,
                self.until,
                self.at if gone else None,
                None,
            )
            .responder_id(self.named, self.signer.certificate)
        )
        if self.shown:
            builder = builder.certificates([self.signer.certificate])
        if self.nonce is not None:
            builder = builder.add_extension(x509.OCSPNonce(self.nonce), critical=False)
        if self.extension is not None:
            builder = builder.add_extension(self.extension[0], critical=self.extension[1])
        return builder.sign(self.signer.key, hashes.SHA256()).public_bytes(Encoding.DER)
