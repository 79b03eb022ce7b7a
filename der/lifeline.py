"""Bounds calls on a connection by time, and ends them at once when the connection goes.

Protocol libraries tend to let a call that is under way when its connection drops wait for its
whole time limit. A control cycle cannot afford that: a lost device must be known at once.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Lifeline:
    """One connection's life, seen from the calls that depend on it."""

    def __init__(self) -> None:
        self._scopes: set[asyncio.Timeout] = set()
        self._cause: str | None = None

    @property
    def cause(self) -> str | None:
        """Why the connection ended; None while it stands."""
        return self._cause

    def cut(self, cause: str) -> None:
        """Declare the connection over and end all calls on it; the first cause is kept."""
        if self._cause is not None:
            return
        self._cause = cause
        now = asyncio.get_running_loop().time()
        for scope in self._scopes:
            if not scope.expired():
                scope.reschedule(now)

    @asynccontextmanager
    async def bounded(self, seconds: float) -> AsyncIterator[None]:
        """Run the body for at most `seconds`.

        Raises:
            TimeoutError: The time is up, or the connection is over (see `cause`).
        """
        if self._cause is not None:
            raise TimeoutError(self._cause)
        async with asyncio.timeout(seconds) as scope:
            self._scopes.add(scope)
            try:
                yield
            finally:
                self._scopes.discard(scope)
