"""Certificates and revocation lists of the 2030.5 shape: pure builders, nothing on disk.

Root, MCA and MICA are the manufacturer's chain that devices hang under (IEEE 2030.5, clause
6.11.8); the operational CA issues to services: a utility's head-end, an aggregator.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import (
    AuthorityInformationAccessOID,
    ExtendedKeyUsageOID,
    NameOID,
)

from certs.hwname import HardwareName

FOREVER: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""The notAfter of what never expires (RFC 5280, clause 4.1.2.5)."""

DEVICE_GENERIC: Final = x509.ObjectIdentifier("1.3.6.1.4.1.40732.1.1")
"""Policy that states the device type "generic"."""

DEVICE_POST_MANUFACTURE: Final = x509.ObjectIdentifier("1.3.6.1.4.1.40732.1.3")
"""Policy that states that a device got its certificate after it was made."""

TEST_POLICY: Final = x509.ObjectIdentifier("1.3.6.1.4.1.40732.2.1")
"""Policy that marks a certificate as made for tests."""

BOTH_SIDES: Final = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
"""Purposes of who answers and calls over TLS."""

ANY_POLICY: Final = x509.ObjectIdentifier("2.5.29.32.0")

_KEPT: Final = (
    x509.BasicConstraints,
    x509.KeyUsage,
    x509.NameConstraints,
    x509.AuthorityInformationAccess,
)
"""What a CA's certificate says of what it may do and who is asked, whoever has signed it."""

_BACKDATED: Final = timedelta(hours=1)
"""A peer whose clock is a little behind still takes what was issued just now."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA that can sign.

    Attributes:
        certificate: Its own certificate.
        key: Its private key, P-256.
    """

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Validity:
    """From when until when a certificate holds, both UTC."""

    not_before: datetime
    not_after: datetime

    @classmethod
    def since(cls, now: datetime, lasting: timedelta | None = None) -> "Validity":
        """Return the time from a little before `now` for as long as `lasting`, None for ever."""
        return cls(now - _BACKDATED, FOREVER if lasting is None else now + lasting)


def new_key() -> ec.EllipticCurvePrivateKey:
    """Return a new P-256 private key."""
    return ec.generate_private_key(ec.SECP256R1())


def issue_authority(
    name: str,
    validity: Validity,
    *,
    issuer: Authority | None = None,
    path_length: int,
    permitted: Sequence[x509.GeneralName] = (),
    key: ec.EllipticCurvePrivateKey | None = None,
    ocsp: str | None = None,
) -> Authority:
    """Return a new CA.

    Args:
        name: Its common name.
        validity: How long it holds.
        issuer: Who signs it; None for a self-signed root.
        path_length: How many CAs may stand between it and a device.
        permitted: The only names and networks that it can vouch for (RFC 5280, clause 4.2.1.10);
            none for all.
        key: Its key, as of a key store; None for a new one.
        ocsp: Where it can be asked about (RFC 6960); nowhere where None.
    """
    key = key or new_key()
    subject = _name(name)
    builder = (
        _builder(subject, key.public_key(), validity, issuer)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_usage(crl_sign=True), critical=True)
    )
    if issuer is not None:  # a root is trusted as it stands and needs no policies
        builder = _asked_at(ocsp, builder.add_extension(_policies(ANY_POLICY), critical=True))
    if permitted:
        builder = builder.add_extension(x509.NameConstraints(permitted, None), critical=True)
    return Authority(builder.sign((issuer.key if issuer else key), hashes.SHA256()), key)


def recertify(
    issuer: Authority, authority: x509.Certificate, validity: Validity
) -> x509.Certificate:
    """Return another certificate of a CA that exists: the same name and key under another issuer.

    What the CA has issued hangs under both. With a former and a new root for CA and issuer these
    are the links of a roll-over (RFC 4210, clause 4.4).

    Args:
        issuer: Who signs it.
        authority: A certificate that the CA has; its constraints are kept.
        validity: How long it holds.
    """
    builder = _builder(authority.subject, authority.public_key(), validity, issuer).add_extension(
        _policies(ANY_POLICY), critical=True
    )
    for extension in authority.extensions:
        if isinstance(extension.value, _KEPT):
            builder = builder.add_extension(extension.value, critical=extension.critical)
    return builder.sign(issuer.key, hashes.SHA256())


def issue_device(
    issuer: Authority,
    public_key: CertificatePublicKeyTypes,
    name: HardwareName,
    validity: Validity,
    *,
    policies: Sequence[x509.ObjectIdentifier] = (DEVICE_GENERIC, TEST_POLICY),
    ocsp: str | None = None,
) -> x509.Certificate:
    """Return a device certificate: no subject, a critical hardwareModuleName, no EKU.

    Args:
        issuer: The MICA.
        public_key: The device's key; P-256, unless a test wants a wrong one.
        name: Which hardware it is.
        validity: How long it holds; a real device's never ends.
        policies: Its critical certificate policies; one must be a device type.
        ocsp: Where it can be asked about; nowhere where None. The extension is not critical: who
            does not ask passes it over (RFC 5280, clause 4.2.2.1).

    Raises:
        ValueError: `name.kind` is no object identifier.
    """
    san = x509.SubjectAlternativeName([name.other_name()])
    builder = (
        _builder(x509.Name([]), public_key, validity, issuer)
        .add_extension(_usage(crl_sign=False, key_agreement=True), critical=True)
        .add_extension(_policies(*policies), critical=True)
        .add_extension(san, critical=True)
    )
    return _asked_at(ocsp, builder).sign(issuer.key, hashes.SHA256())


