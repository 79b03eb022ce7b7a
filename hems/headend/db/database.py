"""The utility's database behind SQLAlchemy: an SQLite file in WAL mode, or PostgreSQL.

Every write is durable on return. What the operator orders, and all else that every worker holds in
memory, is changed under one lock for all workers (`changing`), judged by what is true then, and
told to all of them by the change log. Facts that homes post are written beside it (`writing`).

A database that is locked, full or away ends in `BusyError`, leaves nothing half-written, and works
again as soon as the cause is gone.
"""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, TypeVar

from sqlalchemy import Connection, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from hems.headend.db.changes import Changes, Draft
from hems.headend.db.own_thread import OwnThread
from hems.headend.db.preparing import IMMEDIATE, LOCK, claim_file, claim_server, prepare
from hems.headend.db.writers import Writers
from hems.headend.errors import BusyError, StoreError
from hems.on_demand import on_demand
from hems.service.feeding import STEP_WITHIN_S

if TYPE_CHECKING:
    from hems.headend.db import postgresql
else:
    postgresql = on_demand("hems.headend.db.postgresql")

_POOL: Final = 8
_START_S: Final = 60.0

R = TypeVar("R")


class Database:
    """An open database. Use `Database.open`.

    Args:
        engine: Its connections.
        url: Where it is, for `asyncpg`; empty for SQLite.

    Attributes:
        changes: What every worker holds in memory.
        on_done: Told of each transaction: "read" or "write", how long it took with waiting, s, and
            how it went: "good", "busy", or "failed" where its own work raised.
    """

    def __init__(self, engine: AsyncEngine, url: str = "") -> None:
        self._engine = engine
        self.url = url
        self._turn = asyncio.Lock()
        self._writers: Writers | None = None
        self._writes: OwnThread | None = None
        self._reads: OwnThread | None = None
        self._draft: ContextVar[Draft | None] = ContextVar("draft", default=None)
        self.changes = Changes()
        self.on_done: Callable[[str, float, str], None] = _nobody

    @classmethod
    async def open(cls, where: Path | str, busy_timeout_s: float = 2.0) -> Self:
        """Open the database, making its tables on first use.

        Args:
            where: A file, or an address as postgresql://USER@HOST:PORT/NAME; of several servers
                the first that takes writes is used: HOST:PORT,HOST:PORT.
            busy_timeout_s: How long a write waits for another process's lock.

        Raises:
            StoreError: Not a database, of another version, or it cannot be made or reached.
        """
        if isinstance(where, Path):
            return await cls._open_sqlite(where, busy_timeout_s)
        return await cls._open_postgresql(where, busy_timeout_s)

    @classmethod
    async def _open_sqlite(cls, path: Path, busy_timeout_s: float) -> Self:
        _make_private(path)
        engine = create_async_engine(
            f"sqlite+aiosqlite:///{path}",
            connect_args={"timeout": busy_timeout_s},
            hide_parameters=True,  # PINs are among them, and errors are logged
        )

        @event.listens_for(engine.sync_engine, "connect")
        def _pragmas(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
            connection.isolation_level = None  # transactions begin as `_begin` has them begin
            cursor = connection.cursor()
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.close()

        @event.listens_for(engine.sync_engine, "begin")
        def _begin(connection: Connection) -> None:
            immediate = connection.get_execution_options().get(IMMEDIATE)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

        try:
            await prepare(engine, str(path), claim_file)
        except DatabaseError as error:
            await engine.dispose()
            raise StoreError(f"{path}: cannot be used as database: {error.orig}") from error
        except StoreError:
            await engine.dispose()
            raise
        made = cls(engine)
        made._writers = Writers(path, busy_timeout_s)
        made._writes = OwnThread(path, busy_timeout_s, made._writers)
        made._reads = OwnThread(path, busy_timeout_s)
        return made

    @classmethod
    async def _open_postgresql(cls, url: str, busy_timeout_s: float) -> Self:
        shown = postgresql.shown(url)
        # Others may be at work: a start waits for them longer than a home would, and a statement
        # that goes through a whole table lasts.
        engine = postgresql.engine(url, _START_S, STEP_WITHIN_S)
        try:
            await prepare(engine, shown, claim_server)
        except (DBAPIError, OSError) as error:
            why = error.orig if isinstance(error, DBAPIError) else error
            raise StoreError(f"{shown}: cannot be used as database: {why}") from error
        finally:
            await engine.dispose()
        engine = create_async_engine(
            postgresql.DRIVER,
            async_creator=lambda: postgresql.connect(url, busy_timeout_s),
            pool_size=_POOL,
            pool_timeout=busy_timeout_s,
            hide_parameters=True,
        )
        return cls(engine, url)

    async def close(self) -> None:
        """Close all connections."""
        for thread in (self._writes, self._reads):
            if thread is not None:
                await thread.close()
        await self._engine.dispose()
        if self._writers is not None:
            self._writers.close()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection for queries; raises `BusyError` where the database cannot serve."""
        with self._served("read"):
            async with self._engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection for one transaction of facts, durable when the block ends.

        Raises:
            BusyError: The database is locked, full or away; nothing of the block was stored.
        """
        draft = self._ambient()
        if draft is not None:
            yield draft.connection
        elif self._writers is None:
            with self._served("write"):
                async with self._engine.begin() as connection:
                    yield connection
        else:
            with self._served("write"):
                async with (
                    self._writers.lock,
                    self._writers.turn_of_loop(),
                    self._engine.connect() as connection,
                ):
                    await connection.execution_options(**{IMMEDIATE: True})
                    async with connection.begin():
                        yield connection

    async def transact(self, work: Callable[[Connection], R]) -> R:
        """Run one transaction of facts that is a plain function; durable when this returns.

        For what homes post all the time: with SQLite it takes a fraction of the time of `writing`.

        Args:
            work: Runs its statements by the connection; undone where it raises. It may run beside
                the event loop, so it touches nothing of the loop's.

        Raises:
            BusyError: The database is locked, full or away; nothing of it was stored.
        """
        if self._ambient() is None and self._writers is not None and self._writes is not None:
            with self._served("write"):
                async with self._writers.lock:
                    return await self._writes.run(work)
        async with self.writing() as connection:
            return await connection.run_sync(work)

    async def inquire(self, work: Callable[[Connection], R]) -> R:
        """Run queries that are a plain function, all on one state of the database; see `transact`.

        Raises:
            BusyError: The database cannot serve.
        """
        if self._ambient() is None and self._reads is not None:
            with self._served("read"):
                return await self._reads.run(work)
        async with self.reading() as connection:
            return await connection.run_sync(work)

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[Draft]:
        """Give a transaction of what workers hold in memory: no other is open anywhere.

        At its beginning this worker's memory is as the database is. What the block drafts is
        durable, and then in memory, when it ends. A block within a block is part of the outer.

        Raises:
            BusyError: The database is locked, full or away; nothing of the block came about.
        """
        outer = self._ambient()
        if outer is not None:
            yield outer
            return
        async with self._turn:
            async with self.writing() as connection:
                if self.url:
                    await connection.execute(
                        text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK}
                    )
                await self.changes.catch_up(connection)
                draft = Draft(connection)
                token = self._draft.set(draft)
                try:
                    yield draft
                finally:
                    draft.open = False
                    self._draft.reset(token)
                await self.changes.log(draft)
            self.changes.take(draft)

    @contextmanager
    def _served(self, kind: str) -> Iterator[None]:
        """Have a transaction's errors told as `_busy_errors` does, and how it went."""
        begun, outcome = time.perf_counter(), "failed"
        try:
            with _busy_errors():
                yield
            outcome = "good"
        except BusyError:
            outcome = "busy"
            raise
        finally:
            self.on_done(kind, time.perf_counter() - begun, outcome)

    def _ambient(self) -> Draft | None:
        """Return the transaction in which this runs; a task may outlive the one it began in."""
        draft = self._draft.get()
        return draft if draft is not None and draft.open else None

    async def load(self) -> None:
        """Read all that is held in memory, at start.

        Raises:
            BusyError: The database cannot serve.
            StoreError: It holds what cannot be read.
        """
        async with self._turn, self.reading() as connection:
            await self.changes.load(connection)

    async def catch_up(self) -> None:
        """Take what other workers have changed.

        Raises:
            BusyError: The database cannot serve.
        """
        async with self._turn, self.reading() as connection:
            await self.changes.catch_up(connection)


