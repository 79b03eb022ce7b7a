"""The store's file, looked at without changing it, whether a hub uses it now or not."""

import asyncio
from pathlib import Path

from certs.errors import CertificateError
from certs.keys.store import KeyStore
from hems.archive.backup import last_backup
from hems.doctor.facts import StoreFacts
from hems.store.cipher import Error, StoreFile, StoreKey, opened
from hems.store.errors import StoreCorruptError, StoreError
from hems.store.integrity import look_over
from hems.store.key_file import key_path, read_key
from hems.store.schema import REVISIONS
from hems.store.sqlite import file_errors


async def store(path: Path, keys: KeyStore) -> StoreFacts:
    """Return how a store is.

    Args:
        path: Its file.
        keys: What holds its key.
    """
    size, error = _size(path)
    damaged, revision, pages = "", None, None
    aside: tuple[str, ...] = ()
    if size and not error:
        try:
            aside = _aside(path)
            file = StoreFile(path, await asyncio.to_thread(_key, path, keys))
            pages = await look_over(file) or None
            revision = await asyncio.to_thread(_revision, file)
        except StoreCorruptError as found:
            damaged = str(found)
        except (StoreError, CertificateError) as found:
            error = str(found)
    return StoreFacts(
        path,
        size,
        error,
        revision,
        REVISIONS[-1],
        pages,
        damaged,
        aside,
        last_backup(path),
        _made_at(key_path(path)),
    )


def _key(path: Path, keys: KeyStore) -> StoreKey | None:
    with file_errors(path):
        return read_key(path, keys) if key_path(path).exists() else None


def _aside(path: Path) -> tuple[str, ...]:
    with file_errors(path):
        found = sorted(path.parent.glob(f"{path.name}.damaged-*"))
    return tuple(str(each) for each in found if not each.name.endswith(("-wal", "-shm")))


def _revision(file: StoreFile) -> str | None:
    """Return the revision of a store's schema; an older one stays as it is.

    Raises:
        StoreError: It cannot be read.
    """
    with file_errors(file.path), opened(file, read_only=True) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except Error as error:
            if "no such table" in str(error):
                return None
            raise
    revision = str(row[0]) if row else None
    if revision is not None and revision not in REVISIONS:
        raise StoreError(
            f"a newer version of this software wrote it (schema {revision}): install that again"
        )
    return revision


def _size(path: Path) -> tuple[int | None, str]:
    """Return how large a file is, None for none; and why that cannot be seen, empty if it can."""
    try:
        return path.stat().st_size, ""
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return 0, f"{path}: {error.strerror or error}"


def _made_at(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except OSError:
        return None
