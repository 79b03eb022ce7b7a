"""The store's file, open: one durable connection for the ledger, one beside it for the history.

They are apart so that a chart over a year, or the clearing of old samples, never stands before
the transaction that an event waits for.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from hems.store.connection import Connection, Connections
from hems.store.migrate import begin, make, migrate
from hems.store.schema import REVISIONS
from hems.store.sqlite import pragmas, read_revision, store_errors


class Database:
    """A store's file.

    Args:
        path: The file.
        ready: Whether it has been made and migrated; if not, the next transaction does it.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path, *, ready: bool = True) -> None:
        self.path = path
        self._ready = ready
        self._preparing = asyncio.Lock()
        self._ledger = _connections(path, durable=True, spare=0)
        # One more for the time of a chart, so that samples keep flowing meanwhile.
        self._history = _connections(path, durable=False, spare=1)

    @asynccontextmanager
    async def ledger(self) -> AsyncIterator[Connection]:
        """Give one transaction on the ledger; on the disk when the block has ended.

        Raises:
            StoreError: Nothing of the transaction stands.
        """
        await self._prepare()
        with store_errors(self.path):
            async with self._ledger.begin() as connection:
                yield connection

    @asynccontextmanager
    async def history(self) -> AsyncIterator[Connection]:
        """Give one transaction on the history; whole, but a power cut may lose the last ones.

        Raises:
            StoreError: Nothing of the transaction stands.
        """
        await self._prepare()
        with store_errors(self.path):
            async with self._history.begin() as connection:
                yield connection

    async def _prepare(self) -> None:
        async with self._preparing:
            if not self._ready:
                await asyncio.to_thread(_make_ready, self.path)
                self._ready = True

    async def close(self) -> None:
        """Close the file; what was written stands. Calling it again does nothing."""
        await self._ledger.close()
        await self._history.close()


async def open_database(path: Path) -> Database:
    """Open the store's file; make it, or bring it to the present revision, where needed.

    Raises:
        StoreCorruptError: It is damaged; see `set_aside`.
        StoreNewerError: A newer version wrote it.
        StoreFullError: There is no room to make it.
        StoreError: It cannot be opened for another reason.
    """
    await asyncio.to_thread(_make_ready, path)
    return Database(path)


def _make_ready(path: Path) -> None:
    revision = read_revision(path)
    if revision is None:
        make(path)
    elif revision != REVISIONS[-1]:
        migrate(path)


def _connections(path: Path, *, durable: bool, spare: int) -> Connections:
    engine = create_engine(
        f"sqlite:///{path}",
        pool_size=1,
        max_overflow=spare,
        # Transactions are begun by `begin`, not guessed from the statement by sqlite3; a
        # connection is used by one thread at a time, not always by the same.
        connect_args={"isolation_level": None, "check_same_thread": False},
    )
    statements = pragmas(durable=durable)

    def prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        cursor.close()

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin)
    return Connections(engine, 1 + spare)
