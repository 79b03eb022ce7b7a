"""Devices enrolled through the hub: keys and certificates of the home's own device authority.

identity/devices/authority.pem|.key   the authority; its key is held as the hub's other keys are
identity/devices/hub.pem|.key         what the hub shows to such devices
identity/devices/issued/ID.pem        what each device was given, without its key

Nothing outside the home believes this authority, and the hub believes it of devices alone.
"""

from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs import issue
from certs.errors import CertificateError
from certs.identity import IdentityFiles
from certs.issue import Authority, Validity
from certs.keys.store import KeyStore, fingerprint
from certs.pem import UNREADABLE, read_certificates, write_certificates, write_key
from der.registry import DRIVERS
from der.sentence import say
from hems.settings.device_section import DeviceSection

_FOLDER: Final = Path("identity") / "devices"
_NAME: Final = "HEMS home devices"
_LASTS: Final = timedelta(days=730)
_AUTHORITY_LASTS: Final = timedelta(days=7_300)


class DeviceEnrolmentError(Exception):
    """A device was given no certificate; `str()` says why."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What was made.

    Attributes:
        device: The files for the device: its certificate, and its key where that was made here.
        trust: For the device: whom it may believe.
        hub: What the hub shows to it.
        authority: By what the hub knows it.
        key: SHA-256 of the device's public key, hex digits.
        until: Until when its certificate counts.
    """

    device: IdentityFiles
    trust: Path
    hub: IdentityFiles
    authority: Path
    key: str
    until: datetime


def speaks_tls(device: DeviceSection) -> bool:
    """Return whether a device can be spoken to over TLS: Modbus over TCP, or OCPP."""
    names = {each.name for each in fields(DRIVERS[device.driver].address)}
    return device.station is not None or "tls" in names


def enrol_device(
    device: DeviceSection,
    home: Path,
    keys: KeyStore,
    out: Path,
    now: datetime,
    *,
    request: Path | None = None,
) -> Enrolled:
    """Make a device's certificate, and its key where the device does not make that itself.

    Args:
        device: The device.
        home: The home's folder.
        keys: Where the authority's key is kept.
        out: Folder for what the device is given; its key is not kept here.
        now: UTC.
        request: What the device asks with, which keeps its key to itself (PKCS #10, PEM); None
            where a key is to be made for it.

    Raises:
        DeviceEnrolmentError: It does not speak TLS, or was given one here already.
        CertificateError: A file cannot be read or written, or the key store refuses.
    """
    _check_speaks_tls(device)
    files = IdentityFiles(out / f"{device.id}.pem", out / f"{device.id}.key")
    if files.certificate.exists() or files.key.exists():
        raise DeviceEnrolmentError(
            say("{file} is there already; nothing is made over it.", file=str(files.certificate))
        )
    key = issue.new_key() if request is None else None
    public = _asked(request) if key is None else key.public_key()
    made = _issue(device, home, keys, public, out, now=now)
    if key is not None:
        write_key(files.key, key)
    return made


def renew_device(
    device: DeviceSection, home: Path, keys: KeyStore, out: Path, now: datetime
) -> Enrolled:
    """Make a device's next certificate, for the key that it has.

    The hub goes on knowing it by its key. What it has counts until its end, so that the next one
    can be put in any day before that.

    Args:
        device: The device.
        home: The home's folder.
        keys: Where the authority's key is kept.
        out: Folder for its certificate; the former one there is replaced.
        now: UTC.

    Raises:
        DeviceEnrolmentError: It was given none here.
        CertificateError: A file cannot be read or written, or the key store refuses.
    """
    given = issued_file(home, device.id)
    if not given.exists():
        raise DeviceEnrolmentError(
            say("{device} was given no certificate here, so none is renewed.", device=device.id)
        )
    public = read_certificates(given)[0].public_key()
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise CertificateError(f"{given}: is no certificate that was issued here")
    return _issue(device, home, keys, public, out, now=now)


def issued_file(home: Path, device: str) -> Path:
    """Return where it is kept what a device was given, whether or not it was given anything."""
    return home / _FOLDER / "issued" / f"{device}.pem"


