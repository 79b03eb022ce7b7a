"""The trail of who did and saw what, on the disk: rows are added, never changed."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import func, insert, select, update

from hems.store.database import Database
from hems.store.schema import trail

_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class TrailRow:
    """A row of the trail.

    Attributes:
        seq: Its number, from 1 on without gaps.
        at: UTC epoch seconds.
        body: What it says, as JSON; None for an old one of which that was taken out.
        digest: SHA-256 of what it says.
        link: Of the chain up to it; see `hems.access.trail`.
    """

    seq: int
    at: float
    body: str | None
    digest: bytes
    link: bytes


class TrailStore:
    """The same on the disk; raises `hems.store.errors.StoreError` if SQLite refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, row: TrailRow) -> None:
        """Write a row; on the disk when this returns."""
        async with self._database.ledger() as connection:
            await connection.execute(insert(trail).values(**asdict(row)))

    async def last(self) -> TrailRow | None:
        """Return the newest row; None while there is none."""
        rows = await self.newest(1)
        return rows[0] if rows else None

    async def newest(self, most: int, before: int | None = None) -> Sequence[TrailRow]:
        """Return rows, the newest first.

        Args:
            most: How many at most.
            before: Only those with a smaller number; None for all.
        """
        query = select(trail).order_by(trail.c.seq.desc()).limit(most)
        if before is not None:
            query = query.where(trail.c.seq < before)
        async with self._database.history() as connection:
            return [TrailRow(**row._asdict()) for row in await connection.execute(query)]

    async def rows(self) -> AsyncIterator[TrailRow]:
        """Yield all rows in order, some hundred a transaction."""
        after = 0
        while True:
            query = select(trail).where(trail.c.seq > after).order_by(trail.c.seq).limit(_PAGE)
            async with self._database.history() as connection:
                page = [TrailRow(**row._asdict()) for row in await connection.execute(query)]
            for row in page:
                yield row
            if len(page) < _PAGE:
                return
            after = page[-1].seq

    async def fade(self, before: float, most_s: float) -> None:
        """Take out of old rows what they say; their digests stay.

        Args:
            before: Rows older than this, UTC epoch seconds.
            most_s: Of these only the ones within so long after the oldest that says something:
                a clock that was set wrong once does not take all at once.
        """
        async with self._database.ledger() as connection:
            says = trail.c.body.is_not(None)
            oldest = await connection.scalar(select(func.min(trail.c.at)).where(says))
            if oldest is None or oldest >= before:
                return
            old = says & (trail.c.at < min(before, oldest + most_s))
            await connection.execute(update(trail).where(old).values(body=None))
