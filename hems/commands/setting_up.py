"""Devices of the running home found, added and changed on its page: loaded when first asked for."""

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from hems.clock import Clock
from hems.on_demand import on_demand
from hems.succession import Succession

if TYPE_CHECKING:
    from hems.setup import device_setup
else:
    device_setup = on_demand("hems.setup.device_setup")


class Setup:
    """Ends what is under way with the page that asked for it; an async context manager.

    Args:
        path: The configuration file.
        home: The present home.
        clock: Where the time comes from.
    """

    def __init__(self, path: Path, home: Succession, clock: Clock) -> None:
        self._path = path
        self._home = home
        self._clock = clock
        self._made: device_setup.DeviceSetup | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._made is not None:
            await self._made.close()

    def devices(self) -> "device_setup.DeviceSetup":
        """Return what finds, adds and changes devices."""
        if self._made is None:
            home = self._home
            self._made = device_setup.DeviceSetup(
                self._path, home, home.callers, self._clock, stays=home.commissioned
            )
        return self._made
