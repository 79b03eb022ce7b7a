"""Erasing a home for good: keys, settings and data.

The store's key goes first: what it locked is worth nothing without it. Each file is written over
before it is removed. On flash that is no proof: the disk may write elsewhere and keep the old
cells until it clears them, so only a key that was in hardware, an encrypted disk, or destroying
it, is one. Backups elsewhere, and what others were told, stay.
"""

import hashlib
import logging
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from certs.syncing import sync
from der.sentence import say
from hems.archive.belongings import Belongings
from hems.archive.errors import ArchiveError
from hems.store.cipher import Shape, shape

_log = logging.getLogger(__name__)

MARK: Final = ".wipe"
"""Stands in the folder from the decision until all is gone: a power cut does not stop it."""
_PIECE: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Gone:
    """A file that was erased.

    Attributes:
        path: Where it was.
        size: Octets that were written over.
        sha256: Of what it had, hex digits, where that was encrypted; empty otherwise.
    """

    path: Path
    size: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of it.

    Attributes:
        gone: What is not there any more, as was looked for afterwards.
        left: What could not be erased, each with the reason.
    """

    gone: tuple[Gone, ...]
    left: tuple[str, ...]


def mark(folder: Path) -> None:
    """Decide it: the next start erases the home, if this one does not get that far.

    Raises:
        ArchiveError: The folder cannot be written to.
    """
    try:
        (folder / MARK).touch(mode=0o600)
        sync(folder)
    except OSError as error:
        why = error.strerror or str(error)
        raise ArchiveError(say("The home cannot be erased: {why}.", why=why)) from error


def marked(folder: Path) -> bool:
    """Return whether it was decided and not ended; not of a folder that is closed to this user."""
    try:
        return (folder / MARK).exists()
    except PermissionError:
        return False


def doomed(belongings: Belongings) -> Iterator[Path]:
    """Yield every file that is erased."""
    if belongings.store_key.is_file():
        yield belongings.store_key
    yield from belongings.store_files()
    for path in belongings.leftovers:
        if path.is_dir():
            yield from (each for each in sorted(path.rglob("*")) if each.is_file())
        elif path.is_file():
            yield path
    for folder in belongings.folders:
        yield from (each for each in sorted(folder.rglob("*")) if each.is_symlink())
    yield from belongings.kept()  # last: it says where the others are, should the power go


def erase(belongings: Belongings) -> Proof:
    """Erase all that belongs to a home; the hub must not run. Blocks.

    Keys go first, the store's before all: what they locked is worth nothing without them.
    """
    gone, left = [], []
    links: dict[Path, None] = {}
    plain = shape(belongings.store) is Shape.PLAIN
    locked = set() if plain else set(belongings.store_files())
    files = dict.fromkeys(doomed(belongings))
    for path in sorted(files, key=lambda path: _turn(path, belongings)):
        link = _link(path, belongings.folder)
        if link is not None:
            links[link] = None
            continue
        try:
            digest = _digest(path) if path in locked else ""
            size = _overwrite(path)
            path.unlink()
        except OSError as error:
            left.append(f"{path}: {error.strerror}")
            continue
        if path.exists():
            left.append(f"{path}: is there again")
        else:
            gone.append(Gone(path, size, digest))
    left += [_unlinked(link) for link in links]
    for folder in (*belongings.folders, *belongings.leftovers):
        if folder.is_dir():
            shutil.rmtree(folder, ignore_errors=True)
    if not left:
        (belongings.folder / MARK).unlink(missing_ok=True)
    _log.warning("erased: %d files, %d left", len(gone), len(left))
    return Proof(tuple(gone), tuple(left))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _turn(path: Path, belongings: Belongings) -> int:
    """Return when a file's turn is: what says where the others are is last."""
    if path == belongings.store_key:
        return 0
    return {".key": 1, ".toml": 3}.get(path.suffix, 2)


def _link(path: Path, folder: Path) -> Path | None:
    """Return the link through which a file of a home is reached, the outermost; None for none."""
    above = (each for each in path.parents if each != folder and each.is_relative_to(folder))
    return next((each for each in (*reversed(tuple(above)), path) if each.is_symlink()), None)


def _unlinked(link: Path) -> str:
    """Remove a link; returns that what it stands for is left, for that may be others' as well."""
    target = link.resolve()
    try:
        link.unlink()
    except OSError as error:
        return f"{link}: {error.strerror}"
    return f"{target}: is left, for it lies elsewhere; {link} stood for it"


def _overwrite(path: Path) -> int:
    size = path.stat().st_size
    with path.open("r+b", buffering=0) as file:
        for start in range(0, size, _PIECE):
            file.write(os.urandom(min(_PIECE, size - start)))
        os.fsync(file.fileno())
    return size
