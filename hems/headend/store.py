"""What homes sent, in the database: responses, documents, log events; durable when it returns."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy import insert as plain_insert
from sqlalchemy.ext.asyncio import AsyncEngine

from hems.headend.db.database import Database
from hems.headend.mirror_posts import ReadingsPost
from hems.headend.models import DocumentRow, LogRow, ResponseRow
from hems.headend.paging import Page, Query
from hems.headend.records import ResponseRecord
from hems.headend.rows import response_of
from hems.headend.sql import insert

MAX_LOGS = 1000
"""LogEvents kept of each home."""


class Store(Database):
    """The database, and what homes sent. Use `Store.open`.

    Attributes:
        on_response: Told of each response that is durable.
        on_readings: The same of readings.
    """

    def __init__(self, engine: AsyncEngine, url: str = "") -> None:
        super().__init__(engine, url)
        self.on_response: Callable[[ResponseRecord], None] = _nobody
        self.on_readings: Callable[[ReadingsPost], None] = _nobody

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

    async def responses_of(
        self, lfdi: str, part: Query, agent: str | None = None
    ) -> Page[ResponseRecord]:
        """Return a part of a home's responses in the order they came.

        Args:
            lfdi: The home's.
            part: Which part.
            agent: The same for an aggregator, who sees those of all for whom it speaks; else None.
        """
        query = select(ResponseRow.__table__).where(_whose(lfdi, agent))
        if part.after is not None:
            query = query.where(ResponseRow.created > part.after)
        query = query.order_by(ResponseRow.id).offset(part.start).limit(part.limit)
        async with self.reading() as connection:
            rows = [response_of(row) for row in await connection.execute(query)]
        return Page(rows, await self.response_count(lfdi, agent))

    async def response(
        self, lfdi: str, number: int, agent: str | None = None
    ) -> ResponseRecord | None:
        """Return a home's response, see `responses_of`; None if it has none of this number."""
        query = select(ResponseRow.__table__).where(_whose(lfdi, agent), ResponseRow.id == number)
        async with self.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else response_of(row)

    async def response_count(self, lfdi: str, agent: str | None = None) -> int:
        """Return how many responses a home has posted; see `responses_of`."""
        query = select(func.count()).select_from(ResponseRow).where(_whose(lfdi, agent))
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
                insert(connection, DocumentRow)
                .values(lfdi=lfdi, kind=kind, body=body, updated_at=at)
                .on_conflict_do_update(
                    index_elements=["lfdi", "kind"], set_={"body": body, "updated_at": at}
                )
            )

    async def add_log(self, lfdi: str, created: int, body: bytes) -> int:
        """Store a LogEvent and return its number; a home's oldest give way to its newest.

        The same one again, of a home that has not heard the answer, gets the same number.
        """
        own = select(LogRow.id).where(LogRow.lfdi == lfdi).order_by(LogRow.id.desc())
        same = own.where(LogRow.created == created, LogRow.body == body).limit(1)
        async with self.writing() as connection:
            known = (await connection.execute(same)).scalar_one_or_none()
            if known is not None:
                return known
            oldest = own.offset(MAX_LOGS - 1).limit(1).scalar_subquery()
            await connection.execute(delete(LogRow).where(LogRow.lfdi == lfdi, LogRow.id <= oldest))
            done = await connection.execute(
                plain_insert(LogRow)
                .values(lfdi=lfdi, created=created, body=body)
                .returning(LogRow.id)
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


def _whose(lfdi: str, agent: str | None) -> ColumnElement[bool]:
    return ResponseRow.lfdi == lfdi if agent is None else ResponseRow.agent == agent


def _nobody(_posted: object) -> None:
    """Stand in until someone listens."""
