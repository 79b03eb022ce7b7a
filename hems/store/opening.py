"""Making a store's file ready to be used, whatever it is: new, older, plain, or not ours."""

import errno
from pathlib import Path
from typing import Final

from certs.keys.store import KeyStore
from hems.store.changeover import Changeover
from hems.store.cipher import PAGE, Pages, Shape, StoreKey, beginning, shape
from hems.store.errors import StoreAwayError, StoreCorruptError, StoreError, StoreKeyError
from hems.store.key_file import key_path, read_key, seal_key, settle_key
from hems.store.migrate import make, migrate
from hems.store.schema import REVISIONS
from hems.store.sqlite import file_errors, read_revision

MEANWHILE: Final = ".meanwhile"
"""Of the store that is used as long as the key of the home's own cannot be had."""
SIDECARS: Final = ("-wal", "-shm")


def make_ready(path: Path, keys: KeyStore) -> StoreKey:
    """Make a store's file ready to be used; returns its key. Blocks; call it in a thread.

    Args:
        path: The file; nobody else makes it ready at the same time.
        keys: What holds its key.

    Raises:
        StoreCorruptError: It is damaged, or another file is in its place; see `set_aside`.
        StoreKeyError: Its key cannot be had, or belongs to another file: it is left as it is.
        StoreAwayError: It cannot be got at.
        StoreNewerError: A newer version wrote it.
        StoreFullError: There is no room to make or encrypt it.
        StoreError: It cannot be opened for another reason.
    """
    with file_errors(path):
        _place(path)
        key = _key(path, keys)
    _bring_up(path, key)
    with file_errors(path):
        remove_meanwhile(path)
    return key


def make_meanwhile(path: Path, key: StoreKey) -> StoreKey:
    """Make the store ready that is used meanwhile; returns its key.

    Nobody has that key but this process: a store that the owner wants locked by hardware is not
    to be followed by one that lies open. So it begins anew with each start.

    Raises:
        StoreError: It cannot be made.
    """
    file = meanwhile(path)
    with file_errors(file):
        if beginning(file) != key.salt:
            remove_meanwhile(path)
        _place(file)
    _bring_up(file, key)
    return key


def meanwhile(path: Path) -> Path:
    """Return the file that is used while that of a store cannot be opened."""
    return path.with_name(path.name + MEANWHILE)


def remove_meanwhile(path: Path) -> None:
    """Remove what was used meanwhile: nobody has its key any more.

    Raises:
        OSError: It cannot be removed.
    """
    file = meanwhile(path)
    for suffix in ("", *SIDECARS):
        file.with_name(file.name + suffix).unlink(missing_ok=True)


def openable(path: Path, keys: KeyStore) -> bool:
    """Return whether a store could be opened again whose key could not be had before.

    Never where there is no key yet: whether one can be made shows only when it is made.
    """
    if not key_path(path).exists():
        return False
    try:
        with file_errors(path):
            _check_belongs(path, read_key(path, keys))
    except StoreError:
        return False
    return True


def renew(path: Path, keys: KeyStore) -> None:
    """Have a store be under a new key; the hub must not run. Blocks.

    Raises:
        StoreError: It cannot be; it is as it was.
    """
    with file_errors(path):
        present = read_key(path, keys)
        changeover = Changeover(path, keys)
        changeover.resume(present)
        if beginning(path) != present.salt:
            raise StoreKeyError(f"{path}: the key beside it belongs to another file")
        changeover.begin(present)


def _bring_up(path: Path, key: StoreKey) -> None:
    revision = read_revision(path, key)
    if revision is None:
        make(path, key)
    elif revision != REVISIONS[-1]:
        migrate(path, key)


def _place(path: Path) -> None:
    if path.exists() and not path.is_file():
        raise StoreAwayError(f"{path}: not a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Made before SQLite does, so that a home's data is at no moment readable by others; the
        # WAL beside it gets the same mode from SQLite.
        path.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        # Where there was a store before, the disk has failed, and the home goes on without it.
        raise StoreAwayError(f"{path}: cannot be made: {error.strerror}") from error


def _key(path: Path, keys: KeyStore) -> StoreKey:
    changeover = Changeover(path, keys)
    if not key_path(path).exists():
        changeover.resume(None)
        return _first_key(path, keys, changeover)
    key = read_key(path, keys)
    changeover.resume(key)
    _check_belongs(path, key)
    settle_key(path, keys)
    return key


def _first_key(path: Path, keys: KeyStore, changeover: Changeover) -> StoreKey:
    match shape(path):
        case Shape.EMPTY:
            key = StoreKey.make()
            seal_key(path, key_path(path), key, keys)
            return key
        case Shape.PLAIN:
            read_revision(path, None)  # another program's, say, is left as it is
            return changeover.begin(None)
        case Shape.SEALED:
            raise StoreKeyError(f"{path}: its key's file {key_path(path)} is missing")
        case Shape.OTHER:
            raise StoreCorruptError(f"{path}: the file is damaged: it is no store")


def _check_belongs(path: Path, key: StoreKey) -> None:
    """See that a file is the one that a key belongs to.

    Raises:
        StoreCorruptError: It is, and is damaged; or it is no store, or not encrypted any more.
        StoreKeyError: It is another store.
    """
    if beginning(path) == key.salt:
        return
    found = shape(path)
    if found is Shape.EMPTY:
        return
    if found is Shape.PLAIN:
        # Taken for the home's own it would be a way in for who can write files here.
        raise StoreCorruptError(
            f"{path}: the file is damaged: it was encrypted, and what is there now is not"
        )
    if found is Shape.SEALED and not _any_genuine(path, key):
        raise StoreKeyError(f"{path}: the key in {key_path(path)} belongs to another file")
    raise StoreCorruptError(f"{path}: the file is damaged: its beginning is not its own")


def _any_genuine(path: Path, key: StoreKey) -> bool:
    """Return whether a page of the file was written under a key."""
    pages, number = Pages(key), 0
    with path.open("rb") as file:
        while page := file.read(PAGE):
            number += 1
            if pages.genuine(number, page):
                return True
    return False
