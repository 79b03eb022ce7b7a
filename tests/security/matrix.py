"""All attacks, and what each needs to run."""

from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path

from certs.pki import Pki
from tests.security import callers, handshakes, requests
from tests.security.attack import Attack, Kind, Outcome
from tests.security.judge import judged
from tests.security.street import Street, street

ON_STREET: Sequence[Attack[Street]] = [*callers.ROWS, *handshakes.ROWS, *requests.ROWS]


def of_kinds(kinds: Iterable[Kind]) -> set[str]:
    """Return the ids of all attacks of some classes."""
    wanted = set(kinds)
    return {attack.id for attack in ON_STREET if attack.kind in wanted}


async def carried_out(folder: Path, pki: Pki, ids: set[str]) -> AsyncIterator[Outcome]:
    """Carry attacks out, one after another."""
    mine = [attack for attack in ON_STREET if attack.id in ids]
    if mine:
        async with street(folder / "street", pki) as ground:
            for attack in mine:
                yield await judged(attack, ground)
