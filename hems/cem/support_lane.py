"""How one device is told what it is to do for the grid: one command after the other, in no way.

Adopting a curve takes a device seconds. These commands therefore have a task of their own beside
reading and writing of active power; a driver takes turns with frames, not with whole commands.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from der.commands import (
    Command,
    HoldReactive,
    Options,
    ReleaseReactive,
    StopFunction,
    WriteFunction,
)
from der.curves import GridSupport
from der.errors import DeviceError, RejectedError
from der.service import Handle
from hems.cem.abilities import Abilities
from hems.cem.supports import Due
from hems.clock import Clock
from programs.support import FixedVar, What


@dataclass(frozen=True, slots=True)
class Supported:
    """The outcome of one command, or pair of commands.

    Attributes:
        due: What was told.
        decided_at: When it was decided, UTC epoch seconds.
        at: When it ended, UTC epoch seconds.
        error: What went wrong; None if the device confirmed.
        lasting: Whether the device refused, rather than that an answer was lost.
    """

    due: Due
    decided_at: float
    at: float
    error: str | None = None
    lasting: bool = False


class SupportLane:
    """Asks one device what it can do, and tells it what to do for the grid.

    Args:
        device: Its id.
        clock: Where the time comes from.
        abilities: Told what the device can do.
        done: Told of each outcome.
    """

    def __init__(
        self,
        device: str,
        clock: Clock,
        abilities: Abilities,
        done: Callable[[Supported], None],
    ) -> None:
        self._device = device
        self._clock = clock
        self._abilities = abilities
        self._done = done
        self._asked: Handle | None = None
        self._next: dict[object, tuple[Due, float]] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def task(self) -> asyncio.Task[None] | None:
        """What is under way; None before the first."""
        return self._task

    @property
    def busy(self) -> bool:
        """Whether something is being told."""
        return self._task is not None and not self._task.done()

    def ask(self, handle: Handle, tasks: asyncio.TaskGroup) -> None:
        """Ask the device what it can do, once for each time that it is opened."""
        if handle is not self._asked and not self.busy:
            self._asked = handle
            self._task = tasks.create_task(self._ask(handle), name=f"options {self._device}")

    def submit(
        self, due: Due, decided_at: float, handle: Handle, tasks: asyncio.TaskGroup
    ) -> asyncio.Task[None] | None:
        """Have something told as soon as what is under way has ended; the latest wins.

        Returns:
            The task that tells it; None if something is being told already: what is still due then
            is decided anew.
        """
        if self.busy:
            return None
        self._next[due.place] = due, decided_at
        self._task = tasks.create_task(self._tell_all(handle), name=f"support {self._device}")
        return self._task

    def abandon(self) -> None:
        """Give up what is under way."""
        if self._task is not None:
            self._task.cancel()

    async def _ask(self, handle: Handle) -> None:
        try:
            options = await handle.ioctl(Options())
        except DeviceError:
            self._asked = None  # reading it says what is wrong; it is asked again
            return
        self._abilities.learn(self._device, options)

    async def _tell_all(self, handle: Handle) -> None:
        while self._next:
            place = next(iter(self._next))
            due, decided_at = self._next.pop(place)
            error, lasting = await _told(handle, due)
            self._done(Supported(due, decided_at, self._clock.now(), error, lasting))


async def _told(handle: Handle, due: Due) -> tuple[str | None, bool]:
    """Tell a device something; returns what went wrong, and whether it will again."""
    try:
        if due.before is not None:
            await handle.ioctl(_stop(due.before))
        if due.what is not None:
            await handle.ioctl(_start(due.what, due.lapse_s))
    except RejectedError as error:
        return str(error), not handle.closed
    except DeviceError as error:
        return str(error), not error.transient
    return None, False


def _stop(what: What) -> Command[str]:
    return StopFunction(what.function) if isinstance(what, GridSupport) else ReleaseReactive()


def _start(what: What, lapse_s: float) -> Command[GridSupport] | Command[str]:
    if isinstance(what, GridSupport):
        return WriteFunction(what, lapse_s)
    if isinstance(what, FixedVar):
        return HoldReactive(lapse_s, reactive_var=what.reactive_var)
    return HoldReactive(
        lapse_s, power_factor=what.producing, charging_factor=what.charging
    )
