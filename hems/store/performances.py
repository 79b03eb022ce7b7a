"""What was delivered of what was asked, kept for settlement."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from hems.store.database import Database
from hems.store.schema import performance
from programs.performance import Performance

_KEY: Final = ("programme", "event", "kind", "starts_at", "lfdi")
_FIELDS: Final = tuple(field.name for field in fields(Performance))
_PRUNE_S: Final = 90 * 86_400
"""Old rows go in slices of this length: a transaction that nobody notices."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A quarter-hour of an event, or what of it lies within the event.

    Attributes:
        start: UTC epoch seconds.
        length_s: How much of it lies within the event.
        baseline_wh: Net energy that there would have been without the event, import positive;
            None where nobody knows.
        metered_wh: Net energy that the meter saw; None where it was not read.
        measured_s: For how much of it the meter was read; None in records of before this was kept,
            where what was read stood for all of it.
    """

    start: float
    length_s: float
    baseline_wh: float | None
    metered_wh: float | None
    measured_s: float | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """A record with its quarter-hours.

    Attributes:
        record: What was delivered.
        intervals: By start; empty while they are not known.
    """

    record: Performance
    intervals: tuple[Interval, ...] = ()


_INTERVALS: Final = TypeAdapter(tuple[Interval, ...])


class Performances:
    """Records on the disk; raises `hems.store.errors.StoreError` if SQLite refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, record: Performance) -> None:
        """Write a record, in place of one of the same event, kind and start.

        Its quarter-hours are to be found anew.
        """
        async with self._database.ledger() as connection:
            await connection.execute(_PUT, {**asdict(record), "intervals": None})

    async def put_intervals(self, record: Performance, intervals: Sequence[Interval]) -> None:
        """Write the quarter-hours of a record that is kept."""
        body = json.dumps([asdict(each) for each in intervals])
        mine = [performance.c[name] == getattr(record, name) for name in _KEY]
        async with self._database.ledger() as connection:
            await connection.execute(update(performance).where(*mine).values(intervals=body))

    async def unsettled(self, ended_before: float) -> Sequence[Performance]:
        """Return the records whose quarter-hours are not known, of what had ended by then."""
        table = performance.c
        query = (
            select(*(table[name] for name in _FIELDS))
            .where(table.intervals.is_(None), table.ends_at <= ended_before)
            .order_by(table.ends_at)
        )
        async with self._database.history() as connection:
            rows = await connection.execute(query)
            return [Performance(**row._asdict()) for row in rows]

    async def find(self, start: float, end: float, programme: str = "") -> Sequence[Settled]:
        """Return what overlaps [start, end), UTC epoch seconds, by start.

        Args:
            start: UTC epoch seconds.
            end: UTC epoch seconds.
            programme: Of this programme alone; empty for all.
        """
        table = performance.c
        query = (
            select(*(table[name] for name in _FIELDS), table.intervals)
            .where(table.starts_at < end, table.ends_at > start)
            .order_by(table.starts_at, table.programme, table.event, table.kind)
        )
        if programme:
            query = query.where(table.programme == programme)
        async with self._database.history() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [
            Settled(
                Performance(**{name: row[name] for name in _FIELDS}),
                _INTERVALS.validate_json(row["intervals"] or "[]"),
            )
            for row in rows
        ]

    async def prune(self, before: float) -> None:
        """Forget what had ended before `before`, UTC epoch seconds, in slices."""
        at = performance.c.ends_at
        while True:
            async with self._database.history() as connection:
                oldest = await connection.scalar(select(func.min(at)))
                if oldest is None or oldest >= before:
                    return
                until = min(before, oldest + _PRUNE_S)
                await connection.execute(delete(performance).where(at < until))


_row = insert(performance)
_PUT: Final = _row.on_conflict_do_update(
    index_elements=list(_KEY),
    set_={c.name: _row.excluded[c.name] for c in performance.c if c.name not in _KEY},
)
