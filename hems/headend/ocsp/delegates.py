"""Who answers for the CAs: a key of its own for each, certified for that alone and not for long.

So the CAs' keys, which may be in a token, sign a few times a month and not for everybody who asks;
a key that is stolen from this process is worth nothing soon.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from certs import cas, issue
from certs.issue import Authority, Validity
from certs.ocsp.question import Digest, named
from certs.pem import read_crls
from certs.pki import Pki
from certs.revocation import stamp

LASTING: Final = timedelta(days=30)
_DIGESTS: Final[tuple[Digest, ...]] = (
    hashes.SHA1(),  # noqa: S303 - clients name their CA by it; nothing is believed for it
    hashes.SHA256(),
    hashes.SHA384(),
    hashes.SHA512(),
)

Named = tuple[str, bytes, bytes]
"""How a question names a CA: by which digest, and the digests of its name and key."""


@dataclass(frozen=True, slots=True)
class Delegate:
    """Who answers for one CA.

    Attributes:
        certificate: Its certificate, by that CA.
        key: Its key.
    """

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class List:
    """The revocation list of one CA, read again when it changes.

    Args:
        pki: The PKI.
        signer: Whose list it is: a CA's name and generation.
    """

    def __init__(self, pki: Pki, signer: tuple[str, int]) -> None:
        self._path = pki.ca.crl(*signer)
        self._seen: tuple[int, int, int] | None = None
        self._crl: x509.CertificateRevocationList | None = None

    def entry(self, serial_number: int) -> x509.RevokedCertificate | None:
        """Return the entry of a certificate; None where it was not taken back.

        Raises:
            CertificateError: The file is missing or damaged.
        """
        seen = stamp(self._path)
        if self._crl is None or seen != self._seen:
            self._crl, self._seen = read_crls(self._path)[0], seen
        return self._crl.get_revoked_certificate_by_serial_number(serial_number)


@dataclass(frozen=True, slots=True)
class Answerer:
    """What is needed to answer for one CA.

    Attributes:
        delegate: Who signs.
        revoked: The CA's list.
    """

    delegate: Delegate
    revoked: List


def answerers(pki: Pki, now: float) -> dict[Named, Answerer]:
    """Return who answers for each CA of a PKI, by the names that questions give it.

    Args:
        pki: The PKI.
        now: UTC epoch seconds.

    Raises:
        CertificateError: A file is missing or damaged, or a key store cannot sign.
    """
    found: dict[Named, Answerer] = {}
    for signer in pki.ca.signers:
        authority = cas.authority(pki.ca, *signer)
        answerer = Answerer(_delegate(authority, now), List(pki, signer))
        for digest in _DIGESTS:
            found[digest.name, *named(authority.certificate, digest)] = answerer
    return found


def _delegate(authority: Authority, now: float) -> Delegate:
    key = issue.new_key()
    validity = Validity.since(datetime.fromtimestamp(now, UTC), LASTING)
    certificate = issue.issue_responder(authority, key.public_key(), "OCSP responder", validity)
    return Delegate(certificate, key)
