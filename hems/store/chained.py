"""Chained rows on the disk: they are added, never changed."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from typing import Final

from sqlalchemy import Table, func, insert, select, update

from hems.store.chain import ChainRow
from hems.store.database import Database

_PAGE: Final = 500


class ChainStore:
    """A table of such rows; raises `hems.store.errors.StoreError` if SQLite refuses.

    Args:
        database: Where it is.
        table: The table, with the columns of a `ChainRow`.
    """

    def __init__(self, database: Database, table: Table) -> None:
        self._database = database
        self._table = table

    async def add(self, *rows: ChainRow) -> None:
        """Write rows, all of them or none; on the disk when this returns."""
        async with self._database.ledger() as connection:
            await connection.execute(insert(self._table), [asdict(row) for row in rows])

    async def last(self) -> ChainRow | None:
        """Return the newest row; None while there is none."""
        rows = await self.newest(1)
        return rows[0] if rows else None

    async def newest(self, most: int, before: int | None = None) -> Sequence[ChainRow]:
        """Return rows, the newest first.

        Args:
            most: How many at most.
            before: Only those with a smaller number; None for all.
        """
        table = self._table
        query = select(table).order_by(table.c.seq.desc()).limit(most)
        if before is not None:
            query = query.where(table.c.seq < before)
        async with self._database.history() as connection:
            return [ChainRow(**row._asdict()) for row in await connection.execute(query)]

    async def rows(self) -> AsyncIterator[ChainRow]:
        """Yield all rows in order, some hundred a transaction."""
        table, after = self._table, 0
        while True:
            query = select(table).where(table.c.seq > after).order_by(table.c.seq).limit(_PAGE)
            async with self._database.history() as connection:
                page = [ChainRow(**row._asdict()) for row in await connection.execute(query)]
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
        table = self._table
        async with self._database.ledger() as connection:
            says = table.c.body.is_not(None)
            oldest = await connection.scalar(select(func.min(table.c.at)).where(says))
            if oldest is None or oldest >= before:
                return
            old = says & (table.c.at < min(before, oldest + most_s))
            await connection.execute(update(table).where(old).values(body=None))
