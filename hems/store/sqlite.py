"""SQLite itself: looking at a file before it is used, its settings, its errors in our words."""

import contextlib
import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import DBAPIError

from hems.store.cipher import DRIVER, Error, StoreFile, StoreKey, opened
from hems.store.errors import (
    StoreAwayError,
    StoreBusyError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreNewerError,
)
from hems.store.schema import REVISIONS, effects, events, responses, server_offsets

if TYPE_CHECKING:
    from sqlite3 import Connection

_CHECKED: Final = (events, responses, server_offsets, effects)
"""Tables checked page by page at each start. They are small; a year of history is not."""

_PRIMARY: Final = 0xFF
"""The low byte of an extended SQLite result code is the primary one."""

_OUT_OF_REACH: Final = (
    DRIVER.SQLITE_CANTOPEN,
    DRIVER.SQLITE_PERM,
    DRIVER.SQLITE_READONLY,
    DRIVER.SQLITE_IOERR,
)
_LOG_HISTORY: Final = 1000
"""Pages of the log (4 MB) after which who writes the history writes it back into the file."""
_LOG_LEDGER: Final = 4000
"""The same for the ledger: only where no history is written. An event is not to wait for it."""
_PIECE: Final = 1 << 20
_NEARLY_NOTHING: Final = 64 * 1024
"""Bytes free on a disk on which SQLite's I/O errors mean that it is full."""


def read_revision(path: Path, key: StoreKey | None) -> str | None:
    """Return the schema revision of a store's file, None where it is new and empty.

    Args:
        path: The file.
        key: Its key; None for one that is not encrypted.

    Raises:
        StoreCorruptError: It is damaged, or no SQLite file at all.
        StoreNewerError: Its revision is not known here.
        StoreError: It is an SQLite file of something else, or cannot be opened.
    """
    # A plain one is only looked at: SQLite would remove its WAL, which is to be written over.
    plain = key is None
    with store_errors(path), opened(StoreFile(path, key), read_only=plain) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if not tables:
            return None
        if "alembic_version" not in tables:
            raise StoreError(f"{path}: an SQLite file, but not of this software")
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        revision = str(row[0]) if row else ""
        if revision not in REVISIONS:
            raise StoreNewerError(
                f"{path}: has revision {revision!r}, but this version knows only up to "
                f"{REVISIONS[-1]!r}; a newer version wrote it, which can open it"
            )
        for table in _CHECKED:
            if table.name in tables:
                _check(path, connection, table.name)
    return revision


def set_aside(path: Path, now: float) -> Path:
    """Rename a damaged file, and what belongs to it, so that a new one can be made.

    Args:
        path: The store's file.
        now: UTC epoch seconds, for its new name.

    Returns:
        Where it is kept, for whoever may want to rescue something from it.

    Raises:
        StoreError: It cannot be renamed.
    """
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    kept = path.with_name(f"{path.name}.damaged-{stamp}")
    number = 1
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    try:
        for suffix in ("-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                path.with_name(path.name + suffix).rename(kept.with_name(kept.name + suffix))
        path.rename(kept)
    except OSError as error:
        raise StoreError(f"{path}: cannot be set aside: {error.strerror}") from error
    return kept


def pragmas(*, durable: bool) -> tuple[str, ...]:
    """Return the settings of a connection.

    Args:
        durable: Whether a commit must be on the disk before it returns (synchronous=FULL). In
            WAL mode without it, a power cut loses the last seconds but damages nothing.
    """
    return (
        "PRAGMA journal_mode=WAL",
        f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}",
        "PRAGMA busy_timeout=5000",
        "PRAGMA journal_size_limit=8388608",
        f"PRAGMA wal_autocheckpoint={_LOG_LEDGER if durable else _LOG_HISTORY}",
    )


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Turn errors of SQLite, and of SQLAlchemy over it, into errors of the store."""
    try:
        yield
    except DBAPIError as error:
        raise _translate(path, error.orig or error) from error
    except Error as error:
        raise _translate(path, error) from error
    except MemoryError as error:
        # SQLite's NOMEM, which SQLCipher gives where a page under a transaction is not its own.
        _check_there(path, error)
        raise StoreCorruptError(
            f"{path}: the file is damaged, or there is no memory left to read it"
        ) from error


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Turn errors of files, too, into errors of the store."""
    try:
        with store_errors(path):
            yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StoreFullError(f"{path}: the disk is full; nothing was written") from error
        raise StoreAwayError(f"{path}: {error.strerror or error}") from error


def _translate(path: Path, error: BaseException) -> StoreError:
    code = getattr(error, "sqlite_errorcode", None)
    primary = DRIVER.SQLITE_ERROR if code is None else code & _PRIMARY
    if primary == DRIVER.SQLITE_FULL:
        return StoreFullError(f"{path}: the disk is full; nothing was written")
    if primary in (DRIVER.SQLITE_IOERR, DRIVER.SQLITE_CANTOPEN) and _disk_full(path):
        # The WAL's index is a memory map: a full disk shows there as an I/O error.
        return StoreFullError(f"{path}: the disk is full; nothing was written")
    if primary in (DRIVER.SQLITE_CORRUPT, DRIVER.SQLITE_NOTADB):
        _check_there(path, error)
        return StoreCorruptError(f"{path}: the file is damaged: {error}")
    if primary in (DRIVER.SQLITE_BUSY, DRIVER.SQLITE_LOCKED):
        return StoreBusyError(f"{path}: another process keeps it locked")
    if primary in _OUT_OF_REACH:
        return StoreAwayError(f"{path}: {error}")
    return StoreError(f"{path}: {error}")


def read_through(path: Path) -> None:
    """Read all of a file, to see whether its disk gives it.

    Raises:
        StoreAwayError: It does not: whatever else was said of the file, that is why.
    """
    with file_errors(path), path.open("rb") as file:
        while file.read(_PIECE):
            pass


def _check_there(path: Path, cause: BaseException) -> None:
    """See that a file that seems to be damaged can be had: one on a disk that has gone seems so.

    Raises:
        StoreAwayError: It cannot.
    """
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        raise StoreAwayError(f"{path}: {error.strerror or error}") from cause


def _disk_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _NEARLY_NOTHING
    except OSError:
        return False


def _check(path: Path, connection: "Connection", table: str) -> None:
    (verdict,) = connection.execute(f"PRAGMA quick_check({table})").fetchone()
    if verdict != "ok":
        raise StoreCorruptError(f"{path}: the file is damaged: {verdict}")
