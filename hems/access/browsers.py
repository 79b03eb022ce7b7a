"""Browsers from which somebody has logged in: they prove nothing, but are not held up by others.

A guesser cannot have a browser that the owner has used before. What others guess, from however
many addresses, therefore never keeps the owner out where they have been in; what is guessed from
such a browser itself counts for it alone.
"""

from typing import Final

from hems.access import random_token
from hems.access.credentials import BROWSER, Credentials

_MOST: Final = 20
"""Of one account; of more the one that is known for longest is forgotten."""


class Browsers:
    """The browsers that are known.

    Args:
        credentials: Where they are kept.
    """

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def known(self, person: int, token: str) -> bool:
        """Return whether somebody has logged in from a browser before."""
        digest = random_token.digest(token).hex()
        return bool(token) and any(
            row.secret == digest for row in self._credentials.of(person, BROWSER)
        )

    def ours(self, token: str) -> bool:
        """Return whether anybody of this home has logged in from a browser before."""
        digest = random_token.digest(token).hex()
        return bool(token) and any(row.secret == digest for row in self._credentials.all(BROWSER))

    async def remember(self, person: int, token: str) -> str:
        """Have somebody's browser be known; returns the token that it is to keep.

        Args:
            person: Whose.
            token: What it keeps already; empty for nothing.
        """
        if self.known(person, token):
            return token
        # Nobody is known by a token that they have brought along themselves.
        kept = token if self.ours(token) else random_token.make()
        old = self._credentials.of(person, BROWSER)
        await self._credentials.remove(old[: max(0, len(old) - _MOST + 1)])
        await self._credentials.add(person, BROWSER, [("", random_token.digest(kept).hex())])
        return kept

    async def forget(self, person: int) -> None:
        """Have no browser of somebody be known any more."""
        await self._credentials.remove_all(person, (BROWSER,))
