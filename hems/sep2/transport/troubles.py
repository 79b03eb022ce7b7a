"""Whether a trouble with a server is a new one, however many parts meet it and how often."""

import logging
from typing import Final

_log = logging.getLogger(__name__)

MOST: Final = 8
"""Of one source so many troubles are kept apart until it works again."""


class Troubles:
    """What goes wrong now, by who meets it.

    A server that is away fails a dozen polls, the mirror and the subscriptions, each at every
    attempt; that is to be said once, by whoever met it first. Troubles that take turns (a timeout,
    a 503, a timeout) are said once each until their source works again.
    """

    def __init__(self) -> None:
        self._by_source: dict[str, list[str]] = {}

    def meet(self, source: str, error: Exception) -> bool:
        """Note that `source` failed; returns whether nobody has met this trouble before."""
        message = str(error)
        new = not self._met(message)
        met = self._by_source.setdefault(source, [])
        if message not in met:
            met.append(message)
            del met[:-MOST]
        return new

    def over(self, source: str) -> None:
        """Note that `source` works again, or is needed no more; logs the end of its troubles."""
        for message in self._by_source.pop(source, ()):
            if not self._met(message):
                _log.info("over: %s", message)

    def _met(self, message: str) -> bool:
        return any(message in met for met in self._by_source.values())
