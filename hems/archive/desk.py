"""Backup, restore and wiping of the running home, one at a time, in threads of their own."""

import asyncio
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from certs.keys.store import KeyStore
from der.sentence import say
from hems.archive import swap, unpack, wipe
from hems.archive.backup import ASIDE, STORE, Manifest, make_backup
from hems.archive.belongings import Belongings
from hems.archive.errors import ArchiveError
from hems.clock import Clock

FOLDER: Final = ".backups"
"""Beside the configuration: files that are on their way to or from a browser."""
PIECE: Final = 1 << 20
"""Most octets of one piece of a file that is sent here."""
_MADE: Final = ".hems-backup"
_SENT: Final = ".sent"
_ID: Final = 8


class BusyError(ArchiveError):
    """Another of these is under way."""


class UnknownFileError(ArchiveError):
    """There is no such file, or not any more."""


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that waits to be fetched.

    Attributes:
        id: By which it is fetched.
        size: Octets.
        manifest: What it has.
    """

    id: str
    size: int
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Premises:
    """What the desk knows of the home.

    Attributes:
        name: What it is called.
        belongings: What belongs to it on the disk, now.
        check: Returns where the store of an unpacked backup belongs, by the folder of its
            files; raises ArchiveError where its settings cannot be used.
        again: Ends the running home in order and has the hub start anew.
        keys: Returns what holds the store's key.
    """

    name: Callable[[], str]
    belongings: Callable[[], Belongings]
    check: Callable[[Path], Path]
    again: Callable[[], None]
    keys: Callable[[], KeyStore] = KeyStore


class Desk:
    """Where backup, restore and wiping are asked for.

    Args:
        premises: What it knows of the home.
        clock: Where the time comes from.
    """

    def __init__(self, premises: Premises, clock: Clock) -> None:
        self._home = premises
        self._clock = clock
        self._busy = asyncio.Lock()

    async def backup(self, passphrase: str) -> Made:
        """Make a backup; those made before are removed.

        Raises:
            ArchiveError: It cannot be made, or another is under way.
        """
        async with _alone(self._busy):
            return await asyncio.to_thread(self._backup, passphrase)

    def made(self, name: str) -> Path:
        """Return where a backup lies that was made.

        Raises:
            UnknownFileError: There is none.
        """
        return self._file(name, _MADE)

    async def begin(self) -> str:
        """Begin to take a file piece by piece; returns its id. One before it is forgotten."""

        def make() -> str:
            folder = self._emptied(_SENT)
            name = secrets.token_hex(_ID)
            (folder / f"{name}{_SENT}").touch(mode=0o600)
            return name

        return await asyncio.to_thread(make)

    async def take(self, name: str, offset: int, piece: bytes) -> int:
        """Take a piece of a file; returns how long it is now.

        Args:
            name: Its id.
            offset: Where the piece belongs; one that was taken already may come again.
            piece: At most `PIECE` octets.

        Raises:
            UnknownFileError: There is no such file.
            ArchiveError: The piece leaves a gap, or there is no room for it.
        """
        return await asyncio.to_thread(_append, self._file(name, _SENT), offset, piece)

    async def look(self, name: str, passphrase: str) -> Manifest:
        """Return what a file that was sent has.

        Raises:
            ArchiveError: It cannot be read.
        """
        path = self._file(name, _SENT)
        async with _alone(self._busy):
            return await asyncio.to_thread(unpack.look, path, passphrase)

    async def restore(self, name: str, passphrase: str) -> Manifest:
        """Check all of a file that was sent, and start anew with what is in it.

        Raises:
            ArchiveError: It cannot be read or used; nothing has changed.
        """
        path = self._file(name, _SENT)
        async with _alone(self._busy):
            manifest = await asyncio.to_thread(
                stage, path, passphrase, self._home.belongings(), self._home.check
            )
        self._home.again()
        return manifest

    def doomed(self) -> list[str]:
        """Return every file that wiping erases."""
        return [str(path) for path in wipe.doomed(self._home.belongings())]

    async def wipe(self, typed: str) -> None:
        """Erase the home once it has stopped; the hub starts anew, as on its first day.

        Args:
            typed: What the home is called, typed by who wants it.

        Raises:
            ArchiveError: Something else was typed, or it cannot be begun.
        """
        if typed.strip() != self._home.name():
            raise ArchiveError(say("That is not what this home is called; nothing was erased."))
        async with _alone(self._busy):
            wipe.mark(self._home.belongings().folder)
        self._home.again()

    def _backup(self, passphrase: str) -> Made:
        folder = self._emptied(_MADE)
        name = secrets.token_hex(_ID)
        path = folder / f"{name}{_MADE}"
        manifest = make_backup(
            path,
            passphrase,
            self._home.belongings(),
            self._home.name(),
            self._clock.now(),
            keys=self._home.keys(),
        )
        return Made(name, path.stat().st_size, manifest)

    def _emptied(self, suffix: str) -> Path:
        """Return the folder of files on their way, without those of a kind."""
        folder = self._home.belongings().folder / FOLDER
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            for old in folder.glob(f"*{suffix}"):
                old.unlink()
            for half in folder.glob(f"{ASIDE}*"):  # the power went while one was made
                shutil.rmtree(half, ignore_errors=True)
        except OSError as error:
            why = error.strerror or str(error)
            raise ArchiveError(say("The backup cannot be made: {why}.", why=why)) from error
        return folder

    def _file(self, name: str, suffix: str) -> Path:
        path = self._home.belongings().folder / FOLDER / f"{name}{suffix}"
        if not (len(name) == 2 * _ID and name.isalnum() and path.is_file()):
            raise UnknownFileError(say("This file is not here any more; begin again."))
        return path


def stage(
    source: Path, passphrase: str, present: Belongings, check: Callable[[Path], Path]
) -> Manifest:
    """Unpack a backup, check all of it and write down that the next start puts it in place.

    Args:
        source: The backup.
        passphrase: What it was locked with.
        present: What belongs to the home now.
        check: See `Premises`.

    Raises:
        ArchiveError: It cannot be read or used; nothing has changed.
    """
    folder = swap.staging(present.folder)
    manifest = unpack.unpack(source, passphrase, folder)
    try:
        store = check(folder / "files")
        _make_fit(folder, manifest)
        swap.plan(present, manifest, store)
    except ArchiveError:
        unpack.discard(folder)
        raise
    return manifest


def _make_fit(folder: Path, manifest: Manifest) -> None:
    if (folder / STORE).exists():
        unpack.let_nobody_in(folder / STORE, manifest.made_at)
    elif not manifest.files:
        raise ArchiveError(say("The backup is empty."))


def _append(path: Path, offset: int, piece: bytes) -> int:
    try:
        length = path.stat().st_size
        if not 0 <= offset <= length:
            raise ArchiveError(
                say("A piece of the file is missing: {length} octets are here.", length=length)
            )
        with path.open("r+b") as file:
            file.seek(offset)
            file.write(piece)
            file.truncate()
            return file.tell()
    except OSError as error:
        why = error.strerror or str(error)
        raise ArchiveError(say("The file cannot be kept: {why}.", why=why)) from error


class _alone:  # noqa: N801 - reads as the statement that it is
    """Holds a lock that nobody waits for."""

    def __init__(self, lock: asyncio.Lock) -> None:
        self._lock = lock

    async def __aenter__(self) -> None:
        if self._lock.locked():
            raise BusyError(say("A backup or restore is under way; wait until it is done."))
        await self._lock.acquire()

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()
