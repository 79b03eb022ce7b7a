"""All points as they stand, looked up while a control centre wants them."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from hems.clock import Clock
from hems.headend.errors import HeadEndError
from hems.headend.telecontrol.figures import Figures
from hems.headend.telecontrol.points import Place, Table
from hems.headend.telecontrol.reporting import Told, told

_LOOK_S: Final = 1.0
_log = logging.getLogger(__name__)


class Board:
    """Points.

    Args:
        table: Which.
        figures: What is known of them.
        clock: The utility's time.
        look_s: How often figures are looked up.
    """

    def __init__(self, table: Table, figures: Figures, clock: Clock, look_s: float) -> None:
        self._table = table
        self._figures = figures
        self._clock = clock
        self._look_s = look_s
        self._turn = asyncio.Lock()
        self._looked_at: float | None = None
        self._running: Sequence[str] = ()
        self._points: Mapping[Place, Told] = {}

    @property
    def points(self) -> Mapping[Place, Told]:
        """All points as they were found last; none before that."""
        return self._points

    async def fresh(self) -> Mapping[Place, Told]:
        """Return all points, looked up anew where that was long ago, or events have changed."""
        async with self._turn:
            if self._is_old():
                await self._look()
        return self._points

    async def run(self, wanted: Callable[[], bool]) -> None:
        """Look points up until cancelled.

        Args:
            wanted: Says whether anybody wants to know.
        """
        while True:
            if wanted():
                try:
                    await self.fresh()
                except HeadEndError as error:
                    _log.error("telecontrol's figures cannot be looked up: %s", error)
            await asyncio.sleep(_LOOK_S)

    def _is_old(self) -> bool:
        if self._looked_at is None or self._under_way() != self._running:
            return True
        return self._clock.monotonic() - self._looked_at >= self._look_s

    def _under_way(self) -> Sequence[str]:
        return [event.mrid for event in self._figures.running()]

    async def _look(self) -> None:
        self._running = self._under_way()
        await self._figures.look()
        now, known = self._clock.now(), self._figures.known
        self._points = {
            place: told(seen, known.get((seen.group, seen.quantity)), now)
            for place, seen in self._table.seen.items()
        }
        self._looked_at = self._clock.monotonic()
