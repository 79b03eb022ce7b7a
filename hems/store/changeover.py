"""Having a store's file be under a new key: from plain to encrypted, or from one key to another.

Whenever the power goes, one file and one key are there that belong to each other:

    1  NAME.key.draft   the new key, held by the key store
    2  NAME.draft       a whole copy under it, compared and on the disk
    3  NAME.key         becomes the new one: from here on it counts
    4  NAME             becomes the copy; the file before it is NAME.former until
    5                   that one, and its WAL, are written over and removed, and its key is erased

What is found of 1 and 2 at the next start is thrown away; from 3 on it is gone on with.
"""

import contextlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from certs.errors import CertificateError
from certs.keys.erasing import overwrite
from certs.keys.errors import KeyStoreError
from certs.keys.store import KeyStore
from certs.syncing import sync
from hems.store.cipher import StoreFile, StoreKey, beginning, opened
from hems.store.errors import StoreError
from hems.store.key_file import key_path, seal_key
from hems.store.sqlite import file_errors

if TYPE_CHECKING:
    from sqlite3 import Connection

_log = logging.getLogger(__name__)


class Changeover:
    """Has the file of one store be under a new key. Its calls block.

    Args:
        path: The store's file; nobody else has it open.
        keys: What holds its keys.
    """

    def __init__(self, path: Path, keys: KeyStore) -> None:
        self._path = path
        self._keys = keys
        self._key = key_path(path)
        self._draft = _beside(path, ".draft")
        self._draft_key = _beside(self._key, ".draft")
        self._former = _beside(path, ".former")
        self._former_wal = _beside(path, ".former-wal")
        self._former_key = _beside(self._key, ".former")

    def begin(self, present: StoreKey | None) -> StoreKey:
        """Do it; returns the new key.

        Args:
            present: The key of the file as it is; None for a plain one.

        Raises:
            StoreFullError: There is no room for a copy; the file is as it was.
            StoreKeyError: The key store cannot hold the new key; the file is as it was.
            StoreError: The file cannot be read, or is in use; it is as it was.
        """
        self._throw_away()
        key = StoreKey.make()
        seal_key(self._path, self._draft_key, key, self._keys)
        with file_errors(self._path):
            self._copy(present, key)
            if present is not None:
                self._former_key.hardlink_to(self._key)
            self._draft_key.replace(self._key)
            sync(self._path.parent)
        self._end(key)
        return key

    def resume(self, key: StoreKey | None) -> None:
        """Go on with what a power cut ended, or throw it away.

        Args:
            key: The store's key; None where it has none.

        Raises:
            StoreError: It cannot be gone on with; nothing is lost.
        """
        for half in self._key.parent.glob(f".{self._key.name}.*"):  # a key's file, half written
            _write_over(half)
        if key is not None and beginning(self._draft) == key.salt:
            self._end(key)
            return
        self._throw_away()
        if key is not None and beginning(self._path) == key.salt:
            self._wipe_former()

    def _copy(self, present: StoreKey | None, key: StoreKey) -> None:
        wal = _beside(self._path, "-wal")
        if wal.exists():  # SQLite removes it, and does not write it over
            self._former_wal.hardlink_to(wal)
        self._draft.touch(mode=0o600)
        with opened(StoreFile(self._path, present)) as source:
            source.execute("PRAGMA journal_mode=DELETE").fetchall()
            source.execute("ATTACH DATABASE ? AS draft KEY ?", (str(self._draft), key.literal))
            source.execute("PRAGMA draft.journal_mode=OFF").fetchall()
            source.execute("PRAGMA draft.synchronous=OFF")
            source.execute("BEGIN EXCLUSIVE")
            source.execute("SELECT sqlcipher_export('draft')").fetchall()
            source.execute("COMMIT")
            wanted = _counts(source)
            source.execute("DETACH DATABASE draft")
        with opened(StoreFile(self._draft, key)) as copy:
            verdict = copy.execute("PRAGMA quick_check").fetchone()
            if verdict != ("ok",) or _counts(copy) != wanted:
                raise StoreError(f"{self._path}: its copy under a new key is not the same")
            copy.execute("PRAGMA journal_mode=WAL").fetchall()
        sync(self._draft)

    def _end(self, key: StoreKey) -> None:
        with file_errors(self._path):
            if beginning(self._path) != key.salt:
                with contextlib.suppress(FileExistsError, FileNotFoundError):
                    self._former.hardlink_to(self._path)
                # Of the former, should the power have gone: SQLite must not take them for the new.
                for suffix in ("-wal", "-shm", "-journal"):
                    _beside(self._path, suffix).unlink(missing_ok=True)
            self._draft.replace(self._path)
            sync(self._path.parent)
        self._wipe_former()
        _log.info("%s: the store is under a new key", self._path)

    def _wipe_former(self) -> None:
        """Write over what was before; what cannot be is said, for the store is in order."""
        try:
            for path in (self._former, self._former_wal):
                if path.exists():
                    overwrite(path)
            if self._former_key.exists():
                self._erase_key(self._former_key)
        except CertificateError as error:
            _log.warning("what the store was before is not erased: %s", error)

    def _throw_away(self) -> None:
        """Remove a copy that never counted, and its key."""
        with file_errors(self._path):
            self._draft.unlink(missing_ok=True)
            for path in (self._former_wal, self._former):
                if path.exists() and path.stat().st_nlink > 1:  # the store's own still
                    path.unlink()
            if self._former_key.exists() and self._former_key.samefile(self._key):
                self._former_key.unlink()
        if self._former_wal.exists():  # SQLite had written it back, and removed its own name
            _write_over(self._former_wal)
        if self._draft_key.exists():
            try:
                self._erase_key(self._draft_key)
            except CertificateError as error:
                _log.warning("a key that no store has: %s", error)
                self._draft_key.unlink(missing_ok=True)

    def _erase_key(self, path: Path) -> None:
        try:
            self._keys.held(path)
        except KeyStoreError:
            overwrite(path)  # it was written over when the power went, and no more
        else:
            self._keys.erase(path)


def _write_over(path: Path) -> None:
    """Erase what nobody needs; what cannot be, for it is not ours, is said, and in nobody's way."""
    try:
        overwrite(path)
    except CertificateError as error:
        _log.warning("what an interrupted start may have left stays: %s", error)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _counts(connection: "Connection") -> Mapping[str, int]:
    """Return how many rows each table has."""
    names = [
        str(name)
        for (name,) in connection.execute("SELECT name FROM main.sqlite_master WHERE type='table'")
    ]
    return {
        name: connection.execute(f'SELECT count(*) FROM main."{name}"').fetchone()[0]  # noqa: S608 - a table's own name
        for name in names
        if not name.startswith("sqlite_")
    }
