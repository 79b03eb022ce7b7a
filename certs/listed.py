"""Whether a revocation list says that a certificate still counts (RFC 5280, clause 6.3)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509

_SKEW: Final = timedelta(minutes=5)
"""Clocks of who signs and who checks may differ by so much."""


def unlisted(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    at: datetime,
    crls: Sequence[x509.CertificateRevocationList],
) -> str | None:
    """Return why no list vouches for a certificate; None where one does.

    A list counts if the certificate's own issuer signed it and it has not run out: one that was
    left out, put back from earlier days or written by somebody else vouches for nothing.

    Args:
        certificate: The certificate.
        issuer: Who issued it.
        at: Now, in UTC.
        crls: The lists there are.
    """
    own = [each for each in crls if each.issuer == issuer.subject and _signed(each, issuer)]
    if not own:
        return "there is no revocation list that its issuer signed"
    if any(
        each.get_revoked_certificate_by_serial_number(certificate.serial_number) for each in own
    ):
        return "it is revoked"
    if not any(_current(each, at) for each in own):
        return "its issuer's revocation list has run out"
    return None


def _signed(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        return crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type] # it says so
    except (TypeError, ValueError):  # a key that signs no lists, or a damaged signature
        return False


def _current(crl: x509.CertificateRevocationList, at: datetime) -> bool:
    ends = crl.next_update_utc
    return crl.last_update_utc - _SKEW <= at and ends is not None and at <= ends
