"""One device as the cycle sees it: opened when it can be, read without waiting, written in turn.

Nothing here blocks another device: a call that hangs ends at the device's own deadline, and
until then the cycle goes on with the last reading.
"""

import asyncio
import contextlib
import logging
import math
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from der.commands import Command
from der.errors import DeviceError, PermanentError, RejectedError
from der.model import (
    Control,
    DeviceSpec,
    DeviceState,
    Expiry,
    Quality,
    Reading,
    Safeguard,
    Setpoint,
    Sleep,
)
from der.sentence import say
from der.service import A, Device, Handle, Mode
from der.steps import StepWatch
from hems.cem.believed import UnbelievableError, age_s, check
from hems.cem.orders import Order
from hems.cem.sayings import Sayings
from hems.cem.sentry import NO_SENTRY, Sentry
from hems.cem.support_lane import SupportLane
from hems.cem.supports import Due
from hems.cem.telling import Teller
from hems.clock import Clock
from hems.correlation import correlated
from programs.support import What

_log = logging.getLogger(__name__)

_FIRST_RETRY_S: Final = 0.5
_LAST_RETRY_S: Final = 30.0
_FAILURES_TO_REOPEN: Final = 2
"""One lost answer is no lost device; after the second in a row the connection is made anew."""
_LENT_S: Final = 900.0
"""Nobody who is lent a device keeps it longer."""


@dataclass(frozen=True, slots=True)
class Written:
    """The outcome of one write.

    Attributes:
        device: Device id.
        order: What was written.
        decided_at: When it was decided, UTC epoch seconds.
        at: When the write ended, UTC epoch seconds.
        error: What went wrong; None if the device confirmed.
    """

    device: str
    order: Order
    decided_at: float
    at: float
    error: str | None


