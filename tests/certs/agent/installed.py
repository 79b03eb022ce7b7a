"""A small installation on the disk, a provider who signs for it, and its manifest."""

import base64
import hashlib
import os
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

from certs.manifest.check import sign_manifest
from certs.manifest.installation import Installation
from certs.manifest.make import Release, make_manifest
from certs.pem import read_certificates, read_signing_key, write_file
from certs.pki import Pki, init_pki, issue_signer
from certs.signed import Purpose

PUBLISHER = "Example Energy"
REPOSITORY = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Provider:
    """Who signs."""

    pki: Pki

    @classmethod
    def made(cls, folder: Path) -> "Provider":
        pki = init_pki(folder)
        issue_signer(pki, "provider", [Purpose.MANIFEST])
        issue_signer(pki, "other", [Purpose.BULLETIN])
        return cls(pki)

    def sign(
        self, installation: Installation, release: Release, path: Path, signer: str = "provider"
    ) -> None:
        files = self.pki.identity(signer)
        key, chain = read_signing_key(files.key), read_certificates(files.certificate)
        manifest = make_manifest(installation, release)
        write_file(path, sign_manifest(manifest, key, chain), mode=0o644)


def release(number: int = 1, **more: object) -> Release:
    now = int(time.time())
    made = Release("1.0", PUBLISHER, number, now - 60, now + 86_400)
    return replace(made, **more)  # type: ignore[arg-type]


def small(folder: Path) -> Installation:
    """Make an installation of a few files, with somebody else's distribution beside it."""
    for name in ("hems", "der", "programs", "web", "certs"):
        inner = folder / name / "inner"
        inner.mkdir(parents=True)
        (folder / name / "__init__.py").write_text(f'"""{name}"""\n')
        (inner / "rules.py").write_text("LIMIT_W = 5_000\n")
    site = folder.parent / f"{folder.name}-site"
    metadata = site / "other-2.0.dist-info"
    metadata.mkdir(parents=True)
    (site / "other.py").write_text("def f() -> int:\n    return 1\n")
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 2.0\n\n")
    (metadata / "INSTALLER").write_text("pip\n")
    (metadata / "RECORD").write_text(
        "other.py,sha256=" + _record(site / "other.py") + ",27\n"
        "other-2.0.dist-info/METADATA,sha256=" + _record(metadata / "METADATA") + ",48\n"
        "other-2.0.dist-info/INSTALLER,,\n"
        "other-2.0.dist-info/RECORD,,\n"
    )
    return Installation(folder, (site,))


def _record(path: Path) -> str:
    digest = hashlib.sha256(path.read_bytes()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def copied(folder: Path) -> Installation:
    """Copy the software itself, as it is in this checkout."""
    for name in ("hems", "der", "programs", "web", "certs"):
        shutil.copytree(
            REPOSITORY / name,
            folder / name,
            ignore=lambda top, names: [
                n for n in names if n == "__pycache__" or (n == "app" and top.endswith("web"))
            ],
        )
    return Installation(folder)


def flip(path: Path) -> None:
    """Change one byte, and put the times of the file's content back as they were."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[-2] ^= 0x01
    with path.open("r+b") as file:
        file.write(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
