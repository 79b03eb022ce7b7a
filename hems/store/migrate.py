"""Making a store's file, or bringing an older one to the present revision with Alembic."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

from hems.revisions import Revisions
from hems.store.cipher import DRIVER, StoreKey, unlock
from hems.store.schema import REVISIONS, metadata
from hems.store.sqlite import store_errors

_revisions: Final = Revisions(Path(__file__).parent / "migrations", REVISIONS)


def make(path: Path, key: StoreKey | None) -> None:
    """Make the tables of a new, empty file as of the present revision, in one transaction.

    Without Alembic: a test holds `hems.store.schema` and the migrations together. Blocks; call it
    in a thread.

    Args:
        path: The file.
        key: Its key; None for one that is not encrypted.

    Raises:
        StoreError: SQLite refused; the file is as it was.
    """
    with changing(path, key) as connection:
        metadata.create_all(connection)
        _revisions.stamp(connection)


def migrate(path: Path, key: StoreKey | None) -> None:
    """Migrate the file to the present revision, in one transaction: all of it or nothing.

    Blocks; call it in a thread. Arguments as of `make`.

    Raises:
        StoreError: SQLite refused; the file is as it was.
    """
    with changing(path, key) as connection:
        _revisions.upgrade(connection)


@contextmanager
def changing(path: Path, key: StoreKey | None) -> Iterator[Connection]:
    """Give a connection in one transaction: all of what is done in it stands, or nothing.

    Arguments and errors as of `make`.
    """
    engine = create_engine(
        f"sqlite:///{path}",
        module=DRIVER,
        poolclass=NullPool,
        connect_args={"isolation_level": None},
    )
    event.listen(engine, "connect", lambda connection, _: unlock(connection, key))
    event.listen(engine, "begin", begin)
    with store_errors(path), engine.begin() as connection:
        yield connection


def begin(connection: Connection) -> None:
    """Open a real transaction: the driver leaves DDL and SELECT outside of one."""
    connection.exec_driver_sql("BEGIN")
