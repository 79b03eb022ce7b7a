"""The guard of set-points that their devices cannot end by themselves.

A device with a reversion timer drops a set-point that nobody renews. For one without, the guard is
that timer: told before each write for how long the set-point is to hold, it gives the device back
(its driver then writes the safe value) once that time has passed unrenewed. It does not ask whether
the hub lives: a hub that lives renews in time, and one that is dead, hangs, or has lost the device
does not. So it never takes a set-point away that the hub still counts on, and a hub that restarts
within the time finds the device as it left it.

It runs as a process of its own (`hems.commands.guard`). What it cannot outlive is the loss of the
machine's power; what it holds is kept in a file, so that it is given back after the next start.
"""

import asyncio
import contextlib
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from der.commands import Connect
from der.errors import DeviceError, RejectedError, TransientError
from der.model import Control, DeviceSpec, Reading, Sleep
from der.service import Device, Handle, Mode

_log = logging.getLogger(__name__)

GRACE_S: Final = 1.0
"""How long after its lapse a set-point is ended: a renewal that is under way comes first."""
_WAKES: Final = 2
"""So many wakes of a device that sleeps are waited for: one may be missed."""
_FIRST_RETRY_S: Final = 1.0
_LAST_RETRY_S: Final = 30.0
GIVE_UP_S: Final = 7 * 86400.0
"""A device that cannot be reached for so long after its lapse is left to the next start."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A set-point that a device holds.

    Attributes:
        until: When it lapses, in s of the clock that the caller uses.
        opened: Whether the device's switch was opened with it.
        tries: How often it was tried in vain to end it.
        next_at: When to try next.
    """

    until: float
    opened: bool = False
    tries: int = 0
    next_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Vigil:
    """What is held now, by device id. Pure; times are s of one clock."""

    holds: Mapping[str, Hold]

    def hold(self, device: str, until: float, *, opened: bool) -> "Vigil":
        """Return it with a set-point that was made or renewed."""
        before = self.holds.get(device)
        still_open = opened or (before is not None and before.opened)
        return Vigil({**self.holds, device: Hold(until, still_open, next_at=until + GRACE_S)})

    def free(self, device: str) -> "Vigil":
        """Return it without a device that runs by itself again."""
        return Vigil({name: hold for name, hold in self.holds.items() if name != device})

    def due(self, now: float) -> tuple[str, ...]:
        """Return the devices to be given back now."""
        return tuple(name for name, hold in self.holds.items() if now >= hold.next_at)

    def next_at(self) -> float | None:
        """Return when the next device is due; None if nothing is held."""
        return min((hold.next_at for hold in self.holds.values()), default=None)

    def failed(self, device: str, now: float) -> "Vigil":
        """Return it after a device could not be given back: it is tried again, less and less often.

        One that was not reached for `GIVE_UP_S` after its lapse is due no more.
        """
        hold = self.holds[device]
        pause_s = min(_FIRST_RETRY_S * 2**hold.tries, _LAST_RETRY_S)
        next_at = float("inf") if now - hold.until > GIVE_UP_S else now + pause_s
        again = replace(hold, tries=min(hold.tries + 1, 10), next_at=next_at)
        return Vigil({**self.holds, device: again})

    @property
    def waits(self) -> bool:
        """Whether something is held that is still to be ended."""
        return any(hold.next_at < float("inf") for hold in self.holds.values())