class Station:
    """Keeps one device open, read and written.

    Args:
        device: The device.
        clock: Where the time comes from.
        reopened: Called with the device's id whenever it was opened again.
        written: Called with the outcome of each write.
        sentry: Who ends the set-points of a device that cannot do so itself.
        lane: How it is told what it is to do for the grid; None for a device that nobody tells.
    """

    def __init__(
        self,
        device: Device,
        clock: Clock,
        reopened: Callable[[str], None],
        written: Callable[[Written], None],
        sentry: Sentry = NO_SENTRY,
        *,
        lane: SupportLane | None = None,
    ) -> None:
        self._lane = None if device.spec.control is Control.NONE else lane
        self._device = device
        self._clock = clock
        self._reopened = reopened
        self._written = written
        self._handle: Handle | None = None
        self._reading: Reading | None = None
        self._dated_at: float | None = None
        self._steps = StepWatch(clock.now, clock.monotonic)
        self._taken_at = -math.inf  # monotonic, so that nobody who sets the clock makes it young
        self._error: str | None = None
        self._nonsense = False
        self._refusal: str | None = None
        self._said_stale = False
        self._sayings = Sayings(clock)
        self._failures = 0
        self._retry_at = -math.inf
        self._poll: asyncio.Task[None] | None = None
        self._next: tuple[Order, float] | None = None
        self._writing: Order | None = None
        self._writer: asyncio.Task[None] | None = None
        self._sentry = sentry
        self._teller = Teller(sentry)
        self._opened = False
        self._tasks: asyncio.TaskGroup | None = None
        self._safeguard: Safeguard | None = None
        self._lent = False
        self._was_shut = False

    @property
    def spec(self) -> DeviceSpec:
        """The device as commissioned."""
        return self._device.spec

    @property
    def barred(self) -> bool:
        """Whether it is not trusted, or not yet: it is told nothing, whatever is decided."""
        return self._device.withheld or self._device.shut_because is not None

    @property
    def safeguard(self) -> Safeguard | None:
        """What becomes of the device when the hub falls silent; None before it ever answered."""
        return self._safeguard

    @property
    def prompt(self) -> bool:
        """Whether it is worth a cycle's while to wait for: its last call went well."""
        return self._failures == 0 and self.spec.sleep is None

    def poll(self, tasks: asyncio.TaskGroup) -> asyncio.Task[None] | None:
        """Start a reading, opening the device first if need be; None if none was started.

        None is started while one is under way, or before the time for another attempt.
        """
        if self._lent or (self._poll is not None and not self._poll.done()):
            return None
        if self._device.shut_because is not None:
            self._was_shut, self._handle = True, None  # all its handles are closed
            return None
        if self._was_shut:
            self._was_shut, self._retry_at = False, -math.inf
        pausing = self._clock.monotonic() < self._retry_at and not self._nonsense
        if self._handle is None and pausing:
            return None
        if self._lane is not None and self._handle is not None and self.prompt:
            self._lane.ask(self._handle, tasks)
        self._poll = tasks.create_task(self._open_and_read(), name=f"read {self.spec.id}")
        return self._poll

    def state(self, setpoint: Setpoint | None) -> DeviceState:
        """Return the device as it stands now.

        One that is not trusted is only read, as a meter is, and one that is shut is lost.

        Args:
            setpoint: What it was told and has not dropped.
        """
        if not self.barred:
            return self._state(setpoint)
        why = self._device.shut_because
        if why is not None:
            return DeviceState(self.spec, self._reading, Quality.LOST, why, barred=True)
        untold = replace(self.spec, control=Control.NONE)
        return replace(self._state(None), spec=untold, barred=True)

    def _state(self, setpoint: Setpoint | None) -> DeviceState:
        reading = self._reading
        if self._lent:
            tested = say("{id}: is being tested", id=self.spec.id)
            return DeviceState(self.spec, reading, Quality.LOST, tested, setpoint)
        if reading is None:
            return self._gone(setpoint)
        if self.spec.sleep is not None:
            return self._sleeping(reading, self.spec.sleep, setpoint)
        if self._clock.monotonic() - self._taken_at <= self.spec.max_age_s:
            self._said_stale = False
            return DeviceState(self.spec, reading, Quality.GOOD, self._error, setpoint)
        if self._error is not None:
            return self._gone(setpoint)
        # Devices that report by themselves fall silent without any call that fails.
        error = self._say_stale(self.spec.max_age_s)
        return DeviceState(self.spec, reading, Quality.STALE, error, setpoint)

    def _gone(self, setpoint: Setpoint | None) -> DeviceState:
        """Return the state of a device whose last call failed."""
        return DeviceState(
            self.spec, self._reading, Quality.LOST, self._error, setpoint, nonsense=self._nonsense
        )

    def _sleeping(self, reading: Reading, sleep: Sleep, setpoint: Setpoint | None) -> DeviceState:
        """Return the state of a device that sleeps: as it was at its last wake, or lost."""
        window_s = sleep.period_s + sleep.awake_s + self.spec.max_age_s
        if self._clock.monotonic() - self._taken_at <= window_s:
            self._said_stale = False
            return DeviceState(self.spec, reading, Quality.ASLEEP, None, setpoint)
        error = self._say_stale(window_s)
        return DeviceState(self.spec, reading, Quality.LOST, error, setpoint)

    def _say_stale(self, after_s: float) -> str:
        error = say(
            "{id}: nothing new from it for more than {after:g} s", id=self.spec.id, after=after_s
        )
        if not self._said_stale:
            self._said_stale = True
            self._sayings.trouble(error)
        return error

    def submit(
        self, order: Order, decided_at: float, tasks: asyncio.TaskGroup
    ) -> asyncio.Task[None] | None:
        """Have an order written as soon as the one before it has ended; the latest wins.

        Returns:
            The task that writes, None if the same order is being written already.
        """
        if self._lent or self.barred:
            return None
        _log.debug("%s is to be told %s: %s", self.spec.id, order.setpoint, order.reason)
        if self._writer is not None and not self._writer.done():
            if self._next is None and _same(self._writing, order):
                return None
            self._next = (order, decided_at)
            return self._writer
        self._next = (order, decided_at)
        if self.spec.sleep is not None and not self._awake:
            self._tasks = tasks  # it is written when the device is heard next
            return None
        self._writer = tasks.create_task(self._write_all(), name=f"write {self.spec.id}")
        return self._writer

    @property
    def supports(self) -> bool:
        """Whether the device can be told now what it is to do for the grid."""
        free = not self._lent and not self.barred
        return self._lane is not None and self._handle is not None and free

    def support(
        self, due: Due, decided_at: float, tasks: asyncio.TaskGroup
    ) -> asyncio.Task[None] | None:
        """Have the device told what it is to do for the grid, beside reading and writing.

        Returns:
            The task that tells it; None if the same is being told already, or it cannot be told.
        """
        if self._lane is None or self._handle is None or not self.supports:
            return None
        return self._lane.submit(due, decided_at, self._handle, tasks)

    @property
    def _awake(self) -> bool:
        """Whether a device that sleeps was heard so lately that it listens still."""
        awake_s = 0.0 if self.spec.sleep is None else self.spec.sleep.awake_s
        return self._clock.monotonic() - self._taken_at <= awake_s

    async def command(self, command: Command[A]) -> A:
        """Have the device carry out a command; see `Cycle.command`."""
        if self._lent:
            raise RejectedError(say("{id}: is being tested", id=self.spec.id))
        if self._handle is None:
            raise RejectedError(self._unconnected)
        if self._device.withheld and command.changes:
            raise RejectedError(say("{id}: nobody has approved it yet", id=self.spec.id))
        return await self._handle.ioctl(command)

    @property
    def handle(self) -> Handle | None:
        """The open handle; None while the device cannot be reached."""
        return self._handle

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[Handle]:
        """Leave the device to somebody else for a while; see `Cycle.lend`."""
        if self._lent:
            raise RejectedError(say("{id}: is being tested already", id=self.spec.id))
        self._lent = True
        try:
            for call in self._calls:
                if not call.done():
                    await asyncio.wait([call])
            if self._handle is None:
                raise RejectedError(self._unconnected)
            if self._safeguard is not None and self._safeguard.expiry is Expiry.GUARD:
                self._sentry.hold(self.spec.id, _LENT_S)  # should we die while it is away
            yield self._handle
        finally:
            self._lent = False
            self._reopened(self.spec.id)  # nobody here knows what it was told meanwhile

    async def give_back(self) -> None:
        """Give a device that is lent back to its own control: switch closed, guard told.

        Raises:
            DeviceError: It is not connected, or did not confirm.
        """
        if self._handle is None:
            raise RejectedError(self._unconnected)
        if self.spec.control is not Control.NONE:
            await self._teller.give_back(self._handle, opened=self._opened)
            self._opened = False

    def abandon(self) -> None:
        """Give up all calls that are under way."""
        for task in self._calls:
            task.cancel()

    @property
    def _calls(self) -> list[asyncio.Task[None]]:
        """The calls that may be under way."""
        support = None if self._lane is None else self._lane.task
        return [t for t in (self._poll, self._writer, support) if t is not None]

    async def release(self, *, give_back: bool, held: Sequence[What] = ()) -> None:
        """Close the device; before that, hand it back to its own control if asked to.

        Args:
            give_back: Whether to hand it back.
            held: What it does for the grid, to be ended; none where that is to lapse.
        """
        if self._handle is None:
            return
        if held and self._lane is not None:
            try:
                await self._lane.stop(self._handle, held)
            except DeviceError as error:
                _log.warning("%s did not end what it does and will lapse: %s", self.spec.id, error)
        if give_back:
            try:
                await self._teller.give_back(self._handle, opened=self._opened)
            except DeviceError as error:
                _log.warning("%s was not given back and will lapse: %s", self.spec.id, error)
        await self._drop()

    async def _open_and_read(self) -> None:
        handle = self._handle
        try:
            if handle is None:
                handle = self._handle = await self._device.open(Mode.READ_WRITE)
                self._safeguard = handle.safeguard
                if handle.safeguard.expiry is Expiry.GUARD:
                    self._sentry.prepare()
                self._reopened(self.spec.id)
            reading = await handle.read()
            check(self.spec, reading)
        except DeviceError as error:
            if handle is self._handle:  # else it was given up meanwhile, which has been counted
                await self._failed(error)
            return
        if self._error is not None:
            self._sayings.well(say("{id} answers again", id=self.spec.id))
        reading = self._dated(reading)
        self._reading, self._error, self._failures = reading, None, 0
        self._nonsense = False
        if self._tasks is not None and self._next is not None and self._awake:
            tasks, self._tasks = self._tasks, None
            self._writer = tasks.create_task(self._write_all(), name=f"write {self.spec.id}")

    def _dated(self, reading: Reading) -> Reading:
        """Return a reading dated by the clock as it is now, and note when it was taken.

        What was taken just before the clock was set bears the old time.
        """
        step_s = self._steps.step_s()
        if self._reading is not None and reading.at == self._dated_at:  # some return the last again
            return _moved(reading, self._reading.at + step_s - reading.at)
        self._dated_at, now = reading.at, self._clock.now()
        moved = _moved(reading, step_s)
        if age_s(moved, now) < age_s(reading, now):
            reading = moved
        self._taken_at = self._clock.monotonic() - age_s(reading, now)
        return reading

    async def _failed(self, error: DeviceError) -> None:
        """Note that it cannot be opened or read."""
        if self.spec.sleep is not None and self._reading is not None:
            # It sleeps, which is no failure; that it does so for too long is noticed by its age.
            self._retry_at = self._clock.monotonic() + self.spec.sleep.awake_s / 2
            await self._drop()
            return
        if str(error) != self._error:
            self._sayings.trouble(str(error))
        self._error, self._nonsense = str(error), isinstance(error, UnbelievableError)
        await self._count(error)

    async def _count(self, error: DeviceError) -> None:
        """Count a failure; make the connection anew where going on with it is no use.

        One that answers nonsense may still take what it is told, and a limit may need that: its
        connection is made anew now and then, as that may help, and stands in between.
        """
        self._failures += 1
        if isinstance(error, UnbelievableError) and self._clock.monotonic() < self._retry_at:
            return
        hopeless = isinstance(error, PermanentError | RejectedError)
        if self._handle is None or hopeless or self._failures >= _FAILURES_TO_REOPEN:
            exponent = min(self._failures - 1, 10)
            pause_s = min(_FIRST_RETRY_S * 2**exponent, _LAST_RETRY_S)
            if self.spec.sleep is not None:
                pause_s = self.spec.sleep.awake_s / 2  # or its wake would be missed
            self._retry_at = self._clock.monotonic() + pause_s
            await self._drop()

    async def _drop(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            # A link that hangs while it closes must not hold the device for ever.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._device.deadline_s):
                    await handle.close()

    async def _write_all(self) -> None:
        while self._next is not None:
            (order, decided_at), self._next = self._next, None
            self._writing = order
            with correlated(order.cause):
                error = await self._write(order)
            at = self._clock.now()
            self._writing = None
            self._written(Written(self.spec.id, order, decided_at, at, error))

    async def _write(self, order: Order) -> str | None:
        """Write once; return what went wrong in words, None if the device confirmed."""
        handle = self._handle
        if handle is None:
            if self._error is None and self._refusal is not None:
                return self._refusal  # it is being opened anew because of that
            return self._unconnected
        try:
            await self._teller.tell(handle, order)
        except DeviceError as error:
            self._refused(str(error))
            # A rejected order says that the device is well; one on a handle that was given up
            # meanwhile says nothing.
            if handle is self._handle and not isinstance(error, RejectedError):
                await self._count(error)
            return str(error)
        self._refused(None)
        self._opened = order.disconnect
        return None

    @property
    def _unconnected(self) -> str:
        return say(
            "{id}: not connected ({reason})",
            id=self.spec.id,
            reason=self._error or say("not opened yet"),
        )

    def _refused(self, why: str | None) -> None:
        """Note whether it takes what it is told; said when that changes."""
        if why is not None and why not in {self._refusal, self._error}:
            self._sayings.trouble(why)
        elif why is None and self._refusal is not None:
            self._sayings.well(say("{id} takes what it is told again", id=self.spec.id))
        self._refusal = why


def _same(one: Order | None, other: Order) -> bool:
    if one is None or one.disconnect is not other.disconnect:
        return False
    if one.setpoint is None or other.setpoint is None:
        return one.setpoint is other.setpoint
    return one.setpoint.power_w == other.setpoint.power_w


def _moved(reading: Reading, by_s: float) -> Reading:
    """Return a reading with its dates so much later."""
    taken = {name: at + by_s for name, at in reading.taken.items()}
    return replace(reading, at=reading.at + by_s, taken=taken)
