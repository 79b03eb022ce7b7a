"""Files: who can read them, what certificates say, whether keys belong to them."""

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from certs.errors import CertificateError
from certs.identity import IdentityFiles
from certs.keys.backend import Held
from certs.keys.store import KeyStore
from certs.pem import read_certificates, read_crls, read_identity
from certs.verify import revoked
from hems.doctor.facts import Certificate, File, RevocationList
from hems.security.certificates import ENDLESS, common_name


@dataclass(frozen=True, slots=True)
class Pem:
    """A PEM file of certificates.

    Attributes:
        what: What they are for.
        path: Where it is.
        key: File of the private key that belongs to it; None for others' certificates.
        crls: File of revocation lists in which they may stand.
        by_itself: Whether the program makes them anew in time.
        own: Whether the first alone is ours, and the rest its authorities.
    """

    what: str
    path: Path
    key: Path | None = None
    crls: Path | None = None
    by_itself: bool = False
    own: bool = False


def file(path: Path, what: str, *, secret: bool) -> File:
    """Return who can read a file."""
    try:
        seen = path.stat()
    except PermissionError:  # in a folder that only another user may look into
        return File(path, what, there=True, readable=False, exposed=False, secret=secret)
    except OSError:
        return File(path, what, there=False, readable=False, exposed=False, secret=secret)
    exposed = bool(seen.st_mode & (stat.S_IRWXG | stat.S_IRWXO))
    readable = os.access(path, os.R_OK)
    return File(path, what, there=True, readable=readable, exposed=exposed, secret=secret)


def certificates(pems: Iterable[Pem], keys: KeyStore) -> list[Certificate]:
    """Return what certificates say, and whether their keys belong to them."""
    return [each for pem in pems for each in _certificates(pem, keys)]


def _certificates(pem: Pem, keys: KeyStore) -> list[Certificate]:
    own = pem.own or pem.key is not None
    try:
        found = _read(pem, keys)
        crls = [] if pem.crls is None else read_crls(pem.crls)
    except CertificateError as error:
        return [Certificate(pem.what, pem.path, own, pem.by_itself, error=str(error))]
    shown = found[:1] if own else found
    bad = any(revoked(each, crls) for each in found)
    return [_certificate(pem, each, own=own, bad=bad) for each in shown]


def _read(pem: Pem, keys: KeyStore) -> list[x509.Certificate]:
    if pem.key is None:
        return read_certificates(pem.path)
    held = None if keys.held(pem.key) is Held.PLAIN else keys
    return read_identity(IdentityFiles(pem.path, pem.key, held))


def _certificate(pem: Pem, each: x509.Certificate, *, own: bool, bad: bool) -> Certificate:
    ends_at = each.not_valid_after_utc.timestamp()
    return Certificate(
        pem.what,
        pem.path,
        own,
        pem.by_itself,
        common_name(each.subject),
        each.not_valid_before_utc.timestamp(),
        None if ends_at >= ENDLESS else ends_at,
        bad,
    )


def lists(paths: Sequence[Path]) -> list[RevocationList]:
    """Return what revocation lists say."""
    found: list[RevocationList] = []
    for path in dict.fromkeys(paths):
        try:
            crls = read_crls(path)
        except CertificateError as error:
            found.append(RevocationList(path, error=str(error)))
            continue
        for each in crls:
            end = each.next_update_utc
            ends_at = None if end is None else end.timestamp()
            found.append(RevocationList(path, common_name(each.issuer), ends_at))
    return found
