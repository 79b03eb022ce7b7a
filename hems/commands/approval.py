"""The demo's service provider: it approves, by a manifest, the software that is there."""

import shutil
import time
from importlib.metadata import version
from pathlib import Path
from typing import Final

from certs.manifest.check import sign_manifest
from certs.manifest.installation import Installation
from certs.manifest.make import Release, make_manifest
from certs.pem import read_certificates, read_signing_key, write_file
from certs.pki import Pki, issue_signer
from certs.signed import Purpose
from hems.commands.scene import MANIFEST, PROVIDERS, REVOKED

_PROVIDER: Final = "provider"
_PUBLISHER: Final = "Example Energy"
_DAY_S: Final = 86_400


def approve(pki: Pki, installation: Installation | None, folder: Path) -> None:
    """Write an installation's manifest into a hub's folder, with its root and revocation lists.

    Args:
        pki: The demo's.
        installation: What is approved; None for what runs here, without others' software, which
            comes and goes on a maker's machine.
        folder: The hub's.

    Raises:
        CertificateError: A file cannot be read or written.
    """
    files = pki.identity(_PROVIDER)
    if not files.certificate.exists():
        issue_signer(pki, _PROVIDER, [Purpose.MANIFEST])
    here = installation or Installation(Installation.present().root)
    now = int(time.time())
    release = Release(version("hems"), _PUBLISHER, now, now - _DAY_S, now + 365 * _DAY_S)
    manifest = make_manifest(here, release)
    key, chain = read_signing_key(files.key), read_certificates(files.certificate)
    write_file(folder / MANIFEST, sign_manifest(manifest, key, chain), mode=0o644)
    shutil.copyfile(pki.trust.roots, folder / PROVIDERS)
    shutil.copyfile(pki.trust.crls, folder / REVOKED)
