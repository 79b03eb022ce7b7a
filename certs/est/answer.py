"""What a server answered with, checked before anything of it is used; pure.

A root is believed for its fingerprint in the enrolment code, the rest for the root.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from certs.errors import PeerError
from certs.est.code import fingerprint
from certs.est.errors import EstError, Fault
from certs.est.request import public_octets
from certs.est.roots import Anchors, signed_by
from certs.hwname import HardwareName
from certs.pem import der
from certs.verify import Role, check_peer, hardware_name

_LONGEST_CHAIN: Final = 6
_MOST_CHAINS: Final = 64


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate that was got, and all that it is used with.

    Attributes:
        chain: The certificate and its intermediate CAs.
        anchors: The roots that are believed: one, or two while the CA changes its root.
        crls: Revocation lists of all CAs.
        dcap: Address of the IEEE 2030.5 server; empty where the server does not say.
        edition: What that speaks; empty likewise.
    """

    chain: tuple[x509.Certificate, ...]
    anchors: Anchors
    crls: tuple[x509.CertificateRevocationList, ...]
    dcap: str = ""
    edition: str = ""

    @property
    def roots(self) -> tuple[x509.Certificate, ...]:
        """The roots that are believed, the newest first."""
        return self.anchors.roots


def pinned_root(given: Sequence[x509.Certificate], mark: bytes) -> x509.Certificate:
    """Return the root that an enrolment code names.

    Args:
        given: What the server says its CAs are.
        mark: The fingerprint of the code.

    Raises:
        EstError: It is not among them.
    """
    for each in given:
        if fingerprint(der(each)) == mark and signed_by(each, each):
            return each
    raise EstError(
        Fault.UNTRUSTED,
        "the server's CA is not the one that the enrolment code names; nothing was sent to it",
    )


def good_lists(
    crls: Sequence[x509.CertificateRevocationList],
    authorities: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
) -> tuple[x509.CertificateRevocationList, ...]:
    """Return the revocation lists that roots, and CAs under them, have signed.

    Raises:
        EstError: There are none.
    """
    under = [each for each in authorities if _reaches(each, authorities, roots)]
    signers = (*roots, *under)
    found = tuple(crl for crl in crls if any(list_signed_by(crl, each) for each in signers))
    if not found:
        raise EstError(Fault.BROKEN, "the revocation lists are not those of the server's CAs")
    return found


def chain_to(
    leaf: x509.Certificate,
    others: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
) -> tuple[x509.Certificate, ...]:
    """Return a certificate and the intermediate CAs between it and one of some roots.

    Of several ways the shortest: while a CA changes its root there are others over its links.

    Raises:
        EstError: There is no way from one to the other.
    """
    chains: list[tuple[x509.Certificate, ...]] = [(leaf,)]
    for _ in range(_LONGEST_CHAIN):
        for chain in chains:
            if any(signed_by(chain[-1], root) for root in roots):
                return chain
        above = [
            (*chain, each)
            for chain in chains
            for each in others
            if each not in chain and each not in roots and signed_by(chain[-1], each)
        ]
        chains = above[:_MOST_CHAINS]
    raise EstError(Fault.BROKEN, "the certificate that came is not of the server's CA")


def checked(
    given: Sequence[x509.Certificate],
    key: ec.EllipticCurvePrivateKey,
    trusted: Issued,
    name: HardwareName | None,
    now: float,
) -> tuple[x509.Certificate, ...]:
    """Check what came for a request; return the chain of the new certificate.

    Args:
        given: What came.
        key: The key that was asked for.
        trusted: Roots and revocation lists; its chain holds the CAs that are known.
        name: The hardware that was asked for; None for any.
        now: UTC epoch seconds.

    Raises:
        EstError: It is not for this key or hardware, not of this CA, breaks the rules of IEEE
            2030.5, or does not hold at this time.
    """
    own = public_octets(key)
    leaf = next((each for each in given if public_octets(each) == own), None)
    if leaf is None:
        raise EstError(Fault.BROKEN, "the certificate that came is for another key")
    chain = chain_to(leaf, (*given, *trusted.chain), trusted.roots)
    root = next(each for each in trusted.roots if signed_by(chain[-1], each))
    try:
        check_peer((*chain, root), Role.CLIENT, trusted.crls)
        got = hardware_name(leaf) if name is not None else name
    except PeerError as error:
        raise EstError(Fault.BROKEN, str(error)) from error
    if got != name:
        raise EstError(Fault.BROKEN, "the certificate that came is for another device")
    at = datetime.fromtimestamp(now, UTC)
    if not leaf.not_valid_before_utc <= at <= leaf.not_valid_after_utc:
        raise clock_error(at, leaf.not_valid_before_utc, leaf.not_valid_after_utc)
    return chain


def clock_error(now: datetime, begins: datetime, ends: datetime) -> EstError:
    """Return the error of a certificate that does not hold at this hub's time."""
    return EstError(
        Fault.CLOCK,
        f"the clock of this hub says {now:%Y-%m-%d %H:%M}Z, but the certificate holds from "
        f"{begins:%Y-%m-%d %H:%M}Z until {ends:%Y-%m-%d %H:%M}Z",
    )


def _reaches(
    authority: x509.Certificate,
    others: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
) -> bool:
    try:
        chain_to(authority, others, roots)
    except EstError:
        return False
    return True


def list_signed_by(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    """Return whether a revocation list is signed by the key, and in the name, of a CA."""
    key = issuer.public_key()
    return (
        crl.issuer == issuer.subject
        and isinstance(key, ec.EllipticCurvePublicKey)
        and crl.is_signature_valid(key)
    )
