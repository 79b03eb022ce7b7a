"""An installation as it lies on the disk: its files by folder, and what of it is looked at."""

import hashlib
import os
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import Final

from certs.manifest.manifest import ManifestError

PACKAGES: Final = ("hems", "der", "programs", "web", "certs")
IGNORED: Final = ("web/app",)
"""The page's sources; what is built of them is in web/static."""
COMPILED: Final = "__pycache__"
_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Installation:
    """Where the software is.

    Attributes:
        root: The folder that its packages are in.
        sites: Folders of others' software.
    """

    root: Path
    sites: tuple[Path, ...] = ()

    @classmethod
    def present(cls) -> "Installation":
        """Return the one that this program runs from."""
        spec = util.find_spec("certs")
        if spec is None or spec.origin is None:
            raise ManifestError("it is not known from where this program runs")
        paths = (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
        sites = dict.fromkeys(Path(path).resolve() for path in paths)
        return cls(Path(spec.origin).resolve().parent.parent, tuple(sites))


def files(top: Path, *, compiled: bool, without: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """Yield the files below a folder, in order; links to folders are not followed.

    Args:
        top: The folder.
        compiled: Whether with compiled files.
        without: Folders that are left out.

    Raises:
        ManifestError: A folder cannot be read.
    """
    try:
        entries = sorted(os.scandir(top), key=lambda entry: entry.name)
    except OSError as error:
        raise ManifestError(f"{top}: cannot be read: {error.strerror}") from error
    for entry in entries:
        path = Path(entry.path)
        if not entry.is_dir(follow_symlinks=False):
            yield path
        elif (compiled or entry.name != COMPILED) and path not in without:
            yield from files(path, compiled=compiled, without=without)


def digest(path: Path) -> tuple[int, str]:
    """Return a file's size and SHA-256 in hex digits.

    Raises:
        OSError: It cannot be read.
    """
    found, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            found.update(piece)
            size += len(piece)
    return size, found.hexdigest()
