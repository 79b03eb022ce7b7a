"""A test PKI on disk: made once, whole or not at all; identities issued and revoked in it.

    FOLDER/
      trust.pem               the root certificate: whom everybody trusts; two in a roll-over
      crls.pem                the revocation lists of all CAs
      ca/                     the CAs, their keys held by a key store (`certs.ca_files`)
      issued/NAME.pem|.key    identities: certificate with its intermediate CAs, key (0600)

The root's key is held where the others are, so that one machine does it all: for tests, demos,
trials. `certs.roll_over` has another root take the first one's place.
"""

import re
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs import cas, issue
from certs.ca_files import AUTHORITIES, NEW_WITH_OLD, OLD_WITH_NEW, ROOT, CaFiles
from certs.errors import CertificateError, PkiError, PkiExistsError
from certs.hwname import HardwareName
from certs.identity import IdentityFiles, Trust
from certs.issue import Validity
from certs.keys.opening import Kind, StoreSettings, key_store
from certs.ocsp.issued import name_responder, note_issued, responder
from certs.pem import (
    read_certificates,
    read_crls,
    write_certificates,
    write_file,
    write_key,
)
from certs.signed import Purpose

HARDWARE_TYPE: Final = "1.3.6.1.4.1.32473.1"
"""hwType of the demo's hardware, in the arc kept for examples (RFC 5612)."""

SERVICE_LASTS: Final = timedelta(days=5 * 365)

_SERVER: Final = ExtendedKeyUsageOID.SERVER_AUTH
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

    @property
    def ca(self) -> CaFiles:
        """Where its CAs keep what is theirs."""
        return CaFiles(self.folder / "ca")

    def crl(self, authority: str) -> Path:
        """Return where the revocation list of a CA in use lies."""
        return self.ca.crl(authority, self.ca.in_use)


def init_pki(
    folder: Path,
    *,
    hosts: Sequence[str] = ("localhost", "127.0.0.1"),
    label: str = "HEMS test",
    store: StoreSettings | None = None,
    ocsp: str | None = None,
    now: datetime | None = None,
) -> Pki:
    """Make a PKI with a head-end (`utility`) and a home's hub (`hub`) in it.

    It is built beside the folder and moved into place: there is a whole one or none.

    Args:
        folder: Where; must not exist, or be empty.
        hosts: Where the head-end answers.
        label: What the names of its CAs begin with.
        store: Where the CAs' keys are held; in plain files where None.
        ocsp: Where certificates say that they can be asked about; nowhere where None.
        now: UTC; the present time where None.

    Raises:
        PkiExistsError: There is something in the folder already.
        PkiError: The folder cannot be made.
        CertificateError: A file cannot be written, the disk is full, or the key store cannot be
            used.
    """
    now = now or datetime.now(UTC)
    store = store or StoreSettings()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise PkiExistsError(f"{folder}: there is something already; it is not overwritten")
        draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    except OSError as error:
        raise PkiError(f"{folder}: cannot be made: {error.strerror}") from error
    try:
        try:
            (draft / "ca").mkdir(mode=0o700)
            if ocsp is not None:
                name_responder(draft / "ca", ocsp)
            _build(Pki(draft), hosts, label, store, now)
            draft.replace(folder)
        except BaseException:
            _erase_keys(draft / "ca", store)
            raise
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
    mica = cas.authority(pki.ca, "mica")
    certificate = issue.issue_device(
        mica, own_key.public_key(), hardware, validity, policies=policies, ocsp=_responder(pki)
    )
    chain = [certificate, mica.certificate, cas.authority(pki.ca, "mca").certificate]
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
    mica = cas.authority(pki.ca, "mica")
    certificate = issue.issue_device(
        mica, key, hardware, validity, policies=policies, ocsp=_responder(pki)
    )
    note_issued(pki.ca.folder, [certificate])
    return [certificate, mica.certificate, cas.authority(pki.ca, "mca").certificate]


def roots(pki: Pki) -> list[x509.Certificate]:
    """Return the roots of a PKI that count, the one in use first.

    Raises:
        CertificateError: A file of the PKI is missing or damaged.
    """
    ca = pki.ca
    order = sorted(ca.live, key=lambda each: each != ca.in_use)
    return [read_certificates(ca.certificate(ROOT, each))[0] for each in order]


def authorities(pki: Pki) -> list[x509.Certificate]:
    """Return the certificates of all CAs of a PKI, the root in use first.

    While one root follows another there are both, what is under both, and the links between them
    (RFC 7030, clause 4.1.3).

    Raises:
        CertificateError: A file of the PKI is missing or damaged.
    """
    ca = pki.ca
    order = sorted(ca.live, key=lambda each: each != ca.in_use)
    paths = [ca.certificate(name, each) for each in order for name in AUTHORITIES]
    if len(order) > 1:
        paths += [ca.certificate(name, max(order)) for name in (NEW_WITH_OLD, OLD_WITH_NEW)]
    return [read_certificates(path)[0] for path in dict.fromkeys(paths)]


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
    operational = cas.authority(pki.ca, "operational")
    certificate = issue.issue_service(
        operational, key.public_key(), name, hosts, validity, ocsp=_responder(pki)
    )
    chain = [certificate, operational.certificate, *link_for(pki.ca, certificate)]
    return _store(pki, name, chain, key)


