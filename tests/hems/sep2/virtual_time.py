"""An event loop whose clock jumps over every wait: days of polling in a moment.

Only for what talks to no socket: nothing outside the process keeps up with it.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        super().__init__()
        self._ahead_s = 0.0

    def time(self) -> float:
        return super().time() + self._ahead_s

    def _run_once(self) -> None:
        timers = [t for t in self._scheduled if not t.cancelled()]  # type: ignore[attr-defined]
        if timers and not self._ready:  # type: ignore[attr-defined]
            self._ahead_s += max(0.0, min(t.when() for t in timers) - self.time())
        super()._run_once()  # type: ignore[misc]


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end without waiting for anything but other tasks."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(work)
