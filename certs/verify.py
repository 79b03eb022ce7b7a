"""What OpenSSL leaves out of a 2030.5 handshake: key, purpose, policies and name of the peer.

OpenSSL has built and checked the chain (signatures, dates, CA flags, revocation) before anything
here is asked. These rules are pure: a chain in, a refusal or nothing out.
"""

import ssl
from collections.abc import Sequence
from enum import Enum
from functools import lru_cache
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs.errors import PeerError
from certs.hwname import HARDWARE_MODULE_NAME, HardwareName, read_hardware_name
from certs.identity import lfdi
from certs.lists import RevocationList
from certs.pem import UNREADABLE, der

DEVICE_TYPES: Final = frozenset(
    x509.ObjectIdentifier(f"1.3.6.1.4.1.40732.1.{kind}") for kind in (1, 2, 3)
)
"""Device type policies: generic, mobile, post-manufacture (IEEE 2030.5, clause 6.11.7.2)."""

_ANY_POLICY: Final = x509.ObjectIdentifier("2.5.29.32.0")

_POLICY_MAPPINGS: Final = x509.ObjectIdentifier("2.5.29.33")

_AS_DER: Final = 2
"""What CPython's inner certificate object takes for DER (1 would be PEM)."""


class Role(Enum):
    """The part that a peer plays in a connection; its value is the purpose it must be made for."""

    CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
    SERVER = ExtendedKeyUsageOID.SERVER_AUTH


def peer_lfdi(connection: ssl.SSLObject | ssl.SSLSocket) -> str:
    """Return the LFDI of a connection's peer.

    Args:
        connection: `transport.get_extra_info("ssl_object")`, after its handshake.

    Raises:
        PeerError: The peer showed no certificate, or one that cannot be read.
    """
    certificate = connection.getpeercert(binary_form=True)
    if certificate is None:
        raise PeerError("the peer showed no certificate")
    return lfdi(certificate)


def peer_chain(connection: ssl.SSLObject | ssl.SSLSocket) -> list[x509.Certificate]:
    """Return the peer's chain as OpenSSL verified it, its own certificate first.

    A resumed session keeps no verified chain; then it is the chain that the peer once sent.

    Raises:
        PeerError: The peer showed no certificate, or one that cannot be read.
    """
    # Public only from Python 3.13 on; before, the same two methods stand on the inner object and
    # return an object of its own kind instead of bytes.
    inner: Any = connection
    if not hasattr(connection, "get_verified_chain"):
        inner = connection._sslobj  # type: ignore[union-attr] # noqa: SLF001
    chain = inner.get_verified_chain() or inner.get_unverified_chain()
    if not chain:
        raise PeerError("the peer showed no certificate")
    own, *authorities = (
        item if isinstance(item, bytes) else item.public_bytes(_AS_DER) for item in chain
    )
    try:
        return [x509.load_der_x509_certificate(own), *map(_authority, authorities)]
    except UNREADABLE as error:
        raise PeerError("a certificate of the peer's chain is damaged") from error


@lru_cache(256)
def _authority(item: bytes) -> x509.Certificate:
    """Read a CA's certificate; that of thousands of peers is one, and what is read of it stays."""
    return x509.load_der_x509_certificate(item)


def check_peer(
    chain: Sequence[x509.Certificate],
    role: Role,
    crls: Sequence[RevocationList] = (),
) -> None:
    """Check a peer's chain against the certificate rules of IEEE 2030.5, clause 6.11.

    Args:
        chain: The peer's certificate, its intermediate CAs and, where known, the root.
        role: The part that the peer plays.
        crls: Revocation lists; a session resumed after a revocation is found by them.

    Raises:
        PeerError: A rule is broken; the message names the certificate and the rule.
    """
    try:
        _check_chain(chain, role, crls)
    except PeerError:  # a ValueError as well, by way of `ssl`
        raise
    except UNREADABLE as error:  # the library reads a certificate's parts when they are asked for
        raise PeerError("a certificate of the peer's chain is damaged") from error


def _check_chain(
    chain: Sequence[x509.Certificate],
    role: Role,
    crls: Sequence[RevocationList],
) -> None:
    leaf = chain[0]
    for certificate in chain:
        _check_algorithms(certificate)
        _check_not_revoked(certificate, crls)
        _check_no_mappings(certificate)
    _check_end_entity(leaf)
    if leaf.subject.rdns:
        _check_purpose(leaf, role)
    else:
        hardware_name(leaf)
        _check_policies(chain)


def check_dates(chain: Sequence[x509.Certificate], now: float, *, sure: bool = True) -> None:
    """Check that all certificates of a chain hold at a time.

    OpenSSL does that itself, unless it was told to leave times to us (`certs.tls`).

    Args:
        chain: The peer's certificate and its CAs.
        now: UTC epoch seconds.
        sure: Whether it is that time. If it may be later, a certificate whose time has yet to come
            is taken: a trusted CA has issued it, so it has come; one that has ended has ended.

    Raises:
        PeerError: One of them does not.
    """
    for certificate in chain:
        if sure and now < certificate.not_valid_before_utc.timestamp():
            raise _broken(certificate, "is not yet valid; check the clock")
        if now > certificate.not_valid_after_utc.timestamp():
            raise _broken(certificate, "has expired")


