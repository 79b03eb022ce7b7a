"""The utilities' servers that announce themselves on the home's network."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hems.on_demand import load, on_demand
from hems.sep2.errors import MalformedError

if TYPE_CHECKING:
    from hems.sep2.transport import discovery
else:  # multicast DNS, while a home is set up
    discovery = on_demand("hems.sep2.transport.discovery")

SEARCH_S: Final = 4.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server that was found.

    Attributes:
        name: As it announces itself.
        url: Its DeviceCapability.
    """

    name: str
    url: str


async def search(within_s: float = SEARCH_S) -> Sequence[Server]:
    """Return the servers that speak TLS and answer within a time, each once.

    Raises:
        OSError: There is no network to ask on.
    """
    await load(discovery)
    found: dict[str, Server] = {}
    try:
        async with asyncio.timeout(within_s), discovery.Discovery() as listening:
            while True:
                try:
                    each = await listening.next()
                except MalformedError:
                    continue  # an announcement that nobody could use
                if each.base.startswith("https://"):
                    url = f"{each.base}{each.dcap}"
                    found[url] = Server(each.name.partition("._")[0], url)
    except TimeoutError:
        pass
    return tuple(found.values())
