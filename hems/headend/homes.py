"""The registered homes, and when each was last heard of."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import bindparam, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hems.clock import Clock
from hems.headend.aggregators.rolls import Rolls
from hems.headend.db.database import Database
from hems.headend.db.held import Held
from hems.headend.errors import ConflictError
from hems.headend.models import HomeRow, PointRow, ResponseRow, SubscriptionRow
from hems.headend.records import Home
from hems.headend.rows import home_of
from hems.headend.sql import insert


class Homes(Held[Home]):
    """All homes, by LFDI.

    Args:
        database: The database.

    Attributes:
        rolls: The same by their numbers, and by who speaks for them.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database, "home")
        self.rolls = Rolls()
        self.follow(self.rolls.take)

    async def add(self, home: Home) -> Home:
        """Enter a home (its `id` is ignored) and return it with its number.

        Raises:
            ConflictError: There is one of this LFDI already.
            BusyError: The database cannot take it.
        """
        async with self.database.changing() as draft:
            if home.lfdi in self.all:
                raise ConflictError(f"home {home.lfdi} is registered already")
            done = await draft.connection.execute(
                insert(draft.connection, HomeRow).values(_values(home)).returning(HomeRow.__table__)
            )
            made = home_of(done.one())
            draft.changed(self.kind, made.lfdi)
            draft.after.append(lambda: self._take({made.lfdi: made}))
        return made

    async def add_all(self, homes: Sequence[Home]) -> None:
        """Enter homes (their `id` is ignored); those of an LFDI that is there stay as they are.

        Raises:
            BusyError: The database cannot take them; none was entered.
        """
        async with self.database.changing() as draft:
            fresh = {home.lfdi: _values(home) for home in homes if home.lfdi not in self.all}
            if not fresh:
                return
            await draft.connection.execute(insert(draft.connection, HomeRow), [*fresh.values()])
            made = await self._read(draft.connection, [*fresh])
            for lfdi in made:
                draft.changed(self.kind, lfdi)
            draft.after.append(lambda: self._take(made))

    async def hand_over(self, homes: Sequence[Home], aggregator: str) -> None:
        """Have an aggregator speak for homes from now on, or nobody where it is empty.

        Raises:
            BusyError: The database cannot take it.
        """
        async with self.database.changing() as draft:
            await self.save(*((h.lfdi, replace(h, aggregator=aggregator)) for h in homes))
            await set_agent(draft.connection, [h.lfdi for h in homes], aggregator or None)

    async def _read(
        self, connection: AsyncConnection, keys: Sequence[str] | None
    ) -> Mapping[str, Home]:
        query = select(HomeRow.__table__).order_by(HomeRow.id)
        if keys is not None:
            query = query.where(HomeRow.lfdi.in_(keys))
        rows = await connection.execute(query)
        return {row.lfdi: home_of(row) for row in rows}

    async def _write(self, connection: AsyncConnection, items: Sequence[tuple[str, Home]]) -> None:
        statement = update(HomeRow).where(HomeRow.lfdi == bindparam("whose"))
        rows = [{"whose": lfdi, **_values(home)} for lfdi, home in items]
        await connection.execute(statement, rows)

    async def _erase(self, connection: AsyncConnection, keys: Sequence[str]) -> None:
        """Forget homes and what they subscribed to; their answers and readings stay."""
        await connection.execute(delete(SubscriptionRow).where(SubscriptionRow.lfdi.in_(keys)))
        await connection.execute(delete(HomeRow).where(HomeRow.lfdi.in_(keys)))
        await set_agent(connection, keys, None)


async def set_agent(
    connection: AsyncConnection, lfdis: Sequence[str], aggregator: str | None
) -> None:
    """Have an aggregator see what homes have posted, or nobody but themselves.

    Args:
        connection: In a transaction.
        lfdis: Of the homes.
        aggregator: Its LFDI.
    """
    for start in range(0, len(lfdis), _CHUNK):
        some = lfdis[start : start + _CHUNK]
        for table in (ResponseRow, PointRow):
            await connection.execute(
                update(table).where(table.lfdi.in_(some)).values(agent=aggregator)
            )


def _values(home: Home) -> dict[str, object]:
    return {
        "lfdi": home.lfdi,
        "pin": home.pin,
        "edition": home.edition.value,
        "registered_at": home.registered_at,
        "in_band": home.in_band,
        "aggregator": home.aggregator,
    }


_CHUNK: Final = 500
"""Homes in one statement."""


class Contacts:
    """When homes were last heard of. Not worth a write for each request: `save` now and then.

    Args:
        database: The database.
        clock: The utility's time.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._fresh: dict[str, float] = {}

    def seen(self, lfdi: str) -> None:
        """Note that a home was heard of now."""
        self._fresh[lfdi] = self._clock.now()

    async def save(self) -> None:
        """Make what was noted durable.

        Raises:
            BusyError: The database cannot take it; it stays noted.
        """
        fresh = dict(self._fresh)
        if not fresh:
            return
        statement = (
            update(HomeRow)
            .where(
                HomeRow.lfdi == bindparam("whose"),
                or_(HomeRow.last_contact.is_(None), HomeRow.last_contact < bindparam("heard_at")),
            )
            .values(last_contact=bindparam("heard_at"))
        )
        async with self._database.writing() as connection:
            await connection.execute(
                statement, [{"whose": lfdi, "heard_at": at} for lfdi, at in sorted(fresh.items())]
            )
        for lfdi, at in fresh.items():
            if self._fresh.get(lfdi) == at:
                del self._fresh[lfdi]

    async def of(self, *lfdis: str) -> Mapping[str, float]:
        """Return when homes were last heard of by any worker that has said so, epoch s.

        Args:
            lfdis: Which; all where none is named.

        Raises:
            BusyError: The database cannot serve.
        """
        query = select(HomeRow.lfdi, HomeRow.last_contact).where(HomeRow.last_contact.is_not(None))
        if lfdis:
            query = query.where(HomeRow.lfdi.in_(lfdis))
        async with self._database.reading() as connection:
            found = {row.lfdi: row.last_contact for row in await connection.execute(query)}
        wanted = frozenset(lfdis)
        own = {of: at for of, at in self._fresh.items() if not wanted or of in wanted}
        return found | {of: max(at, found.get(of, at)) for of, at in own.items()}
