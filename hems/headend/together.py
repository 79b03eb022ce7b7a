"""What many wait for, written together: a commit takes as long for a hundred as for one.

Who comes while a write is under way is in the next one. A lone one is written at once, and the
busier it is, the more are in one transaction. Only where the disk is slow, the next write waits a
tenth of what the last one took: who has just been answered posts again, and would come too late.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Final, Generic, TypeVar

from hems.headend.errors import BusyError, RequestError

MOST: Final = 256
"""Of them in one write, so that none waits for long."""

_SLOW_S: Final = 0.004
_PAUSE: Final = 0.1

T = TypeVar("T")
R = TypeVar("R")

Write = Callable[[Sequence[T]], Awaitable[Sequence[R | RequestError]]]
"""Makes items durable, all or none, but for those that it refuses: their errors stand in the places
of their results."""


class Together(Generic[T, R]):
    """Writes items in as few transactions as they can be.

    Args:
        write: Writes some.
    """

    def __init__(self, write: Write[T, R]) -> None:
        self._write = write
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def add(self, item: T) -> R:
        """Write an item, and return what came of it once it is durable.

        Who is cancelled while waiting may find the item written all the same.

        Raises:
            RequestError: It is refused; the others are not touched by that.
            BusyError: The database cannot take it; nothing of it was stored.
        """
        done: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._task is None:
            # Of nobody's context: it writes for whoever comes.
            self._task = asyncio.create_task(self._run(), name="write together", context=Context())
        return await done

    async def _run(self) -> None:
        try:
            while self._waiting:
                count, begun = min(len(self._waiting), MOST), time.monotonic()
                await self._settle([self._waiting.popleft() for _ in range(count)])
                spent_s = time.monotonic() - begun
                if spent_s > _SLOW_S and self._waiting:
                    await asyncio.sleep(_PAUSE * spent_s)
        finally:
            self._task = None

    async def _settle(self, batch: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        """Write a batch, and tell those who wait."""
        outcome: Sequence[R | BaseException] | BaseException
        (outcome,) = await asyncio.gather(
            self._write([item for item, _ in batch]), return_exceptions=True
        )
        if isinstance(outcome, BaseException):
            if len(batch) > 1 and not isinstance(outcome, BusyError):
                for one in batch:  # so that what spoils it fails alone
                    await self._settle([one])
                return
            outcome = [outcome] * len(batch)
        for (_, done), result in zip(batch, outcome, strict=True):
            if done.done():  # whoever waited has gone
                continue
            if isinstance(result, BaseException):
                done.set_exception(result)
            else:
                done.set_result(result)
