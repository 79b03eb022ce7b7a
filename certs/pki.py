"""A test PKI on disk: made once, whole or not at all; identities issued and revoked in it.

    FOLDER/
      trust.pem           the root certificate: whom everybody trusts
      crls.pem            the revocation lists of all CAs
      ca/NAME.pem|.key|.crl   root, mca, mica, operational
      issued/NAME.pem|.key    identities: certificate with its intermediate CAs, key (0600)

The root's key lies beside the others: this is for tests, demos and trials, not for a fleet.
"""

import fcntl
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from certs import issue
from certs.errors import PkiError, PkiExistsError
from certs.hwname import HardwareName
from certs.identity import IdentityFiles, Trust
from certs.issue import Authority, Validity
from certs.pem import (
    read_certificates,
    read_crls,
    read_signing_key,
    write_certificates,
    write_crls,
    write_file,
    write_key,
)
from certs.signed import Purpose

HARDWARE_TYPE: Final = "1.3.6.1.4.1.32473.1"
"""hwType of the demo's hardware, in the arc kept for examples (RFC 5612)."""

AUTHORITIES: Final = ("root", "mca", "mica", "operational")
CRL_LASTS: Final = timedelta(days=365)
SERVICE_LASTS: Final = timedelta(days=5 * 365)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Pki:
    """Where a PKI lies.

    Attributes:
        folder: Its folder.
    """

    folder: Path

    @property
    def trust(self) -> Trust:
        """Whom the holders of its identities trust."""
        return Trust(self.folder / "trust.pem", self.folder / "crls.pem")

    def identity(self, name: str) -> IdentityFiles:
        """Return where the identity `name` lies, whether or not it is there yet.

        Raises:
            PkiError: `name` is not usable as a file name.
        """
        if _NAME.fullmatch(name) is None:
            raise PkiError(
                f"{name!r} is not a name for an identity: letters, digits, '_', '.', '-'"
            )
        issued = self.folder / "issued"
        return IdentityFiles(issued / f"{name}.pem", issued / f"{name}.key")

    def crl(self, authority: str) -> Path:
        """Return where the revocation list of a CA lies."""
        return self.folder / "ca" / f"{authority}.crl"