def _check_speaks_tls(device: DeviceSection) -> None:
    if not speaks_tls(device):
        raise DeviceEnrolmentError(
            say(
                "{device} is not spoken to over TLS, so a certificate is of no use.",
                device=device.id,
            )
        )


def _issue(
    device: DeviceSection,
    home: Path,
    keys: KeyStore,
    public: ec.EllipticCurvePublicKey,
    out: Path,
    *,
    now: datetime,
) -> Enrolled:
    """Issue a certificate for a device's key, and write what the device is given with it."""
    authority = _authority(home / _FOLDER, keys, now)
    hub = _hub(home / _FOLDER, authority, now)
    files = IdentityFiles(out / f"{device.id}.pem", out / f"{device.id}.key")
    given = issued_file(home, device.id)
    _make(out)
    _make(given.parent)
    validity = Validity.since(now, _LASTS)
    validity = replace(
        validity, not_after=min(validity.not_after, authority.certificate.not_valid_after_utc)
    )
    name, hosts = device.id, [device.host]
    purposes = (ExtendedKeyUsageOID.SERVER_AUTH,)
    if device.station is not None:  # it calls in, and is known by this name (OCPP, profile 3)
        name, hosts, purposes = device.station, [device.station], (ExtendedKeyUsageOID.CLIENT_AUTH,)
    certificate = issue.issue_service(authority, public, name, hosts, validity, purposes=purposes)
    trust = out / "trust.pem"
    write_certificates(trust, [authority.certificate])
    write_certificates(given, [certificate])
    write_certificates(files.certificate, [certificate])
    return Enrolled(
        files,
        trust,
        hub,
        home / _FOLDER / "authority.pem",
        fingerprint(public),
        validity.not_after,
    )


def _asked(path: Path | None) -> ec.EllipticCurvePublicKey:
    """Return the key that a device asks with."""
    try:
        request = x509.load_pem_x509_csr(b"" if path is None else path.read_bytes())
        public, signed = request.public_key(), request.is_signature_valid
    except OSError as error:
        raise CertificateError(f"{path}: cannot be read: {error.strerror}") from error
    except UNREADABLE as error:
        raise CertificateError(
            f"{path}: is no request for a certificate (PKCS #10, PEM)"
        ) from error
    if not isinstance(public, ec.EllipticCurvePublicKey) or not signed:
        raise CertificateError(f"{path}: is not signed by the elliptic-curve key that it names")
    return public


def table_of(enrolled: Enrolled, home: Path) -> dict[str, str]:
    """Return the keys of a Modbus device that is spoken to with what was made."""
    return {
        "transport": "tls",
        "tls_trust": str(enrolled.authority.relative_to(home)),
        "tls_certificate": str(enrolled.hub.certificate.relative_to(home)),
        "tls_key": str(enrolled.hub.key.relative_to(home)),
    }


def _authority(folder: Path, keys: KeyStore, now: datetime) -> Authority:
    certificate, key = folder / "authority.pem", folder / "authority.key"
    if certificate.exists():
        return Authority(read_certificates(certificate)[0], keys.signer(key))
    _make(folder)
    if not key.exists():
        keys.make(key)
    made = issue.issue_authority(
        _NAME, Validity.since(now, _AUTHORITY_LASTS), path_length=0, key=keys.signer(key)
    )
    write_certificates(certificate, [made.certificate])
    return made


def _hub(folder: Path, authority: Authority, now: datetime) -> IdentityFiles:
    """Return what the hub shows to devices; its driver wants a plain key."""
    files = IdentityFiles(folder / "hub.pem", folder / "hub.key")
    if not files.certificate.exists():
        key = issue.new_key()
        certificate = issue.issue_service(
            authority,
            key.public_key(),
            "HEMS hub",
            ["hems.local"],
            Validity.since(now, _AUTHORITY_LASTS),
            purposes=(ExtendedKeyUsageOID.CLIENT_AUTH,),
        )
        write_key(files.key, key)
        write_certificates(files.certificate, [certificate])
    return files


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CertificateError(f"{folder}: cannot be made: {error.strerror}") from error
