"""The provider's side: a manifest made of an installation that is as it should be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from pydantic import ValidationError

from certs.manifest import record
from certs.manifest.installation import (
    COMPILED,
    IGNORED,
    PACKAGES,
    Installation,
    digest,
    files,
)
from certs.manifest.manifest import (
    Distribution,
    Entry,
    LooseEntry,
    Manifest,
    ManifestError,
    Package,
)

_METADATA: Final = "METADATA"


@dataclass(frozen=True, slots=True)
class Release:
    """What is said of a version beside its files; fields as of `Manifest`."""

    version: str
    publisher: str
    number: int
    valid_from: int
    valid_until: int
    name: str = "hems"
    compiled: bool = False
    closed: bool = True
    boot: Mapping[str, str] = field(default_factory=dict)


def make_manifest(installation: Installation, release: Release) -> Manifest:
    """Return the manifest of an installation.

    Raises:
        ManifestError: A file cannot be read, or what is said of the version cannot be.
    """
    root, ignored = installation.root, tuple(IGNORED)
    without = frozenset(root / each for each in ignored)
    packages = tuple(
        Package(
            name=name,
            files=tuple(
                _entry(path, root)
                for path in files(root / name, compiled=release.compiled, without=without)
            ),
        )
        for name in PACKAGES
    )
    try:
        return Manifest(
            name=release.name,
            version=release.version,
            publisher=release.publisher,
            number=release.number,
            valid_from=release.valid_from,
            valid_until=release.valid_until,
            packages=packages,
            distributions=_distributions(installation, compiled=release.compiled),
            ignored=ignored,
            compiled=release.compiled,
            closed=release.closed,
            boot=dict(release.boot),
        )
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ManifestError(f"no manifest can be made: {place}: {first['msg']}") from error


def _distributions(installation: Installation, *, compiled: bool) -> tuple[Distribution, ...]:
    found = []
    for site in installation.sites:
        for folder in sorted(site.glob("*.dist-info")):
            listed = folder / record.NAME
            if listed.exists():
                found.append(_distribution(site, folder, listed, compiled=compiled))
    return tuple(found)


def _distribution(site: Path, folder: Path, listed: Path, *, compiled: bool) -> Distribution:
    try:
        text = listed.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{listed}: cannot be read: {error}") from error
    loose = []
    for row in record.rows(text, listed):
        path = site / row.path
        bare = not row.sha256 and path != listed
        if bare and (compiled or COMPILED not in PurePosixPath(row.path).parts) and path.exists():
            loose.append(_loose(path, row.path))
    name, version = _named(folder)
    return Distribution(
        name=name,
        version=version,
        folder=folder.name,
        record=_digest(listed)[1],
        loose=tuple(loose),
    )


def _named(folder: Path) -> tuple[str, str]:
    """Return a distribution's name and version by its metadata's first lines."""
    told: dict[str, str] = {}
    try:
        with (folder / _METADATA).open(encoding="utf-8", errors="replace") as file:
            for line in file:
                key, colon, value = line.partition(":")
                if not colon:
                    break
                told.setdefault(key, value.strip())
    except OSError as error:
        raise ManifestError(f"{folder / _METADATA}: cannot be read: {error.strerror}") from error
    try:
        return told["Name"], told["Version"]
    except KeyError:
        raise ManifestError(f"{folder / _METADATA}: names no distribution") from None


def _entry(path: Path, root: Path) -> Entry:
    size, found = _digest(path)
    return Entry(path=path.relative_to(root).as_posix(), size=size, sha256=found)


def _loose(path: Path, written: str) -> LooseEntry:
    size, found = _digest(path)
    return LooseEntry(path=written, size=size, sha256=found)


def _digest(path: Path) -> tuple[int, str]:
    try:
        return digest(path)
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read: {error.strerror}") from error
