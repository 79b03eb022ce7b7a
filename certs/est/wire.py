"""Bodies of RFC 7030 and 8295, pure: certificates and revocation lists in PKCS #7, wishes, base64.

A degenerate SignedData (RFC 5652, clause 5.1) carries certificates or revocation lists and no
signature: what is in it is believed for its own signatures only.
"""

import base64
import binascii
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from certs import tlv
from certs.est.errors import EstError, Fault
from certs.pem import UNREADABLE

MOST_OCTETS: Final = 64 * 1024
"""Of any answer of a server."""
MOST_REQUEST_OCTETS: Final = 8 * 1024
"""Of a request for a certificate."""

CERTS_ONLY: Final = "application/pkcs7-mime; smime-type=certs-only"
CRLS_ONLY: Final = "application/pkcs7-mime; smime-type=crls-only"
PKCS7_TYPE: Final = "application/pkcs7-mime"
PKCS10_TYPE: Final = "application/pkcs10"
ATTRIBUTES_TYPE: Final = "application/csrattrs"

_DATA: Final = "1.2.840.113549.1.7.1"
_SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
_EC_KEY: Final = "1.2.840.10045.2.1"
_RSA_KEY: Final = "1.2.840.113549.1.1.1"
_P256: Final = "1.2.840.10045.3.1.7"
_ECDSA_SHA256: Final = "1.2.840.10045.4.3.2"
_SIGNATURES: Final = ("1.2.840.10045.4.3.", "1.2.840.113549.1.1.")
"""Arcs of signature algorithms: ECDSA's and RSA's."""
_CHALLENGE: Final = "1.2.840.113549.1.9.7"
_EXPLICIT_0: Final = 0xA0
_IMPLICIT_CRLS: Final = 0xA1
_LINE: Final = 76


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a server wants of a request (RFC 7030, clause 4.5.2).

    Attributes:
        p256: Whether it takes keys on P-256.
        sha256: Whether it takes ECDSA with SHA-256.
        linked: Whether the request must be tied to its TLS connection (clause 3.5).
    """

    p256: bool = True
    sha256: bool = True
    linked: bool = False


def in_base64(der: bytes) -> bytes:
    """Return DER as it goes over the wire: base64 in lines."""
    text = base64.b64encode(der)
    return b"".join(text[at : at + _LINE] + b"\r\n" for at in range(0, len(text), _LINE))


def out_of_base64(body: bytes) -> bytes:
    """Return the DER of a body.

    Raises:
        ValueError: It is no base64.
    """
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def certs_only(certificates: Sequence[x509.Certificate]) -> bytes:
    """Return the body that carries certificates, in their order where the receiver keeps it."""
    return in_base64(pkcs7.serialize_certificates(list(certificates), Encoding.DER))


def read_certs_only(body: bytes) -> Sequence[x509.Certificate]:
    """Return the certificates of a body, in no order that means anything.

    Raises:
        EstError: It carries none, or is damaged.
    """
    try:
        with warnings.catch_warnings():
            # Not DER but BER: other servers may be lax, and nothing here is signed as a whole.
            warnings.simplefilter("ignore")
            found = pkcs7.load_der_pkcs7_certificates(out_of_base64(body))
            for each in found:
                _read_through(each)
    except UNREADABLE as error:
        raise _broken("certificates") from error
    if not found:
        raise _broken("certificates")
    return tuple(found)


def _read_through(certificate: x509.Certificate) -> None:
    """Read all that is asked of a certificate later: the library puts that off until then."""
    certificate.public_key()
    _ = (
        certificate.version,
        certificate.subject,
        certificate.issuer,
        certificate.extensions,
        certificate.signature_hash_algorithm,
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )


def crls_only(crls: Sequence[x509.CertificateRevocationList]) -> bytes:
    """Return the body that carries revocation lists."""
    lists = b"".join(each.public_bytes(Encoding.DER) for each in crls)
    content = (
        tlv.tlv(tlv.INTEGER, b"\x01")
        + tlv.tlv(tlv.SET, b"")
        + tlv.tlv(tlv.SEQUENCE, tlv.oid(_DATA))
        + tlv.tlv(_IMPLICIT_CRLS, lists)
        + tlv.tlv(tlv.SET, b"")
    )
    signed = tlv.tlv(_EXPLICIT_0, tlv.tlv(tlv.SEQUENCE, content))
    return in_base64(tlv.tlv(tlv.SEQUENCE, tlv.oid(_SIGNED_DATA) + signed))


def read_crls_only(body: bytes) -> Sequence[x509.CertificateRevocationList]:
    """Return the revocation lists of a body.

    Raises:
        EstError: It carries none, or is damaged.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd names; whose list it is its signature says
            found = tuple(_lists(out_of_base64(body)))
            for each in found:
                _ = each.issuer, each.extensions, each.next_update_utc, len(each)
    except UNREADABLE as error:
        raise _broken("revocation lists") from error
    if not found:
        raise _broken("revocation lists")
    return found


