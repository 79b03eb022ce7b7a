"""One connection of a control centre: octets in and out, the link's rules kept, questions answered.

Three tasks: one reads frames, one answers questions in the order in which they came, one looks at
the time. Whatever breaks the rules ends all of them.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from hems.clock import Clock
from hems.headend.telecontrol.errors import LinkError
from hems.headend.telecontrol.frames import Frame, Framer, Numbered, encode
from hems.headend.telecontrol.link import Link, Pace
from hems.headend.telecontrol.ordering import Caller
from hems.headend.telecontrol.points import Place
from hems.headend.telecontrol.reporting import Reporter, Told
from hems.headend.telecontrol.selects import Selects
from hems.headend.telecontrol.station import Station, reports

MOST_QUESTIONS: Final = 64
"""So many may wait for their answers; who asks more floods."""
_READ: Final = 1 << 12
_MOST_UNREAD: Final = 1 << 16
"""Octets that may wait for a control centre to read them."""
_TICK_S: Final = 1.0
_LEAST_S: Final = 0.02


class Connection:
    """A connection that stands.

    Args:
        streams: What comes, and what goes.
        caller: Who it is.
        station: Answers.
        reporter: What this control centre was told by itself.
        points: Returns all points as they stand.
        pace: How frames go.
        select_s: How long selections hold.
        clock: The utility's time.
        on_started: Called when the control centre wants data on this connection.
    """

    def __init__(
        self,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        caller: Caller,
        station: Station,
        reporter: Reporter,
        *,
        points: Callable[[], Mapping[Place, Told]],
        pace: Pace,
        select_s: float,
        clock: Clock,
        on_started: "Callable[[Connection], None]",
    ) -> None:
        self._reader, self._writer = streams
        self.caller = caller
        self._station = station
        self._reporter = reporter
        self._points = points
        self._clock = clock
        self._on_started = on_started
        self._link = Link(pace, clock.monotonic())
        self._selects = Selects(select_s)
        self._questions: asyncio.Queue[bytes] = asyncio.Queue(MOST_QUESTIONS)
        self._answers: deque[bytes] = deque()
        self._sent_all = asyncio.Event()
        self._sent_all.set()
        self._transfers = 0

    @property
    def started(self) -> bool:
        """Whether data go over it."""
        return self._link.started

    def halt(self) -> None:
        """Send no more data: another connection carries them now."""
        self._link.halt()
        self._forget()

    async def run(self) -> None:
        """Serve until the control centre hangs up.

        Raises:
            TelecontrolError: It broke a rule.
        """
        works = (self._read(), self._answer(), self._tick())
        tasks = [asyncio.create_task(work) for work in works]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _pump(self) -> None:
        """Send what there is to be sent, as far as the link has room for it."""
        now, sent = self._clock.monotonic(), []
        while self._answers and self._link.room:
            sent.append(self._link.send(self._answers.popleft(), now))
        if not self._answers:
            self._sent_all.set()
            if self._link.room:
                sent += self._reported(now)
        self._send(sent)

    def _reported(self, now: float) -> Iterable[Frame]:
        frames: list[Frame] = []
        for chosen, unit in reports(self._reporter.due(self._points(), now)):
            if not self._link.room:
                break  # what changes meanwhile is told as it is then
            frames.append(self._link.send(unit, now))
            for place, value in chosen:
                self._reporter.sent(place, value, now)
        return frames

    async def _read(self) -> None:
        framer = Framer()
        while octets := await self._reader.read(_READ):
            for frame in framer.feed(octets):
                self._take(frame)
            self._pump()

    def _take(self, frame: Frame) -> None:
        was = self._link.started
        self._send(self._link.receive(frame, self._clock.monotonic()))
        if isinstance(frame, Numbered):
            try:
                self._questions.put_nowait(frame.asdu)
            except asyncio.QueueFull:
                raise LinkError(f"more than {MOST_QUESTIONS} questions wait for answers") from None
        if self._link.started and not was:
            self._on_started(self)
        elif was and not self._link.started:
            self._forget()

    async def _answer(self) -> None:
        while True:
            octets = await self._questions.get()
            asked_in = self._transfers
            async for unit in self._station.answer(octets, self.caller, self._selects):
                if self._transfers == asked_in:  # else it stopped since, and this is for nobody
                    self._answers.append(unit)
                    self._sent_all.clear()
                    self._pump()
                    await self._sent_all.wait()

    async def _tick(self) -> None:
        while True:
            now = self._clock.monotonic()
            self._send(self._link.due(now))
            self._pump()
            await asyncio.sleep(min(max(self._link.next_due() - now, _LEAST_S), _TICK_S))

    def _send(self, frames: Iterable[Frame]) -> None:
        for frame in frames:
            self._writer.write(encode(frame))
        if self._writer.transport.get_write_buffer_size() > _MOST_UNREAD:
            raise LinkError("it does not read what it is sent")

    def _forget(self) -> None:
        """Let go of questions and answers: they end with the transfer of data."""
        while not self._questions.empty():
            self._questions.get_nowait()
        self._answers.clear()
        self._selects.clear()
        self._transfers += 1
        self._sent_all.set()
