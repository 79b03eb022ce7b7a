"""What belongs to a home on the disk."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hems.store.key_file import key_path

SIDECARS: Final = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a file."""


@dataclass(frozen=True, slots=True)
class Belongings:
    """What belongs to a home on the disk; paths are absolute, and need not be there.

    Attributes:
        folder: The home's folder.
        store: Its store, an SQLite file; its key's file is beside it.
        files: Its other files within the folder.
        folders: Folders within it of which every file is its own.
        leftovers: What is erased with it but never kept: states of moments, former versions.
        outside: Files that its configuration names elsewhere: they are left where they are.
    """

    folder: Path
    store: Path
    files: tuple[Path, ...]
    folders: tuple[Path, ...] = ()
    leftovers: tuple[Path, ...] = ()
    outside: tuple[Path, ...] = ()

    def kept(self) -> Iterator[Path]:
        """Yield the files that are there, each once, but for the store."""
        found = [path for path in self.files if path.is_file()]
        for folder in self.folders:
            found += sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
        yield from dict.fromkeys(found)

    @property
    def store_key(self) -> Path:
        """The file that says how the store's key is held."""
        return key_path(self.store)

    def store_files(self) -> Iterator[Path]:
        """Yield the store's files that are there."""
        for path in (self.store, *(self.store.with_name(self.store.name + s) for s in SIDECARS)):
            if path.is_file():
                yield path