def link_for(ca: CaFiles, certificate: x509.Certificate) -> Sequence[x509.Certificate]:
    """Return what a server shows behind its chain while the root in use follows another one.

    Who knows the former root only finds from the one to the other by it. In a device's chain it
    has no place: the former root allows no CA more there.

    Args:
        ca: The files of the CAs.
        certificate: The server's; for others' there is none.

    Raises:
        CertificateError: A file of the PKI is missing or damaged.
    """
    purposes = [each.value for each in certificate.extensions]
    uses = next((each for each in purposes if isinstance(each, x509.ExtendedKeyUsage)), ())
    if len(ca.live) == 1 or ca.in_use != max(ca.live) or _SERVER not in uses:
        return ()
    return read_certificates(ca.certificate(NEW_WITH_OLD, ca.in_use))


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
    operational = cas.authority(pki.ca, "operational")
    usages = [purpose.usage for purpose in purposes]
    certificate = issue.issue_signer(operational, key.public_key(), name, usages, validity)
    return _store(pki, name, [certificate, operational.certificate], key)


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
    with cas.locked(pki.folder):
        signer = next(
            (each for each in pki.ca.signers if cas.issued_by(pki.ca, each, certificate)), None
        )
        if signer is None:
            raise PkiError(f"{pki.folder}: no CA in it has issued this certificate")
        old = read_crls(pki.ca.crl(*signer))[0]
        if old.get_revoked_certificate_by_serial_number(certificate.serial_number) is None:
            entry = issue.revocation(certificate.serial_number, now)
            cas.renew_crl(pki.ca, signer, [*old, entry], now, old)
            cas.join_crls(pki.ca, pki.trust.crls)


def renew_crls(pki: Pki, *, now: datetime | None = None) -> None:
    """Issue every revocation list again, with what it held, for another year.

    Raises:
        CertificateError: A file of the PKI is missing or damaged, or cannot be written.
    """
    now = now or datetime.now(UTC)
    with cas.locked(pki.folder):
        for signer in pki.ca.signers:
            old = read_crls(pki.ca.crl(*signer))[0]
            cas.renew_crl(pki.ca, signer, list(old), now, old)
        cas.join_crls(pki.ca, pki.trust.crls)


def keep_keys_by(pki: Pki, store: StoreSettings) -> Sequence[Path]:
    """Move the plain keys of the CAs into a key store; the plain files are written over.

    Begun again after a power cut it ends what was begun.

    Returns:
        The files that say now where their keys are.

    Raises:
        CertificateError: The store cannot be used, or a file not be read or written.
    """
    keys = key_store(store)
    keys.check()
    with cas.locked(pki.folder):
        pki.ca.keep_by(store)
        return [path for path in sorted(pki.ca.folder.rglob("*.key")) if keys.move(path)]


def _build(pki: Pki, hosts: Sequence[str], label: str, store: StoreSettings, now: datetime) -> None:
    if store.kind is not Kind.PLAIN:
        pki.ca.keep_by(store)
    (pki.folder / "issued").mkdir()
    pki.folder.chmod(0o755)  # certificates and lists are public; each key file is 0600
    write_file(pki.folder / ".lock", b"", mode=0o600)
    for_ever = Validity.since(now)
    root = cas.new_authority(pki.ca, ROOT, f"{label} root", for_ever, path_length=2)
    mca = cas.new_authority(pki.ca, "mca", f"{label} MCA", for_ever, issuer=root, path_length=1)
    cas.new_authority(pki.ca, "mica", f"{label} MICA", for_ever, issuer=mca, path_length=0)
    cas.new_authority(
        pki.ca, "operational", f"{label} operational CA", for_ever, issuer=root, path_length=0
    )
    for signer in pki.ca.signers:
        cas.renew_crl(pki.ca, signer, [], now, None)
    cas.join_crls(pki.ca, pki.trust.crls)
    write_certificates(pki.trust.roots, [root.certificate])
    issue_service(pki, "utility", hosts=hosts, validity=Validity.since(now, SERVICE_LASTS))
    issue_device(pki, "hub", validity=for_ever)


def _store(
    pki: Pki, name: str, chain: Sequence[x509.Certificate], key: CertificateIssuerPrivateKeyTypes
) -> IdentityFiles:
    files = pki.identity(name)
    with cas.locked(pki.folder):
        if files.certificate.exists() or files.key.exists():
            raise PkiExistsError(f"{files.certificate}: this identity exists; it is kept as it is")
        note_issued(pki.ca.folder, chain[:1])
        write_key(files.key, key)
        write_certificates(files.certificate, chain)
    return files


def _responder(pki: Pki) -> str | None:
    return responder(pki.ca.folder)


def _erase_keys(folder: Path, store: StoreSettings) -> None:
    """Have no key stay in a token of which no file would say any more that it is there."""
    for path in folder.rglob("*.key"):
        with suppress(CertificateError):
            key_store(store).erase(path)
