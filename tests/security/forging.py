"""Certificates that nobody should believe, each wrong in one way only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from asn1crypto.algos import SignedDigestAlgorithm
from asn1crypto.x509 import Certificate
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs import issue
from certs.hwname import HardwareName
from certs.identity import IdentityFiles, lfdi
from certs.issue import Authority, Validity
from certs.pem import der, read_certificates, read_signing_key, write_certificates, write_key
from certs.pki import HARDWARE_TYPE, Pki, init_pki, issue_device, issue_service, revoke

_UNKNOWN = x509.ObjectIdentifier("1.3.6.1.4.1.32473.99")
_DAY = timedelta(days=1)
_PREFIX = 2


@dataclass(frozen=True, slots=True)
class Shown:
    """What somebody shows of themselves.

    Attributes:
        chain: Their certificate and what they send with it.
        key: Their key.
    """

    chain: Sequence[x509.Certificate]
    key: CertificateIssuerPrivateKeyTypes

    def store(self, folder: Path, name: str) -> IdentityFiles:
        """Write it down for a TLS library."""
        folder.mkdir(exist_ok=True)
        files = IdentityFiles(folder / f"{name}.pem", folder / f"{name}.key")
        files.key.unlink(missing_ok=True)
        write_key(files.key, self.key)
        write_certificates(files.certificate, self.chain)
        return files


@dataclass(frozen=True, slots=True)
class Mint:
    """Who makes them: somebody who has got hold of the keys of all CAs.

    Attributes:
        pki: The PKI that everybody here trusts.
        service: Whether it makes certificates of services, as head-ends have, not of devices.
    """

    pki: Pki
    service: bool

    def authority(self, name: str) -> Authority:
        """Return one of the CAs."""
        ca = self.pki.folder / "ca"
        return Authority(
            read_certificates(ca / f"{name}.pem")[0], read_signing_key(ca / f"{name}.key")
        )

    @property
    def issuer(self) -> Authority:
        """The CA of those who are made here."""
        return self.authority("operational" if self.service else "mica")

    def chain(self) -> list[x509.Certificate]:
        """Return what goes with a certificate of that CA."""
        names = ["operational"] if self.service else ["mica", "mca"]
        return [self.authority(name).certificate for name in names]

    def good(
        self,
        *,
        key: CertificateIssuerPrivateKeyTypes | None = None,
        issuer: Authority | None = None,
        validity: Validity | None = None,
        rest: Sequence[x509.Certificate] | None = None,
    ) -> Shown:
        """Return a certificate in which all is right but for what is asked for."""
        own = key or issue.new_key()
        by, lasts = issuer or self.issuer, validity or Validity.since(datetime.now(UTC))
        chain = self.chain() if rest is None else rest
        if self.service:
            leaf = issue.issue_service(by, own.public_key(), "Utility", ["127.0.0.1"], lasts)
        else:
            name = HardwareName(HARDWARE_TYPE, b"forged")
            leaf = issue.issue_device(by, own.public_key(), name, lasts)
        return Shown([leaf, *chain], own)

    def recast(
        self,
        change: Callable[
            [Sequence[x509.Extension[x509.ExtensionType]]], list[x509.Extension[x509.ExtensionType]]
        ],
        digest: hashes.SHA256 | hashes.SHA384 | None = None,
    ) -> Shown:
        """Return a good certificate with other extensions, signed anew by its CA."""
        shown = self.good()
        leaf = shown.chain[0]
        builder = (
            x509.CertificateBuilder()
            .subject_name(leaf.subject)
            .issuer_name(leaf.issuer)
            .public_key(leaf.public_key())
            .serial_number(leaf.serial_number)
            .not_valid_before(leaf.not_valid_before_utc)
            .not_valid_after(leaf.not_valid_after_utc)
        )
        for extension in change(list(leaf.extensions)):
            builder = builder.add_extension(extension.value, extension.critical)
        made = builder.sign(self.issuer.key, digest or hashes.SHA256())
        return Shown([made, *shown.chain[1:]], shown.key)


Made = Callable[[Mint], Shown]
Extensions = Sequence[x509.Extension[x509.ExtensionType]]


def _extension(value: x509.ExtensionType, *, critical: bool) -> x509.Extension[x509.ExtensionType]:
    return x509.Extension(value.oid, critical, value)


def _without(kind: type[x509.ExtensionType]) -> Made:
    return lambda mint: mint.recast(lambda all_: [e for e in all_ if not isinstance(e.value, kind)])


def _instead(value: x509.ExtensionType, *, critical: bool = True) -> Made:
    """Return what puts an extension in the place of the one of its kind, or adds it."""

    def change(found: Extensions) -> list[x509.Extension[x509.ExtensionType]]:
        return [
            *(e for e in found if e.oid != value.oid),
            _extension(value, critical=critical),
        ]

    return lambda mint: mint.recast(change)


def _of_key(make: Callable[[], CertificateIssuerPrivateKeyTypes]) -> Made:
    return lambda mint: mint.good(key=make())


def _curve(curve: ec.EllipticCurve) -> Made:
    return _of_key(lambda: ec.generate_private_key(curve))


def _wrong_ca(mint: Mint) -> Shown:
    other = Mint(
        init_pki(mint.pki.folder.parent / _fresh(mint, "other"), label="Other"), mint.service
    )
    return other.good()


def _same_name_ca(mint: Mint) -> Shown:
    """CAs of the same names as the right ones, with other keys."""
    return Mint(init_pki(mint.pki.folder.parent / _fresh(mint, "twin")), mint.service).good()


def _fresh(mint: Mint, what: str) -> str:
    number = sum(1 for _ in mint.pki.folder.parent.glob(f"{what}-*"))
    return f"{what}-{number}"


def _self_signed(mint: Mint) -> Shown:
    key = issue.new_key()
    by_itself = Authority(_plain(x509.Name([]), x509.Name([]), key, key), key)
    return mint.good(key=key, issuer=by_itself, rest=[])


def _forged_issuer(mint: Mint) -> Shown:
    """Names the right CA, but is signed by another key."""
    return mint.good(issuer=Authority(mint.issuer.certificate, issue.new_key()))


def _plain(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    by: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
        .sign(by, hashes.SHA256())
    )


def _expired(mint: Mint) -> Shown:
    now = datetime.now(UTC)
    return mint.good(validity=Validity(now - 2 * _DAY, now - timedelta(hours=1)))


def _early(mint: Mint) -> Shown:
    now = datetime.now(UTC)
    return mint.good(validity=Validity(now + _DAY, now + 2 * _DAY))


def _revoked(mint: Mint) -> Shown:
    files = mint.pki.identity("revoked-service" if mint.service else "revoked-device")
    return Shown(read_certificates(files.certificate), read_signing_key(files.key))


def revoke_some(pki: Pki) -> None:
    """Issue a device's and a service's certificate and take them back, before anybody starts."""
    issue_service(pki, "revoked-service", hosts=["127.0.0.1"])
    issue_device(pki, "revoked-device")
    for name in ("revoked-service", "revoked-device"):
        revoke(pki, read_certificates(pki.identity(name).certificate)[0])


def _sha1(mint: Mint) -> Shown:
    shown = mint.good()
    # By hand: the libraries that make certificates refuse to.
    made = Certificate.load(der(shown.chain[0]))
    algorithm = SignedDigestAlgorithm({"algorithm": "sha1_ecdsa"})
    made["tbs_certificate"]["signature"] = made["signature_algorithm"] = algorithm
    signed = made["tbs_certificate"].dump(force=True)
    made["signature_value"] = mint.issuer.key.sign(signed, ec.ECDSA(hashes.SHA1()))  # noqa: S303 - what is to be refused
    return Shown([x509.load_der_x509_certificate(made.dump()), *shown.chain[1:]], shown.key)


def _bent(mint: Mint) -> Shown:
    """One bit of the signature is another."""
    shown = mint.good()
    octets = bytearray(der(shown.chain[0]))
    octets[-1] ^= 1
    return Shown([x509.load_der_x509_certificate(bytes(octets)), *shown.chain[1:]], shown.key)


def _too_long(mint: Mint) -> Shown:
    """A CA below one that may have none below it."""
    below = issue.issue_authority(
        "Below", Validity.since(datetime.now(UTC)), issuer=mint.issuer, path_length=0
    )
    return mint.good(issuer=below, rest=[below.certificate, *mint.chain()])


def _of_a_leaf(mint: Mint) -> Shown:
    """Signed by the key of a good device, as if that were a CA."""
    device = mint.good()
    key = device.key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return mint.good(issuer=Authority(device.chain[0], key), rest=device.chain)


def _alone(mint: Mint) -> Shown:
    return mint.good(rest=[])


def _sha384(mint: Mint) -> Shown:
    return mint.recast(list, hashes.SHA384())


def _usage(**changes: bool) -> x509.KeyUsage:
    names = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
        *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**(dict.fromkeys(names, False) | changes))


def look_alike(pki: Pki) -> Shown:
    """Return a good device certificate whose LFDI begins as the hub's does."""
    wanted = lfdi(der(read_certificates(pki.identity("hub").certificate)[0]))[:_PREFIX]
    mint, key = Mint(pki, service=False), issue.new_key()
    while True:
        shown = mint.good(key=key)
        if lfdi(der(shown.chain[0])).startswith(wanted):
            return shown