class Guard:
    """Keeps a vigil over devices.

    Args:
        devices: Those that may be held, by id.
        vigil: What is held from before.
        monotonic: The vigil's clock, s.
        keep: Called with the vigil whenever it changes, to write it down.
        ready: Awaited before a device is opened, to have what devices share.
    """

    def __init__(
        self,
        devices: Mapping[str, Device],
        vigil: Vigil,
        monotonic: Callable[[], float],
        keep: Callable[[Vigil], None],
        ready: Callable[[], Awaitable[None]],
    ) -> None:
        self._devices = devices
        self._vigil = vigil
        self._monotonic = monotonic
        self._keep = keep
        self._ready = ready
        self._changed = asyncio.Event()
        self._alone = False
        self._ending: dict[str, asyncio.Task[None]] = {}

    @property
    def vigil(self) -> Vigil:
        """What is held now."""
        return self._vigil

    def hold(self, device: str, until: float, *, opened: bool = False) -> None:
        """Take note that a device is about to hold a set-point until a time of the clock."""
        if device in self._ending:
            self._ending[device].cancel()  # the hub is heard again, so its word counts
        self._become(self._vigil.hold(device, until, opened=opened))

    def free(self, device: str) -> None:
        """Take note that a device was given back by the hub."""
        if device in self._vigil.holds:
            self._become(self._vigil.free(device))

    def left_alone(self) -> None:
        """Take note that nobody will tell any more; `run` ends once nothing is held."""
        if self._vigil.holds and not self._alone:
            names = ", ".join(self._vigil.holds)
            _log.warning("the hub is gone; held until their lapse: %s", names)
        self._alone = True
        self._changed.set()

    async def run(self) -> None:
        """Give back what lapses, until left alone with nothing more to do.

        Each device by itself: one that hangs, sleeps or trips its driver keeps no other waiting.
        """
        try:
            while not self._alone or self._vigil.waits:
                self._changed.clear()
                for name in self._vigil.due(self._monotonic()):
                    if name not in self._ending:
                        self._ending[name] = asyncio.create_task(self._give_back(name))
                        self._ending[name].add_done_callback(partial(self._ended, name))
                try:
                    async with asyncio.timeout(self._wait_s()):
                        await self._changed.wait()
                except TimeoutError:
                    continue
        finally:
            for task in (*self._ending.values(),):
                task.cancel()

    def _wait_s(self) -> float | None:
        """Return for how long nothing is due that is not being ended; None for ever."""
        holds = self._vigil.holds.items()
        next_at = min((h.next_at for n, h in holds if n not in self._ending), default=math.inf)
        return None if next_at == math.inf else max(next_at - self._monotonic(), 0.0)

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        """Go on after a device; a fault of the program with it is said, and it is tried again."""
        del self._ending[name]
        fault = None if task.cancelled() else task.exception()
        if fault is not None:
            _log.error("%s: cannot be given back for a fault in the program", name, exc_info=fault)
            if name in self._vigil.holds:
                self._become(self._vigil.failed(name, self._monotonic()))
        self._changed.set()

    def _become(self, vigil: Vigil) -> None:
        self._vigil = vigil
        self._keep(vigil)
        self._changed.set()

    async def _give_back(self, name: str) -> None:
        held = self._vigil.holds.get(name)
        if held is None:
            return  # the hub has given it back just now
        device = self._devices.get(name)
        if device is None:
            _log.warning("%s: is held, but no such device is configured any more", name)
            self._become(self._vigil.free(name))
            return
        try:
            await self._ready()
            await end_set_point(device, opened=held.opened)
        except DeviceError as error:
            if self._vigil.holds.get(name) is held:  # else it was renewed meanwhile
                if not held.tries:
                    _log.warning("%s lapsed and cannot be given back: %s", name, error)
                self._become(self._vigil.failed(name, self._monotonic()))
            return
        _log.warning("%s: its set-point lapsed unrenewed; it was given back", name)
        if self._vigil.holds.get(name) is held:
            self._become(self._vigil.free(name))


async def end_set_point(device: Device, *, opened: bool) -> None:
    """Open a device, close its switch if it was opened, and give it back to its own control.

    One that sleeps is waited for until it says that it has taken that.

    Raises:
        DeviceError: It did not confirm.
    """
    sleep = device.spec.sleep
    handle = await device.open(Mode.WRITE_ONLY if sleep is None else Mode.READ_WRITE)
    try:
        if opened:
            with contextlib.suppress(RejectedError):  # it has no switch
                await handle.ioctl(Connect())
        await handle.write(None)
        if sleep is not None:
            await _until_taken(handle, sleep)
    finally:
        await handle.close()


async def _until_taken(handle: Handle, sleep: Sleep) -> None:
    """Return once a device that sleeps is seen to run by itself; raises TransientError."""
    longest_s = _WAKES * (sleep.period_s + sleep.awake_s)
    try:
        async with asyncio.timeout(longest_s):
            while True:
                with contextlib.suppress(TransientError):  # it has told nothing yet
                    if not _restricted(handle.spec, await handle.read()):
                        return
                await asyncio.sleep(sleep.awake_s / 2)
    except TimeoutError as error:
        raise TransientError(
            f"{handle.spec.id}: has slept for {longest_s:g} s and not been given back"
        ) from error


def _restricted(spec: DeviceSpec, reading: Reading) -> bool:
    free_w = spec.min_w if spec.control is Control.FLOOR else spec.max_w
    return reading.limit_w is not None and reading.limit_w != free_w
