"""Which roots are believed while a CA changes its own (RFC 7030, 4.1.3; RFC 4210, 4.4); pure.

A new root is believed for the link by which a root that is believed has signed its key, and for
nothing else. The former one is believed until the link ends by which the new root has signed its
key: so both count for a while, and then the former is forgotten.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from certs.est.request import public_octets
from certs.pem import UNREADABLE
from certs.verify import revoked

MOST: Final = 8
"""Roots, and twice as many links, that are kept of one CA: it has two at a time."""


@dataclass(frozen=True, slots=True)
class Anchors:
    """Whom a hub believes.

    Attributes:
        roots: Self-signed, the newest first; at least one.
        links: What ties one of them to another: the key of the one, signed by the other.
    """

    roots: tuple[x509.Certificate, ...]
    links: tuple[x509.Certificate, ...] = ()


def learned(
    held: Anchors,
    given: Sequence[x509.Certificate],
    crls: Sequence[x509.CertificateRevocationList],
    at: datetime,
) -> Anchors:
    """Return what is believed after a server has said who its CAs are.

    Args:
        held: What is believed now.
        given: What the server says; nothing of it is believed but for the signatures on it.
        crls: Revocation lists whose signatures are good: a link that was taken back ties nothing.
        at: The present time, UTC.
    """
    roots = list(current(held, at).roots)
    ties = tuple(
        each
        for each in dict.fromkeys((*held.links, *given))
        if _is_authority(each) and not signed_by(each, each) and not revoked(each, crls)
    )
    found = True
    while found and len(roots) < MOST:
        found = False
        for each in given:
            if each not in roots and _sound(each, at) and _tied(each, roots, ties, at):
                roots.append(each)
                found = True
    roots.sort(key=lambda root: root.not_valid_before_utc, reverse=True)
    links = [each for each in ties if any(_ends_of(each, roots))]
    latest = sorted(links, key=lambda link: link.not_valid_after_utc, reverse=True)
    return current(Anchors(tuple(roots), tuple(latest[: 2 * MOST])), at)


def current(anchors: Anchors, at: datetime) -> Anchors:
    """Return what of it is believed at a time: roots that newer ones have ended are forgotten.

    One that is merely past its own end stays: TLS refuses it, and a clock may be wrong.
    """
    roots = tuple(each for each in anchors.roots if not _over(each, anchors, at))
    links = tuple(each for each in anchors.links if any(_ends_of(each, roots)))
    return Anchors(roots, links)


def to_be_left(root: x509.Certificate, anchors: Anchors, at: datetime) -> bool:
    """Return whether a chain that ends at a root is to be shown no more.

    Other servers of the utility get to know the new root in the first half of the time in which
    both count; in the second one homes change over.
    """
    words = _words_of_newer(root, anchors)
    if root not in anchors.roots:
        return True
    if not words:
        return False
    word = max(words, key=lambda link: link.not_valid_after_utc)
    begins, ends = word.not_valid_before_utc, word.not_valid_after_utc
    return at >= begins + (ends - begins) / 2


def spent(certificate: x509.Certificate, given: Sequence[x509.Certificate], at: datetime) -> bool:
    """Return whether a certificate is a link between roots whose time is over.

    By it the lists of a former root would count still.

    Args:
        certificate: Which.
        given: What a server says its CAs are, the roots among them.
        at: The present time, UTC.
    """
    roots = (each for each in given if signed_by(each, each))
    return at > certificate.not_valid_after_utc and any(_same(certificate, each) for each in roots)


def signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Return whether a certificate is signed by the key, and in the name, of another."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, *UNREADABLE):
        return False
    return True


def _over(root: x509.Certificate, anchors: Anchors, at: datetime) -> bool:
    words = _words_of_newer(root, anchors)
    return bool(words) and all(at > word.not_valid_after_utc for word in words)


def _words_of_newer(root: x509.Certificate, anchors: Anchors) -> Sequence[x509.Certificate]:
    """Return the links by which newer roots have signed the key of one."""
    newer = [each for each in anchors.roots if _newer(each, root)]
    return [
        link
        for link in anchors.links
        if _same(link, root) and any(signed_by(link, each) for each in newer)
    ]


def _newer(one: x509.Certificate, other: x509.Certificate) -> bool:
    return one.not_valid_before_utc > other.not_valid_before_utc


def _ends_of(
    link: x509.Certificate, roots: Sequence[x509.Certificate]
) -> Iterator[x509.Certificate]:
    """Yield the root that a link is for, if both of its ends are believed."""
    if any(signed_by(link, root) for root in roots):
        yield from (root for root in roots if _same(link, root))


def _tied(
    candidate: x509.Certificate,
    roots: Sequence[x509.Certificate],
    ties: Sequence[x509.Certificate],
    at: datetime,
) -> bool:
    links = (link for link in ties if _same(link, candidate) and _holds(link, at))
    return any(signed_by(link, root) for link in links for root in roots if _holds(root, at))


def _same(link: x509.Certificate, root: x509.Certificate) -> bool:
    return link.subject == root.subject and public_octets(link) == public_octets(root)


def _sound(root: x509.Certificate, at: datetime) -> bool:
    """Return whether a certificate is a root as IEEE 2030.5 has it (clause 6.11), and holds."""
    return signed_by(root, root) and _holds(root, at) and _is_authority(root)


def _holds(certificate: x509.Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        key = certificate.public_key()
        extensions = certificate.extensions
        constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
        return (
            isinstance(key, ec.EllipticCurvePublicKey)
            and isinstance(key.curve, ec.SECP256R1)
            and isinstance(certificate.signature_hash_algorithm, hashes.SHA256)
            and constraints.ca
            and usage.key_cert_sign
        )
    except (x509.ExtensionNotFound, *UNREADABLE):
        return False
