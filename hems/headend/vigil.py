"""Whether a worker is well, as the service manager's watchdog is to know it.

A database that is away is nothing to end a worker for: it serves from memory, refuses what it
cannot store, and goes on by itself. What it cannot mend by itself is a round to the database that
neither comes back nor fails, and a door at which callers pile up without being let in.
"""

import asyncio
import logging
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hems.headend.errors import BusyError
from hems.service.feeding import OFTEN
from hems.service.notify import ServiceManager

ROUND_WITHIN_S: Final = 180.0
"""Longer than the database's own limits, by which every round ends where all is well."""
FULL_LOOKS: Final = 4
"""A door is stuck once it is found full so many times in a row: a storm is not yet that."""
_EVERY_S: Final = 7.5
_QUEUES: Final = struct.Struct("=24xII")
"""Of Linux's `tcp_info` on a listening socket: callers who wait, and how many may."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Queue:
    """Callers at a door.

    Attributes:
        waiting: Those whom nobody has let in yet.
        most: So many may wait.
    """

    waiting: int
    most: int

    @property
    def full(self) -> bool:
        """Whether nobody else may wait."""
        return self.waiting >= self.most > 0


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found; monotonic seconds.

    Attributes:
        begun_at: When the round to the database began that is under way; None where none is.
        full: How many times in a row each door was found full.
    """

    begun_at: float | None = None
    full: tuple[int, ...] = ()

    def after(self, queues: Sequence[Queue]) -> "Looked":
        """Return what is known after another look at the doors."""
        before = self.full if len(self.full) == len(queues) else (0,) * len(queues)
        found = zip(before, queues, strict=True)
        return replace(self, full=tuple(n + 1 if queue.full else 0 for n, queue in found))

    def trouble(self, now: float) -> str | None:
        """Return why the worker cannot be called well, in words; None where it can."""
        if self.begun_at is not None and now - self.begun_at > ROUND_WITHIN_S:
            return f"the database neither answers nor fails for {ROUND_WITHIN_S:g} s"
        if any(times >= FULL_LOOKS for times in self.full):
            return "callers pile up at a door, and nobody lets them in"
        return None


def queue(listener: socket.socket) -> Queue:
    """Return who waits at a listening socket; nobody where the system does not say."""
    try:
        found = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _QUEUES.size)
    except OSError:
        return Queue(0, 0)
    return Queue(*_QUEUES.unpack(found)) if len(found) == _QUEUES.size else Queue(0, 0)


class Vigil:
    """Feeds the watchdog for as long as a worker is well.

    Args:
        manager: Who is told.
        ask: Makes a round to the database.
        listeners: The worker's listening sockets.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        manager: ServiceManager,
        ask: Callable[[], Awaitable[object]],
        listeners: Callable[[], Iterable[socket.socket]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._manager = manager
        self._ask = ask
        self._listeners = listeners
        self._clock = clock
        self._round: asyncio.Task[None] | None = None
        self._looked = Looked()
        self._said: str | None = None

    async def run(self) -> None:
        """Look again and again; at once, too. Ends at once where nobody waits to be told."""
        within_s = self._manager.watchdog_s
        if within_s is None:
            return
        try:
            while True:
                await self.look()
                await asyncio.sleep(min(_EVERY_S, within_s / OFTEN))
        finally:
            if self._round is not None:
                self._round.cancel()
                await asyncio.gather(self._round, return_exceptions=True)

    async def look(self) -> None:
        """Look once, and feed the watchdog if the worker is well."""
        if self._round is None or self._round.done():
            self._round = asyncio.create_task(self._go_round(), name="headend vigil")
            self._looked = replace(self._looked, begun_at=self._clock())
            await asyncio.wait((self._round,), timeout=0.5)
        self._looked = self._looked.after([queue(each) for each in self._listeners()])
        if self._round.done():
            self._looked = replace(self._looked, begun_at=None)
        trouble = self._looked.trouble(self._clock())
        if trouble is None:
            self._manager.well()
        elif trouble != self._said:
            _log.critical("%s: the service manager will end this worker", trouble)
        self._said = trouble

    async def _go_round(self) -> None:
        try:
            await self._ask()
        except BusyError as error:
            _log.debug("the database is asked how it is: %s", error)
