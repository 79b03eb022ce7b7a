"""Whose turn it is to write to an SQLite file, among the workers of one machine.

SQLite has one writer, and has the others look again after pauses that grow to a tenth of a second:
two busy workers would spend their time so. Each takes this lock before it begins a transaction, and
looks for it often. It is a courtesy: who writes without it waits as SQLite has it wait.
"""

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from hems.headend.errors import BusyError

_FIRST_S: Final = 0.0002
_MOST_S: Final = 0.003
_SLOWER: Final = 1.3


class Writers:
    """The lock of one file's writers. Make it inside the running loop; close it at the end.

    Args:
        path: The database; the lock is a file beside it, which stays there, empty.
        timeout_s: How long to wait for it.

    Attributes:
        lock: To be held by who asks for the turn: a process asks for one of its own at a time.
    """

    def __init__(self, path: Path, timeout_s: float) -> None:
        self.lock = asyncio.Lock()
        # Beside it: to close a second descriptor of the database would end SQLite's own locks.
        self._file = os.open(
            path.with_name(f"{path.name}-turn"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        self._timeout_s = timeout_s

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Have the turn for the block, in a thread that may wait.

        Raises:
            BusyError: Another has it for longer than the timeout.
        """
        for pause_s in self._pauses():
            time.sleep(pause_s)
        try:
            yield
        finally:
            self._give_up()

    @asynccontextmanager
    async def turn_of_loop(self) -> AsyncIterator[None]:
        """Have the turn for the block, in an event loop; see `turn`."""
        for pause_s in self._pauses():
            await asyncio.sleep(pause_s)
        try:
            yield
        finally:
            self._give_up()

    def close(self) -> None:
        """Give the lock up; of a process that is killed the kernel takes it."""
        os.close(self._file)

    def _pauses(self) -> Iterator[float]:
        """Try to take the turn; yield how long to wait before the next time, s, until it is had."""
        deadline, pause_s = time.monotonic() + self._timeout_s, _FIRST_S
        while not self._taken():
            if time.monotonic() > deadline:
                raise BusyError("the database cannot serve now: others write")
            yield pause_s
            pause_s = min(_SLOWER * pause_s, _MOST_S)

    def _taken(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _give_up(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)
