"""Devices enrolled through the hub: keys and certificates of the home's own device authority.

identity/devices/authority.pem|.key   the authority; its key is held as the hub's other keys are
identity/devices/hub.pem|.key         what the hub shows to such devices

Nothing outside the home believes this authority, and the hub believes it of devices alone.
"""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.x509.oid import ExtendedKeyUsageOID

from certs import issue
from certs.errors import CertificateError
from certs.identity import IdentityFiles
from certs.issue import Authority, Validity
from certs.keys.store import KeyStore, fingerprint
from certs.pem import read_certificates, write_certificates, write_key
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
        device: The files for the device: its certificate and its key.
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
    device: DeviceSection, home: Path, keys: KeyStore, out: Path, now: datetime
) -> Enrolled:
    """Make a device's key and certificate.

    Args:
        device: The device.
        home: The home's folder.
        keys: Where the authority's key is kept.
        out: Folder for what the device is given; its key is not kept here.
        now: UTC.

    Raises:
        DeviceEnrolmentError: It does not speak TLS, or was given one here already.
        CertificateError: A file cannot be read or written, or the key store refuses.
    """
    if not speaks_tls(device):
        raise DeviceEnrolmentError(
            say(
                "{device} is not spoken to over TLS, so a certificate is of no use.",
                device=device.id,
            )
        )
    authority = _authority(home / _FOLDER, keys, now)
    hub = _hub(home / _FOLDER, authority, now)
    files = IdentityFiles(out / f"{device.id}.pem", out / f"{device.id}.key")
    if files.certificate.exists() or files.key.exists():
        raise DeviceEnrolmentError(
            say("{file} is there already; nothing is made over it.", file=str(files.certificate))
        )
    _make(out)
    key, validity = issue.new_key(), Validity.since(now, _LASTS)
    name, hosts = device.id, [device.host]
    purposes = (ExtendedKeyUsageOID.SERVER_AUTH,)
    if device.station is not None:  # it calls in, and is known by this name (OCPP, profile 3)
        name, hosts, purposes = device.station, [device.station], (ExtendedKeyUsageOID.CLIENT_AUTH,)
    certificate = issue.issue_service(
        authority, key.public_key(), name, hosts, validity, purposes=purposes
    )
    trust = out / "trust.pem"
    write_certificates(trust, [authority.certificate])
    write_certificates(files.certificate, [certificate])
    write_key(files.key, key)
    return Enrolled(
        files,
        trust,
        hub,
        home / _FOLDER / "authority.pem",
        fingerprint(key.public_key()),
        validity.not_after,
    )


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