def issue_service(
    issuer: Authority,
    public_key: CertificatePublicKeyTypes,
    name: str,
    hosts: Iterable[str],
    validity: Validity,
    *,
    purposes: Sequence[x509.ObjectIdentifier] = BOTH_SIDES,
    ocsp: str | None = None,
) -> x509.Certificate:
    """Return an operational certificate: an ordinary one with a subject, for both sides of TLS.

    Both, because a head-end is also the client that delivers notifications.

    Args:
        issuer: The operational CA.
        public_key: The service's key.
        name: Its common name.
        hosts: DNS names and IP addresses it answers at.
        validity: How long it holds.
        purposes: What it may be used for.
        ocsp: Where it can be asked about; nowhere where None.
    """
    builder = (
        _builder(_name(name), public_key, validity, issuer)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(crl_sign=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(x509.SubjectAlternativeName([_host(h) for h in hosts]), critical=False)
    )
    return _asked_at(ocsp, builder).sign(issuer.key, hashes.SHA256())


def issue_signer(
    issuer: Authority,
    public_key: CertificatePublicKeyTypes,
    name: str,
    purposes: Sequence[x509.ObjectIdentifier],
    validity: Validity,
) -> x509.Certificate:
    """Return the certificate of somebody who signs documents; no TLS peer takes it.

    Args:
        issuer: The operational CA.
        public_key: The signer's key.
        name: Its common name.
        purposes: What it may sign (`certs.signed.Purpose.usage`).
        validity: How long it holds.
    """
    return (
        _builder(_name(name), public_key, validity, issuer)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(crl_sign=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=True)
        .sign(issuer.key, hashes.SHA256())
    )


def issue_responder(
    issuer: Authority, public_key: CertificatePublicKeyTypes, name: str, validity: Validity
) -> x509.Certificate:
    """Return the certificate of who answers for a CA by OCSP, and may do nothing else.

    It says itself that it is not to be asked about (RFC 6960, clause 4.2.2.2.1), so it should not
    hold for long.

    Args:
        issuer: The CA.
        public_key: The responder's key.
        name: Its common name.
        validity: How long it holds.
    """
    return (
        _builder(_name(name), public_key, validity, issuer)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(crl_sign=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=True)
        .add_extension(x509.OCSPNoCheck(), critical=False)
        .sign(issuer.key, hashes.SHA256())
    )


def issue_crl(
    issuer: Authority,
    revoked: Iterable[x509.RevokedCertificate],
    now: datetime,
    lasting: timedelta,
    *,
    previous: x509.CertificateRevocationList | None = None,
) -> x509.CertificateRevocationList:
    """Return a CA's revocation list.

    Args:
        issuer: The CA.
        revoked: What it takes back, all of it.
        now: The time of issue, UTC.
        lasting: Until its next update is due.
        previous: The list it replaces.
    """
    number, last = 1, now.replace(microsecond=0) - _BACKDATED
    if previous is not None:
        number = _crl_number(previous) + 1
        # OpenSSL takes the later of two lists by whole seconds: two revocations in one second
        # must not carry the same stamp.
        last = max(last, previous.last_update_utc + timedelta(seconds=1))
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(last)
        .next_update(now + lasting)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()),
            critical=False,
        )
    )
    for entry in revoked:
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(issuer.key, hashes.SHA256())


def revocation(serial_number: int, now: datetime) -> x509.RevokedCertificate:
    """Return the entry that takes a certificate back from `now` (UTC) on."""
    return (
        x509.RevokedCertificateBuilder().serial_number(serial_number).revocation_date(now).build()
    )


def _builder(
    subject: x509.Name,
    public_key: CertificatePublicKeyTypes,
    validity: Validity,
    issuer: Authority | None,
) -> x509.CertificateBuilder:
    issuer_name = issuer.certificate.subject if issuer else subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer_name)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity.not_before)
        .not_valid_after(validity.not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )
    if issuer is not None:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
        builder = builder.add_extension(identifier, critical=False)
    return builder


def _asked_at(ocsp: str | None, builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
    """Have a certificate say where it can be asked about."""
    if ocsp is None:
        return builder
    place = x509.UniformResourceIdentifier(ocsp)
    access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, place)
    return builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _policies(*oids: x509.ObjectIdentifier) -> x509.CertificatePolicies:
    return x509.CertificatePolicies([x509.PolicyInformation(oid, None) for oid in oids])


def _usage(*, crl_sign: bool, key_agreement: bool = False) -> x509.KeyUsage:
    """Return the key usage of a CA (`crl_sign`) or of an end entity."""
    return x509.KeyUsage(
        digital_signature=not crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=key_agreement,
        key_cert_sign=crl_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _crl_number(crl: x509.CertificateRevocationList) -> int:
    try:
        return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        return 0
