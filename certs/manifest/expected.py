"""What must lie where, by a manifest: absolute paths with size and digest."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from certs.manifest import record
from certs.manifest.installation import COMPILED, Installation, digest
from certs.manifest.manifest import Distribution, Manifest, ManifestError

UNKNOWN_SIZE: Final = -1


@dataclass(frozen=True, slots=True)
class Expected:
    """A file as it must be.

    Attributes:
        path: Absolute.
        size: Octets; `UNKNOWN_SIZE` where only the digest is listed.
        sha256: Hex digits.
    """

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Damaged:
    """A record that is not the one that was signed, so that its files cannot be judged.

    Attributes:
        path: Of the record.
    """

    path: str


def expected(manifest: Manifest, installation: Installation) -> Iterator[Expected | Damaged]:
    """Yield what a manifest lists, with the files of each distribution's record."""
    root = installation.root
    for package in manifest.packages:
        for entry in package.files:
            yield Expected(str(root / entry.path), entry.size, entry.sha256)
    for distribution in manifest.distributions:
        yield from _of(distribution, installation, compiled=manifest.compiled)


def _of(
    distribution: Distribution, installation: Installation, *, compiled: bool
) -> Iterator[Expected | Damaged]:
    first = installation.sites[0] if installation.sites else installation.root
    sites = (each for each in installation.sites if (each / distribution.folder).is_dir())
    site = next(sites, first)
    listed = site / distribution.folder / record.NAME
    try:
        size, found = digest(listed)
        if found != distribution.record:
            yield Damaged(str(listed))
            return
        written = tuple(record.rows(listed.read_text(encoding="utf-8"), listed))
    except (OSError, UnicodeDecodeError, ManifestError):
        yield Damaged(str(listed))
        return
    yield Expected(str(listed), size, distribution.record)
    for row in written:
        if row.sha256 and (compiled or COMPILED not in PurePosixPath(row.path).parts):
            yield Expected(_absolute(site, row.path), UNKNOWN_SIZE, row.sha256)
    for entry in distribution.loose:
        yield Expected(_absolute(site, entry.path), entry.size, entry.sha256)


def _absolute(site: Path, path: str) -> str:
    """Return where a file is; links on the way to it are not followed, for they may be changed."""
    parts = list(site.parts)
    for part in PurePosixPath(path).parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return str(Path(*parts))
