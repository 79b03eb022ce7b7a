"""Single devices of the running home, for the page and the command line: seen whole, and tested."""

import asyncio
import logging
from collections.abc import (
    AsyncIterator,
    Callable,
    Collection,
    Coroutine,
    Iterable,
    Sequence,
)
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final

from der.description import DeviceDescription
from der.errors import DeviceError
from der.model import DeviceKind
from der.registry import Registry
from der.sentence import say
from der.service import Handle
from hems.bench.callers import heard
from hems.bench.commissioning import moved, quiet, untestable
from hems.bench.device_detail import asked, commissioned, with_state
from hems.cem.cycle import Cycle
from hems.clock import Clock
from hems.device_surface import CallerView, DeviceDetail, MoveOutcome, UnknownDeviceError
from hems.image import ImageRing
from hems.surface import SurfaceError
from programs.signal import Signal

if TYPE_CHECKING:
    from der.commissioning.move import Progress

_log = logging.getLogger(__name__)
_IN_A_TEST: Final = say("another device is being tested; two moves at once would mix at the meter")
_LOOK_EVERY_S: Final = 0.2
_NOT_KNOWN: Final = say("whether a grid event is running is not known yet; try again in a moment")
_EVENT_CAME: Final = say("a grid event has come; the move was broken off and the device given back")
_IN_AN_EVENT: Final = say("a grid event is running, and other devices would make up for the move")


class Workbench:
    """What can be asked of single devices; implements `hems.device_surface.DeviceSurface`.

    Args:
        descriptions: The home's devices.
        registry: The same, made.
        cycle: Who holds them.
        ring: What they last said.
        clock: Where the time comes from.
        signals: What the grid asks now; None while that is not known.
    """

    def __init__(
        self,
        descriptions: Iterable[DeviceDescription],
        registry: Registry,
        cycle: Cycle,
        ring: ImageRing,
        clock: Clock,
        *,
        signals: Callable[[], Sequence[Signal] | None],
    ) -> None:
        self._descriptions = {each.spec.id: each for each in descriptions}
        self._registry = registry
        self._cycle = cycle
        self._ring = ring
        self._clock = clock
        self._signals = signals
        self._testing: str | None = None

    @property
    def testing(self) -> str | None:
        """The device that is being tested, during which others should not move for gain."""
        return self._testing

    async def device(self, device: str) -> DeviceDetail:
        """Return all that is known of a device; asks the device itself if it is connected.

        Raises:
            UnknownDeviceError: There is none of this id.
        """
        detail = commissioned(self._described(device))
        image = self._ring.present
        if image is not None:
            detail = with_state(detail, image.devices[device], self._clock.now())
        handle = self._cycle.handle(device)
        return detail if handle is None else await asked(detail, handle)

    async def test(self, device: str, move_s: float, progress: "Progress" = quiet) -> MoveOutcome:
        """Do the test move with a device, which the cycle leaves alone meanwhile.

        Args:
            device: Its id.
            move_s: How long each step of the move lasts, in s.
            progress: Told how far it is; must not block.

        Raises:
            UnknownDeviceError: There is none of this id.
            SurfaceError: It cannot be tested now: not connected, another one is tested, or a grid
                event is running, or comes meanwhile.
        """
        description = self._described(device)
        refusal = untestable(description.spec)
        if refusal is not None:
            raise SurfaceError(refusal)
        if self._testing is not None:
            raise SurfaceError(_IN_A_TEST)
        signals = self._signals()
        if signals is None:
            raise SurfaceError(_NOT_KNOWN)
        if signals:
            raise SurfaceError(_IN_AN_EVENT)
        self._testing = device
        try:
            await self._cycle.react()  # the others come to rest
            async with self._cycle.lend(device) as handle:
                return await self._until_event(
                    moved(handle, self._meter(), self._clock.now, move_s=move_s, progress=progress)
                )
        except DeviceError as error:
            raise SurfaceError(str(error)) from error
        finally:
            self._testing = None

    async def _until_event(self, move: Coroutine[None, None, MoveOutcome]) -> MoveOutcome:
        """Run a move, and break it off once the grid asks for something: the home must follow."""
        task = asyncio.create_task(move)
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=_LOOK_EVERY_S)
                if self._signals() and not task.done():
                    raise SurfaceError(_EVENT_CAME)
            return task.result()
        finally:
            task.cancel()  # it gives the device back
            await asyncio.wait({task})

    def callers(self) -> Sequence[CallerView] | None:
        """Return the chargers that have called in of late; None if nobody listens for them."""
        return heard(self._registry)

    @asynccontextmanager
    async def given_back(self, devices: Collection[str]) -> AsyncIterator[None]:
        """Give devices back to their own control, and have the cycle leave them so."""
        async with AsyncExitStack() as stack:
            for device in devices:
                try:
                    await stack.enter_async_context(self._cycle.given_back(device))
                except DeviceError as error:
                    _log.warning("%s was not given back and will lapse: %s", device, error)
            yield

    def _described(self, device: str) -> DeviceDescription:
        found = self._descriptions.get(device)
        if found is None:
            raise UnknownDeviceError(say("this home has no device {device!r}", device=device))
        return found

    def _meter(self) -> Handle | None:
        """Return the home's meter; the cycle reads it too, and its link takes turns."""
        for name, each in self._descriptions.items():
            if each.spec.kind is DeviceKind.METER:
                return self._cycle.handle(name)
        return None
