"""The regulating process: `python -m hems.commands.regulator`, started by the hub, told by a pipe.

It ends when the hub does: its standard input is then at its end, the battery is brought to the base
that the hub told it last, and that lapses.
"""

import asyncio
import gc
import logging
import os
import select
import signal
import sys
import time
from importlib import import_module
from typing import Final, cast

from der.errors import PermanentError
from der.registry import build
from hems.logs import log_to_stderr
from hems.regulation.errors import LetterError
from hems.regulation.feed_module import FeedModule
from hems.regulation.letters import Answer, Ready, Time, read_opening, read_word, write_answer
from hems.regulation.loop import Loop

_log = logging.getLogger("hems.regulator")

_LONGEST_LINE: Final = 1 << 20
_REAL_TIME: Final = 10
_NICE: Final = -15
_COLLECT_EVERY: Final = 100
"""Garbage is looked for after so many measurements, when the next is furthest away."""
_COLLECT_NEEDS_S: Final = 0.04


def main() -> int:
    """Regulate until the hub has gone; returns the exit code."""
    log_to_stderr(logging.INFO)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the hub's to answer, which then ends us
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    try:
        asyncio.run(_regulate())
    except (LetterError, PermanentError, OSError) as error:
        _log.error("regulation cannot do its work: %s", error)
        return 1
    return 0


async def _regulate() -> None:
    reader = asyncio.StreamReader(limit=_LONGEST_LINE)
    running = asyncio.get_running_loop()
    await running.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    told = read_opening(await reader.readline())
    clock = _HubTime(told.ahead_s)
    registry = build(told.devices, told.shared, now=clock.now)
    await registry.start()
    loop = Loop(registry.devices, told.settings, _answer, _Collector().idle)
    work = [asyncio.create_task(loop.run()), asyncio.create_task(_listen(reader, loop, clock))]
    if told.settings.source is not None:
        # Loaded only here: a home that regulates by frequency alone does without MQTT.
        module = cast("FeedModule", import_module("hems.regulation.feed"))
        feed = module.Feed(
            told.settings.source,
            lambda: loop.swing.last,
            lambda taken: loop.signal(taken.seq, taken.value),
            clock.now,
        )
        work.append(asyncio.create_task(feed.run()))
    gc.collect()
    gc.freeze()
    gc.disable()
    os.set_blocking(sys.stdout.fileno(), False)  # a hub that hangs must not hang the loop
    _answer(Ready(_prefer()))
    try:
        await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
    finally:
        loop.end()
        await work[0]
        for task in work[1:]:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        await registry.stop()
    for task in work:
        if not task.cancelled():
            task.result()


class _HubTime:
    """UTC as the hub knows it: the machine's own may be wrong by years.

    Attributes:
        ahead_s: By how much it is ahead of the monotonic clock, s.
    """

    def __init__(self, ahead_s: float) -> None:
        self.ahead_s = ahead_s

    def now(self) -> float:
        """Return UTC as epoch seconds."""
        return time.monotonic() + self.ahead_s


async def _listen(reader: asyncio.StreamReader, loop: Loop, clock: _HubTime) -> None:
    """Take what the hub says until it says no more.

    Raises:
        LetterError: What it says makes no sense.
    """
    while line := await reader.readline():
        match read_word(line):
            case Time(ahead_s=ahead_s):
                clock.ahead_s = ahead_s
            case word:
                loop.say(word)


def _answer(answer: Answer) -> None:
    """Write to the hub; what it does not read in time is lost.

    A line of at most `PIPE_BUF` bytes goes into a pipe as a whole or not at all.
    """
    line = write_answer(answer)
    if len(line) > select.PIPE_BUF:
        _log.error("an answer of %d bytes is too long for the pipe", len(line))
        return
    try:
        os.write(sys.stdout.fileno(), line)
    except (BrokenPipeError, BlockingIOError):
        _log.debug("an answer was not read")


def _prefer() -> str:
    """Have the machine run this process before others, as far as it lets; return how far."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(_REAL_TIME))
    except (OSError, AttributeError):
        try:
            os.nice(_NICE)
        except OSError:
            return "usual priority"
        return f"niceness {_NICE}"
    return f"real-time priority {_REAL_TIME}"


class _Collector:
    """Looks for garbage when there is time."""

    def __init__(self) -> None:
        self._count = 0

    def idle(self, left_s: float) -> None:
        """Take the time until the next measurement."""
        self._count += 1
        if self._count >= _COLLECT_EVERY and left_s >= _COLLECT_NEEDS_S:
            self._count = 0
            gc.collect(1)


if __name__ == "__main__":
    raise SystemExit(main())
