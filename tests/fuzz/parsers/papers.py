"""Certificates of a PKI in memory, for seeds: made once a run."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from certs import issue
from certs.hwname import HardwareName
from certs.issue import Authority, Validity

AT: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW: Final = AT.timestamp()
NAME: Final = HardwareName("1.3.6.1.4.1.32473.1", b"SN-0001")
LASTING: Final = Validity.since(AT, timedelta(days=365))


@cache
def authorities() -> tuple[Authority, Authority]:
    """Return a root and a CA under it."""
    root = issue.issue_authority("root", LASTING, path_length=2)
    return root, issue.issue_authority("operational", LASTING, issuer=root, path_length=0)


@cache
def device_key() -> ec.EllipticCurvePrivateKey:
    """Return a device's key."""
    return issue.new_key()


@cache
def device() -> x509.Certificate:
    """Return a device's certificate."""
    return issue.issue_device(authorities()[1], device_key().public_key(), NAME, LASTING)


@cache
def crls() -> tuple[x509.CertificateRevocationList, ...]:
    """Return both CAs' revocation lists, one of them with a certificate on it."""
    root, ca = authorities()
    lasting = timedelta(days=30)
    gone = [issue.revocation(7, AT)]
    return issue.issue_crl(root, [], AT, lasting), issue.issue_crl(ca, gone, AT, lasting)


def pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate as PEM."""
    return certificate.public_bytes(Encoding.PEM)
