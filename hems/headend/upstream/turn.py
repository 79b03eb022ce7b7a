"""Of many workers on one database one alone is the client of the utility.

Who has the turn renews it well before it runs out. Who cannot renew it stops before another may
take it: two clients of one certificate would answer, and share, twice as often.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from sqlalchemy import delete, or_, select

from hems.clock import Clock
from hems.headend.errors import BusyError
from hems.headend.sql import insert
from hems.headend.upstream.ledger import Transactions
from hems.headend.upstream.models import TurnRow

_log = logging.getLogger(__name__)

FOR_S: Final = 30.0
"""How long a turn lasts that is not renewed; workers' clocks must agree to a third of this."""


class Turn:
    """The turn to do something that one worker alone may do.

    Args:
        database: The workers' database.
        clock: This worker's clock.
        name: Of what.
        holder: Of this worker; no other has the same.
        for_s: How long a turn lasts that is not renewed.
    """

    def __init__(
        self,
        database: Transactions,
        clock: Clock,
        *,
        name: str,
        holder: str,
        for_s: float = FOR_S,
    ) -> None:
        self._database = database
        self._clock = clock
        self._name = name
        self._holder = holder
        self._for_s = for_s

    async def take(self) -> bool:
        """Take the turn, or renew it; returns whether this worker has it.

        Raises:
            BusyError: The database cannot serve now.
        """
        now = self._clock.now()
        values = {"holder": self._holder, "until": now + self._for_s}
        async with self._database.writing() as connection:
            done = await connection.execute(
                insert(connection, TurnRow)
                .values(name=self._name, **values)
                .on_conflict_do_update(
                    index_elements=["name"],
                    set_=values,
                    where=or_(TurnRow.holder == self._holder, TurnRow.until <= now),
                )
                .returning(TurnRow.holder)
            )
            return done.scalar_one_or_none() == self._holder

    async def give_up(self) -> None:
        """Let another take the turn at once.

        Raises:
            BusyError: The database cannot serve now; the turn runs out by itself.
        """
        async with self._database.writing() as connection:
            await connection.execute(
                delete(TurnRow).where(TurnRow.name == self._name, TurnRow.holder == self._holder)
            )

    async def holder(self) -> str | None:
        """Return whose turn it is; None for nobody's.

        Raises:
            BusyError: The database cannot serve now.
        """
        query = select(TurnRow.holder).where(
            TurnRow.name == self._name, TurnRow.until > self._clock.now()
        )
        async with self._database.reading() as connection:
            return (await connection.execute(query)).scalar_one_or_none()

    async def serve(self, work: Callable[[], Awaitable[None]]) -> None:
        """Work whenever this worker has the turn; never returns.

        Args:
            work: Does it until it is cancelled; is called again for the next turn.
        """
        while True:
            if await self._try():
                _log.info("this worker has the turn: %s", self._name)
                await self._work(work)
                _log.warning("this worker has lost the turn: %s", self._name)
            await asyncio.sleep(self._for_s / 3)

    async def _work(self, work: Callable[[], Awaitable[None]]) -> None:
        async def to_the_end() -> None:
            await work()

        task = asyncio.create_task(to_the_end(), name=f"turn {self._name}")
        try:
            while not task.done() and await self._renewed(task):
                pass
            if task.done():
                task.result()  # it ended by an error, which is not ours to hide
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            with contextlib.suppress(BusyError):
                await self.give_up()

    async def _renewed(self, task: asyncio.Task[None]) -> bool:
        """Wait a while, and renew the turn; returns whether this worker still has it."""
        deadline = self._clock.monotonic() + self._for_s * 2 / 3
        await asyncio.wait([task], timeout=self._for_s / 3)
        while not task.done() and self._clock.monotonic() < deadline:
            with contextlib.suppress(BusyError, TimeoutError):
                async with asyncio.timeout(max(0.0, deadline - self._clock.monotonic())):
                    return await self.take()
            await asyncio.sleep(self._for_s / 30)
        return task.done()

    async def _try(self) -> bool:
        try:
            return await self.take()
        except BusyError as error:
            _log.warning("the turn %s cannot be taken: %s", self._name, error)
            return False
