"""All attacks, and what each needs to run."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeVar

from certs.pki import Pki
from tests.security import (
    agents,
    astray,
    brokers,
    browsing,
    callers,
    chargers,
    crowding,
    enrolments,
    factors,
    firmwares,
    handshakes,
    liars,
    logins,
    machines,
    network_page,
    notices,
    requests,
    roles,
    servers,
    shapes,
    stores,
    trails,
)
from tests.security.attack import Attack, Ground, Outcome
from tests.security.den import Den, den
from tests.security.judge import judged
from tests.security.porch import Porch, porch
from tests.security.street import Street, street
from tests.security.vault import Vault, vault

G = TypeVar("G", bound=Ground)

ON_STREET: Sequence[Attack[Street]] = [
    *callers.ROWS,
    *handshakes.ROWS,
    *notices.ROWS,
    *requests.ROWS,
    *shapes.ROWS,
    *logins.ROWS,
    *crowding.ROWS,
    *factors.ROWS,
    *enrolments.ROWS,
    *astray.ON_STREET,
    *network_page.ROWS,
    *roles.ROWS,  # last: they use up what the log has room for of refusals within an hour
]


AT_VAULT: Sequence[Attack[Vault]] = [*stores.ROWS, *trails.ROWS, *agents.ROWS, *firmwares.ROWS]
ON_PORCH: Sequence[Attack[Porch]] = [
    *chargers.ROWS,
    *brokers.ROWS,
    *browsing.ROWS,
    *astray.ON_PORCH,
]
IN_DEN: Sequence[Attack[Den]] = [*servers.ROWS, *liars.ROWS, *machines.ROWS, *astray.IN_DEN]


def every() -> Sequence[Attack[Street] | Attack[Den] | Attack[Vault] | Attack[Porch]]:
    """Return all attacks."""
    return [*ON_STREET, *IN_DEN, *AT_VAULT, *ON_PORCH]


async def carried_out(folder: Path, pki: Pki, ids: Collection[str]) -> AsyncIterator[Outcome]:
    """Carry attacks out, one after another."""
    runs = (
        _run("street", street(folder / "street", pki), ON_STREET, ids),
        _run("den", den(folder / "den", pki), IN_DEN, ids),
        _run("vault", vault(folder / "vault", pki), AT_VAULT, ids),
        _run("porch", porch(folder / "porch", pki), ON_PORCH, ids),
    )
    for run in runs:
        async for outcome in run:
            yield outcome


async def _run(
    name: str,
    ground: AbstractAsyncContextManager[G],
    attacks: Sequence[Attack[G]],
    ids: Collection[str],
) -> AsyncIterator[Outcome]:
    """Carry attacks out on one ground; one outcome more where its programs do not end well."""
    mine = [attack for attack in attacks if attack.id in ids]
    if not mine:
        return
    try:
        async with ground as running:
            for attack in mine:
                yield await judged(attack, running)
    except AssertionError as error:
        does = "Stops our programs, as their owner may"
        fault = f"not all of them ended well: {error}"
        yield Outcome(f"{name}-ends", mine[-1].kind, does, "", "", "", None, 0.0, 0.0, (fault,))
