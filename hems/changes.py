"""Tells all who wait that something has changed; nobody is queued."""

import asyncio


class Changes:
    """One change after the other: who is slow misses some, and finds the last."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    @property
    def next(self) -> asyncio.Event:
        """Set when what is true now is true no longer; another one stands here from then on."""
        return self._next

    def note(self) -> None:
        """Tell that something has changed."""
        done, self._next = self._next, asyncio.Event()
        done.set()
