"""Documents that are signed for one purpose: who signs, what for, and nothing changed since.

A document is a compact JWS (RFC 7515) by ES256, with the signer's certificates in its header
(`x5c`) and the purpose as its type. The purpose stands in the signer's certificate too, as an
extended key usage: who may sign the one may not sign the other, and a certificate made for TLS
signs nothing.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.x509.oid import ExtensionOID, NameOID

from certs.errors import CertificateError
from certs.listed import unlisted
from certs.pem import der

MOST_OCTETS: Final = 4 * 1024 * 1024
"""A document longer than this is not looked at."""

_MOST_HEADER: Final = 32_768
_MOST_CERTIFICATES: Final = 4
_COORDINATE: Final = 32
_ALGORITHM: Final = "ES256"
_PARTS: Final = 3
_UNDERSTOOD: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    }
)
"""Extensions that may be critical; name constraints are not among them, for nobody obeys them."""


class Purpose(Enum):
    """What a document is for: its type in the header, and the key usage of its signer.

    The object identifiers stand in the arc kept for examples (RFC 5612), as all of this house do.
    """

    BULLETIN = ("hems-bulletin", x509.ObjectIdentifier("1.3.6.1.4.1.32473.2.1"))
    """An enterprise's word about threats, devices and firmware."""
    MANIFEST = ("hems-manifest", x509.ObjectIdentifier("1.3.6.1.4.1.32473.2.2"))
    """What the software of a hub consists of, and which agent is approved."""

    @property
    def kind(self) -> str:
        """The type that stands in the header."""
        return self.value[0]

    @property
    def usage(self) -> x509.ObjectIdentifier:
        """The extended key usage of who may sign it."""
        return self.value[1]


class SignatureError(CertificateError):
    """A document is not signed, or not by somebody who may; `str()` says why."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A document that holds.

    Attributes:
        body: What was signed.
        signer: The signer's certificate.
    """

    body: bytes
    signer: x509.Certificate

    @property
    def by(self) -> str:
        """The signer's common name; its subject where it has none."""
        names = self.signer.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(names[0].value) if names else self.signer.subject.rfc4514_string()


def sign_document(
    body: bytes,
    purpose: Purpose,
    key: ec.EllipticCurvePrivateKey,
    chain: Sequence[x509.Certificate],
) -> bytes:
    """Return a document, signed.

    Args:
        body: The document's octets.
        purpose: What it is for.
        key: The signer's key, P-256; of `certs.keys.store.KeyStore.signer` for one that is kept.
        chain: The signer's certificate and its intermediate CAs, without the root.

    Raises:
        SignatureError: The key is not the certificate's, or the certificate is for something else.
        CertificateError: The key's store cannot sign.
    """
    _check_signer(chain[0], purpose)
    if key.public_key() != chain[0].public_key():
        raise SignatureError(f"the key does not belong to the certificate of {_name(chain[0])}")
    header = {
        "alg": _ALGORITHM,
        "typ": purpose.kind,
        # Base64 with padding here, as RFC 7515 wants it of x5c (clause 4.1.6).
        "x5c": [base64.b64encode(der(each)).decode() for each in chain],
    }
    signed = _written(json.dumps(header, separators=(",", ":")).encode()) + b"." + _written(body)
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
    raw = r.to_bytes(_COORDINATE, "big") + s.to_bytes(_COORDINATE, "big")
    return signed + b"." + _written(raw)


def verify_document(
    document: bytes,
    purpose: Purpose,
    roots: Sequence[x509.Certificate],
    now: float,
    crls: Sequence[x509.CertificateRevocationList] = (),
    *,
    listed: bool = False,
) -> Signed:
    """Return what a document says, once it is known who signed it and that they may.

    Args:
        document: As `sign_document` made it.
        purpose: What it must be for.
        roots: Whom to believe.
        now: UTC epoch seconds.
        crls: Revocation lists; a certificate that stands on one of them does not count.
        listed: Whether none counts either for which its issuer's list, signed and current, is not
            there.

    Raises:
        SignatureError: It is damaged, of another purpose, by another signer, or one whose
            certificate is not good.
    """
    if len(document) > MOST_OCTETS:
        raise SignatureError(f"the document is longer than {MOST_OCTETS} octets")
    parts = document.strip().split(b".")
    if len(parts) != _PARTS:
        raise SignatureError("the document is not signed: it has not the three parts of a JWS")
    chain = _chain(parts[0], purpose)
    at = datetime.fromtimestamp(now, UTC)
    _check_chain(chain, roots, at, crls, listed=listed)
    _check_signer(chain[0], purpose)
    _check_signature(chain[0], parts[0] + b"." + parts[1], _read(parts[2], "signature"))
    return Signed(_read(parts[1], "body"), chain[0])


def said_in(document: bytes) -> bytes:
    """Return what of a document was signed, as it stands there: alike in all that say the same.

    Signatures differ each time that the same is signed. Only for documents that were verified.
    """
    return document.strip().split(b".")[1]


