"""Follows what other workers change: woken by PostgreSQL, and looking now and then in any case."""

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from hems.headend.db.database import Database
from hems.headend.errors import BusyError
from hems.on_demand import on_demand

if TYPE_CHECKING:
    from hems.headend.db import line
else:
    line = on_demand("hems.headend.db.line")

LOOK_S: Final = 0.25
"""How often it looks in an SQLite file, or while PostgreSQL does not wake it."""
WOKEN_S: Final = 5.0
"""How often it looks although PostgreSQL wakes it."""

_log = logging.getLogger(__name__)


class Follower:
    """Keeps a worker's memory as the database is. Run it as a task.

    Args:
        database: The database.
        look_s: How often it looks where nothing wakes it, s.
    """

    def __init__(self, database: Database, look_s: float = LOOK_S) -> None:
        self._database = database
        self._look_s = look_s
        self._wake = asyncio.Event()
        self._line: line.Line | None = None
        self._away = False
        self._ended = False

    def end(self) -> None:
        """Have `run` end once what it is at is done."""
        self._ended = True
        self._wake.set()

    async def run(self) -> None:
        """Work until `end` is called."""
        try:
            while not self._ended:
                self._wake.clear()
                await self._listen()
                await self._look()
                listens = self._line is not None
                with suppress(TimeoutError):
                    async with asyncio.timeout(WOKEN_S if listens else self._look_s):
                        await self._wake.wait()
        finally:
            if self._line is not None:
                await self._line.close()

    async def _look(self) -> None:
        try:
            await self._database.catch_up()
        except BusyError as error:
            if not self._away:
                _log.warning("what other workers change is not seen: %s", error)
            self._away = True
        else:
            if self._away:
                _log.warning("what other workers change is seen again")
            self._away = False

    async def _listen(self) -> None:
        """Have PostgreSQL wake us; while it cannot, looking has to do."""
        if not self._database.url or (self._line is not None and self._line.up):
            return
        self._line = None
        try:
            self._line = await line.Line.open(self._database.url, self._wake.set)
        except OSError as error:
            _log.info("PostgreSQL does not wake us: %s", error)
