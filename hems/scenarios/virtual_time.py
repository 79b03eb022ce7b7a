"""An event loop whose time passes at once: nobody waits for a timer, only for work under way.

Where nothing is ready, the loop's clock goes to the next timer and no real time passes. What
really takes time is waited for, and costs no virtual time: the database's threads, whose futures
are told by who made them; packets on the loopback interface, for which a packet sent after them is
waited; and calls meant for other threads, which are simply made.

A virtual second means the same on any machine, however busy: what happens depends on nothing but
what was begun.
"""

import asyncio
import selectors
import socket
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

_PATIENCE_S: Final = 30.0
"""Real time that a thread may take; longer means that it never answers."""
_RESOLUTION_S: Final = 1e-6
_TURN_S: Final = 1e-6
"""What each turn of the loop costs in virtual time: who looks again until a moment has come, to
the last digit, sees it come."""
_LOOPBACK: Final = "127.0.0.1"
_DATABASE: Final = frozenset({"aiosqlite.core", "sqlalchemy.dialects.sqlite.aiosqlite"})
"""Modules that have a thread of the database answer their futures."""


class StuckError(RuntimeError):
    """Nothing is under way any more and no timer is set: the work can never end."""


class _Barrier:
    """Tells when all packets sent so far over the loopback interface have arrived.

    They are queued in the order in which they were sent, so a packet of one's own that has
    arrived says that those before it have.
    """

    def __init__(self) -> None:
        self._far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._far.bind((_LOOPBACK, 0))
        self._far.settimeout(1.0)
        self._near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._near.connect(self._far.getsockname())

    def wait(self) -> None:
        self._near.send(b".")
        self._far.recv(1)

    def close(self) -> None:
        self._near.close()
        self._far.close()


class _Selector(selectors.DefaultSelector):
    """Never waits for a timer: the time that it was to wait has passed instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.threads: set[asyncio.Future[Any]] = set()
        self._barrier = _Barrier()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now += _TURN_S
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self.threads:
            ready = super().select(_PATIENCE_S)
            if not ready:
                raise StuckError(f"a thread has not answered within {_PATIENCE_S:g} s")
            return ready
        self._barrier.wait()
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise StuckError("nothing is under way and no timer is set")
        self.now += timeout
        return []

    def close(self) -> None:
        self._barrier.close()
        super().close()


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time, which begins at 0."""

    def __init__(self) -> None:
        self._passing = _Selector()
        super().__init__(self._passing)
        # A timer whose moment has come is due although late in a year a nanosecond is too little
        # to be added to its time.
        self._clock_resolution = _RESOLUTION_S

    def time(self) -> float:
        """Return the virtual time in s."""
        return self._passing.now

    def create_future(self) -> asyncio.Future[Any]:
        """Return a future; one that a thread of the database will answer is waited for."""
        made: asyncio.Future[Any] = super().create_future()
        made_by = sys._getframe(1).f_globals["__name__"]  # noqa: SLF001 - it says so nowhere else
        if made_by in _DATABASE:
            self._passing.threads.add(made)
            made.add_done_callback(self._passing.threads.discard)
        return made

    def run_in_executor(  # type: ignore[override] # of no executor: made in this thread
        self, executor: None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Make the call at once; no time passes while it lasts."""
        del executor
        answered: asyncio.Future[Any] = super().create_future()
        try:
            answered.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whoever awaits it gets it
            answered.set_exception(error)
        return answered


class VirtualClock:
    """The time on a virtual loop (`hems.clock.Clock`), which somebody may set.

    Args:
        loop: Whose time passes.
        epoch: UTC epoch seconds at the loop's time 0.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, epoch: float) -> None:
        self._loop = loop
        self._epoch = epoch

    def now(self) -> float:
        """Return UTC as epoch seconds."""
        return self._epoch + self._loop.time()

    def monotonic(self) -> float:
        """Return seconds that never step."""
        return self._loop.time()

    def set_by(self, step_s: float) -> None:
        """Set UTC by so many seconds, as NTP or a hand does."""
        self._epoch += step_s


def run_at_once(work: Coroutine[Any, Any, T]) -> T:
    """Run something to its end on virtual time.

    Raises:
        StuckError: It waits for something that can never come.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
