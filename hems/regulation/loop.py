"""The loop of the regulating process: measure, decide, write, ten times a second.

It owns the battery while it is its own to write: nobody else holds the battery open then. The
cycle's words come between two measurements and are carried out at once. A battery that is lost is
opened anew; while it is away, words about it end in an error that says so.
"""

import asyncio
import contextlib
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from der.errors import DeviceError
from der.model import Reading
from der.sentence import say
from der.service import Device, Handle, Mode
from hems.regulation.letters import (
    Answer,
    Base,
    Done,
    LetGo,
    LoopSettings,
    Order,
    Report,
    Span,
    Take,
    Tick,
)
from hems.regulation.swing import Sampler, Swing

_log = logging.getLogger(__name__)

_JUST_S: Final = 0.3
"""A meter's figure may be of any moment of this time before it was read."""
_FOLLOWS_S: Final = 2.0
"""A battery has followed a set-point within this time."""
_REOPEN_FIRST_S: Final = 0.2
_REOPEN_LAST_S: Final = 5.0
_FAILURES_TO_REOPEN: Final = 2
_REFUSED_S: Final = 1.0
"""A battery that refuses a swing is not asked for the next before this time is over."""
_METER_S: Final = 1.0
"""A meter that is asked has so long; the battery cannot wait for it."""
_METER_AGAIN_S: Final = 1.0
_SAY_AGAIN_S: Final = 60.0
_SAID_MOST: Final = 16
_SLOW_EVERY: Final = 5
"""A battery that does not measure the frequency is read each so many measurements."""


