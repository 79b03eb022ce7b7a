"""The CA behind the EST server: issues, and says whom it consists of. Its files are the PKI's."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from certs.est.code import fingerprint
from certs.hwname import HardwareName
from certs.issue import DEVICE_POST_MANUFACTURE, TEST_POLICY, Validity
from certs.pem import der, read_crls
from certs.pki import Pki, authorities, certify, revoke, roots


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA in a folder; its files are read aside, for signing takes a moment.

    Attributes:
        pki: The folder.
        lifetime_days: How long what it issues holds; for ever where None.
    """

    pki: Pki
    lifetime_days: int | None = None

    async def issue(
        self, key: ec.EllipticCurvePublicKey, name: HardwareName, now: float
    ) -> Sequence[x509.Certificate]:
        """Return a new device certificate and its intermediate CAs.

        Raises:
            CertificateError: A file of the CA is missing or damaged.
        """
        lasting = None if self.lifetime_days is None else timedelta(days=self.lifetime_days)
        validity = Validity.since(datetime.fromtimestamp(now, UTC), lasting)
        policies = (DEVICE_POST_MANUFACTURE, TEST_POLICY)
        return await asyncio.to_thread(certify, self.pki, key, name, validity, policies=policies)

    async def certificates(self) -> Sequence[x509.Certificate]:
        """Return its CAs, the root in use first, and what ties one root to another.

        Raises:
            CertificateError: A file of the CA is missing or damaged.
        """
        return await asyncio.to_thread(authorities, self.pki)

    async def roots(self) -> Sequence[x509.Certificate]:
        """Return its roots that count, the one in use first: two while one follows another.

        Raises:
            CertificateError: A file of the CA is missing or damaged.
        """
        return await asyncio.to_thread(roots, self.pki)

    async def mark(self) -> bytes:
        """Return the fingerprint of the root in use, as enrolment codes carry it.

        Raises:
            CertificateError: A file of the CA is missing or damaged.
        """
        root, *_ = await self.roots()
        return fingerprint(der(root))

    async def crls(self) -> Sequence[x509.CertificateRevocationList]:
        """Return the revocation lists of all its CAs.

        Raises:
            CertificateError: The file is missing or damaged.
        """
        return await asyncio.to_thread(read_crls, self.pki.trust.crls)

    async def revoke(self, certificate: x509.Certificate, now: float) -> None:
        """Take a certificate back.

        Raises:
            CertificateError: It is of another CA, or a file cannot be written.
        """
        at = datetime.fromtimestamp(now, UTC)
        await asyncio.to_thread(lambda: revoke(self.pki, certificate, now=at))