def _lists(der: bytes) -> Iterator[x509.CertificateRevocationList]:
    outer, rest = tlv.take(der, tlv.SEQUENCE)
    kind, signed = tlv.take(outer, tlv.OID)
    if rest or tlv.read_oid(kind) != _SIGNED_DATA:
        raise ValueError("not SignedData")
    content, _ = tlv.take(tlv.take(signed, _EXPLICIT_0)[0], tlv.SEQUENCE)
    for outer_tag, lists in tlv.elements(content):
        if outer_tag == _IMPLICIT_CRLS:
            for tag, inner in tlv.elements(lists):
                yield x509.load_der_x509_crl(tlv.tlv(tag, inner))


def wishes_body(*, tied: bool = False) -> bytes:
    """Return what this project's server wants of a request: P-256, and ECDSA with SHA-256.

    Args:
        tied: Whether the request must be tied to its TLS connection (RFC 7030, clause 3.5).
    """
    key = tlv.tlv(tlv.SEQUENCE, tlv.oid(_EC_KEY) + tlv.tlv(tlv.SET, tlv.oid(_P256)))
    more = tlv.oid(_CHALLENGE) if tied else b""
    return in_base64(tlv.tlv(tlv.SEQUENCE, more + key + tlv.oid(_ECDSA_SHA256)))


def read_wishes(body: bytes) -> Wishes:
    """Return what a server wants of a request.

    Raises:
        EstError: The body is damaged.
    """
    try:
        named = tuple(_named(out_of_base64(body)))
    except ValueError as error:
        raise _broken("wishes") from error
    names = {name for name, _ in named}
    curves = {value for name, values in named if name == _EC_KEY for value in values}
    signatures = {name for name in names if name.startswith(_SIGNATURES)} - {_RSA_KEY}
    return Wishes(
        p256=_P256 in curves if curves else _RSA_KEY not in names,
        sha256=_ECDSA_SHA256 in signatures if signatures else True,
        linked=_CHALLENGE in names,
    )


def _named(der: bytes) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield what is wished for: of each its name, and the identifiers among its values."""
    content, rest = tlv.take(der, tlv.SEQUENCE)
    if rest:
        raise ValueError("there is more behind it")
    for tag, inner in tlv.elements(content):
        if tag == tlv.OID:
            yield tlv.read_oid(inner), ()
        elif tag == tlv.SEQUENCE:
            name, values = tlv.take(inner, tlv.OID)
            found = tlv.elements(tlv.take(values, tlv.SET)[0])
            yield tlv.read_oid(name), [tlv.read_oid(v) for kind, v in found if kind == tlv.OID]
        else:
            raise ValueError("neither an attribute nor an object identifier")


def _broken(what: str) -> EstError:
    return EstError(Fault.BROKEN, f"the server's answer carries no {what} that can be read")
