"""By which other programs get in: named tokens with a role, until they end or are taken back."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from der.sentence import say
from hems.access import names, random_token
from hems.access.errors import AccountError, UnknownError
from hems.access.lifetimes import TOUCH_S, over
from hems.access.people import LATEST
from hems.access.rights import Role, Who
from hems.clock import Clock
from hems.store.errors import StoreError
from hems.store.people import PeopleStore, TokenRow

_log = logging.getLogger(__name__)

_MOST: Final = 64


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token to be made.

    Attributes:
        name: What it is for.
        role: What whoever has it may do.
        until: When it ends, UTC epoch seconds; None for never.
    """

    name: str
    role: Role
    until: float | None = None


class Tokens:
    """The tokens; every method that is awaited raises StoreError if the store refuses.

    Args:
        store: Where they are kept.
        clock: Where the time comes from.
    """

    def __init__(self, store: PeopleStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._tokens: dict[bytes, TokenRow] = {}

    async def ready(self) -> None:
        """Read the tokens."""
        self._tokens = {row.digest: row for row in await self._store.tokens()}

    def all(self) -> Sequence[TokenRow]:
        """Return all of them, those that have ended too, the oldest first."""
        return tuple(self._tokens.values())

    async def make(self, new: NewToken, by: Who) -> tuple[str, TokenRow]:
        """Make one; returns the token, which is never told again.

        Raises:
            AccountError: It cannot be so.
        """
        name = names.cleaned(new.name)
        now = self._clock.now()
        if new.until is not None and not now < new.until < LATEST:
            raise AccountError(say("A token's end must lie ahead."))
        if any(names.key(row.name) == names.key(name) for row in self._tokens.values()):
            raise AccountError(say("There is a token of this name already."))
        if len(self._tokens) >= _MOST:
            raise AccountError(say("A home has {most} tokens at most.", most=_MOST))
        token = random_token.make()
        row = TokenRow(
            id=0,
            name=name,
            role=new.role.value,
            digest=random_token.digest(token),
            made_by=by.name,
            made_at=now,
            until=new.until,
            used_at=None,
        )
        row = replace(row, id=await self._store.add_token(row))
        self._tokens[row.digest] = row
        return token, row

    def by_token(self, token: str) -> tuple[Who, TokenRow] | None:
        """Return who asks by a token; None if it is none, or not any more."""
        row = self._tokens.get(random_token.digest(token))
        if row is None or over(row.until, self._clock.now()):
            return None
        try:
            return Who(row.name, Role(row.role)), row
        except ValueError:
            return None

    def alive(self, name: str) -> bool:
        """Return whether there is a token of a name that has not ended."""
        now = self._clock.now()
        return any(row.name == name and not over(row.until, now) for row in self._tokens.values())

    async def touch(self, row: TokenRow) -> None:
        """Note that a token was used; written down now and then only."""
        now = self._clock.now()
        if row.digest not in self._tokens or (row.used_at and 0 <= now - row.used_at < TOUCH_S):
            return
        self._tokens[row.digest] = replace(row, used_at=now)
        try:
            await self._store.touch_token(row.id, now)
        except StoreError as error:
            _log.warning("the use of a token is not written down: %s", error)

    async def end(self, token: int) -> TokenRow:
        """Take a token back.

        Raises:
            UnknownError: There is none.
        """
        for row in self._tokens.values():
            if row.id == token:
                del self._tokens[row.digest]  # first here, whatever the disk does
                await self._store.remove_token(token)
                return row
        raise UnknownError(say("There is no such token."))
