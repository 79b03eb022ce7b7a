"""Whose client is run against whose server: ours, or another's in its place."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from certs.pki import Pki
from tests.conformance import scenario
from tests.interop.lone import Lone
from tests.interop.ours.peer import PeerLone

CLIENTS: Final = ("ours", "py20305")
SERVERS: Final = ("script", "headend")


@dataclass(frozen=True, slots=True)
class Pair:
    """A client and a server.

    Attributes:
        client: One of `CLIENTS`.
        server: One of `SERVERS`: the scripted utility, or our head-end as a process of its own.
    """

    client: str = CLIENTS[0]
    server: str = SERVERS[0]

    @property
    def usual(self) -> bool:
        """Whether it is our client against the script, as a certifier would test it."""
        return self == Pair()

    @property
    def of_devices(self) -> str:
        """Why scenarios with a home's devices are not for it."""
        if self.client != CLIENTS[0]:
            return "client: it drives no house; what it tells its device is shown by the others"
        return "test: hub and house as processes meet the head-end in tests/e2e"

    def lone(self, pki: Pki, folder: Path, edition: str) -> Lone:
        """Return the client by itself, for utilities of this pair's kind."""
        kind = Lone if self.client == CLIENTS[0] else PeerLone
        return kind(pki, folder, edition=edition, hosted=self.server != SERVERS[0])

    def unfit(self, item: pytest.Item) -> str:
        """Return why a scenario cannot be played with this pair; empty if it can be tried."""
        found = scenario.of(item)
        if found is None or self.usual:
            return ""
        tables: list[Mapping[str, str]] = []
        if self.server != SERVERS[0]:
            tables.append(NOT_OF_HEADEND)
        if self.client != CLIENTS[0]:
            tables.append(NOT_OF_PEER)
        return next((table[found.id] for table in tables if found.id in table), "")


NOT_OF_HEADEND: Final[Mapping[str, str]] = {}
NOT_OF_PEER: Final[Mapping[str, str]] = {}