ANYBODY: dict[str, Made] = {
    "of a CA that nobody trusts": _wrong_ca,
    "of CAs that only have the right names": _same_name_ca,
    "signed by itself": _self_signed,
    "with the right CA's name, signed by another key": _forged_issuer,
    "expired": _expired,
    "not yet valid": _early,
    "revoked": _revoked,
    "with one bit of its signature bent": _bent,
    "signed with SHA-1": _sha1,
    "signed with SHA-384": _sha384,
    "with a key on P-192": _curve(ec.SECP192R1()),
    "with a key on P-224": _curve(ec.SECP224R1()),
    "with a key on P-384": _curve(ec.SECP384R1()),
    "with a key on secp256k1": _curve(ec.SECP256K1()),
    "with a key on brainpoolP256r1": _curve(ec.BrainpoolP256R1()),
    "with an RSA key": _of_key(lambda: rsa.generate_private_key(65537, 2048)),
    "with an Ed25519 key": _of_key(ed25519.Ed25519PrivateKey.generate),
    "of a CA below one that may have none": _too_long,
    "signed by a device": _of_a_leaf,
    "without its intermediate CAs": _alone,
    "of a CA itself": _instead(x509.BasicConstraints(ca=True, path_length=None)),
    "with an unknown critical extension": _instead(x509.UnrecognizedExtension(_UNKNOWN, b"\5\0")),
    "without a keyUsage": _without(x509.KeyUsage),
    "made to encipher, not to sign": _instead(_usage(key_encipherment=True)),
}
"""What is wrong with a certificate, whoever shows it -> who makes it."""

