"""How one device is told what it is to do for the grid: one command after the other, in no way.

Adopting a curve takes a device seconds. These commands therefore have a task of their own beside
reading and writing of active power; a driver takes turns with frames, not with whole commands.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
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
from der.errors import DeviceError, RejectedError, TransientError
from der.service import Handle
from hems.cem.abilities import Abilities
from hems.cem.supports import Due, same
from hems.clock import Clock
from programs.support import FixedVar, Place, What

_log = logging.getLogger(__name__)


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
        self._next: dict[Place, tuple[Due, float]] = {}
        self._telling: Due | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def task(self) -> asyncio.Task[None] | None:
        """What is under way; None before the first."""
        return self._task

    def ask(self, handle: Handle, tasks: asyncio.TaskGroup) -> None:
        """Ask the device what it can do, once for each time that it is opened."""
        if handle is not self._asked:
            self._start(handle, tasks)

    def submit(
        self, due: Due, decided_at: float, handle: Handle, tasks: asyncio.TaskGroup
    ) -> asyncio.Task[None] | None:
        """Have something told as soon as what is under way has ended; of a place the latest wins.

        Returns:
            The task that tells it; None if the same is being told already.
        """
        telling = self._telling
        if telling is not None and telling.place is due.place and same(telling.what, due.what):
            self._next.pop(due.place, None)
            return None
        self._next[due.place] = due, decided_at
        return self._start(handle, tasks)

    def _start(self, handle: Handle, tasks: asyncio.TaskGroup) -> asyncio.Task[None]:
        if self._task is None or self._task.done():
            self._task = tasks.create_task(self._run(handle), name=f"support {self._device}")
        return self._task

    def abandon(self) -> None:
        """Give up what is under way."""
        if self._task is not None:
            self._task.cancel()

    async def stop(self, handle: Handle, held: Iterable[What]) -> None:
        """Have the device end what it holds.

        Raises:
            DeviceError: It did not confirm.
        """
        for what in held:
            await handle.ioctl(_stop(what))

    async def _run(self, handle: Handle) -> None:
        if handle is not self._asked:
            await self._ask(handle)
        while self._next:
            place = next(iter(self._next))
            due, decided_at = self._next.pop(place)
            self._telling = due
            error, lasting = await _told(handle, due)
            self._telling = None
            self._done(Supported(due, decided_at, self._clock.now(), error, lasting))

    async def _ask(self, handle: Handle) -> None:
        try:
            options = await handle.ioctl(Options())
        except RejectedError:
            self._asked = handle  # it has no such command, or is closed
        except DeviceError as error:
            _log.debug("%s was not asked what it can do: %s", self._device, error)
        else:
            self._asked = handle
            self._abilities.learn(self._device, options)


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
        return str(error), not isinstance(error, TransientError)
    return None, False


def _stop(what: What) -> Command[str]:
    return StopFunction(what.function) if isinstance(what, GridSupport) else ReleaseReactive()


def _start(what: What, lapse_s: float) -> Command[GridSupport] | Command[str]:
    if isinstance(what, GridSupport):
        return WriteFunction(what, lapse_s)
    if isinstance(what, FixedVar):
        return HoldReactive(lapse_s, reactive_var=what.reactive_var)
    return HoldReactive(lapse_s, power_factor=what.producing, charging_factor=what.charging)
