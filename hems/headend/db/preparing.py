"""Preparing a database at a worker's start: one makes or changes its tables, the others wait."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hems.headend.db.schema import REVISIONS, bring_up, standing
from hems.headend.errors import StoreError
from hems.service.feeding import STEP_WITHIN_S

LOCK: Final = 0x2030_5
"""Key of PostgreSQL's advisory lock under which orders and tables are changed."""
IMMEDIATE: Final = "hems_immediate"
"""Execution option of a connection to SQLite whose transactions write from their beginning."""
_LOOK_AGAIN_S: Final = 0.25
_SAY_EVERY_S: Final = 60.0
_BUSY: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_EXTENDED: Final = 8
"""SQLite's finer codes are above these bits."""

_log = logging.getLogger(__name__)


async def prepare(
    engine: AsyncEngine,
    shown: str,
    claim: Callable[[AsyncConnection], Awaitable[bool]],
    wait_s: float = STEP_WITHIN_S,
) -> None:
    """See that the tables are those of the present revision; a database that has them is only read.

    Args:
        engine: Of the database; PostgreSQL's gives each connection once, whose end gives up what
            was claimed.
        shown: Where it is, for messages.
        claim: Tries to have the tables to itself; see `claim_file`, `claim_server`.
        wait_s: How long to wait for another that changes them.

    Raises:
        StoreError: A newer version wrote it, it is somebody else's, or another has it for too long.
        sqlalchemy.exc.DBAPIError: The database refuses.
    """
    begun = time.monotonic()
    said_at = None
    while True:
        async with engine.connect() as connection:
            if await connection.run_sync(standing, shown) == REVISIONS.newest:
                return
        async with engine.connect() as connection:
            if await claim(connection):
                await connection.run_sync(bring_up, shown)
                await connection.commit()
                return
        now = time.monotonic()
        if now - begun > wait_s:
            raise StoreError(f"{shown}: another has changed its tables for {now - begun:.0f} s")
        if said_at is None or now - said_at > _SAY_EVERY_S:
            said_at = now
            _log.info("%s: waits for another that makes or changes its tables", shown)
        await asyncio.sleep(_LOOK_AGAIN_S)


async def claim_file(connection: AsyncConnection) -> bool:
    """Begin a transaction that writes to an SQLite file; return False where another has one."""
    await connection.execution_options(**{IMMEDIATE: True})
    try:
        await connection.begin()
    except OperationalError as error:
        code = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        if code & ((1 << _EXTENDED) - 1) in _BUSY:
            return False
        raise
    return True


async def claim_server(connection: AsyncConnection) -> bool:
    """Lock a PostgreSQL's tables and orders for this connection; return False where another has."""
    said = await connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK})
    claimed = bool(said.scalar_one())
    await connection.commit()  # the lock is the session's; each revision has its own transaction
    return claimed