_HARDWARE = HardwareName(HARDWARE_TYPE, b"forged").other_name()
_DEVICE = issue.DEVICE_GENERIC
DEVICES: dict[str, Made] = {
    "of a device without a name": _without(x509.SubjectAlternativeName),
    "of a device with a name that is not critical": _instead(
        x509.SubjectAlternativeName([_HARDWARE]), critical=False
    ),
    "of a device with a host's name": _instead(
        x509.SubjectAlternativeName([x509.DNSName("hub.local")])
    ),
    "of a device with two names": _instead(x509.SubjectAlternativeName([_HARDWARE, _HARDWARE])),
    "of a device without policies": _without(x509.CertificatePolicies),
    "of no device type": _instead(
        x509.CertificatePolicies([x509.PolicyInformation(issue.TEST_POLICY, None)])
    ),
    "of a device type that is not critical": _instead(
        x509.CertificatePolicies([x509.PolicyInformation(_DEVICE, None)]), critical=False
    ),
}
"""What is wrong with a device's."""


def _for(*purposes: x509.ObjectIdentifier) -> Made:
    return _instead(x509.ExtendedKeyUsage(purposes), critical=False)


CALLING_SERVICES: dict[str, Made] = {
    "of a service that may only answer": _for(ExtendedKeyUsageOID.SERVER_AUTH),
    "of a service made to sign code": _for(ExtendedKeyUsageOID.CODE_SIGNING),
    "of a service without a purpose": _without(x509.ExtendedKeyUsage),
}
"""What is wrong with a service's that calls in."""
ANSWERING_SERVICES: dict[str, Made] = {
    "of a service that may only call": _for(ExtendedKeyUsageOID.CLIENT_AUTH),
    "of a service made to sign code": _for(ExtendedKeyUsageOID.CODE_SIGNING),
    "of a service without a purpose": _without(x509.ExtendedKeyUsage),
}
"""What is wrong with a service's that is called."""
