"""The utility's database: SQLite in WAL mode behind SQLAlchemy; every write is durable on return.

The tables are made on first start and guarded by a version number; a file of an earlier version
is brought up to date at start.
A locked or full database ends in `BusyError`, leaves nothing half-written, and works again as
soon as the cause is gone.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from sqlalchemy import delete, event, func, select, text, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from hems.headend.errors import BusyError, StoreError
from hems.headend.models import (
    SCHEMA_VERSION,
    Base,
    DocumentRow,
    EventRow,
    HomeRow,
    LogRow,
    ResponseRow,
    SubscriptionRow,
)
from hems.headend.paging import Page, Query
from hems.headend.records import (
    Event,
    Home,
    Program,
    ResponseRecord,
    SubscriptionRecord,
)
from hems.headend.rows import event_of, event_values, home_of, response_of, subscription_of

MAX_LOGS = 1000
"""LogEvents kept of each home."""


class Store:
    """All that must survive a restart. Use `Store.open`.

    Args:
        engine: The database.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # SQLite has one writer; waiting here is fair, waiting in SQLite polls.
        self._writer = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path, busy_timeout_s: float = 2.0) -> "Store":
        """Open the database, making its tables on first use.

        Args:
            path: The file.
            busy_timeout_s: How long a write waits for another process's lock.

        Raises:
            StoreError: Not a database, of another version, or its folder cannot be written.
        """
        _make_private(path)
        engine = create_async_engine(
            f"sqlite+aiosqlite:///{path}", connect_args={"timeout": busy_timeout_s}
        )

        @event.listens_for(engine.sync_engine, "connect")
        def _pragmas(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
            cursor = connection.cursor()
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.close()

        try:
            async with engine.begin() as connection:
                await _prepare(connection, path)
        except DatabaseError as error:
            await engine.dispose()
            raise StoreError(f"{path}: cannot be used as database: {error.orig}") from error
        except StoreError:
            await engine.dispose()
            raise
        return cls(engine)

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection for queries; raises `BusyError` where the database cannot serve."""
        with _busy_errors():
            async with self._engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection for one transaction, durable when the block ends.

        Raises:
            BusyError: The database is locked or full; nothing of the block was stored.
        """
        async with self._writer:
            with _busy_errors():
                async with self._engine.begin() as connection:
                    yield connection

    async def homes(self) -> Sequence[tuple[Home, float | None]]:
        """Return all homes with their last contact, epoch s."""
        async with self.reading() as connection:
            rows = await connection.execute(select(HomeRow.__table__).order_by(HomeRow.id))
            return [(home_of(row), row.last_contact) for row in rows]

    async def add_home(self, home: Home) -> Home:
        """Store a home (its `id` is ignored) and return it with its number."""
        async with self.writing() as connection:
            done = await connection.execute(
                insert(HomeRow)
                .values(
                    lfdi=home.lfdi,
                    pin=home.pin,
                    edition=home.edition.value,
                    registered_at=home.registered_at,
                    in_band=home.in_band,
                )
                .returning(HomeRow.__table__)
            )
            return home_of(done.one())

    async def drop_home(self, lfdi: str) -> None:
        """Forget a home and what it subscribed to; its answers and readings stay."""
        async with self.writing() as connection:
            await connection.execute(delete(SubscriptionRow).where(SubscriptionRow.lfdi == lfdi))
            await connection.execute(delete(HomeRow).where(HomeRow.lfdi == lfdi))

    async def save_contacts(self, contacts: Sequence[tuple[str, float]]) -> None:
        """Store when homes (by LFDI) were last heard of, epoch s."""
        async with self.writing() as connection:
            for lfdi, at in contacts:
                await connection.execute(
                    update(HomeRow).where(HomeRow.lfdi == lfdi).values(last_contact=at)
                )

    async def events(self, programs: Sequence[Program], since: float) -> Sequence[Event]:
        """Return the events of known programmes that end after `since`, epoch s."""
        by_mrid = {program.mrid: program.index for program in programs}
        async with self.reading() as connection:
            rows = await connection.execute(
                select(EventRow.__table__).where(
                    EventRow.program.in_(by_mrid),
                    EventRow.start + EventRow.duration_s + 2 * 3600 > since,
                )
            )
            return [event_of(row, by_mrid[row.program]) for row in rows]

    async def save_event(self, item: Event, program: Program) -> None:
        """Insert or replace an event."""
        values = event_values(item, program.mrid)
        async with self.writing() as connection:
            await connection.execute(
                insert(EventRow).values(values).on_conflict_do_update(set_=values)
            )

    async def subscriptions(self) -> Sequence[SubscriptionRecord]:
        """Return all subscriptions."""
        async with self.reading() as connection:
            rows = await connection.execute(select(SubscriptionRow.__table__))
            return [subscription_of(row) for row in rows]

    async def save_subscription(self, item: SubscriptionRecord) -> SubscriptionRecord:
        """Store a subscription; one for the same home and resource is replaced in place."""
        values = {"uri": item.uri, "item_limit": item.limit, "level": item.level}
        async with self.writing() as connection:
            done = await connection.execute(
                insert(SubscriptionRow)
                .values(lfdi=item.lfdi, resource=item.resource, **values)
                .on_conflict_do_update(index_elements=["lfdi", "resource"], set_=values)
                .returning(SubscriptionRow.__table__)
            )
            return subscription_of(done.one())

    async def delete_subscription(self, number: int) -> None:
        """Forget a subscription."""
        async with self.writing() as connection:
            await connection.execute(delete(SubscriptionRow).where(SubscriptionRow.id == number))

    async def add_response(self, item: ResponseRecord) -> ResponseRecord:
        """Store a response once and return it, or the equal one that is there already."""
        key = {
            "lfdi": item.lfdi,
            "subject": item.subject,
            "status": item.status,
            "modes": item.modes,
            "created": item.created,
        }
        async with self.writing() as connection:
            await connection.execute(
                insert(ResponseRow)
                .values(received_at=item.received_at, kind=item.kind, body=item.body, **key)
                .on_conflict_do_nothing()
            )
            found = await connection.execute(select(ResponseRow.__table__).filter_by(**key))
            return response_of(found.one())

    async def responses(
        self, *, subject: str | None = None, since: float = 0.0
    ) -> Sequence[ResponseRecord]:
        """Return all homes' responses in the order they came.

        Args:
            subject: To this event only.
            since: Only those received then or later, epoch s.
        """
        query = select(ResponseRow.__table__).order_by(ResponseRow.id)
        if since:
            query = query.where(ResponseRow.received_at >= since)
        if subject is not None:
            query = query.where(ResponseRow.subject == subject)
        async with self.reading() as connection:
            return [response_of(row) for row in await connection.execute(query)]

    async def responses_of(self, lfdi: str, part: Query) -> Page[ResponseRecord]:
        """Return a part of a home's responses in the order they came."""
        query = select(ResponseRow.__table__).where(ResponseRow.lfdi == lfdi)
        if part.after is not None:
            query = query.where(ResponseRow.created > part.after)
        query = query.order_by(ResponseRow.id).offset(part.start).limit(part.limit)
        async with self.reading() as connection:
            rows = [response_of(row) for row in await connection.execute(query)]
        return Page(rows, await self.response_count(lfdi))

    async def response(self, lfdi: str, number: int) -> ResponseRecord | None:
        """Return a home's response; None if it has none of this number."""
        query = select(ResponseRow.__table__).where(
            ResponseRow.lfdi == lfdi, ResponseRow.id == number
        )
        async with self.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else response_of(row)

    async def response_count(self, lfdi: str, subject: str | None = None) -> int:
        """Return how many responses a home has posted, to one event if given."""
        query = select(func.count()).select_from(ResponseRow).where(ResponseRow.lfdi == lfdi)
        if subject is not None:
            query = query.where(ResponseRow.subject == subject)
        async with self.reading() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def document(self, lfdi: str, kind: str) -> bytes | None:
        """Return the last XML a home put to its resource `kind`; None if it never did."""
        async with self.reading() as connection:
            found = await connection.execute(
                select(DocumentRow.body).where(DocumentRow.lfdi == lfdi, DocumentRow.kind == kind)
            )
            return found.scalar_one_or_none()

    async def documents(self, lfdi: str) -> Mapping[str, bytes]:
        """Return the last XML of each kind that a home put to its own resources."""
        query = select(DocumentRow.kind, DocumentRow.body).where(DocumentRow.lfdi == lfdi)
        async with self.reading() as connection:
            return {row.kind: row.body for row in await connection.execute(query)}

    async def save_document(self, lfdi: str, kind: str, body: bytes, at: float) -> None:
        """Keep what a home put to its resource `kind`."""
        async with self.writing() as connection:
            await connection.execute(
                insert(DocumentRow)
                .values(lfdi=lfdi, kind=kind, body=body, updated_at=at)
                .on_conflict_do_update(set_={"body": body, "updated_at": at})
            )

    async def add_log(self, lfdi: str, created: int, body: bytes) -> int:
        """Store a LogEvent and return its number; a home's oldest give way to its newest."""
        own = select(LogRow.id).where(LogRow.lfdi == lfdi).order_by(LogRow.id.desc())
        async with self.writing() as connection:
            oldest = own.offset(MAX_LOGS - 1).limit(1).scalar_subquery()
            await connection.execute(delete(LogRow).where(LogRow.lfdi == lfdi, LogRow.id <= oldest))
            done = await connection.execute(
                insert(LogRow).values(lfdi=lfdi, created=created, body=body).returning(LogRow.id)
            )
            return int(done.scalar_one())

    async def logs(self, lfdi: str, part: Query) -> Page[tuple[int, bytes]]:
        """Return a part of a home's LogEvents, latest first: number and XML."""
        query = select(LogRow.id, LogRow.body).where(LogRow.lfdi == lfdi)
        if part.after is not None:
            query = query.where(LogRow.created > part.after)
        query = query.order_by(LogRow.created.desc(), LogRow.id.desc())
        async with self.reading() as connection:
            rows = await connection.execute(query.offset(part.start).limit(part.limit))
            items = [(row.id, row.body) for row in rows]
        return Page(items, await self.log_count(lfdi))

    async def log(self, lfdi: str, number: int) -> bytes | None:
        """Return a LogEvent of a home as XML; None if it has none of this number."""
        query = select(LogRow.body).where(LogRow.lfdi == lfdi, LogRow.id == number)
        async with self.reading() as connection:
            return (await connection.execute(query)).scalar_one_or_none()

    async def log_count(self, lfdi: str) -> int:
        """Return how many LogEvents a home has."""
        async with self.reading() as connection:
            query = select(func.count()).select_from(LogRow).where(LogRow.lfdi == lfdi)
            return int((await connection.execute(query)).scalar_one())


def _make_private(path: Path) -> None:
    """Make the file: it holds PINs, so nobody but its owner reads it or its log beside it."""
    try:
        path.touch(mode=0o600)
    except OSError as error:
        raise StoreError(f"{path}: cannot be made: {error.strerror}") from error


async def _prepare(connection: AsyncConnection, path: Path) -> None:
    version = (await connection.execute(text("PRAGMA user_version"))).scalar_one()
    if version not in {0, *_STEPS, SCHEMA_VERSION}:
        raise StoreError(
            f"{path}: has schema version {version}, this program needs {SCHEMA_VERSION}"
        )
    if version == 0:
        tables = await connection.execute(text("SELECT count(*) FROM sqlite_master"))
        if tables.scalar_one():
            raise StoreError(f"{path}: an SQLite file, but not of a head-end")
    for step in range(version, SCHEMA_VERSION) if version else ():
        await connection.execute(text(_STEPS[step]))
    await connection.run_sync(Base.metadata.create_all)
    await connection.execute(text(f"PRAGMA user_version={SCHEMA_VERSION}"))


_STEPS = {1: "ALTER TABLE event ADD COLUMN ramp_s FLOAT"}
"""What brings the tables of each earlier version to the next; new tables are made anyway."""


@contextmanager
def _busy_errors() -> Iterator[None]:
    """Turn "locked", "full" and disk errors of SQLite into `BusyError`."""
    try:
        yield
    except (OperationalError, sqlite3.OperationalError) as error:
        cause = error.orig if isinstance(error, OperationalError) else error
        raise BusyError(f"the database cannot serve now: {cause}") from error
