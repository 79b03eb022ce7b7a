"""The hub's end of its regulating process: started, told, listened to, ended.

It is ended for good (SIGKILL) when it falls silent while the battery is its own: only then may the
hub write the battery itself again, for two must never do so at once.
"""

import asyncio
import contextlib
import logging
import math
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from typing import Final

from hems.regulation.errors import GoneError, LetterError
from hems.regulation.letters import (
    Answer,
    Base,
    Done,
    LetGo,
    Ready,
    Report,
    Span,
    Take,
    Time,
    read_answer,
    write_word,
)

_log = logging.getLogger(__name__)

COMMAND: Final = (sys.executable, "-m", "hems.commands.regulator")
SILENT_S: Final = 2.0
"""A process that has the battery and says nothing for so long is ended; a device's own time-out
for one answer is shorter."""
_LOOK_S: Final = SILENT_S / 4
_SAME_S: Final = 0.05
"""The machine slews both of its clocks; by more than this somebody has set one."""
_READY_S: Final = 30.0
"""To load and be ready, on a slow machine under load."""
_ENDED_S: Final = 2.0
_ANSWER_S: Final = 1.5
_LONGEST_LINE: Final = 1 << 16


class Regulator:
    """One regulating process at a time.

    Args:
        opening: Returns its first line.
        reported: Called with each report.
        command: What starts it.
    """

    def __init__(
        self,
        opening: Callable[[], bytes],
        reported: Callable[[Report], None],
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._opening = opening
        self._reported = reported
        self._command = tuple(command)
        self._process: Process | None = None
        self._ready = False
        self._taken = False
        self._heard_at = 0.0
        self._number = 0
        self._ahead_s = math.inf
        self._waiting: dict[int, asyncio.Future[str]] = {}
        self._report: Report | None = None
        self._news = asyncio.Event()
        self._free = asyncio.Event()
        self._free.set()
        self.priority = ""

    @property
    def pid(self) -> int | None:
        """Its process id; None while none runs."""
        process = self._process
        return None if process is None or process.returncode is not None else process.pid

    @property
    def ready(self) -> bool:
        """Whether it can take the battery, or has it."""
        return self._ready

    @property
    def taken(self) -> bool:
        """Whether the battery is its own to write."""
        return self._taken

    @property
    def report(self) -> Report | None:
        """The last that it said since it took the battery."""
        return self._report

    async def serve(self) -> None:
        """Start it and listen, until it ends or this is cancelled; it has ended then.

        Raises:
            OSError: It cannot be started.
        """
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE,
            start_new_session=True,  # Ctrl-C at the terminal is the hub's, which ends it
        )
        self._process = process
        self._ahead_s = math.inf
        self._heard_at = time.monotonic()
        watching = asyncio.create_task(self._watch(process))
        try:
            self._write(self._opening())
            await self._listen(process)
        finally:
            watching.cancel()
            await self._end(process)

    def take(self) -> None:
        """Have it take the battery."""
        self._report = None
        self._news.clear()
        self._taken = True
        self._free.clear()
        self._heard_at = time.monotonic()
        self._write(write_word(Take()))

    async def tell(self, base: Base) -> str:
        """Tell it a base; return what went wrong with the battery, empty if nothing did.

        Raises:
            GoneError: It has ended, or does not answer.
        """
        return await self._ask(base.number, write_word(base))

    def set_time(self, ahead_s: float) -> None:
        """Tell it what time it is, where it was told another.

        Args:
            ahead_s: By how much UTC is ahead of the monotonic clock, s.
        """
        if self._process is not None and abs(ahead_s - self._ahead_s) > _SAME_S:
            self._ahead_s = ahead_s
            self._write(write_word(Time(ahead_s)))

    def bound(self, span: Span) -> None:
        """Tell it a span."""
        if self._taken:
            self._write(write_word(span))

    def next_number(self) -> int:
        """Return a number for a word."""
        self._number += 1
        return self._number

    async def let_go(self) -> None:
        """Have it close the battery, at its base; one that does not confirm that is ended.

        Raises:
            GoneError: It has ended.
        """
        number = self.next_number()
        try:
            await self._ask(number, write_word(LetGo(number)))
        except BaseException:  # cancelled too: nobody knows whether it writes still
            self.kill()
            raise
        self._taken = False
        self._free.set()

    async def newest(self, within_s: float) -> Report | None:
        """Return its last report; waits for one with a reading.

        Returns:
            The last one all the same if none comes with a reading in time; None without any.

        Raises:
            GoneError: It has ended.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self._report is None or self._report.reading is None:
                    if not self._taken:
                        raise GoneError("the regulating process has ended")
                    self._news.clear()
                    await self._news.wait()
        return self._report

    async def idle(self, within_s: float) -> None:
        """Return when the battery is no longer its own, or the time is up."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._free.wait()

    def kill(self) -> None:
        """End it at once; what waits for it ends with GoneError."""
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        self._gone()

    async def _ask(self, number: int, line: bytes) -> str:
        if not self._taken:
            raise GoneError("the regulating process has ended")
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            self._write(line)
            async with asyncio.timeout(_ANSWER_S):
                return await answer
        except TimeoutError:
            raise GoneError("the regulating process does not answer") from None
        finally:
            self._waiting.pop(number, None)

    async def _listen(self, process: Process) -> None:
        if process.stdout is None:
            return
        try:
            while line := await process.stdout.readline():
                self._take(read_answer(line))
        except (LetterError, ValueError) as error:
            _log.error("%s", error)

    def _take(self, answer: Answer) -> None:
        self._heard_at = time.monotonic()
        match answer:
            case Ready(priority=priority):
                self._ready, self.priority = True, priority
                _log.info("frequency regulation is ready, with %s", priority)
            case Done(number=number, error=error):
                waiting = self._waiting.get(number)
                if waiting is not None and not waiting.done():
                    waiting.set_result(error)
            case Report() as report:
                if self._taken:
                    self._report = report
                    self._news.set()
                self._reported(report)

    async def _watch(self, process: Process) -> None:
        """End it if it falls silent; time in which the hub itself stood still does not count."""
        while True:
            looked = time.monotonic()
            await asyncio.sleep(_LOOK_S)
            now = time.monotonic()
            late_s = now - looked - _LOOK_S
            if late_s > _LOOK_S:
                self._heard_at += late_s
            silent_s = now - self._heard_at
            if silent_s > (SILENT_S if self._taken else _READY_S) and (
                self._taken or not self._ready
            ):
                _log.error("the regulating process said nothing for %.1f s: it is ended", silent_s)
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                return

    async def _end(self, process: Process) -> None:
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(_ENDED_S):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        finally:
            self._gone()

    def _gone(self) -> None:
        """Note that nobody regulates any more."""
        self._process, self._ready, self._taken, self._report = None, False, False, None
        self._news.set()
        self._free.set()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(GoneError("the regulating process has ended"))

    def _write(self, line: bytes) -> None:
        process = self._process
        if process is not None and process.stdin is not None and not process.stdin.is_closing():
            process.stdin.write(line)
