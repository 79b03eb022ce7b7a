"""A store's file from outside, as whoever has its key sees it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from certs.keys.store import KeyStore
from hems.store.cipher import StoreFile, StoreKey, opened
from hems.store.key_file import key_path, read_key


def key_of(path: Path) -> StoreKey | None:
    """Return the key of a store that is held as a plain file; None where it has none."""
    return read_key(path, KeyStore()) if key_path(path).exists() else None


@contextmanager
def looked_into(path: Path) -> Iterator[Connection]:
    """Give a block in which a store's file is open; no transaction is begun but by BEGIN."""
    with opened(StoreFile(path, key_of(path))) as connection:
        yield connection


def execute(path: Path, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Execute a statement in a store's file."""
    with looked_into(path) as connection:
        return connection.execute(statement, values).fetchall()
