"""An archive of the hub's software: parts with their hashes, and what it is. Reproducible.

release.json        what it is (`hems.bulletin.Package`)
requirements.txt    each part with its version and hash
wheels/*.whl        the parts
tools/pip-*.whl     what installs them; it gets into no environment
manifest            the signed list of files, for the software agent; where there is one
"""

import hashlib
import io
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from pydantic import ValidationError

from hems.bulletin import Package

RELEASE: Final = "release.json"
REQUIREMENTS: Final = "requirements.txt"
WHEELS: Final = "wheels"
TOOLS: Final = "tools"
MANIFEST: Final = "manifest"
_SINGLE: Final = frozenset({RELEASE, REQUIREMENTS, MANIFEST})
_MOST: Final = 400 * 1024 * 1024
_MOST_PARTS: Final = 400
_MODE: Final = 0o644


class ArchiveError(Exception):
    """It cannot be made, or is none; `str()` says what is wrong."""


def requirements(wheels: Sequence[Path]) -> str:
    """Return what pip is to install: these wheels and no others, octet by octet."""
    lines = []
    for each in sorted(wheels, key=lambda wheel: wheel.name.lower()):
        name, version, *_ = each.name.split("-")
        with each.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        lines.append(f"{name}=={version} --hash=sha256:{digest}\n")
    return "".join(lines)


def make(
    package: Package, wheels: Sequence[Path], pip: Path, to: Path, *, manifest: Path | None = None
) -> None:
    """Make an archive: the same octets for the same parts.

    Args:
        package: What it is.
        wheels: All parts, this software's own among them.
        pip: The wheel of pip.
        to: Where to.
        manifest: The signed list of files.

    Raises:
        ArchiveError: A part is missing, or the archive cannot be written.
    """
    if not any(each.name.startswith(f"hems-{package.version}-") for each in wheels):
        raise ArchiveError(f"no wheel of hems {package.version} is among the parts")
    files: dict[str, Path | bytes] = {
        RELEASE: package.model_dump_json(indent=1).encode(),
        REQUIREMENTS: requirements(wheels).encode(),
        f"{TOOLS}/{pip.name}": pip,
    }
    files |= {f"{WHEELS}/{each.name}": each for each in wheels}
    if manifest is not None:
        files[MANIFEST] = manifest
    draft = to.with_name(f".{to.name}.new")
    try:
        _write(files, draft)
        draft.replace(to)
    except OSError as error:
        raise ArchiveError(f"{error.filename or to}: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)


def read(archive: Path) -> Package:
    """Return what an archive says that it is.

    Raises:
        ArchiveError: It is none.
    """
    try:
        with tarfile.open(archive, "r:") as opened:
            first = opened.next()
            if first is None or first.name != RELEASE or first.size > 1 << 16:
                raise ArchiveError(f"{archive.name}: it does not begin with {RELEASE}")
            file = opened.extractfile(first)
            return Package.model_validate_json(b"" if file is None else file.read())
    except (OSError, tarfile.TarError, ValidationError) as error:
        raise ArchiveError(f"{archive.name}: no release: {error}") from error


def unpack(archive: Path, folder: Path) -> None:
    """Unpack an archive into an empty folder.

    Raises:
        ArchiveError: It holds what does not belong into one, or is too large; or the disk is full.
    """
    try:
        with tarfile.open(archive, "r:") as opened:
            members = opened.getmembers()
            _check(archive.name, members)
            for each in members:
                _lay(opened, each, folder / each.name)
    except (OSError, tarfile.TarError) as error:
        raise ArchiveError(f"{archive.name}: cannot be unpacked: {error}") from error


def _lay(opened: tarfile.TarFile, member: tarfile.TarInfo, to: Path) -> None:
    """Write a part that was checked; Debian 12's `tarfile` knows no filters yet."""
    to.parent.mkdir(exist_ok=True)
    held = opened.extractfile(member)
    if held is None:
        raise ArchiveError(f"{member.name} is no file")
    with held, to.open("xb") as file:
        shutil.copyfileobj(held, file)


def _write(files: Mapping[str, Path | bytes], to: Path) -> None:
    with tarfile.open(to, "w:", format=tarfile.PAX_FORMAT) as made:
        for name, content in sorted(files.items(), key=lambda pair: (pair[0] != RELEASE, pair[0])):
            member = tarfile.TarInfo(name)
            member.mode = _MODE
            if isinstance(content, bytes):
                member.size = len(content)
                made.addfile(member, io.BytesIO(content))
            else:
                member.size = content.stat().st_size
                with content.open("rb") as file:
                    made.addfile(member, file)


def _check(name: str, members: Sequence[tarfile.TarInfo]) -> None:
    if len(members) > _MOST_PARTS or sum(each.size for each in members) > _MOST:
        raise ArchiveError(f"{name}: too large")
    for each in members:
        place = PurePosixPath(each.name)
        wheel = len(place.parts) == 2 and place.parts[0] in {WHEELS, TOOLS}  # noqa: PLR2004 - folder/file
        if not each.isreg() or not (each.name in _SINGLE or (wheel and place.suffix == ".whl")):
            raise ArchiveError(f"{name}: {each.name} does not belong into a release")
