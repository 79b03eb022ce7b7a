"""Transactions on the store's file, whose calls are made in threads beside the event loop.

SQLAlchemy's `ext.asyncio` does the like, but loads the whole ORM, of which nothing is used here:
6 MB for as long as the hub runs, and its time at each start.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final, TypeVar

import sqlalchemy
from sqlalchemy import CursorResult, Executable, Result
from sqlalchemy.engine import Engine

T = TypeVar("T")

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""What is put into a statement's places; several of them for as many executions."""
Rows = Result[*tuple[Any, ...]]
"""What a statement comes to: all its rows, which outlive their connection."""
Change = CursorResult[*tuple[Any, ...]]
"""What a statement without rows comes to: how many it changed, and the key of a new one."""


class Connection:
    """A transaction under way, given by `Connections.begin`.

    Args:
        threads: Where calls are made.
        under: SQLAlchemy's own connection, in a transaction.
    """

    def __init__(self, threads: "_Threads", under: sqlalchemy.Connection) -> None:
        self._threads = threads
        self._under = under

    async def execute(self, statement: Executable, parameters: Parameters | None = None) -> Rows:
        """Execute a statement; all its rows are there when this returns.

        Raises:
            sqlalchemy.exc.DBAPIError: SQLite refused.
        """
        return await self._threads.call(partial(_execute, self._under, statement, parameters))

    async def change(self, statement: Executable, parameters: Parameters | None = None) -> Change:
        """Execute a statement that gives no rows, and tell what it changed.

        Raises:
            sqlalchemy.exc.DBAPIError: SQLite refused.
        """
        made = await self.execute(statement, parameters)
        if not isinstance(made, CursorResult):
            raise TypeError("a statement that changes something gives no rows here")
        return made

    async def scalar(self, statement: Executable) -> Any:
        """Return the first value of the first row; None where there is none."""
        return (await self.execute(statement)).scalar()


class Connections:
    """Some connections to one file; who needs one while all are in use waits for its turn.

    Args:
        engine: Makes the connections; it may be called from any thread.
        most: How many there are at most.
    """

    def __init__(self, engine: Engine, most: int) -> None:
        self._engine = engine
        self._free = asyncio.Semaphore(most)
        self._threads = _Threads(most)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Connection]:
        """Give a transaction: all of it stands when the block has ended, nothing if that raised.

        Raises:
            sqlalchemy.exc.DBAPIError: SQLite refused.
        """
        async with self._free:
            opening = _Opening(self._engine)
            try:
                yield Connection(self._threads, await self._threads.call(opening.open))
            except BaseException:
                await self._threads.call(opening.roll_back)
                raise
            await self._threads.call(opening.commit)

    async def close(self) -> None:
        """Close the connections; calling it again does nothing."""
        await self._threads.call(self._engine.dispose)


class _Threads:
    """Makes calls beside the event loop.

    Args:
        most: How many at a time.
    """

    def __init__(self, most: int) -> None:
        self._pool: Final = ThreadPoolExecutor(most, thread_name_prefix="store")

    async def call(self, call: Callable[[], T]) -> T:
        """Return what a call returns, or raise what it raises.

        Who is cancelled meanwhile waits for its end all the same: no call on a connection
        overtakes another.
        """
        answer = asyncio.get_running_loop().run_in_executor(self._pool, call)
        cancelled: asyncio.CancelledError | None = None
        while not answer.done():
            try:
                await asyncio.wait({answer})
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            answer.exception()  # what it came to is of no use to anybody any more
            raise cancelled
        return answer.result()


class _Opening:
    """A connection from being opened to being given back, whoever is cancelled in between."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: sqlalchemy.Connection | None = None

    def open(self) -> sqlalchemy.Connection:
        """Open it and begin a transaction."""
        self._connection = self._engine.connect()
        self._connection.begin()
        return self._connection

    def commit(self) -> None:
        """End the transaction, so that it stands, and give the connection back."""
        if self._connection is not None:
            with self._connection:
                self._connection.commit()

    def roll_back(self) -> None:
        """End the transaction, so that nothing of it stands, and give the connection back."""
        if self._connection is not None:
            self._connection.close()


def _execute(
    connection: sqlalchemy.Connection, statement: Executable, parameters: Parameters | None
) -> Rows:
    result = connection.execute(statement, parameters)
    # Fetched here, in the thread, and not when somebody on the event loop looks at them: then the
    # connection may be closed, and with it what SQLAlchemy would have to close behind the rows.
    return result.freeze()() if result.returns_rows else result
