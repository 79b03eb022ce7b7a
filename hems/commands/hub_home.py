"""The running hub as a home that devices join: its page's API, asked beside the event loop."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from hems.commands.hub import Hub, HubError, UnknownToHubError
from hems.device_surface import DeviceDetail, MoveOutcome, UnknownDeviceError
from hems.setup.joining import Progress, quiet
from hems.surface import SurfaceError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HubHome:
    """A `hems.setup.joining.RunningHome` behind a page.

    Attributes:
        hub: Its page.
    """

    hub: Hub

    async def device(self, device: str) -> DeviceDetail:
        """Return all that it knows of a device."""
        return await _asked(lambda: self.hub.device(device))

    async def test(self, device: str, move_s: float, progress: Progress = quiet) -> MoveOutcome:
        """Have it do the test move with a device; how far that is, it does not tell."""
        del progress
        return await _asked(lambda: self.hub.test(device, move_s))

    async def alarms(self) -> Sequence[str]:
        """Return its alarms."""
        return await _asked(self.hub.alarms)


async def _asked(ask: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(ask)
    except UnknownToHubError as error:
        raise UnknownDeviceError(str(error)) from error
    except HubError as error:
        raise SurfaceError(str(error)) from error
