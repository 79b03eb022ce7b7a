"""Many homes, each with a key and a certificate of its own, made once and kept in a folder."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization

from certs import cas, issue
from certs.hwname import HardwareName
from certs.identity import lfdi
from certs.issue import Validity
from certs.pem import der
from certs.pki import HARDWARE_TYPE, Pki

_INDEX: Final = "lfdis.json"


def home_file(folder: Path, number: int) -> Path:
    """Return where a home's key and certificates lie."""
    return folder / f"{number:06d}.pem"


def make_homes(pki: Pki, folder: Path, count: int) -> list[str]:
    """Make the homes that are not there yet.

    Args:
        pki: Who issues their certificates.
        folder: Where they lie, a file each.
        count: How many there are to be.

    Returns:
        Their LFDIs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / _INDEX
    known: list[str] = json.loads(index.read_text()) if index.is_file() else []
    if len(known) < count:
        mica = cas.authority(pki.ca, "mica")
        above = _pem(mica) + _pem(cas.authority(pki.ca, "mca"))
        validity = Validity.since(datetime.now(UTC))
        for number in range(len(known), count):
            key = issue.new_key()
            name = HardwareName(HARDWARE_TYPE, f"home-{number}".encode())
            certificate = issue.issue_device(mica, key.public_key(), name, validity)
            secret = key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            own = certificate.public_bytes(serialization.Encoding.PEM)
            path = home_file(folder, number)
            path.touch(mode=0o600)
            path.write_bytes(secret + own + above)
            known.append(lfdi(der(certificate)))
        index.write_text(json.dumps(known))
    return known[:count]


def _pem(authority: issue.Authority) -> bytes:
    return authority.certificate.public_bytes(serialization.Encoding.PEM)
