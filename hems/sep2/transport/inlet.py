"""Keeps the port for notifications open: one that is taken now is tried again later."""

import asyncio
import logging
import os
import random
from collections.abc import Callable
from typing import Final

from hems.sep2.errors import TransientError
from hems.sep2.transport.backoff import Backoff
from hems.sep2.transport.listener import Listener

_log = logging.getLogger(__name__)

_LONGEST_S: Final = 60.0


class Inlet:
    """Opens a listener as soon as that can be done.

    Args:
        listener: What is to listen.
        place: Its host and port, for messages.
        rng: For the waiting times.
        on_open: Told the notificationURI.
        alarm: Told in one sentence, once, that it cannot be opened.
        longest_s: Upper bound of the wait between two attempts.
    """

    def __init__(
        self,
        listener: Listener,
        place: str,
        rng: random.Random,
        *,
        on_open: Callable[[str], None],
        alarm: Callable[[str], None],
        longest_s: float = _LONGEST_S,
    ) -> None:
        self._listener = listener
        self._place = place
        self._rng = rng
        self._on_open = on_open
        self._alarm = alarm
        self._longest_s = min(longest_s, _LONGEST_S)
        self._why = ""

    async def open(self) -> bool:
        """Try once; returns whether it listens now."""
        try:
            uri = await self._listener.start()
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else error.strerror or str(error)
            if why != self._why:
                self._why = why
                self._alarm(f"no notifications, {self._place} cannot be used: {why}")
            return False
        _log.info("notifications come in at %s", uri)
        self._on_open(uri)
        return True

    async def keep_trying(self) -> None:
        """Try again and again until it listens."""
        backoff = Backoff(self._rng, longest_s=self._longest_s)
        while True:
            await asyncio.sleep(backoff.failed(TransientError(self._why)))
            if await self.open():
                return
