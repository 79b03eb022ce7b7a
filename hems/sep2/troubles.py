"""Whether a trouble with a server is a new one, however many parts meet it and how often."""

import logging

_log = logging.getLogger(__name__)


class Troubles:
    """What goes wrong now, by who meets it.

    A server that is away fails a dozen polls, the mirror and the subscriptions, each at every
    attempt; that is to be said once, by whoever met it first.
    """

    def __init__(self) -> None:
        self._by_source: dict[str, str] = {}

    def meet(self, source: str, error: Exception) -> bool:
        """Note that `source` failed; returns whether nobody has met this trouble before."""
        message = str(error)
        new = message not in self._by_source.values()
        self._by_source[source] = message
        return new

    def over(self, source: str) -> None:
        """Note that `source` works again, or is needed no more; logs the end of a trouble."""
        message = self._by_source.pop(source, None)
        if message is not None and message not in self._by_source.values():
            _log.info("over: %s", message)
