"""The regulated battery as the cycle sees it: one link, whoever drives the battery.

While nobody regulates, every call goes straight to the driver's link. While the regulating process
has the battery, the cycle's set-points become its base points and the cycle's readings are its
last ones; a command that is neither goes through the driver's link again, for which the process
lets go of the battery and takes it back. When the process ends, the next call drives the battery
itself.

The readings show what the battery really does, swing included, as the meter does: the cycle works
from what is left when the one is taken from the other, so the swing does not disturb it. Which part
of it is the swing's stands in `Reading.regulated_w`.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from der.commands import Command
from der.errors import TransientError
from der.model import Connection, Reading, Safeguard, Setpoint
from der.sentence import say
from der.service import Link
from hems.regulation.errors import GoneError
from hems.regulation.letters import Base, Report
from hems.regulation.process import Regulator
from programs.proposal import Bounds

_log = logging.getLogger(__name__)

_REPORT_S: Final = 1.5
_AFTER_S: Final = 0.03
"""The meter is asked at the same time; what it shows must lie within what is told of the battery
here, so this is told after it."""
Connect = Callable[[], Awaitable[Link]]


class RegulatedLink:
    """A link that leaves the battery to the regulating process while that regulates.

    Args:
        device: Id of the battery.
        inner: The driver's link, open.
        connect: Makes another.
        regulator: The process.
        wanted: Returns whether the battery is to be regulated now.
        room: Returns where its power may be; None while that is not known.
    """

    def __init__(
        self,
        device: str,
        inner: Link,
        connect: Connect,
        regulator: Regulator,
        *,
        wanted: Callable[[], bool],
        room: Callable[[], Bounds | None],
    ) -> None:
        self._device = device
        self._inner: Link | None = inner
        self._connect = connect
        self._regulator = regulator
        self._wanted = wanted
        self._room = room
        self._last: Setpoint | None = None
        self._lapses_at = 0.0
        self._connection = inner.connection
        self._safeguard = inner.safeguard
        self._astray = False
        self._turn = asyncio.Lock()

    @property
    def connection(self) -> Connection:
        """Who answers at the other end."""
        return self._connection

    @property
    def safeguard(self) -> Safeguard:
        """What becomes of the battery when nobody renews its set-point."""
        return self._safeguard

    async def read(self) -> Reading:
        """Read the battery, or return what the process read last."""
        async with self._turn:
            if await self._handed_over():
                await asyncio.sleep(_AFTER_S)
                with contextlib.suppress(GoneError):
                    return self._read(await self._regulator.newest(_REPORT_S))
            return await (await self._own()).read()

    async def write(self, setpoint: Setpoint | None) -> None:
        """Write a set-point, or tell the process its base."""
        async with self._turn:
            if await self._handed_over():
                try:
                    error = await self._regulator.tell(self._base(setpoint))
                except GoneError as gone:
                    _log.warning("%s: %s; the hub writes it itself", self._device, gone)
                else:
                    if error:
                        raise TransientError(error)
                    self._note(setpoint)
                    return
            await (await self._own()).write(setpoint)
            self._note(setpoint)

    async def ioctl(self, command: Command[object]) -> object:
        """Carry out a command through the driver's link."""
        async with self._turn:
            return await (await self._own()).ioctl(command)

    async def close(self) -> None:
        """End the connection."""
        if self._regulator.taken:
            with contextlib.suppress(GoneError):
                await self._regulator.let_go()  # or it is ended
        inner, self._inner = self._inner, None
        if inner is not None:
            await inner.close()

    def _read(self, report: Report | None) -> Reading:
        if report is None or report.reading is None:
            why = "" if report is None else report.error
            raise TransientError(
                why or say("{device}: its regulation has not read it yet", device=self._device)
            )
        return report.reading

    async def _handed_over(self) -> bool:
        """Return whether the process has the battery; hand it over, or take it back, if need be."""
        if self._regulator.taken:
            return self._wanted()
        # Only a battery that was told something is regulated: there is a base then.
        last = self._present()
        if last is None or not (self._wanted() and self._regulator.ready):
            return False
        inner, self._inner = self._inner, None
        if inner is not None:
            await inner.close()
        self._regulator.take()
        self._astray = True
        try:
            await self._regulator.tell(self._base(last))  # what goes wrong, its reports will say
        except GoneError:
            return False
        return True

    def _present(self) -> Setpoint | None:
        """Return the set-point that the battery holds, with the time that is left of it."""
        if self._last is None:
            return None
        left_s = self._lapses_at - time.monotonic()
        return replace(self._last, lapse_s=left_s) if left_s > 0 else None

    async def _own(self) -> Link:
        """Return the driver's link; the battery is taken back for it.

        After a process that ended without a word, the battery is brought to its base first.

        Raises:
            DeviceError: It cannot be reached, or does not take its base.
        """
        if self._regulator.taken:
            try:
                await self._regulator.let_go()
                self._astray = False
            except GoneError as gone:
                _log.warning("%s: %s; the hub drives it again", self._device, gone)
        if self._inner is None:
            self._inner = await self._connect()
        if self._astray:
            base = self._present()
            if base is not None:
                await self._inner.write(base)
            self._astray = False
        return self._inner

    def _base(self, setpoint: Setpoint | None) -> Base:
        number = self._regulator.next_number()
        if setpoint is None:
            return Base(number, None, 0.0, None, 0.0, 0.0)
        power_w, room = setpoint.power_w, self._room() or Bounds(setpoint.power_w, setpoint.power_w)
        return Base(
            number, power_w, setpoint.lapse_s, setpoint.revert_w, room.lower_w, room.upper_w
        )

    def _note(self, setpoint: Setpoint | None) -> None:
        self._last = setpoint
        self._lapses_at = time.monotonic() + (0.0 if setpoint is None else setpoint.lapse_s)
