"""Whole transactions on an SQLite file in a thread of their own.

The asynchronous driver changes threads for each step of each statement, which takes several times
as long as SQLite itself. A transaction that is one plain function changes threads once.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from hems.headend.db.writers import Writers

R = TypeVar("R")


class OwnThread:
    """Runs transactions, one after the other.

    Args:
        path: The file; its tables are there.
        busy_timeout_s: How long a write waits for another connection's lock.
        writers: Whose turn it is, if they write; a connection that reads sees one state of the file
            throughout.
    """

    def __init__(self, path: Path, busy_timeout_s: float, writers: Writers | None = None) -> None:
        self._engine = create_engine(
            f"sqlite:///{path}", connect_args={"timeout": busy_timeout_s}, hide_parameters=True
        )
        self._writers = writers
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="database")

        @event.listens_for(self._engine, "connect")
        def _pragmas(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
            connection.isolation_level = None  # transactions begin as `_begin` has them begin
            cursor = connection.cursor()
            cursor.execute("PRAGMA synchronous=FULL" if writers else "PRAGMA query_only=ON")
            cursor.close()

        @event.listens_for(self._engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writers else "BEGIN")

    async def run(self, work: Callable[[Connection], R]) -> R:
        """Run one transaction; it is durable when this returns, undone where `work` raises."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, work)

    def _run(self, work: Callable[[Connection], R]) -> R:
        with (
            nullcontext() if self._writers is None else self._writers.turn(),
            self._engine.begin() as connection,
        ):
            return work(connection)

    async def close(self) -> None:
        """Close its connection, after the transaction under way."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._engine.dispose)
        self._thread.shutdown()
