"""Identities that nobody should believe: of another CA, expired, revoked."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from certs.identity import IdentityFiles
from certs.issue import Validity
from certs.pem import read_certificates
from certs.pki import Pki, init_pki, issue_device, issue_service, revoke

Make = Callable[[Pki, str], IdentityFiles]


def past() -> Validity:
    """Return a time that ended an hour ago."""
    now = datetime.now(UTC)
    return Validity(now - timedelta(days=2), now - timedelta(hours=1))


def device(pki: Pki, name: str) -> IdentityFiles:
    """Issue a good device certificate."""
    return issue_device(pki, name)


def service(pki: Pki, name: str) -> IdentityFiles:
    """Issue a good certificate of a head-end."""
    return issue_service(pki, name, hosts=["127.0.0.1"])


def of_another_ca(pki: Pki, name: str, make: Make) -> IdentityFiles:
    """Issue a certificate under a root that nobody here trusts."""
    folder: Path = pki.folder.parent / f"{name}-pki"
    return make(init_pki(folder, label="Somebody else"), name)


def expired_device(pki: Pki, name: str) -> IdentityFiles:
    """Issue a device certificate that is over."""
    return issue_device(pki, name, validity=past())


def expired_service(pki: Pki, name: str) -> IdentityFiles:
    """Issue a certificate of a head-end that is over."""
    return issue_service(pki, name, hosts=["127.0.0.1"], validity=past())


def revoked(pki: Pki, name: str, make: Make) -> IdentityFiles:
    """Issue a certificate and take it back."""
    files = make(pki, name)
    revoke(pki, read_certificates(files.certificate)[0])
    return files
