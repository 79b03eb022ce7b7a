"""What is asked of a revocation list; the library reads a list's issuer anew each time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self

from cryptography import x509


class RevocationList(Protocol):
    """A revocation list whose signature is good: the library's own, or one read beforehand."""

    @property
    def issuer(self) -> x509.Name:
        """Whose list it is."""

    @property
    def next_update_utc(self) -> datetime | None:
        """Until when it is current."""

    def get_revoked_certificate_by_serial_number(
        self, serial_number: int
    ) -> x509.RevokedCertificate | None:
        """Return what it says of a certificate; None if it counts."""


@dataclass(frozen=True, slots=True)
class ReadList:
    """A list whose issuer and date are read once, for who asks it at each handshake.

    Attributes:
        crl: The library's own.
        issuer: Whose list it is.
        next_update_utc: Until when it is current.
    """

    crl: x509.CertificateRevocationList
    issuer: x509.Name
    next_update_utc: datetime | None

    @classmethod
    def of(cls, crl: x509.CertificateRevocationList) -> Self:
        """Read a list."""
        return cls(crl, crl.issuer, crl.next_update_utc)

    def get_revoked_certificate_by_serial_number(
        self, serial_number: int
    ) -> x509.RevokedCertificate | None:
        """Return what it says of a certificate; None if it counts."""
        return self.crl.get_revoked_certificate_by_serial_number(serial_number)
