"""What of the grid was measured, for whom it may be seen, and who has seen it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from hems.store.database import Database
from hems.store.schema import accesses, grants, intervals, sightings

_PRUNE_S: Final = 90 * 86_400
"""Old rows go in slices of this length: a transaction that nobody notices."""


@dataclass(frozen=True, slots=True)
class Interval:
    """One phase, or all together, over one interval; None where it was not measured.

    Attributes:
        start: UTC epoch seconds, a multiple of its length.
        length_s: Its length.
        phase: "A", "B" or "C"; empty for all together, voltage then being that of phase A or the
            mean, as the meter has it.
        power_w: Mean, import positive.
        reactive_var: Mean, absorption positive.
        voltage_v: Mean.
        voltage_least_v: Least of the single readings.
        voltage_most_v: Greatest.
        frequency_hz: Mean.
        import_wh: The register at the interval's end.
        export_wh: The same of what was given.
        measured: Share of its time for which the meter was read, 0 to 1.
    """

    start: int
    length_s: int
    phase: str
    power_w: float | None = None
    reactive_var: float | None = None
    voltage_v: float | None = None
    voltage_least_v: float | None = None
    voltage_most_v: float | None = None
    frequency_hz: float | None = None
    import_wh: float | None = None
    export_wh: float | None = None
    measured: float = 0.0


@dataclass(frozen=True, slots=True)
class SightingRow:
    """Something that happened to the supply; fields as in `hems.visibility.sightings`."""

    what: str
    phase: str
    began_at: float
    ended_at: float | None
    extreme: float | None


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A grant; fields as in `hems.visibility.grants`."""

    id: int
    recipient: str
    name: str
    purpose: str
    data: tuple[str, ...]
    granted_at: float
    until: float
    withdrawn_at: float | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """One access to the home's measurements, allowed or not.

    Attributes:
        at: UTC epoch seconds.
        recipient: LFDI of who asked.
        purpose: What for, as it was granted; empty where it was refused.
        asked: What was asked for, such as "GET intervals 2026-07-01 to 2026-07-02".
        allowed: Whether it was given.
    """

    at: float
    recipient: str
    purpose: str
    asked: str
    allowed: bool


class VisibilityStore:
    """The same on the disk; raises `hems.store.errors.StoreError` if SQLite refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, measured: Sequence[Interval], seen: Sequence[SightingRow]) -> None:
        """Write intervals and sightings; one written before is written over."""
        async with self._database.history() as connection:
            if measured:
                await connection.execute(_PUT_INTERVAL, [asdict(each) for each in measured])
            if seen:
                await connection.execute(_PUT_SIGHTING, [asdict(each) for each in seen])

    async def intervals(self, start: float, end: float, most: int) -> Sequence[Interval]:
        """Return at most `most` intervals that begin in [start, end), in order of time."""
        table = intervals
        query = (
            select(table)
            .where((table.c.start >= start) & (table.c.start < end))
            .order_by(table.c.start, table.c.phase)
            .limit(most)
        )
        async with self._database.history() as connection:
            return [Interval(**row._asdict()) for row in await connection.execute(query)]

    async def sightings(self, start: float, end: float, most: int) -> Sequence[SightingRow]:
        """Return at most `most` sightings that lasted into [start, end), in order of time."""
        table = sightings
        lasts = table.c.ended_at.is_(None) | (table.c.ended_at >= start)
        query = (
            select(table)
            .where((table.c.began_at < end) & lasts)
            .order_by(table.c.began_at)
            .limit(most)
        )
        async with self._database.history() as connection:
            return [SightingRow(**row._asdict()) for row in await connection.execute(query)]

    async def open_sightings(self) -> Sequence[SightingRow]:
        """Return those of which no end is known, in order of time."""
        query = (
            select(sightings).where(sightings.c.ended_at.is_(None)).order_by(sightings.c.began_at)
        )
        async with self._database.history() as connection:
            return [SightingRow(**row._asdict()) for row in await connection.execute(query)]

    async def grants(self) -> Sequence[GrantRow]:
        """Return all grants there ever were, the oldest first."""
        async with self._database.ledger() as connection:
            rows = await connection.execute(select(grants).order_by(grants.c.id))
            return [
                GrantRow(**{**row._asdict(), "data": tuple(json.loads(row.data))}) for row in rows
            ]

    async def grant(self, row: GrantRow) -> int:
        """Keep a new grant; returns its id."""
        values = {**asdict(row), "data": json.dumps(sorted(row.data))}
        del values["id"]
        async with self._database.ledger() as connection:
            added = await connection.change(insert(grants).values(**values))
            return int(added.inserted_primary_key[0]) if added.inserted_primary_key else 0

    async def end_grant(self, grant: int, at: float) -> None:
        """Have a grant end at `at`, UTC epoch seconds, at the latest, and for good."""
        query = update(grants).where((grants.c.id == grant) & grants.c.withdrawn_at.is_(None))
        ended = {"until": func.min(grants.c.until, at), "withdrawn_at": at}
        async with self._database.ledger() as connection:
            await connection.execute(query.values(ended))

    async def note(self, access: Access) -> None:
        """Write an access down; on the disk when this returns."""
        async with self._database.ledger() as connection:
            await connection.execute(insert(accesses).values(**asdict(access)))

    async def accesses(self, most: int) -> Sequence[Access]:
        """Return the last accesses, the newest first."""
        table = accesses.c
        query = (
            select(table.at, table.recipient, table.purpose, table.asked, table.allowed)
            .order_by(table.id.desc())
            .limit(most)
        )
        async with self._database.ledger() as connection:
            return [Access(**row._asdict()) for row in await connection.execute(query)]

    async def prune(self, before: float, *, refused_before: float) -> None:
        """Forget what is old; never who saw what.

        Args:
            before: What was measured before it goes, UTC epoch seconds.
            refused_before: The same of those who were refused, so saw nothing.
        """
        at = intervals.c.start
        while True:
            async with self._database.history() as connection:
                oldest = await connection.scalar(select(func.min(at)))
                if oldest is None or oldest >= before:
                    break
                until = min(before, oldest + _PRUNE_S)
                await connection.execute(delete(intervals).where(at < until))
        async with self._database.history() as connection:
            await connection.execute(delete(sightings).where(sightings.c.ended_at < before))
        refused = accesses.c.allowed.is_(False) & (accesses.c.at < refused_before)
        async with self._database.ledger() as connection:
            await connection.execute(delete(accesses).where(refused))


_interval = insert(intervals)
_PUT_INTERVAL: Final = _interval.on_conflict_do_update(
    index_elements=["start", "phase"],
    set_={c.name: _interval.excluded[c.name] for c in intervals.c if not c.primary_key},
)
_sighting = insert(sightings)
_PUT_SIGHTING: Final = _sighting.on_conflict_do_update(
    index_elements=["what", "phase", "began_at"],
    set_={c.name: _sighting.excluded[c.name] for c in sightings.c if not c.primary_key},
)
