"""How passwords are kept (Argon2id, RFC 9106).

A hash takes 32 MiB and a fraction of a second of one core of a Raspberry Pi, in a thread and one at
a time, so that neither the control cycle nor the memory of hub or server feels a flood of attempts.
"""

import asyncio
import unicodedata
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_MOST_WAITING: Final = 8
"""Strangers who wait; somebody of the home still gets their turn, after these at the latest."""
_MOST_OF_US: Final = 8
BUSY_S: Final = 5.0
"""After so long it is worth trying again where too many wait."""


class Hashing:
    """Hashes passwords and compares them, one at a time.

    Args:
        crowded: Makes the error that is raised where too many wait for the same already.
        time_cost: Passes over the memory.
        memory_kib: Memory, in KiB.
    """

    def __init__(
        self, crowded: Callable[[], Exception], time_cost: int = 3, memory_kib: int = 32_768
    ) -> None:
        self._crowded = crowded
        self._argon = PasswordHasher(
            time_cost=time_cost, memory_cost=memory_kib, parallelism=1, hash_len=32, salt_len=16
        )
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._nobodys = ""

    async def hash(self, password: str) -> str:
        """Return what is kept of a password: parameters, salt and hash.

        Raises:
            Exception: Too many wait for the same already; see `crowded`.
        """
        async with self._in_turn(_MOST_WAITING + _MOST_OF_US):  # nobody unknown has one hashed
            return await asyncio.to_thread(self._argon.hash, _typed(password))

    async def fits(self, password: str, kept: str | None, *, ours: bool = False) -> bool:
        """Return whether a password is the one that this was kept of.

        Takes as long where there is nothing to compare with (None): nobody learns by the clock
        whether an account exists.

        Args:
            password: As it was typed.
            kept: What was kept; None for nothing.
            ours: Whether it was typed where the account's owner has been in before.

        Raises:
            Exception: Too many wait for the same already; see `crowded`.
        """
        async with self._in_turn(_MOST_WAITING + (_MOST_OF_US if ours else 0)):
            self._nobodys = self._nobodys or await asyncio.to_thread(self._argon.hash, b"nobody's")
            fits = await asyncio.to_thread(self._fits, password, kept or self._nobodys)
        return fits and kept is not None

    def outdated(self, kept: str) -> bool:
        """Return whether it was kept with other parameters than a new one would be."""
        return self._argon.check_needs_rehash(kept)

    def _fits(self, password: str, kept: str) -> bool:
        try:
            return self._argon.verify(kept, _typed(password))
        except (VerificationError, InvalidHashError):
            return False

    @asynccontextmanager
    async def _in_turn(self, most: int) -> AsyncIterator[None]:
        if self._waiting >= most:
            raise self._crowded()
        self._waiting += 1
        try:
            async with self._turn:
                yield
        finally:
            self._waiting -= 1


def _typed(password: str) -> bytes:
    """Return a password's bytes, the same from every keyboard (NIST SP 800-63B, 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