class Loop:
    """Regulates one battery.

    Args:
        devices: The battery, and what else measures the frequency, by id.
        settings: How to regulate.
        answer: Who is told.
        idle: Called after each measurement, with the seconds until the next: for what must not
            delay one.
    """

    def __init__(
        self,
        devices: Mapping[str, Device],
        settings: LoopSettings,
        answer: Callable[[Answer], None],
        idle: Callable[[float], None],
    ) -> None:
        self._battery = devices[settings.device]
        self._meter = (
            None if settings.measured_by == settings.device else devices[settings.measured_by]
        )
        self._settings = settings
        self._answer = answer
        self._idle = idle
        self.swing = Swing(settings, last=settings.last)
        self._sampler = Sampler(settings.capacity_w)
        self._words: deque[Order] = deque()
        self._woken = asyncio.Event()
        self._taken = False
        self._ended = False
        self._handle: Handle | None = None
        self._meter_handle: Handle | None = None
        self._seeking: asyncio.Task[None] | None = None
        self._meter_at = 0.0
        self._write_at = 0.0
        self._said_at: dict[str, float] = {}
        self._reading: Reading | None = None
        self._error = "not opened yet"
        self._failures = 0
        self._open_at = 0.0
        self._open_pause_s = _REOPEN_FIRST_S
        self._ticks: list[Tick] = []
        self._recent: deque[tuple[float, float]] = deque(maxlen=64)
        self._swings: deque[tuple[float, float]] = deque(maxlen=64)
        self._count = 0

    def say(self, word: Order) -> None:
        """Take a word of the hub's; it is carried out in turn, at once."""
        self._words.append(word)
        self._woken.set()

    def signal(self, seq: int, value: float) -> None:
        """Take a signal, which is acted on at once."""
        self.swing.signalled(seq, value, time.monotonic())
        self._woken.set()

    def end(self) -> None:
        """Make `run` end: the hub has gone."""
        self._ended = True
        self._woken.set()

    async def run(self) -> None:
        """Regulate until ended; then bring the battery to its base and leave the rest to its lapse.

        The base that it then holds is the hub's last word, for no longer than the hub gave it.
        """
        due = time.monotonic()
        try:
            while not self._ended:
                began = time.monotonic()
                await self._tick(due, began)
                if began - due > self._settings.period_s / 10:
                    due = began  # what was missed is not made up for
                due += self._settings.period_s
                self._idle(due - time.monotonic())
                await self._until(due)
        finally:
            await self._settle()

    async def _until(self, due: float) -> None:
        """Wait for the next measurement; carry out meanwhile what the hub says."""
        while not self._ended:
            await self._obey()
            left_s = due - time.monotonic()
            if left_s <= 0:
                return
            try:
                async with asyncio.timeout(left_s):
                    await self._woken.wait()
            except TimeoutError:
                return
            self._woken.clear()
            if not self._words and not self._ended:  # a signal
                self.swing.move(time.monotonic())
                await self._write()
                self._report()

    async def _obey(self) -> None:
        while self._words:
            now = time.monotonic()
            match self._words.popleft():
                case Take():
                    self._taken, self._open_at = True, now
                    await self._open()
                case Span() as span:
                    self.swing.bound(span, now)
                case LetGo(number=number):
                    await self._settle()
                    self._taken = False
                    self._answer(Done(number))
                case Base() as base:
                    self.swing.told(base, now)
                    self._answer(Done(base.number, await self._based(base)))

    async def _based(self, base: Base) -> str:
        """Write a base that was just told; return what went wrong, empty if nothing did."""
        if self._handle is None:
            return say(
                "{device}: not connected ({error})", device=self._settings.device, error=self._error
            )
        if base.power_w is not None:
            return await self._write(refresh=True)
        try:
            await self._handle.write(None)
        except DeviceError as error:
            return str(error)
        self.swing.wrote(None, time.monotonic())
        return ""

    async def _tick(self, due: float, began: float) -> None:
        self._count += 1
        if self._taken and self._handle is None and began >= self._open_at:
            await self._open()
        if self._handle is not None:
            await self._measure()
            measured = time.monotonic()
            self.swing.move(measured)
            written = self.swing.due(measured) is not None
            error = await self._write()
            wrote = time.monotonic() if written and not error else None
            self._ticks.append(Tick(due, began, measured, wrote))
            if self._meter is not None and self._count % _SLOW_EVERY == 0:
                await self._read_battery()
        if self._taken:
            self._report()

    async def _measure(self) -> None:
        """Read the frequency; what cannot be read is missing, and the sense says so in time."""
        if self._meter is None:
            await self._read_battery()
            return
        if self._meter_handle is None:
            self._seek(self._meter)
            return
        try:
            async with asyncio.timeout(_METER_S):
                reading = await self._meter_handle.read()
        except (DeviceError, TimeoutError) as error:
            _log.debug("%s: %s", self._settings.measured_by, error)
            await self._leave_meter()
            return
        self.swing.measured(reading.frequency_hz, time.monotonic())

    def _seek(self, meter: Device) -> None:
        """Have the meter opened; that may take long, and the battery goes on meanwhile."""
        if self._seeking is None and time.monotonic() >= self._meter_at:
            self._seeking = asyncio.create_task(self._open_meter(meter))

    async def _open_meter(self, meter: Device) -> None:
        try:
            self._meter_handle = await meter.open(Mode.READ_ONLY)
        except DeviceError as error:
            _log.debug("%s: %s", self._settings.measured_by, error)
        finally:
            self._meter_at = time.monotonic() + _METER_AGAIN_S
            self._seeking = None

    async def _leave_meter(self) -> None:
        if self._seeking is not None:
            self._seeking.cancel()
            await asyncio.wait({self._seeking})
        handle, self._meter_handle = self._meter_handle, None
        if handle is not None:
            await handle.close()

    async def _read_battery(self) -> None:
        if self._handle is None:
            return
        try:
            reading = await self._handle.read()
        except DeviceError as error:
            await self._failed(error)
            return
        self._failures, self._error, self._open_pause_s = 0, "", _REOPEN_FIRST_S
        now = time.monotonic()
        if self._meter is None:
            self.swing.measured(reading.frequency_hz, now)
        self._sampler.add(self.swing, reading, now)
        self._reading = reading
        self._recent.append((now, reading.power_w))
        self._swings.append((now, self.swing.added_w))

    async def _write(self, *, refresh: bool = False) -> str:
        """Write what is due; return what went wrong, empty if nothing did."""
        now = time.monotonic()
        if refresh:
            self.swing.forget()
        setpoint = self.swing.due(now)
        if setpoint is None or self._handle is None or not (refresh or now >= self._write_at):
            return ""
        try:
            await self._handle.write(setpoint)
        except DeviceError as error:
            self.swing.forget()
            self._write_at = time.monotonic() + _REFUSED_S
            await self._failed(error)
            return str(error)
        self.swing.wrote(setpoint, time.monotonic())
        self._recent.append((time.monotonic(), setpoint.power_w))
        return ""

    async def _open(self) -> None:
        try:
            self._handle = await self._battery.open(Mode.READ_WRITE)
        except DeviceError as error:
            self._error = str(error)
            self._pause()
            return
        self._failures = 0
        self.swing.forget()

    def _pause(self) -> None:
        """Wait before the battery is opened again, longer each time until it was read."""
        self._open_at = time.monotonic() + self._open_pause_s
        self._open_pause_s = min(2 * self._open_pause_s, _REOPEN_LAST_S)

    async def _failed(self, error: DeviceError) -> None:
        self._error = str(error)
        self._warn(self._error)
        self._failures += 1
        if self._failures >= _FAILURES_TO_REOPEN:
            self._pause()
            await self._close()

    def _warn(self, sentence: str) -> None:
        """Log a sentence, each once in a while: this may come ten times a second."""
        now = time.monotonic()
        if now - self._said_at.get(sentence, -math.inf) < _SAY_AGAIN_S:
            return
        if len(self._said_at) >= _SAID_MOST:
            self._said_at.clear()
        self._said_at[sentence] = now
        _log.warning("%s", sentence)

    async def _settle(self) -> None:
        """Bring the battery to its base, and close it."""
        setpoint = self.swing.due(time.monotonic(), still=True)
        if self._handle is not None and setpoint is not None:
            with contextlib.suppress(DeviceError):  # it then lapses
                await self._handle.write(setpoint)
        await self._close()
        self.swing.forget()
        await self._leave_meter()

    async def _close(self) -> None:
        handle, self._handle = self._handle, None
        self._reading = None
        self._failures = 0
        if handle is not None:
            await handle.close()

    def _report(self) -> None:
        now = time.monotonic()
        ticks, self._ticks = tuple(self._ticks), []
        self._answer(
            Report(
                self._told_reading(now),
                self._error if self._handle is None else "",
                self.swing.added_w,
                self.swing.last,
                self.swing.trouble(now),
                self.swing.follows(now),
                ticks,
                self._sampler.taken(),
            )
        )

    def _told_reading(self, now: float) -> Reading | None:
        """Return the last reading, with what the loop has to do with it.

        A battery follows in its own time. What it does beside the base is the swing's as far as
        the swings of the last moments explain it; only the rest is the battery's own.
        """
        if self._reading is None:
            return None
        power_w, base_w = self._reading.power_w, self.swing.base_w
        powers = [w for at, w in self._recent if now - at <= _JUST_S] or [power_w]
        swings = [w for at, w in self._swings if now - at <= _FOLLOWS_S] or [0.0]
        beside_w = 0.0 if base_w is None else power_w - base_w
        regulated_w = min(max(beside_w, min(swings)), max(swings))
        between_w = (min(powers), max(powers))
        return replace(self._reading, regulated_w=regulated_w, between_w=between_w)
