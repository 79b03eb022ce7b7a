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
        tables = [NOT_OF[self.client]]
        if self.server != SERVERS[0]:
            tables.append(NOT_OF_HEADEND)
        return next((table[found.id] for table in tables if found.id in table), "")

    def differs(self, item: pytest.Item) -> str:
        """Return in what the client plays a scenario in another way; empty if in nothing."""
        found = scenario.of(item)
        return "" if found is None or self.usual else DIFFERS[self.client].get(found.id, "")


_LISTS: Final = (
    "server: subscribable are its lists of events and prices and its default controls, not those"
    " of devices, assignments and programmes"
)
_OWN_PIN: Final = "server: it draws the PIN of who enters itself; the owner has to be told it"
NOT_OF_HEADEND: Final[Mapping[str, str]] = {
    "COMM-003": "server: it leaves the cipher suite to the client; only a script can force one",
    **dict.fromkeys(("CORE-019", "ALL-14", "MAINT-003"), _LISTS),
}
"""Scenarios that our head-end cannot play, where nothing but reading them shows it, and why."""
_SLOW: Final = "client: it polls nothing more often than every 10 s (client/poll_rate.py)"
_NO_LOADS: Final = "client: it knows no demand response and load control"
_PRICES: Final = (
    "test: it tells prices to its connectors alone, which this adapter does not look at"
)
NOT_OF: Final[Mapping[str, Mapping[str, str]]] = {
    "ours": dict.fromkeys(("CORE-008", "ALL-02"), _OWN_PIN),
    "py20305": {
        **dict.fromkeys(("CORE-003", "ALL-19", "ALL-20"), _SLOW),
        **dict.fromkeys(("DR-01", "DR-02", "DR-03", "DR-04"), _NO_LOADS),
        **dict.fromkeys(("PRC-01", "PRC-02", "PRC-03", "PRC-04", "PRC-05"), _PRICES),
        "MSG-01": "client: it knows no messaging",
        "STO-01A": "client: it knows no opModStorageTargetW (models/csipaus/elements.py)",
        "CORE-013": (
            "client: whether a control that is superseded in one mode is carried out in its other"
            " modes depends on which of the two it has learnt of first (events/processor.py)"
        ),
        "ALL-10": (
            "test: its program, and not its library, posts readings:"
            " tests/interop/test_py20305_program.py"
        ),
    },
}
"""Scenarios that a client cannot play with our head-end, and why."""
_PIN_LATE: Final = (
    "it reads its registration after programmes and events, and is not held up by it"
    " (client/discovery.py)"
)
_TWO_ANSWERS: Final = "it answers that it received the control before that it cannot do it: 1, 252"
_NO_PROGRAMMES: Final = (
    "while it is subscribed to events it reads lists of programmes every 15 min only"
    " (client/csip_client.py, client/polling.py)"
)
DIFFERS: Final[Mapping[str, Mapping[str, str]]] = {
    "ours": {},
    "py20305": {
        **dict.fromkeys(("ALL-01", "BASIC-001", "CORE-010"), _PIN_LATE),
        **dict.fromkeys(
            ("BASIC-006", "BASIC-008", "BASIC-011", "BASIC-012", "BASIC-015"), _TWO_ANSWERS
        ),
        **dict.fromkeys(("MAINT-005", "MAINT-005A"), _NO_PROGRAMMES),
        "CORE-008": (
            "of a device that it has just entered it reads no PIN: it looks at PINs in its first"
            " discovery only (client/csip_client.py)"
        ),
        "COMM-004F": "a CA with policy mappings is taken",
        "CORE-021": (
            "after a restart it answers anew: it remembers nothing of what it has answered"
            " (events/response.py)"
        ),
        "CORE-025": (
            "a response that cannot be posted while the server is away is not posted later"
            " (events/response.py)"
        ),
        "ALL-03-REJ": "a wrong PIN is a warning in its log, and all goes on (client/discovery.py)",
        "ALL-18": (
            "controls of different CSIP-AUS limits supersede each other, since it compares the"
            " modes of IEEE 2030.5 alone (events/supersession.py)"
        ),
        "ALL-22A": (
            "an event cancelled with randomisation (currentStatus 3) goes on to its end"
            " (events/processor.py)"
        ),
        "MAINT-001": (
            "a device that is entered after its start is not found: it reads anew only those that"
            " it knows (client/discovery.py)"
        ),
        "ERR-002": "a notification of another media type is answered 400, not 415",
        "ERR-003": (
            "it takes notifications from whoever has a certificate under its root, and not from its"
            " utility alone (subscription/notification_server.py)"
        ),
    },
}
"""Scenarios that a client plays in another way than they ask; they have to fail."""
