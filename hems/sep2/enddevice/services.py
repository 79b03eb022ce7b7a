"""What a device has of its server besides events: log, bills, metering, configuration, files.

`Services` outlives sessions; `Upkeep` is what one session does for it.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from hems.sep2 import resources as res
from hems.sep2.enddevice.billing import Billing
from hems.sep2.enddevice.configuration import Configured
from hems.sep2.enddevice.loader import FileLoader, FileWish
from hems.sep2.enddevice.logevents import LogPoster, LogQueue
from hems.sep2.enddevice.usage import Usage
from hems.sep2.transport.http import Transport
from hems.sep2.transport.troubles import Troubles


@dataclass(slots=True)
class Services:
    """What a device has of its server besides events.

    Attributes:
        log: What the server is still to be told of.
        billing: The bills as last read.
        usage: What the server itself has metered, as last read; None where nobody wants it.
        configured: What the server has set for the device; None while it has set nothing.
        on_configured: Told when that has changed; must not block.
        files: What files the device takes; None for none.
        dr_programs: Hrefs of the demand-response programmes that it is in, by the list they are in.
    """

    log: LogQueue = field(default_factory=LogQueue)
    billing: Billing = field(default_factory=Billing)
    usage: Usage | None = None
    configured: Configured | None = None
    on_configured: Callable[[Configured], None] = lambda _configured: None
    files: FileWish | None = None
    dr_programs: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def configure(self, configured: Configured | None) -> None:
        """Take in what the server has set."""
        if configured is not None and configured != self.configured:
            self.configured = configured
            self.on_configured(configured)


@dataclass(frozen=True, slots=True)
class Clocked:
    """A device's view of the server's clock: its lead over the home's in s, and its time."""

    offset_s: Callable[[], float]
    server_time: Callable[[], float]


class Upkeep:
    """Keeps a device's log and files up at one server, in one session.

    Args:
        services: The device's.
        transport: Way to the server.
        clocked: The server's clock.
        rng: For jitter.
        troubles: What goes wrong now.
        on_contact: Told after each answer of the server.
    """

    def __init__(
        self,
        services: Services,
        transport: Transport,
        clocked: Clocked,
        *,
        rng: random.Random,
        troubles: Troubles,
        on_contact: Callable[[], None],
    ) -> None:
        self._poster = LogPoster(
            services.log, transport, clocked.offset_s, rng, troubles, on_contact=on_contact
        )
        self._loader: FileLoader | None = None
        if services.files is not None:
            self._loader = FileLoader(services.files, transport, clocked.server_time, rng, troubles)

    def use(self, device: res.EndDevice | None) -> None:
        """Set the EndDevice as the server shows it; None if it shows none."""
        self._poster.use(device)
        if self._loader is not None:
            self._loader.use(device)

    @property
    def loader(self) -> FileLoader | None:
        """Who loads files; None where the device takes none."""
        return self._loader

    async def run(self) -> None:
        """Keep up; never returns."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._poster.run())
            if self._loader is not None:
                group.create_task(self._loader.run())
