"""Work beside the control cycle: what fails there is said, and never ends control."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

_log = logging.getLogger(__name__)


class Aside:
    """Tasks of their own, outside the group in which the control cycle runs.

    Args:
        failed: Told in one sentence of each task that ended in an error.
        grace_s: How long what still runs at the end may take to come to its own end, in s.
    """

    def __init__(self, failed: Callable[[str], None], grace_s: float = 2.0) -> None:
        self._failed = failed
        self._grace_s = grace_s
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = False

    def start(self) -> None:
        """Take tasks from now on."""
        self._open = True

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something aside; dropped before `start` and after `stop`."""
        if not self._open:
            work.close()
            return
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def stop(self) -> None:
        """Let what still runs come to its end, cancel what does not, and wait for it."""
        self._open = False
        tasks = tuple(self._tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=self._grace_s)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            _log.error("a task beside the control cycle failed", exc_info=error)
            self._failed(f"Something beside the control of the home failed: {error!r}")