def _make_private(path: Path) -> None:
    """Make the file: it holds PINs, so nobody but its owner reads it or its log beside it."""
    try:
        path.touch(mode=0o600)
    except OSError as error:
        raise StoreError(f"{path}: cannot be made: {error.strerror}") from error


@contextmanager
def _busy_errors() -> Iterator[None]:
    """Turn what a database says that is locked, full or away into `BusyError`."""
    try:
        yield
    except DBAPIError as error:
        if not isinstance(error, OperationalError) and not _is_away(error):
            raise
        raise BusyError(f"the database cannot serve now: {error.orig}") from error
    except (sqlite3.OperationalError, PoolTimeoutError, OSError) as error:
        raise BusyError(f"the database cannot serve now: {error}") from error


def _nobody(_kind: str, _took_s: float, _outcome: str) -> None:
    """Stand in until someone listens."""


def _is_away(error: DBAPIError) -> bool:
    """Whether PostgreSQL has gone, is going, only reads, or has made us wait too long."""
    state = getattr(error.orig, "sqlstate", None) or ""
    return error.connection_invalidated or state.startswith(_AWAY)


_AWAY: Final = ("08", "25006", "40", "53", "55P03", "57", "58")
"""Classes of SQLSTATE: connection, read-only, rolled back, resources, locked, operator, system."""
