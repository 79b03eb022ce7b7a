"""A device joins a running home: taken up, reached and moved, wherever that home is asked."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from der.model import Control, Quality
from der.registry import CONTROLS
from der.sentence import say
from hems.device_surface import DeviceDetail, MoveOutcome, UnknownDeviceError
from hems.settings.device_section import DeviceSection
from hems.setup.draft import NotAddedError

TAKEN_WITHIN_S: Final = 30.0
ANSWERS_WITHIN_S: Final = 60.0
_LOOK_EVERY_S: Final = 0.5

Progress = Callable[[float, str], None]
"""Told how far a move is, 0 to 1, and what is being done; must not block."""


def quiet(_share: float, _words: str) -> None:
    """Tell nobody."""


class RunningHome(Protocol):
    """A home that runs, here or behind its page."""

    async def device(self, device: str) -> DeviceDetail:
        """Return all that it knows of a device; raises UnknownDeviceError."""
        ...

    async def test(self, device: str, move_s: float, progress: Progress = quiet) -> MoveOutcome:
        """Do the test move with a device; raises SurfaceError where that cannot be now."""
        ...

    async def alarms(self) -> Sequence[str]:
        """Return what it complains of."""
        ...


def controlled(section: DeviceSection) -> bool:
    """Return whether a device can be moved."""
    return CONTROLS[section.kind] is not Control.NONE


async def taken(home: RunningHome, section: DeviceSection) -> DeviceDetail:
    """Wait until a home has taken up a device of its devices file, and reached it.

    Raises:
        NotAddedError: It does not take it, or does not reach it.
        SurfaceError: The home cannot be asked.
    """
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while True:
        waited_s = loop.time() - begun
        try:
            detail = await home.device(section.id)
        except UnknownDeviceError as error:
            if waited_s > TAKEN_WITHIN_S:
                raise NotAddedError(await _why_not_taken(home)) from error
        else:
            if detail.quality in {Quality.GOOD, Quality.ASLEEP} and detail.address:
                return detail
            if waited_s > ANSWERS_WITHIN_S:
                why = detail.error or say("it gives no reading")
                raise NotAddedError(
                    say("{name} does not join: {reason}", name=section.name, reason=why)
                )
        await asyncio.sleep(_LOOK_EVERY_S)


async def _why_not_taken(home: RunningHome) -> str:
    said = next((alarm for alarm in await home.alarms() if "change of devices" in alarm), None)
    return said or say("The hub does not take it; is it run with this configuration?")
