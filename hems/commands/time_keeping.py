"""The hub's clock, and who looks after it while the hub runs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from certs import instants
from hems.commands.reign import ended
from hems.home import Home
from hems.sep2.rules.servertime import Told
from hems.settings.config import Config
from hems.store.errors import StoreError
from hems.store.store import Store
from hems.timekeeping import floor
from hems.timekeeping.hub_clock import HubClock
from hems.timekeeping.timekeeper import Ties, Timekeeper

_log = logging.getLogger(__name__)

_OWN_CLOCK: Final = Path("/sys/class/rtc/rtc0/since_epoch")
_BEYOND_S: Final = 2 * floor.EVERY_S
"""What the store says of a time so long after the file's was written by a clock that was wrong."""


def hub_clock(store: Path) -> HubClock:
    """Return the hub's clock, which begins no earlier than the time was known last.

    Args:
        store: The store's file.
    """
    mark, released = floor.read(floor.place(store)), floor.released()
    if mark is None:
        return HubClock(released)
    boot = floor.this_boot()
    off = bool(boot and mark.boot) and boot != mark.boot
    least = max(mark.at, released)
    return HubClock(least, restarted=off and not _has_own_clock(mark.at))


def _has_own_clock(since: float) -> bool:
    """Return whether the machine has a clock that runs while it is off, and did."""
    try:
        return float(_OWN_CLOCK.read_text(encoding="ascii")) >= since
    except (OSError, ValueError):
        return False


async def taken_up(clock: HubClock, file: Path, store: Store) -> Store:
    """Have a clock that is in doubt begin where the history ends, which is later than the file.

    Args:
        clock: It.
        file: The store's file.
        store: It; returned.
    """
    mark = floor.read(floor.place(file))
    if clock.known or mark is None:
        return store
    try:
        newest = await store.history.newest()
    except StoreError as error:
        _log.warning("when something was last recorded cannot be read: %s", error)
        return store
    if newest is not None and newest <= mark.at + _BEYOND_S:
        clock.no_earlier(newest)
    return store


@asynccontextmanager
async def kept(
    clock: HubClock, config: Config, home: Callable[[], Home]
) -> AsyncIterator[Timekeeper]:
    """Look after the clock meanwhile, and have certificates judged by it.

    Args:
        clock: It.
        config: The hub's settings.
        home: Returns the present home.
    """

    def servers() -> dict[str, Told]:
        told = {link.name: link.client.engine.server_clock.told for link in home().grid.links}
        return {name: each for name, each in told.items() if each is not None}

    ties = Ties(servers, alarm=lambda text: home().alarms.lasting("time", text))
    keeper = Timekeeper(clock, config.time.settings, floor.place(config.store.path), ties)
    instants.go_by(clock.now, lambda: clock.known)
    task = asyncio.create_task(keeper.run(), name="timekeeper")
    try:
        yield keeper
    finally:
        await ended(task)
        instants.go_by_machine()
