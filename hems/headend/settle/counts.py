"""Events counted over all their homes, in the background: one count of each at a time.

A count over many homes takes a while. Who asks gets the last one, and a new one is begun when that
is old: the longer one takes, the seldomer.
"""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from hems.clock import Clock
from hems.headend.errors import HeadEndError
from hems.headend.records import Event
from hems.headend.settle.counting import Counting
from hems.headend.settle.totals import Total

FRESH_S: Final = 2.0
_TIMES: Final = 10.0
"""A count is fresh for so many times what it took."""
_MOST: Final = 32
"""Events whose counts are remembered."""
_WAIT_S: Final = 1.0
"""So long who asks waits for a new count; most fleets are counted within that."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Count:
    """An event over all its homes.

    Attributes:
        total: All of them.
        at: As of when, epoch s.
        ended: When the count was done, monotonic s.
        took_s: How long it took.
    """

    total: Total
    at: float
    ended: float
    took_s: float

    def fresh(self, monotonic: float) -> bool:
        """Whether it is still good."""
        return monotonic - self.ended < max(FRESH_S, _TIMES * self.took_s)


class Counts:
    """Counts of events.

    Args:
        counting: Settles homes.
        clock: The utility's time.
    """

    def __init__(self, counting: Counting, clock: Clock) -> None:
        self._counting = counting
        self._clock = clock
        self._known: OrderedDict[str, Count] = OrderedDict()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def close(self) -> None:
        """End what is being counted."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def of(self, event: Event) -> Count | None:
        """Return the last count of an event; None while it is first counted.

        Args:
            event: Which.
        """
        known = self._known.get(event.mrid)
        if known is None or not known.fresh(self._clock.monotonic()):
            await asyncio.wait({self._begun(event)}, timeout=_WAIT_S)
        return self._known.get(event.mrid)

    def _begun(self, event: Event) -> asyncio.Task[None]:
        """Return the count of an event that is under way, a new one if none is."""
        task = self._tasks.get(event.mrid)
        if task is None:
            task = asyncio.create_task(self._count(event), name=f"count of {event.mrid}")
            self._tasks[event.mrid] = task
            task.add_done_callback(lambda _: self._tasks.pop(event.mrid, None))
        return task

    async def _count(self, event: Event) -> None:
        at, begun = self._clock.now(), self._clock.monotonic()
        total = Total()
        try:
            async for some in self._counting.results(event, await self._counting.homes(event)):
                for result in some:
                    total.add(result)
        except HeadEndError as error:
            _log.warning("event %s could not be counted: %s", event.mrid, error)
            return
        ended = self._clock.monotonic()
        self._known[event.mrid] = Count(total, at, ended, ended - begun)
        self._known.move_to_end(event.mrid)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)
