"""The file beside the store's that says how its key is held; what is in it, the key store writes.

`hems.db.key` belongs to `hems.db` and to no other file: the key has the salt with which that one
begins.
"""

import errno
import logging
from pathlib import Path

from certs.errors import CertificateError
from certs.keys.store import KeyStore
from hems.store.cipher import StoreKey
from hems.store.errors import StoreError, StoreFullError, StoreKeyError

_log = logging.getLogger(__name__)


def key_path(store: Path) -> Path:
    """Return the key's file of a store."""
    return store.with_name(f"{store.name}.key")


def read_key(store: Path, keys: KeyStore) -> StoreKey:
    """Return the key of a store.

    Args:
        store: The store's file.
        keys: What holds its key.

    Raises:
        StoreKeyError: It cannot be had.
    """
    path = key_path(store)
    try:
        return StoreKey.unpacked(keys.unseal(path))
    except (CertificateError, ValueError) as error:
        raise StoreKeyError(f"{store}: its key cannot be had: {error}") from error


def seal_key(store: Path, path: Path, key: StoreKey, keys: KeyStore) -> None:
    """Have the key store keep a key.

    Args:
        store: The store's file.
        path: The key's file.
        key: The key.
        keys: What is to hold it.

    Raises:
        StoreFullError: There is no room for the file.
        StoreKeyError: It cannot be kept.
    """
    try:
        keys.seal(path, key.packed)
    except CertificateError as error:
        raise _translated(store, error) from error


def settle_key(store: Path, keys: KeyStore) -> None:
    """Have the key store that is configured hold a key that was plain until now.

    A store that was used before one was configured, or has come from a backup, has such a one;
    where that fails it stays as it is, and opens.
    """
    path = key_path(store)
    try:
        if keys.held(path) is not keys.keeps and keys.move(path):
            _log.info("%s: the store's key is held by the key store now", path)
    except CertificateError as error:
        _log.warning("the store's key stays as it is: %s", error)


def _translated(store: Path, error: CertificateError) -> StoreError:
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.errno == errno.ENOSPC:
        return StoreFullError(f"{store}: the disk is full; nothing was written")
    return StoreKeyError(f"{store}: its key cannot be kept: {error}")