def init_pki(
    folder: Path,
    *,
    hosts: Sequence[str] = ("localhost", "127.0.0.1"),
    label: str = "HEMS test",
    now: datetime | None = None,
) -> Pki:
    """Make a PKI with a head-end (`utility`) and a home's hub (`hub`) in it.

    It is built beside the folder and moved into place: there is a whole one or none.

    Args:
        folder: Where; must not exist, or be empty.
        hosts: Where the head-end answers.
        label: What the names of its CAs begin with.
        now: UTC; the present time where None.

    Raises:
        PkiExistsError: There is something in the folder already.
        PkiError: The folder cannot be made.
        CertificateError: A file cannot be written, or the disk is full.
    """
    now = now or datetime.now(UTC)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise PkiExistsError(f"{folder}: there is something already; it is not overwritten")
        draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    except OSError as error:
        raise PkiError(f"{folder}: cannot be made: {error.strerror}") from error
    try:
        _build(Pki(draft), hosts, label, now)
        draft.replace(folder)
    except OSError as error:
        raise PkiExistsError(f"{folder}: cannot be put in place: {error.strerror}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Pki(folder)


def open_pki(folder: Path) -> Pki:
    """Return the PKI in `folder`.

    Raises:
        PkiError: There is none.
    """
    if not (folder / "ca" / "root.pem").is_file():
        raise PkiError(f"{folder}: there is no PKI; `hems pki init` makes one")
    return Pki(folder)


def issue_device(
    pki: Pki,
    name: str,
    *,
    serial: str | None = None,
    validity: Validity | None = None,
    key: CertificateIssuerPrivateKeyTypes | None = None,
    policies: Sequence[x509.ObjectIdentifier] = (issue.DEVICE_GENERIC, issue.TEST_POLICY),
) -> IdentityFiles:
    """Issue a device certificate under the MICA.

    Args:
        pki: The PKI.
        name: File name of the identity.
        serial: hwSerialNum; `name` where None.
        validity: How long it holds; for ever, as 2030.5 wants it, where None.
        key: The device's key; a new P-256 one where None.
        policies: Its certificate policies.

    Raises:
        PkiExistsError: There is an identity of this name.
        PkiError: `name` is not usable as a file name.
        CertificateError: A file of the PKI is missing or damaged, or cannot be written.
    """
    own_key = key or issue.new_key()
    hardware = HardwareName(HARDWARE_TYPE, (serial or name).encode())
    validity = validity or Validity.since(datetime.now(UTC))
    mica = _authority(pki, "mica")
    certificate = issue.issue_device(
        mica, own_key.public_key(), hardware, validity, policies=policies
    )
    chain = [certificate, mica.certificate, _authority(pki, "mca").certificate]
    return _store(pki, name, chain, own_key)


def sign_request(
    pki: Pki, request: x509.CertificateSigningRequest, serial: str
) -> list[x509.Certificate]:
    """Answer the request of a device that keeps its key to itself.

    Args:
        pki: The PKI.
        request: What the device asks with.
        serial: hwSerialNum of its certificate.

    Returns:
        Its certificate and the intermediate CAs.

    Raises:
        PkiError: The request is not signed by the key that it names.
        CertificateError: A file of the PKI is missing or damaged.
    """
    key = request.public_key()
    if not request.is_signature_valid or not isinstance(key, ec.EllipticCurvePublicKey):
        raise PkiError("the request is not signed by the elliptic-curve key that it names")
    hardware = HardwareName(HARDWARE_TYPE, serial.encode())
    return certify(pki, key, hardware, Validity.since(datetime.now(UTC)))


def certify(
    pki: Pki,
    key: ec.EllipticCurvePublicKey,
    hardware: HardwareName,
    validity: Validity,
    *,
    policies: Sequence[x509.ObjectIdentifier] = (issue.DEVICE_GENERIC, issue.TEST_POLICY),
) -> list[x509.Certificate]:
    """Issue a device certificate for a key that stays with its device.

    Args:
        pki: The PKI.
        key: The device's public key.
        hardware: Which hardware it is.
        validity: How long it holds.
        policies: Its certificate policies.

    Returns:
        The certificate and the intermediate CAs.

    Raises:
        CertificateError: A file of the PKI is missing or damaged.
    """
    mica = _authority(pki, "mica")
    certificate = issue.issue_device(mica, key, hardware, validity, policies=policies)
    return [certificate, mica.certificate, _authority(pki, "mca").certificate]


def authorities(pki: Pki) -> list[x509.Certificate]:
    """Return the certificates of all CAs of a PKI, the root first.

    Raises:
        CertificateError: A file of the PKI is missing or damaged.
    """
    return [read_certificates(pki.folder / "ca" / f"{name}.pem")[0] for name in AUTHORITIES]


def issue_service(
    pki: Pki, name: str, *, hosts: Sequence[str], validity: Validity | None = None
) -> IdentityFiles:
    """Issue an operational certificate (a head-end, an aggregator) under the operational CA.

    Args:
        pki: The PKI.
        name: File name and common name of the identity.
        hosts: DNS names and IP addresses it answers at.
        validity: How long it holds; five years where None.

    Raises:
        PkiExistsError: There is an identity of this name.
        PkiError: `name` is not usable as a file name.
        CertificateError: A file of the PKI is missing or damaged, or cannot be written.
    """
    validity = validity or Validity.since(datetime.now(UTC), SERVICE_LASTS)
    key = issue.new_key()
    authority = _authority(pki, "operational")
    certificate = issue.issue_service(authority, key.public_key(), name, hosts, validity)
    return _store(pki, name, [certificate, authority.certificate], key)


def issue_signer(
    pki: Pki, name: str, purposes: Sequence[Purpose], *, validity: Validity | None = None
) -> IdentityFiles:
    """Issue the certificate of somebody who signs documents, under the operational CA.

    Args:
        pki: The PKI.
        name: File name and common name of the identity.
        purposes: What it may sign.
        validity: How long it holds; five years where None.

    Raises:
        PkiExistsError: There is an identity of this name.
        PkiError: `name` is not usable as a file name.
        CertificateError: A file of the PKI is missing or damaged, or cannot be written.
    """
    validity = validity or Validity.since(datetime.now(UTC), SERVICE_LASTS)
    key = issue.new_key()
    authority = _authority(pki, "operational")
    usages = [purpose.usage for purpose in purposes]
    certificate = issue.issue_signer(authority, key.public_key(), name, usages, validity)
    return _store(pki, name, [certificate, authority.certificate], key)


def revoke(pki: Pki, certificate: x509.Certificate, *, now: datetime | None = None) -> None:
    """Take a certificate of this PKI back: a device's, a service's or a CA's.

    Revoking it again does nothing.

    Args:
        pki: The PKI.
        certificate: What to take back; `read_certificates(identity.certificate)[0]`.
        now: UTC; the present time where None.

    Raises:
        PkiError: It was not issued by a CA of this PKI.
        CertificateError: A file of the PKI is missing or damaged, or cannot be written.
    """
    now = now or datetime.now(UTC)
    with _locked(pki):
        name = next((n for n in AUTHORITIES if _issued_by(pki, n, certificate)), None)
        if name is None:
            raise PkiError(f"{pki.folder}: no CA in it has issued this certificate")
        old = read_crls(pki.crl(name))[0]
        if old.get_revoked_certificate_by_serial_number(certificate.serial_number) is None:
            entry = issue.revocation(certificate.serial_number, now)
            _renew(pki, name, [*old, entry], now, old)
            _join_crls(pki)


def renew_crls(pki: Pki, *, now: datetime | None = None) -> None:
    """Issue every revocation list again, with what it held, for another year.

    Raises:
        CertificateError: A file of the PKI is missing or damaged, or cannot be written.
    """
    now = now or datetime.now(UTC)
    with _locked(pki):
        for name in AUTHORITIES:
            old = read_crls(pki.crl(name))[0]
            _renew(pki, name, list(old), now, old)
        _join_crls(pki)


def _build(pki: Pki, hosts: Sequence[str], label: str, now: datetime) -> None:
    (pki.folder / "ca").mkdir(mode=0o700)
    (pki.folder / "issued").mkdir()
    pki.folder.chmod(0o755)  # certificates and lists are public; each key file is 0600
    write_file(pki.folder / ".lock", b"", mode=0o600)
    for_ever = Validity.since(now)
    root = issue.issue_authority(f"{label} root", for_ever, path_length=2)
    mca = issue.issue_authority(f"{label} MCA", for_ever, issuer=root, path_length=1)
    mica = issue.issue_authority(f"{label} MICA", for_ever, issuer=mca, path_length=0)
    operational = issue.issue_authority(
        f"{label} operational CA", for_ever, issuer=root, path_length=0
    )
    for name, authority in zip(AUTHORITIES, (root, mca, mica, operational), strict=True):
        write_key(pki.folder / "ca" / f"{name}.key", authority.key)
        write_certificates(pki.folder / "ca" / f"{name}.pem", [authority.certificate])
        _renew(pki, name, [], now, None)
    _join_crls(pki)
    write_certificates(pki.trust.roots, [root.certificate])
    issue_service(pki, "utility", hosts=hosts, validity=Validity.since(now, SERVICE_LASTS))
    issue_device(pki, "hub", validity=for_ever)


def _store(
    pki: Pki, name: str, chain: Sequence[x509.Certificate], key: CertificateIssuerPrivateKeyTypes
) -> IdentityFiles:
    files = pki.identity(name)
    with _locked(pki):
        if files.certificate.exists() or files.key.exists():
            raise PkiExistsError(f"{files.certificate}: this identity exists; it is kept as it is")
        write_key(files.key, key)
        write_certificates(files.certificate, chain)
    return files


def _authority(pki: Pki, name: str) -> Authority:
    ca = pki.folder / "ca"
    return Authority(
        read_certificates(ca / f"{name}.pem")[0],
        read_signing_key(ca / f"{name}.key"),
    )


def _issued_by(pki: Pki, name: str, certificate: x509.Certificate) -> bool:
    authority = read_certificates(pki.folder / "ca" / f"{name}.pem")[0]
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _renew(
    pki: Pki,
    name: str,
    revoked: Sequence[x509.RevokedCertificate],
    now: datetime,
    old: x509.CertificateRevocationList | None,
) -> None:
    crl = issue.issue_crl(_authority(pki, name), revoked, now, CRL_LASTS, previous=old)
    write_crls(pki.crl(name), [crl])


def _join_crls(pki: Pki) -> None:
    write_crls(pki.trust.crls, [read_crls(pki.crl(name))[0] for name in AUTHORITIES])


@contextmanager
def _locked(pki: Pki) -> Iterator[None]:
    """Keep two commands from each writing a list that forgets the other's revocation."""
    try:
        lock = (pki.folder / ".lock").open("wb")
    except OSError as error:
        raise PkiError(f"{pki.folder}: not a PKI that can be written: {error.strerror}") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
