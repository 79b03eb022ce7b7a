"""The store's file, open: one durable connection for the ledger, one beside it for the history.

They are apart so that a chart over a year, or the clearing of old samples, never stands before
the transaction that an event waits for.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from sqlalchemy import create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from certs.keys.store import KeyStore
from hems.store.cipher import DRIVER, StoreFile, StoreKey, unlock
from hems.store.connection import Connection, Connections
from hems.store.migrate import begin
from hems.store.opening import make_ready
from hems.store.pace import HISTORY, LEDGER, Pace
from hems.store.sqlite import pragmas, store_errors

if TYPE_CHECKING:
    from sqlite3 import Connection as SqliteConnection


class Database:
    """A store's file.

    Args:
        path: The file.
        ready: Makes it ready to be used and returns its key, None for one that is not encrypted;
            called in a thread by the first transaction, and by each after it until it succeeds.

    Attributes:
        path: The file.
        pace: How long transactions take.
    """

    def __init__(self, path: Path, ready: Callable[[], StoreKey | None]) -> None:
        self.path = path
        self.pace = Pace()
        self._ready = ready
        self._file: StoreFile | None = None
        self._preparing = asyncio.Lock()
        self._write: Callable[[], Awaitable[None]] | None = None
        self._ledger = self._connections(durable=True, spare=0)
        # One more for the time of a chart, so that samples keep flowing meanwhile.
        self._history = self._connections(durable=False, spare=1)

    @asynccontextmanager
    async def ledger(self) -> AsyncIterator[Connection]:
        """Give one transaction on the ledger; on the disk when the block has ended.

        Raises:
            StoreError: Nothing of the transaction stands.
        """
        with self.pace.timed(LEDGER):
            await self.file()
            with store_errors(self.path):
                async with self._ledger.begin() as connection:
                    yield connection

    @asynccontextmanager
    async def history(self) -> AsyncIterator[Connection]:
        """Give one transaction on the history; whole, but a power cut may lose the last ones.

        Raises:
            StoreError: Nothing of the transaction stands.
        """
        with self.pace.timed(HISTORY):
            await self.file()
            with store_errors(self.path):
                async with self._history.begin() as connection:
                    yield connection

    async def file(self) -> StoreFile:
        """Return the file and what opens it, for who reads it beside this.

        Raises:
            StoreError: It cannot be made ready.
        """
        async with self._preparing:
            if self._file is None:
                self._file = StoreFile(self.path, await asyncio.to_thread(self._ready))
            return self._file

    def before_reading(self, write: Callable[[], Awaitable[None]]) -> None:
        """Have what waits in memory written before the history is read.

        Args:
            write: Writes it, and never raises; in place of who wrote before.
        """
        self._write = write

    async def up_to_date(self) -> None:
        """Write what waits in memory; called by whoever is going to read the history."""
        if self._write is not None:
            await self._write()

    async def close(self) -> None:
        """Close the file; what was written stands. Calling it again does nothing."""
        await self._ledger.close()
        await self._history.close()

    def _connections(self, *, durable: bool, spare: int) -> Connections:
        engine = create_engine(
            f"sqlite:///{self.path}",
            module=DRIVER,
            # Else errors, and with them logs, would say who lives here and by what they log in.
            hide_parameters=True,
            pool_size=1,
            max_overflow=spare,
            # Transactions are begun by `begin`, not guessed from the statement by the driver; a
            # connection is used by one thread at a time, not always by the same.
            connect_args={"isolation_level": None, "check_same_thread": False},
        )
        statements = pragmas(durable=durable)

        def prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
            unlock(cast("SqliteConnection", connection), self._file.key if self._file else None)
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            cursor.close()

        event.listen(engine, "connect", prepare)
        event.listen(engine, "begin", begin)
        return Connections(engine, 1 + spare)


async def open_database(path: Path, keys: KeyStore) -> Database:
    """Open the store's file; make it, or bring it to the present revision, where needed.

    Raises:
        StoreError: As `hems.store.opening.make_ready` says.
    """
    database = Database(path, lambda: make_ready(path, keys))
    await database.file()
    return database
