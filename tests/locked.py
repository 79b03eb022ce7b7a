"""An SQLite file that somebody else writes to, for a while."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.waiting import until


@asynccontextmanager
async def locked(file: Path) -> AsyncIterator[sqlite3.Connection]:
    """Hold the one writer's place in a file; what was written is taken back at the end.

    Asks again and again instead of waiting: whoever has that place may run in this event loop,
    and could not end while it stands still.
    """
    blocker = sqlite3.connect(file, isolation_level=None, timeout=0)

    async def begun() -> bool:
        with suppress(sqlite3.OperationalError):
            blocker.execute("BEGIN IMMEDIATE")
        return blocker.in_transaction

    try:
        await until(begun, bool, 20.0, "the database is locked by another")
        yield blocker
    finally:
        blocker.close()
