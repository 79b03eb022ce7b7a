"""Events for named homes in the database, and held by every worker."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hems.clock import Clock
from hems.headend.db.database import Database
from hems.headend.db.held import Held
from hems.headend.modes import Mode, ProgramKind
from hems.headend.own.models import OwnEventRow, OwnHomeRow
from hems.headend.own.records import OwnEvent
from hems.headend.records import Event
from hems.headend.rows import AnyRow
from hems.headend.sql import insert

_CHUNK: Final = 500
"""Keys in one statement."""


MEMORY_S: Final = 2 * 86_400
"""How long an event that is over is remembered; the database keeps it for longer."""
KEPT_S: Final = 400 * 86_400
"""How long the database keeps it, so that it can be settled; what homes answered stays."""


class OwnTable(Held[OwnEvent]):
    """Those that are not long over, by mRID.

    Args:
        database: The database.
        clock: The utility's time.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        super().__init__(database, "own_event")
        self._clock = clock

    def forget_old(self) -> None:
        """Let go of events that ended long ago."""
        old = self._clock.now() - MEMORY_S
        self._take({m: None for m, item in self.all.items() if item.event.latest_end <= old})

    async def erase_old(self) -> None:
        """Have the database forget what nobody settles any more.

        Raises:
            BusyError: The database cannot do it now.
        """
        over = OwnEventRow.start + OwnEventRow.duration_s <= self._clock.now() - KEPT_S
        async with self.database.changing() as draft:
            rows = await draft.connection.execute(select(OwnEventRow.mrid).where(over))
            await self._erase(draft.connection, tuple(rows.scalars()))

    async def given(self, keys: Sequence[str]) -> Mapping[str, str]:
        """Return the mRIDs of events by the keys of their orders, however long ago they were.

        Raises:
            BusyError: The database cannot serve.
        """
        query = select(OwnEventRow.key, OwnEventRow.mrid).where(OwnEventRow.key.in_(keys))
        async with self.database.changing() as draft:
            return {row.key: row.mrid for row in await draft.connection.execute(query)}

    async def _read(
        self, connection: AsyncConnection, keys: Sequence[str] | None
    ) -> Mapping[str, OwnEvent]:
        if keys is None:
            return await self._read_some(connection, None)
        found: dict[str, OwnEvent] = {}
        for start in range(0, len(keys), _CHUNK):
            found |= await self._read_some(connection, keys[start : start + _CHUNK])
        return found

    async def _read_some(
        self, connection: AsyncConnection, keys: Sequence[str] | None
    ) -> Mapping[str, OwnEvent]:
        events = select(OwnEventRow.__table__).order_by(OwnEventRow.accepted_at, OwnEventRow.mrid)
        homes = select(OwnHomeRow.mrid, OwnHomeRow.lfdi)
        late = OwnEventRow.start + OwnEventRow.duration_s > self._clock.now() - MEMORY_S
        events = events.where(late)
        if keys is None:
            homes = homes.where(OwnHomeRow.mrid.in_(select(OwnEventRow.mrid).where(late)))
        else:
            events = events.where(OwnEventRow.mrid.in_(keys))
            homes = homes.where(OwnHomeRow.mrid.in_(keys))
        named: dict[str, list[str]] = {}
        for row in await connection.execute(homes):
            named.setdefault(row.mrid, []).append(row.lfdi)
        rows = await connection.execute(events)
        return {row.mrid: own_event(row, frozenset(named.get(row.mrid, ()))) for row in rows}

    async def _write(
        self, connection: AsyncConnection, items: Sequence[tuple[str, OwnEvent]]
    ) -> None:
        fresh = [item for mrid, item in items if mrid not in self.all]
        if fresh:
            await connection.execute(insert(connection, OwnEventRow), [_values(i) for i in fresh])
            rows = [
                {"mrid": item.event.mrid, "lfdi": lfdi}
                for item in fresh
                for lfdi in sorted(item.homes)
            ]
            await connection.execute(insert(connection, OwnHomeRow), rows)
        # All that ever changes of one is that it is taken back.
        known = [
            {"one": mrid, "at": item.event.cancelled_at} for mrid, item in items if mrid in self.all
        ]
        if known:
            taken_back = update(OwnEventRow).where(OwnEventRow.mrid == bindparam("one"))
            await connection.execute(taken_back.values(cancelled_at=bindparam("at")), known)

    async def _erase(self, connection: AsyncConnection, keys: Sequence[str]) -> None:
        for start in range(0, len(keys), _CHUNK):
            some = keys[start : start + _CHUNK]
            await connection.execute(delete(OwnHomeRow).where(OwnHomeRow.mrid.in_(some)))
            await connection.execute(delete(OwnEventRow).where(OwnEventRow.mrid.in_(some)))


def own_event(row: AnyRow, homes: frozenset[str]) -> OwnEvent:
    """Return an event from its row, for these homes."""
    event = Event(
        mrid=row.mrid,
        program=0,
        values={Mode(name): value for name, value in json.loads(row.modes).items()},
        start=row.start,
        duration_s=row.duration_s,
        randomize_start_s=0,
        randomize_duration_s=0,
        accepted_at=row.accepted_at,
        cancelled_at=row.cancelled_at,
        ramp_s=row.ramp_s,
        binding=row.binding,
    )
    return OwnEvent(event, row.key, ProgramKind(row.kind), homes)


def _values(item: OwnEvent) -> dict[str, str | float | bool | None]:
    event = item.event
    return {
        "mrid": event.mrid,
        "key": item.key,
        "kind": item.kind.value,
        "modes": json.dumps({mode.value: value for mode, value in event.values.items()}),
        "start": event.start,
        "duration_s": event.duration_s,
        "accepted_at": event.accepted_at,
        "cancelled_at": event.cancelled_at,
        "ramp_s": event.ramp_s,
        "binding": event.binding,
    }


def cancelled(item: OwnEvent, at: float) -> OwnEvent:
    """Return an event as cancelled at an epoch time."""
    return replace(item, event=replace(item.event, cancelled_at=at))