def check_root(chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]) -> None:
    """Check that a chain which OpenSSL took still ends at a trusted root.

    OpenSSL cannot be made to forget a root, and asks for none where a session is resumed.

    Args:
        chain: The peer's certificate and its CAs; a resumed session's may lack the root.
        roots: Those trusted now.

    Raises:
        PeerError: None of the roots is at its end.
    """
    last = chain[-1]
    if last in roots or any(_issued(last, root) for root in roots):
        return
    raise _broken(chain[0], "is of a root that is not trusted any more")


def _issued(certificate: x509.Certificate, root: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(root)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def hardware_name(certificate: x509.Certificate) -> HardwareName:
    """Return the hardwareModuleName of a device certificate.

    Raises:
        PeerError: Its subjectAltName is absent, not critical, or holds anything else.
    """
    try:
        san = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        raise _broken(certificate, "has neither a subject nor a subjectAltName") from None
    if not san.critical:
        raise _broken(certificate, "has an empty subject but its subjectAltName is not critical")
    names = list(san.value.get_values_for_type(x509.OtherName))
    if len(names) != 1 or names[0].type_id != HARDWARE_MODULE_NAME:
        raise _broken(certificate, "does not carry one hardwareModuleName")
    try:
        return read_hardware_name(names[0].value)
    except ValueError as error:
        raise _broken(certificate, f"has a malformed hardwareModuleName: {error}") from error


def _check_algorithms(certificate: x509.Certificate) -> None:
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise _broken(certificate, "has no elliptic-curve key; 2030.5 wants P-256")
    if not isinstance(key.curve, ec.SECP256R1):
        raise _broken(certificate, f"has a key on {key.curve.name}; 2030.5 wants P-256")
    if not isinstance(certificate.signature_hash_algorithm, hashes.SHA256):
        raise _broken(certificate, "is not signed with SHA-256")


def _check_not_revoked(certificate: x509.Certificate, crls: Sequence[RevocationList]) -> None:
    if revoked(certificate, crls):
        raise _broken(certificate, "is revoked")


def revoked(certificate: x509.Certificate, crls: Sequence[RevocationList]) -> bool:
    """Return whether the CA of a certificate has taken it back.

    Args:
        certificate: It.
        crls: Revocation lists whose signatures are good.
    """
    return any(
        crl.issuer == certificate.issuer
        and crl.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None
        for crl in crls
    )


def _check_no_mappings(certificate: x509.Certificate) -> None:
    """A CA that maps policies could have one device type stand for another."""
    if any(extension.oid == _POLICY_MAPPINGS for extension in certificate.extensions):
        raise _broken(certificate, "maps policies, which no certificate of 2030.5 may")


def _check_end_entity(leaf: x509.Certificate) -> None:
    extensions = leaf.extensions
    try:
        if extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            raise _broken(leaf, "is a CA's, not a device's or service's")
    except x509.ExtensionNotFound:
        pass  # absent means: not a CA
    try:
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        raise _broken(leaf, "has no keyUsage") from None
    if not usage.digital_signature:
        raise _broken(leaf, "has a keyUsage without digitalSignature")


def _check_purpose(leaf: x509.Certificate, role: Role) -> None:
    """Operational certificates name what they are for; a device's is for both sides."""
    try:
        purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        raise _broken(leaf, "has a subject but no extendedKeyUsage") from None
    if role.value not in purposes:
        raise _broken(leaf, f"is not made for the part of a {role.name.lower()}")


def _check_policies(chain: Sequence[x509.Certificate]) -> None:
    """Check that a device type is stated, and that every CA below the root may state it."""
    types = _policies(chain[0], must_be_critical=True) & DEVICE_TYPES
    if not types:
        raise _broken(chain[0], "states no device type of 2030.5 in its policies")
    for authority in chain[1:]:
        if authority.subject == authority.issuer:
            continue  # a root is trusted as it stands
        allowed = _policies(authority, must_be_critical=False)
        if _ANY_POLICY not in allowed and not types <= allowed:
            raise _broken(authority, "is of a CA that may not issue this device type")


def _policies(
    certificate: x509.Certificate, *, must_be_critical: bool
) -> frozenset[x509.ObjectIdentifier]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.CertificatePolicies)
    except x509.ExtensionNotFound:
        raise _broken(certificate, "has no certificatePolicies") from None
    if must_be_critical and not found.critical:
        raise _broken(certificate, "has certificatePolicies that are not critical")
    return frozenset(policy.policy_identifier for policy in found.value)


def holder(certificate: x509.Certificate) -> str:
    """Return whose a certificate is, for a sentence: its subject, or a device's LFDI."""
    return certificate.subject.rfc4514_string() or f"LFDI {lfdi(der(certificate))}"


def _broken(certificate: x509.Certificate, what: str) -> PeerError:
    return PeerError(f"the certificate of {holder(certificate)} {what}")