def _chain(part: bytes, purpose: Purpose) -> list[x509.Certificate]:
    """Read the header: nothing in it is believed but what the signature is tried with."""
    if len(part) > _MOST_HEADER:
        raise SignatureError("the document's header is too long")
    try:
        header: Any = json.loads(_read(part, "header"))
    except (ValueError, RecursionError) as error:
        raise SignatureError("the document's header is no JSON") from error
    if not isinstance(header, dict) or header.get("alg") != _ALGORITHM:
        raise SignatureError(f"the document is not signed by {_ALGORITHM}")
    if "crit" in header:
        raise SignatureError("the document's header asks for what nobody here understands")
    if header.get("typ") != purpose.kind:
        raise SignatureError(f"the document is no {purpose.kind}")
    given = header.get("x5c")
    if not isinstance(given, list) or not 1 <= len(given) <= _MOST_CERTIFICATES:
        raise SignatureError("the document does not carry its signer's certificates")
    try:
        return [
            x509.load_der_x509_certificate(base64.b64decode(each, validate=True)) for each in given
        ]
    except (ValueError, TypeError) as error:
        raise SignatureError("a certificate in the document is damaged") from error


def _check_chain(
    chain: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    at: datetime,
    crls: Sequence[x509.CertificateRevocationList],
    *,
    listed: bool,
) -> None:
    last = chain[-1]
    root = next((each for each in roots if _issued(last, each)), None)
    if root is None:
        raise SignatureError(f"the certificate of {_name(last)} is of no root that is trusted")
    for below, (certificate, issuer) in enumerate(zip(chain, [*chain[1:], root], strict=True)):
        if not _issued(certificate, issuer):
            raise SignatureError(
                f"the certificate of {_name(certificate)} is not issued by {_name(issuer)}"
            )
        _check_authority(issuer, below)
        why = unlisted(certificate, issuer, at, crls) if listed else None
        if why is not None:
            raise SignatureError(f"the certificate of {_name(certificate)}: {why}")
    for certificate in (*chain, root):
        _check_certificate(certificate, at, crls)


def _check_certificate(
    certificate: x509.Certificate,
    at: datetime,
    crls: Sequence[x509.CertificateRevocationList],
) -> None:
    name = _name(certificate)
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SignatureError(f"the certificate of {name} has no key on P-256")
    if not isinstance(certificate.signature_hash_algorithm, hashes.SHA256):
        raise SignatureError(f"the certificate of {name} is not signed with SHA-256")
    if at < certificate.not_valid_before_utc:
        raise SignatureError(f"the certificate of {name} does not count yet")
    if at > certificate.not_valid_after_utc:
        raise SignatureError(f"the certificate of {name} has expired")
    for crl in crls:
        if (
            crl.issuer == certificate.issuer
            and crl.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None
        ):
            raise SignatureError(f"the certificate of {name} is revoked")
    for extension in _extensions(certificate):
        if extension.critical and extension.oid not in _UNDERSTOOD:
            raise SignatureError(
                f"the certificate of {name} has a critical extension that nobody here "
                f"understands: {extension.oid.dotted_string}"
            )


def _check_authority(issuer: x509.Certificate, below: int) -> None:
    """Check that a certificate may issue, with so many CAs below it."""
    name = _name(issuer)
    extensions = _extensions(issuer)
    try:
        basic = extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        raise SignatureError(f"the certificate of {name} may not issue others") from None
    if not basic.ca or not usage.key_cert_sign:
        raise SignatureError(f"the certificate of {name} may not issue others")
    if basic.path_length is not None and basic.path_length < below:
        raise SignatureError(f"too many authorities stand below {name}")


def _check_signer(leaf: x509.Certificate, purpose: Purpose) -> None:
    """Check that a certificate is made to sign this kind of document."""
    name = _name(leaf)
    extensions = _extensions(leaf)
    try:
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
        purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        raise SignatureError(f"{name} may not sign a {purpose.kind}") from None
    if not usage.digital_signature or usage.key_cert_sign or purpose.usage not in purposes:
        raise SignatureError(f"{name} may not sign a {purpose.kind}")


def _check_signature(leaf: x509.Certificate, signed: bytes, raw: bytes) -> None:
    key = leaf.public_key()
    if len(raw) != 2 * _COORDINATE or not isinstance(key, ec.EllipticCurvePublicKey):
        raise SignatureError("the document's signature is damaged")
    signature = encode_dss_signature(
        int.from_bytes(raw[:_COORDINATE], "big"), int.from_bytes(raw[_COORDINATE:], "big")
    )
    try:
        key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise SignatureError(
            f"the document is not as {_name(leaf)} signed it, or somebody else did"
        ) from error


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _extensions(certificate: x509.Certificate) -> x509.Extensions:
    try:
        return certificate.extensions
    except (ValueError, x509.DuplicateExtension) as error:
        raise SignatureError("a certificate in the document is damaged") from error


def _name(certificate: x509.Certificate) -> str:
    try:
        return certificate.subject.rfc4514_string() or "a device"
    except ValueError as error:
        raise SignatureError("a certificate in the document is damaged") from error


def _written(octets: bytes) -> bytes:
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


def _read(part: bytes, what: str) -> bytes:
    try:
        # Strict: one document has one way to be written.
        octets = base64.b64decode(
            part.translate(_FROM_URL) + b"=" * (-len(part) % 4), validate=True
        )
    except (binascii.Error, ValueError) as error:
        raise SignatureError(f"the document's {what} is damaged") from error
    if _written(octets) != part:
        raise SignatureError(f"the document's {what} is damaged")
    return octets


_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")
