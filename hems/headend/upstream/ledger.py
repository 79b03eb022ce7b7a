"""The durable memory of the client at the utility, in the head-end's own database."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import asdict
from typing import Final, Protocol

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hems.clock import Clock
from hems.headend.errors import BusyError
from hems.headend.sql import insert
from hems.headend.upstream.models import OffsetRow, OwedRow, TakenRow
from hems.sep2.book.ledger import EventRow, LedgerError, ResponseRow

_DAY_S: Final = 86_400
RECENT_S: Final = 2 * _DAY_S
"""For how long an event that is over is taken up again after a restart."""
KEPT_S: Final = 400 * _DAY_S
_OVER: Final = ("completed", "cancelled", "superseded", "rejected")
_EVENT_KEY: Final = ("server", "lfdi", "mrid")
_OWED_KEY: Final = ("server", "subject", "lfdi", "status", "modes")
_OWED: Final = tuple(c for c in OwedRow.__table__.c if c.name != "id")
_TAKEN: Final = tuple(c for c in TakenRow.__table__.c if c.name != "changed_at")


class Transactions(Protocol):
    """The database: see `hems.headend.db.database.Database`."""

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Give a connection for queries."""
        ...

    def writing(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Give a connection for one transaction, durable when the block ends."""
        ...


class UpstreamLedger:
    """Implements `hems.sep2.book.ledger.Ledger`.

    Args:
        database: The head-end's.
        clock: Its time.
    """

    def __init__(self, database: Transactions, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def events(self) -> Sequence[EventRow]:
        """Return the kept events that may still matter; see the port."""
        recent = self._clock.now() - RECENT_S
        query = (
            select(*_TAKEN)
            .where(or_(TakenRow.phase.not_in(_OVER), TakenRow.changed_at >= recent))
            .order_by(TakenRow.changed_at, TakenRow.server, TakenRow.mrid)
        )
        async with self._reading() as connection:
            return [EventRow(**row) for row in (await connection.execute(query)).mappings()]

    async def save(self, events: Sequence[EventRow], responses: Sequence[ResponseRow]) -> None:
        """Insert or replace events and add responses, in one durable transaction.

        A response that is there already (same key) stays as it is: it is never owed twice.
        """
        now = self._clock.now()
        async with self._writing() as connection:
            for event in events:
                values = {**asdict(event), "changed_at": now}
                await connection.execute(
                    insert(connection, TakenRow)
                    .values(values)
                    .on_conflict_do_update(index_elements=_EVENT_KEY, set_=values)
                )
            for response in responses:
                await connection.execute(
                    insert(connection, OwedRow)
                    .values(asdict(response))
                    .on_conflict_do_nothing(index_elements=_OWED_KEY)
                )

    async def unposted(self, server: str) -> Sequence[ResponseRow]:
        """Return the responses still owed to a server, oldest first."""
        query = (
            select(*_OWED)
            .where(OwedRow.location.is_(None), OwedRow.server == server)
            .order_by(OwedRow.created, OwedRow.id)
        )
        async with self._reading() as connection:
            return [ResponseRow(**row) for row in (await connection.execute(query)).mappings()]

    async def posted(self, response: ResponseRow, location: str) -> None:
        """Note that the server has a response."""
        key = and_(*(OwedRow.__table__.c[n] == getattr(response, n) for n in _OWED_KEY))
        async with self._writing() as connection:
            await connection.execute(update(OwedRow).where(key).values(location=location))

    async def server_offset(self, server: str) -> float | None:
        """Return the last known server time less local time, in s; None if never known."""
        query = select(OffsetRow.offset_s).where(OffsetRow.server == server)
        async with self._reading() as connection:
            found = (await connection.execute(query)).scalar_one_or_none()
        return None if found is None else float(found)

    async def save_server_offset(self, server: str, offset_s: float) -> None:
        """Keep the server's offset for the next start."""
        values = {"server": server, "offset_s": offset_s}
        async with self._writing() as connection:
            await connection.execute(
                insert(connection, OffsetRow)
                .values(values)
                .on_conflict_do_update(index_elements=["server"], set_=values)
            )

    async def readdress(self, server: str, former: str, lfdi: str) -> int:
        """Give a device's events to the LFDI that its renewed certificate has; see the port."""
        theirs = and_(TakenRow.server == server, TakenRow.lfdi == former)
        known = select(TakenRow.mrid).where(TakenRow.server == server, TakenRow.lfdi == lfdi)
        async with self._writing() as connection:
            await connection.execute(
                delete(TakenRow).where(theirs, TakenRow.mrid.in_(known.scalar_subquery()))
            )
            done = await connection.execute(update(TakenRow).where(theirs).values(lfdi=lfdi))
            return int(done.rowcount)

    async def forget_old(self) -> None:
        """Let go of events that were over long ago, and of what was answered to them."""
        oldest = self._clock.now() - KEPT_S
        async with self._writing() as connection:
            await connection.execute(
                delete(TakenRow).where(TakenRow.phase.in_(_OVER), TakenRow.changed_at < oldest)
            )
            await connection.execute(
                delete(OwedRow).where(OwedRow.location.is_not(None), OwedRow.created < oldest)
            )

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        with _ledger_errors():
            async with self._database.reading() as connection:
                yield connection

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        with _ledger_errors():
            async with self._database.writing() as connection:
                yield connection


@contextmanager
def _ledger_errors() -> Iterator[None]:
    """Say it as the client expects that the database cannot serve now."""
    try:
        yield
    except BusyError as error:
        raise LedgerError(str(error)) from error
