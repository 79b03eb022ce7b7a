"""What a responder is asked about a certificate, and where; pure."""

import itertools
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from certs.pem import UNREADABLE

NONCE_OCTETS: Final = 32
"""What RFC 9654, clause 2.1, asks of clients."""

MOST_ADDRESS: Final = 1024

Digest = hashes.SHA1 | hashes.SHA256 | hashes.SHA384 | hashes.SHA512


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one certificate.

    Attributes:
        certificate: Which.
        issuer: The CA that signed it.
        nonce: By which the answer is known to be to this question.
        digest: By which the CA is named. This is a name, not a proof: the answer's signature is
            checked against the CA's own key.
    """

    certificate: x509.Certificate
    issuer: x509.Certificate
    nonce: bytes
    digest: Digest

    def octets(self) -> bytes:
        """Return it in DER."""
        return self._request().public_bytes(Encoding.DER)

    @property
    def names(self) -> tuple[bytes, bytes]:
        """How it names the CA: by the digests of its name and of its key."""
        made = self._request()
        return made.issuer_name_hash, made.issuer_key_hash

    def _request(self) -> ocsp.OCSPRequest:
        return (
            ocsp.OCSPRequestBuilder()
            .add_certificate(self.certificate, self.issuer, self.digest)
            .add_extension(x509.OCSPNonce(self.nonce), critical=False)
            .build()
        )


def question(
    certificate: x509.Certificate, issuer: x509.Certificate, digest: Digest | None = None
) -> Question:
    """Return a question with a nonce of its own; the CA is named by SHA-256 where None."""
    return Question(
        certificate, issuer, secrets.token_bytes(NONCE_OCTETS), digest or hashes.SHA256()
    )


def pairs(
    chain: Sequence[x509.Certificate],
) -> tuple[tuple[x509.Certificate, x509.Certificate], ...]:
    """Return the certificates of a verified chain that can be asked about, each with its CA.

    The root is trusted as it is.
    """
    return tuple(itertools.pairwise(chain))


def addresses(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return where a certificate says that it can be asked about: http and https only."""
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess)
    except (x509.ExtensionNotFound, *UNREADABLE):
        return ()
    found = (
        each.access_location.value
        for each in access.value
        if each.access_method == AuthorityInformationAccessOID.OCSP
        and isinstance(each.access_location, x509.UniformResourceIdentifier)
    )
    return tuple(each for each in found if good_address(each))


def good_address(url: str) -> bool:
    """Return whether a responder can be asked at an address."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and " " not in url
    known = parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
    return plain and known and len(url) <= MOST_ADDRESS


def named(issuer: x509.Certificate, digest: hashes.HashAlgorithm) -> tuple[bytes, bytes]:
    """Return how questions name a CA: the digests of its name and of its key (clause 4.1.1)."""
    name = hashes.Hash(digest)
    name.update(issuer.subject.public_bytes())
    made = ocsp.OCSPRequestBuilder().add_certificate(issuer, issuer, digest).build()
    return name.finalize(), made.issuer_key_hash
