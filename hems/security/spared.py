"""Whose addresses are never kept out, whatever seems to come from there: the home's utilities."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Final

from hems.security.fencing import looked_up
from hems.security.reach import host_of
from hems.settings.config import Config

LOOK_EVERY_S: Final = 300.0


class Spared:
    """Looks up the utilities' addresses now and then, for they move.

    Args:
        config: The hub's settings.
        servers: Returns the addresses (URL) of the servers that are in use now.
        every_s: How often it looks.
    """

    def __init__(
        self,
        config: Config,
        servers: Callable[[], Sequence[str]],
        every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._urls = tuple(each.url for each in config.utility if each.url)
        self._servers = servers
        self._every_s = every_s
        self._addresses: frozenset[str] = frozenset()

    @property
    def addresses(self) -> Collection[str]:
        """All that were found, since the start: one that a name has left may still be in use."""
        return self._addresses

    async def run(self) -> None:
        """Keep them until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self._every_s)

    async def look(self) -> None:
        """Look them up once."""
        hosts = {host for url in (*self._urls, *self._servers()) if (host := host_of(url))}
        found = await looked_up(hosts)
        self._addresses |= {address for each in found.values() for address in each}
