"""By what people prove who they are beside their passwords: read once, kept in memory."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from hems.clock import Clock
from hems.store.people import CredentialRow, PeopleStore

TOTP: Final = "totp"
PASSKEY: Final = "passkey"
CODE: Final = "code"
BROWSER: Final = "browser"
KINDS: Final = (TOTP, PASSKEY, CODE, BROWSER)
FACTORS: Final = (TOTP, PASSKEY, CODE)
"""All but the browsers, which prove nothing: they are only known."""


class Credentials:
    """The credentials; every method that is awaited raises StoreError if the store refuses.

    Args:
        store: Where they are kept.
        clock: Where the time comes from.
    """

    def __init__(self, store: PeopleStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._rows: dict[int, CredentialRow] = {}

    async def ready(self) -> None:
        """Read them."""
        rows = await self._store.credentials()
        self._rows = {row.id: row for row in rows if row.kind in KINDS}

    def of(self, person: int, kind: str) -> Sequence[CredentialRow]:
        """Return those of somebody of a kind, the oldest first."""
        return [r for r in self._rows.values() if (r.person, r.kind) == (person, kind)]

    def all(self, kind: str) -> Sequence[CredentialRow]:
        """Return all of a kind, the oldest first."""
        return [row for row in self._rows.values() if row.kind == kind]

    async def add(self, person: int, kind: str, secrets: Sequence[tuple[str, str]]) -> None:
        """Keep new ones of somebody.

        Args:
            person: Whose.
            kind: Of what kind.
            secrets: What each is called, and what is kept of it.
        """
        now = self._clock.now()
        new = [CredentialRow(0, person, kind, name, secret, now) for name, secret in secrets]
        for row in await self._store.add_credentials(new):
            self._rows[row.id] = row

    async def used(self, row: CredentialRow, secret: str) -> None:
        """Note that one was used, and what is kept of it from now on."""
        changed = replace(row, secret=secret, used_at=self._clock.now())
        self._rows[row.id] = changed  # first here: what counts once counts once, whatever the disk
        await self._store.put_credential(changed)

    async def remove(self, rows: Collection[CredentialRow]) -> None:
        """Take some out."""
        for row in rows:
            self._rows.pop(row.id, None)
        if rows:
            await self._store.remove_credentials([row.id for row in rows])

    async def remove_all(self, person: int, kinds: Collection[str]) -> None:
        """Take out those of somebody of some kinds."""
        rows = self._rows.values()
        await self.remove([row for row in rows if row.person == person and row.kind in kinds])

    def forget(self, person: int) -> None:
        """Know nothing any more of somebody who has gone; the store has done so itself."""
        self._rows = {number: r for number, r in self._rows.items() if r.person != person}
