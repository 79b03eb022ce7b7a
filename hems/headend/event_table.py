"""The dispatched events in the database."""

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hems.clock import Clock
from hems.headend.db.database import Database
from hems.headend.db.held import Held
from hems.headend.models import EventRow
from hems.headend.programmes import Programmes
from hems.headend.records import Event
from hems.headend.rows import event_of, event_values
from hems.headend.sql import insert

MEMORY_S = 7 * 86400
"""How long an ended event can be asked for by the operator; the database keeps it."""
_MOST_RANDOM_S = 2 * 3600


class EventTable(Held[Event]):
    """Events of the known programmes that are not long over, by mRID.

    Args:
        database: The database.
        programmes: The programmes; those before these, for events name them.
        clock: The utility's time.
    """

    def __init__(self, database: Database, programmes: Programmes, clock: Clock) -> None:
        super().__init__(database, "event")
        self._programmes = programmes
        self._clock = clock

    def forget_old(self) -> None:
        """Let go of events that ended long ago."""
        old = self._clock.now() - MEMORY_S
        self._take({e.mrid: None for e in self.all.values() if e.latest_end <= old})

    async def _read(
        self, connection: AsyncConnection, keys: Sequence[str] | None
    ) -> Mapping[str, Event]:
        since = self._clock.now() - MEMORY_S
        query = select(EventRow.__table__).where(
            EventRow.start + EventRow.duration_s + _MOST_RANDOM_S > since,
        )
        if keys is not None:
            query = query.where(EventRow.mrid.in_(keys))
        rows = await connection.execute(query.order_by(EventRow.accepted_at, EventRow.mrid))
        found: dict[str, Event] = {}
        for row in rows:
            program = self._programmes.of_mrid(row.program)
            if program is not None:
                found[row.mrid] = event_of(row, program.index)
        return found

    async def _write(self, connection: AsyncConnection, items: Sequence[tuple[str, Event]]) -> None:
        for _, item in items:
            values = event_values(item, self._programmes.index(item.program).mrid)
            await connection.execute(
                insert(connection, EventRow)
                .values(values)
                .on_conflict_do_update(index_elements=["mrid"], set_=values)
            )

    async def _erase(self, connection: AsyncConnection, keys: Sequence[str]) -> None:
        await connection.execute(delete(EventRow).where(EventRow.mrid.in_(keys)))
