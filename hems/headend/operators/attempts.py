"""Guessing is slow, at however many workers: attempts are counted in the database.

How long who guesses has to wait is the hub's own rule (`hems.access.brake`).
"""

import json
import math
from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hems.access.brake import FORGET_S, Count, From, Tries, after, counts, wait_s
from hems.clock import Clock
from hems.headend.db.database import Database
from hems.headend.errors import ThrottledError
from hems.headend.est.attempts import source_of
from hems.headend.operators.tables import AttemptRow
from hems.headend.sql import insert

Counted = Mapping[str, Count]
"""What an attempt counts for, by the key of its row; of these the first is the narrowest."""

NEVER: Final = Tries()


class Attempts:
    """Attempts to prove who somebody is.

    Args:
        database: Where they are counted.
        clock: The utility's time.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def begin(self, person: str, address: str) -> Counted:
        """Count an attempt as failed before it is made: many at once are as many.

        Args:
            person: Whose account it is, whether or not there is one, as names are compared.
            address: From where.

        Returns:
            What `passed` takes back.

        Raises:
            ThrottledError: It was tried too often; it says when the next is looked at.
            BusyError: The database cannot take it.
        """
        now = self._clock.now()
        counted = {json.dumps(each.key): each for each in counts(person, From(source_of(address)))}
        async with self._database.writing() as connection:
            fresh = [{"key": key, "failures": 0, "last": 0.0} for key in sorted(counted)]
            await connection.execute(insert(connection, AttemptRow).on_conflict_do_nothing(), fresh)
            tries = await _tries(connection, counted)
            waits_s = max(wait_s(tries[key], count, now) for key, count in counted.items())
            if waits_s <= 0:
                for key in counted:
                    await _put(connection, key, after(tries[key], now))
        if waits_s > 0:
            again_s = math.ceil(waits_s)
            raise ThrottledError(f"it was tried too often; try again in {again_s} s", again_s)
        return counted

    async def passed(self, counted: Counted) -> None:
        """Take back what `begin` counted, and forget the first one's failures altogether.

        Raises:
            BusyError: The database cannot do it now.
        """
        first = next(iter(counted))
        async with self._database.writing() as connection:
            for key, found in (await _tries(connection, counted)).items():
                failures = 0 if key == first else max(0, found.failures - 1)
                await _put(connection, key, Tries(failures, found.last))

    async def forget_old(self) -> None:
        """Let go of what counts no more.

        Raises:
            BusyError: The database cannot do it now.
        """
        old = self._clock.now() - FORGET_S
        async with self._database.writing() as connection:
            await connection.execute(delete(AttemptRow).where(AttemptRow.last < old))


async def _tries(connection: AsyncConnection, keys: Collection[str]) -> Mapping[str, Tries]:
    """Return what counts, and let no other transaction count meanwhile."""
    rows = await connection.execute(
        select(AttemptRow.__table__)
        .where(AttemptRow.key.in_(keys))
        .order_by(AttemptRow.key)
        .with_for_update()
    )
    found = {row.key: Tries(row.failures, row.last) for row in rows}
    return {key: found.get(key, NEVER) for key in keys}


async def _put(connection: AsyncConnection, key: str, tries: Tries) -> None:
    await connection.execute(
        update(AttemptRow)
        .where(AttemptRow.key == key)
        .values(failures=tries.failures, last=tries.last)
    )
