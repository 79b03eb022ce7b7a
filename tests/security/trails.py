"""Attacks on the records of who did what: rows of the trail changed by who has the store's key."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from hems.access.trail_watch import trail_path
from tests.security.attack import Attack, Entry, Kind, Where
from tests.security.stores import NAME, flip, rows, whole
from tests.security.vault import Vault

_LOOKS: Final = ("/api/people", "/api/trail", "/api/security/log", "/api/settings", "/api/tokens")
"""Each is a row of the trail."""
_SWAP: Final = """
UPDATE {table} SET
  at = (SELECT at FROM {table} AS other WHERE other.seq = 5 - {table}.seq),
  body = (SELECT body FROM {table} AS other WHERE other.seq = 5 - {table}.seq),
  digest = (SELECT digest FROM {table} AS other WHERE other.seq = 5 - {table}.seq),
  link = (SELECT link FROM {table} AS other WHERE other.seq = 5 - {table}.seq)
WHERE seq IN (2, 3)
"""
_ANOTHER: Final = """
UPDATE trail SET body = replace(body, '"who":"', '"who":"Mallory ') WHERE seq = 2
"""


def _harms(harm: Callable[[Path], None], words: str) -> Callable[[Vault], Awaitable[str]]:
    """Leave rows in the trail, and have the hub's disk harmed."""

    async def attempt(vault: Vault) -> str:
        for path in _LOOKS:
            await vault.page.get(path)
        await vault.harmed(harm)
        return f"alarm: {await vault.alarm(words)}"

    return attempt


def _seal_gone(folder: Path) -> None:
    trail_path(folder / NAME).unlink()


def _seal_forged(folder: Path) -> None:
    flip(trail_path(folder / NAME), 0.9)


def _seal_of_the_log(folder: Path) -> None:
    """Put the seal of the security log, which the same key has signed, in its place."""
    log = folder / f"{Path(NAME).stem}-log.json"
    trail_path(folder / NAME).write_bytes(log.read_bytes())


def _row(
    id_: str, does: str, harm: Callable[[Path], None], about: str = "trail", *, quick: bool = False
) -> Attack[Vault]:
    return Attack(
        f"store-{id_}",
        Kind.STORE,
        does,
        _harms(harm, "trail" if about == "trail" else "security log"),
        "^alarm: ",
        Entry(Where.SECURITY, f"^log-broken .* about {about}: "),
        whole,
        r"^no alarm of the store: \[\]",
        deep=not quick,
    )


ROWS: Final[Sequence[Attack[Vault]]] = [
    _row(
        "trail-row-removed",
        "Removes a row of the trail",
        rows("DELETE FROM trail WHERE seq = 2"),
    ),
    _row(
        "trail-row-changed",
        "Has a row of the trail say that somebody else did it",
        rows(_ANOTHER),
    ),
    _row("trail-swapped", "Swaps two rows of the trail", rows(_SWAP.format(table="trail"))),
    _row(
        "trail-end-cut",
        "Cuts the trail's end off",
        rows("DELETE FROM trail WHERE seq > 2"),
        quick=True,
    ),
    _row("trail-all", "Empties the trail", rows("DELETE FROM trail")),
    _row("trail-seal-gone", "Removes the trail's seal", _seal_gone),
    _row("trail-seal-forged", "Forges the trail's seal", _seal_forged),
    _row("trail-seal-other", "Puts the log's seal in the trail's place", _seal_of_the_log),
    _row(
        "log-swapped",
        "Swaps two rows of the security log",
        rows(_SWAP.format(table="security_log")),
        "log",
    ),
]
