"""All attacks, and what each needs to run."""

from collections.abc import AsyncIterator, Collection, Sequence
from pathlib import Path

from certs.pki import Pki
from tests.security import (
    agents,
    brokers,
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
    notices,
    requests,
    roles,
    servers,
    shapes,
    stores,
)
from tests.security.attack import Attack, Outcome
from tests.security.den import Den, den
from tests.security.judge import judged
from tests.security.porch import Porch, porch
from tests.security.street import Street, street
from tests.security.vault import Vault, vault

ON_STREET: Sequence[Attack[Street]] = [
    *callers.ROWS,
    *handshakes.ROWS,
    *notices.ROWS,
    *requests.ROWS,
    *shapes.ROWS,
    *logins.ROWS,
    *crowding.ROWS,
    *roles.ROWS,
    *factors.ROWS,
    *enrolments.ROWS,
]


AT_VAULT: Sequence[Attack[Vault]] = [*stores.ROWS, *agents.ROWS, *firmwares.ROWS]
ON_PORCH: Sequence[Attack[Porch]] = [*chargers.ROWS, *brokers.ROWS]
IN_DEN: Sequence[Attack[Den]] = [*servers.ROWS, *liars.ROWS, *machines.ROWS]


def every() -> Sequence[Attack[Street] | Attack[Den] | Attack[Vault] | Attack[Porch]]:
    """Return all attacks."""
    return [*ON_STREET, *IN_DEN, *AT_VAULT, *ON_PORCH]


async def carried_out(folder: Path, pki: Pki, ids: Collection[str]) -> AsyncIterator[Outcome]:
    """Carry attacks out, one after another."""
    on_street = [attack for attack in ON_STREET if attack.id in ids]
    if on_street:
        async with street(folder / "street", pki) as ground:
            for attack in on_street:
                yield await judged(attack, ground)
    in_den = [attack for attack in IN_DEN if attack.id in ids]
    if in_den:
        async with den(folder / "den", pki) as lair:
            for hostile in in_den:
                yield await judged(hostile, lair)
    at_vault = [attack for attack in AT_VAULT if attack.id in ids]
    if at_vault:
        async with vault(folder / "vault", pki) as kept:
            for harm in at_vault:
                yield await judged(harm, kept)
    on_porch = [attack for attack in ON_PORCH if attack.id in ids]
    if on_porch:
        async with porch(folder / "porch", pki) as home:
            for nuisance in on_porch:
                yield await judged(nuisance, home)
