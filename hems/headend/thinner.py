"""Thins old readings while homes post new ones: a few meters at a time, never in their way.

Any number of workers do it: who holds the lock merges, the others look again later. A transaction
moves some readings into their slots, so that each is in one place or the other at any time.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Connection,
    bindparam,
    delete,
    func,
    select,
    text,
)
from sqlalchemy.orm import aliased

from hems.headend.db.database import Database
from hems.headend.errors import BusyError
from hems.headend.models import MeterRow, ReadingRow, ThinnedRow
from hems.headend.sql import Insert, insert
from hems.headend.thinning import (
    SLOT_S,
    Key,
    Meaning,
    Raw,
    Slot,
    begins,
    key_of,
    merged,
    read,
    value_of,
    written,
)

METERS: Final = 100
"""Meters that are looked at together."""
READINGS: Final = 2_000
"""Readings in one transaction."""
_LOCK: Final = 0x2030_6
"""Key of the advisory lock under which slots are merged."""
_PAUSE: Final = 3.0
"""After each transaction, others have the database for so many times its length."""
_ROUND_S: Final = float(SLOT_S)
_AGAIN_S: Final = 30.0
_DAY_S: Final = 86_400.0

_log = logging.getLogger(__name__)


class Thinner:
    """Thins readings.

    Args:
        database: The database.
        now: UTC epoch seconds.
        after_days: How old readings are when they are thinned, days; 0 for never.
    """

    def __init__(self, database: Database, now: Callable[[], float], after_days: float) -> None:
        self._database = database
        self._now = now
        self._after_s = after_days * _DAY_S

    async def run(self) -> None:
        """Work until cancelled."""
        while self._after_s:
            try:
                await self.round()
            except BusyError as error:
                _log.warning("old readings stay as they are for now: %s", error)
                await asyncio.sleep(_AGAIN_S)
            else:
                await asyncio.sleep(_ROUND_S)

    async def round(self) -> int:
        """Thin all that is old enough now; returns how many readings that were.

        Raises:
            BusyError: The database cannot serve; what was thinned until then stays so.
        """
        before = int(self._now() - self._after_s) // SLOT_S * SLOT_S
        last, done = 0, 0
        while meters := await self._database.inquire(partial(_meters, after=last)):
            while await self._database.inquire(partial(_any, meters=meters, before=before)):
                begun = time.monotonic()
                moved = await self._database.transact(partial(_thin, meters=meters, before=before))
                if not moved:  # another worker does it
                    break
                done += moved
                await asyncio.sleep(_PAUSE * (time.monotonic() - begun))
            last = max(meters)
            await asyncio.sleep(0)
        return done


def _meters(connection: Connection, after: int) -> Mapping[int, Meaning]:
    rows = connection.execute(_METERS, {"after": after, "most": METERS})
    return {row.id: Meaning(row.uom, row.qualifier) for row in rows}


def _any(connection: Connection, meters: Mapping[int, Meaning], before: int) -> bool:
    asked = {"meters": list(meters), "before": before, "most": 1}
    return connection.execute(_OLD, asked).first() is not None


def _thin(connection: Connection, meters: Mapping[int, Meaning], before: int) -> int:
    """Move some readings into their slots; returns how many, 0 where another worker does that."""
    postgresql = connection.dialect.name == "postgresql"
    if postgresql and not connection.execute(_TRY, {"key": _LOCK}).scalar_one():
        return 0
    asked = {"meters": list(meters), "before": before, "most": READINGS}
    rows = connection.execute(_OLD.with_for_update() if postgresql else _OLD, asked).all()
    if not rows:
        return 0
    slots: dict[tuple[int, Key], list[Raw]] = {}
    for row in rows:
        reading = Raw(row.start, row.duration_s, row.local_id, row.value)
        slots.setdefault((row.meter, key_of(reading)), []).append(reading)
    known = _known(connection, slots.keys())
    values = []
    for (meter, key), readings in sorted(slots.items(), key=lambda item: item[0]):
        slot = merged(known.get((meter, key)), key, readings)
        if slot is not None:
            values.append(_values(meter, key, slot, meters[meter]))
    connection.execute(_put(connection), values)
    connection.execute(_GONE, {"ids": [row.id for row in rows]})
    return len(rows)


def _known(
    connection: Connection, wanted: Collection[tuple[int, Key]]
) -> Mapping[tuple[int, Key], Slot]:
    """Return the slots of meters that there are already."""
    starts = [key[0] for _, key in wanted]
    asked = {
        "meters": list({meter for meter, _ in wanted}),
        "first": min(starts),
        "last": max(starts),
    }
    found = {}
    for row in connection.execute(_SLOTS, asked):
        key = row.meter, (row.slot, row.kind)
        if key in wanted:
            found[key] = Slot(
                row.readings,
                row.total,
                row.weighted,
                row.duration_s,
                row.least,
                row.greatest,
                row.last,
                row.last_at,
                read(row.marks),
            )
    return found


def _values(meter: int, key: Key, slot: Slot, meaning: Meaning) -> dict[str, object]:
    start, kind = key
    return {
        "meter": meter,
        "slot": start,
        "kind": kind,
        "start": begins(slot, meaning, key),
        "duration_s": slot.covered_s,
        "value": value_of(slot, meaning, kind),
        "readings": slot.count,
        "total": slot.total,
        "weighted": slot.weighted,
        "least": slot.least,
        "greatest": slot.greatest,
        "last": slot.last,
        "last_at": slot.last_at,
        "marks": written(slot.marks),
    }


def _put(connection: Connection) -> Insert:
    made = insert(connection, ThinnedRow)
    names = (each.name for each in ThinnedRow.__table__.columns if not each.primary_key)
    return made.on_conflict_do_update(
        index_elements=["meter", "slot", "kind"], set_={name: made.excluded[name] for name in names}
    )


def _number(name: str) -> BindParameter[int]:
    return bindparam(name, type_=BigInteger())


_newest = aliased(ReadingRow)
_TRY: Final = text("SELECT pg_try_advisory_xact_lock(:key)")
_METERS: Final = (
    select(MeterRow.id, MeterRow.uom, MeterRow.qualifier)
    .where(MeterRow.id > _number("after"))
    .order_by(MeterRow.id)
    .limit(_number("most"))
)
_OLD: Final = (
    select(ReadingRow.__table__)
    .where(
        ReadingRow.meter.in_(bindparam("meters", expanding=True)),
        ReadingRow.start < _number("before"),
        # A home may say any time: no slot begins before all of them. It is forgotten unthinned.
        ReadingRow.start >= 0,
        # SQLite gives the number of the last row anew when that is gone; who counts by numbers
        # what has come since would miss the next one.
        ReadingRow.id < select(func.max(_newest.id)).scalar_subquery(),
    )
    .order_by(ReadingRow.meter, ReadingRow.start)
    .limit(_number("most"))
)
_SLOTS: Final = select(ThinnedRow.__table__).where(
    ThinnedRow.meter.in_(bindparam("meters", expanding=True)),
    ThinnedRow.slot.between(_number("first"), _number("last")),
)
_GONE: Final = delete(ReadingRow).where(ReadingRow.id.in_(bindparam("ids", expanding=True)))
