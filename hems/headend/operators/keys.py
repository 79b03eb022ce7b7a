"""What lets an operator in once they have proved who they are: sessions, and programs' tokens.

Of each only a digest is kept. Both are in every worker's memory; one that another worker has just
made is looked for in the database before it counts as none.
"""

import asyncio
import logging
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, TypeVar

from hems.access import random_token
from hems.clock import Clock
from hems.headend.db.database import Database
from hems.headend.errors import BusyError, ConflictError, ForbiddenError, UnknownItemError
from hems.headend.operators.records import TOUCH_S, Session, Token
from hems.headend.shelf import Shelf

_MOST_TOKENS: Final = 50
"""Of one operator."""
_MOST_SESSIONS: Final = 20
"""Of one operator; of more the one that was used longest ago ends."""

_log = logging.getLogger(__name__)
_T = TypeVar("_T", Session, Token)


class Keys:
    """All of them. `Database.load` reads them.

    Args:
        database: Where they are.
        clock: The utility's time.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._sessions = Shelf(database, "operator_session", Session)
        self._tokens = Shelf(database, "operator_token", Token)
        self._late = asyncio.Lock()

    async def log_in(self, person: str, origin: str) -> str:
        """Begin a session of somebody who has proved who they are; returns its token.

        Raises:
            BusyError: The database cannot take it.
        """
        token, now = random_token.make(), self._clock.now()
        async with self._database.changing():
            live = sorted(_of(self._sessions, person), key=lambda pair: pair[1].seen_at)
            most = len(live) - _MOST_SESSIONS + 1
            await self._sessions.drop(*(digest for digest, _ in live[: max(0, most)]))
            session = Session(person, now, now, origin)
            await self._sessions.put((_digest(token), person, session))
        return token

    async def session(self, token: str) -> Session | None:
        """Return the session of a token; None for none, or one that is over."""
        found, now = await self._found(self._sessions, token), self._clock.now()
        if found is None or found.until <= now:
            return None
        if now - found.seen_at >= TOUCH_S:
            found = replace(found, seen_at=now)
            await self._touch(self._sessions, token, found)
        return found

    async def log_out(self, token: str) -> None:
        """End a session.

        Raises:
            BusyError: The database cannot do it now.
        """
        await self._sessions.drop(_digest(token))

    async def log_out_all(self, person: str) -> None:
        """End all sessions of somebody.

        Raises:
            BusyError: The database cannot do it now.
        """
        await self._sessions.drop(*(digest for digest, _ in _of(self._sessions, person)))

    def tokens(self, person: str) -> Sequence[Token]:
        """Return somebody's tokens, the oldest first."""
        return [token for _, token in _of(self._tokens, person)]

    async def make(
        self,
        person: str,
        label: str,
        lasting_s: float | None,
        by: str,
        *,
        within: float | None = None,
    ) -> tuple[str, Token]:
        """Make what a program of somebody shows; it is never told again.

        Args:
            person: Whose, as names are compared.
            label: What it is for.
            lasting_s: How long it holds; None for ever.
            by: Who makes it.
            within: When that ends by which the maker got in, epoch s; None for never. One that
                was lent for a day would otherwise let its holder in for good.

        Raises:
            ForbiddenError: It would outlast that.
            ConflictError: There are too many.
            BusyError: The database cannot take it.
        """
        shown, now = random_token.make(), self._clock.now()
        until = None if lasting_s is None else now + lasting_s
        if within is not None and (until is None or until > within):
            raise ForbiddenError(
                "a token makes none that outlasts it: ask for fewer days, or log in"
            )
        token = Token(secrets.token_hex(6), person, label, now, by, until)
        async with self._database.changing():
            if len(_of(self._tokens, person)) >= _MOST_TOKENS:
                raise ConflictError(f"there are {_MOST_TOKENS} tokens of this operator already")
            await self._tokens.put((_digest(shown), person, token))
        return shown, token

    async def end(self, person: str, number: str) -> None:
        """Take a token back.

        Raises:
            UnknownItemError: There is none of somebody's of this id.
            BusyError: The database cannot do it now.
        """
        async with self._database.changing():
            found = [digest for digest, each in _of(self._tokens, person) if each.id == number]
            if not found:
                raise UnknownItemError(f"no token {number[:40]!r} of this operator")
            await self._tokens.drop(*found)

    async def token(self, shown: str) -> Token | None:
        """Return the token of what was shown; None for none, or one that is over."""
        found, now = await self._found(self._tokens, shown), self._clock.now()
        if found is None or found.over(now):
            return None
        if found.used_at is None or now - found.used_at >= TOUCH_S:
            found = replace(found, used_at=now)
            await self._touch(self._tokens, shown, found)
        return found

    async def forget(self, person: str) -> None:
        """Let nobody in any more as somebody.

        Raises:
            BusyError: The database cannot do it now.
        """
        async with self._database.changing():
            await self.log_out_all(person)
            await self._tokens.drop(*(digest for digest, _ in _of(self._tokens, person)))

    async def forget_old(self) -> None:
        """Let go of what is over.

        Raises:
            BusyError: The database cannot do it now.
        """
        now = self._clock.now()
        sessions, tokens = self._sessions.all, self._tokens.all
        await self._sessions.drop(*(d for d, held in sessions.items() if held.item.until <= now))
        await self._tokens.drop(*(d for d, held in tokens.items() if held.item.over(now)))

    async def _found(self, shelf: Shelf[_T], shown: str) -> _T | None:
        digest = _digest(shown)
        found = shelf.find(digest)
        if found is not None or not shown:
            return found
        async with self._late:  # whoever shows nonsense waits here, one look at a time
            try:
                await self._database.catch_up()
            except BusyError as error:
                _log.warning("a session or token may be another worker's: %s", error)
            return shelf.find(digest)

    async def _touch(self, shelf: Shelf[_T], shown: str, item: _T) -> None:
        digest = _digest(shown)
        try:
            async with self._database.changing():
                if shelf.find(digest) is not None:  # it may have ended meanwhile
                    await shelf.put((digest, item.person, item))
        except BusyError as error:
            _log.warning("the use of a session or token is not written down: %s", error)


def _of(shelf: Shelf[_T], person: str) -> list[tuple[str, _T]]:
    return [(digest, held.item) for digest, held in shelf.all.items() if held.owner == person]


def _digest(shown: str) -> str:
    return random_token.digest(shown).hex()
