"""Fetches one file to disk, piece by piece, and goes on where it was cut off.

The file grows under a temporary name and gets its own only when it is whole and found good; a
restart of the home takes up the temporary one. Nothing is kept in memory but one piece.
"""

import asyncio
import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hems.sep2 import resources as res
from hems.sep2.errors import PermanentError, RejectedError, Sep2Error
from hems.sep2.transport.http import Transport

PIECE: Final = 1 << 18
"""Octets asked for at a time."""
MOST: Final = 1 << 28
"""Length of the longest file that is fetched, in octets."""
_RANGE_REFUSED: Final = 416

Verify = Callable[[Path, res.File], Awaitable[None]]
"""Looks at a whole file (its signature, its digest); raises `FileError` if it is not good."""


class FileError(PermanentError):
    """A file cannot be taken, or was taken and is not good; `str()` says which and why."""


class StorageError(Sep2Error):
    """A file cannot be kept: no room, no right to write; `str()` says where and why."""


@dataclass(frozen=True, slots=True)
class Store:
    """Where files are kept.

    Attributes:
        folder: Made if it is missing.
        most: Length of the longest file that is taken, in octets.
        piece: Octets asked for at a time.
    """

    folder: Path
    most: int = MOST
    piece: int = PIECE


class Download:
    """One file on its way.

    Args:
        transport: Way to the server.
        file: What to fetch.
        store: Where to.
        verify: Says whether the whole is good.
    """

    def __init__(self, transport: Transport, file: res.File, store: Store, verify: Verify) -> None:
        self._transport = transport
        self._file = file
        self._store = store
        self._verify = verify
        self._validator: str | None = None
        key = f"{file.type:04x} {file.mf_id} {file.mf_model} {file.mf_ver} {file.size}"
        name = hashlib.sha256(f"{key} {file.file_uri}".encode()).hexdigest()[:24]
        self.path = store.folder / f"{name}.bin"
        """Where the file is once it is whole and good."""
        self._part = store.folder / f"{name}.part"

    @property
    def _name(self) -> str:
        return f"file {self._file.mf_model} {self._file.mf_ver} ({self._file.file_uri})"

    async def fetch(self, progress: Callable[[int], Awaitable[None]]) -> None:
        """Fetch what is missing.

        Args:
            progress: Told the octets that are there, before the first request and after each.

        Raises:
            FileError: The server's file is not the one that it describes.
            StorageError: It cannot be kept.
            Sep2Error: The server does not give it now; what is there stays for the next time.
        """
        file, store = self._file, self._store
        if not 0 < file.size <= store.most:
            raise FileError(f"{self._name}: {file.size} octets; 1 to {store.most} are taken")
        have = await self._prepare()
        await progress(have)
        while have < file.size:
            length = min(store.piece, file.size - have)
            try:
                piece = await self._transport.piece(
                    file.file_uri, have, length, unchanged=self._validator
                )
            except RejectedError as error:
                if error.status != _RANGE_REFUSED or not have:
                    raise
                await self._discard()
                raise FileError(f"{self._name}: is shorter than its {file.size} octets") from error
            changed = self._validator is not None and piece.validator != self._validator
            if (piece.total is not None and piece.total != file.size) or not piece.data:
                await self._discard()
                raise FileError(
                    f"{self._name}: the server has {piece.total} octets, not {file.size}"
                )
            if piece.start + len(piece.data) > file.size:
                await self._discard()
                raise FileError(f"{self._name}: more came than its {file.size} octets")
            if changed and piece.start:
                await self._discard()
                raise FileError(f"{self._name}: changed while it was fetched; it begins anew")
            self._validator = piece.validator
            await _in_thread(self._part, _write, self._part, piece.start, piece.data)
            have = piece.start + len(piece.data)
            await progress(have)

    async def finish(self) -> Path:
        """Have the whole checked, and give it its own name.

        Raises:
            FileError: It is not good; it is thrown away.
            StorageError: It cannot be kept.
        """
        try:
            await self._verify(self._part, self._file)
        except FileError:
            await self._discard()
            raise
        await _in_thread(self._part, _move, self._part, self.path)
        return self.path

    async def is_here(self) -> bool:
        """Whether the file was fetched and found good before."""
        return await _in_thread(self.path, _length, self.path) == self._file.size

    async def _prepare(self) -> int:
        """Make room; return how much of the file is there already."""
        have = await _in_thread(self._part, _prepare, self._part, self._file.size)
        if have > self._file.size:
            await self._discard()
            return 0
        return have

    async def _discard(self) -> None:
        self._validator = None
        await _in_thread(self._part, _remove, self._part)


async def _in_thread(path: Path, work: Callable[..., int | None], *args: object) -> int:
    """Do file work aside, so that a slow disk holds up nothing; returns octets, where it counts."""
    try:
        return await asyncio.to_thread(work, *args) or 0
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageError(f"{path}: the disk is full") from error
        raise StorageError(f"{path}: {error.strerror or error}") from error


def _length(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _prepare(part: Path, size: int) -> int:
    part.parent.mkdir(parents=True, exist_ok=True)
    _remove_others(part)
    have = _length(part)
    if shutil.disk_usage(part.parent).free < size - have:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return have


def _write(part: Path, start: int, data: bytes) -> None:
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.truncate(start)
        file.seek(start)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _remove_others(path: Path) -> None:
    """Remove what an earlier file left in the folder, under the same kind of name."""
    for other in path.parent.glob(f"*{path.suffix}"):
        if other != path:
            _remove(other)


def _move(part: Path, path: Path) -> None:
    part.replace(path)
    _remove_others(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _remove(part: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        part.unlink()
