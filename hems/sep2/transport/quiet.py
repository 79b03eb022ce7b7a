"""When a server is left alone as a whole, and not only the one resource that it refused."""

from collections.abc import Callable
from dataclasses import dataclass

from hems.sep2.errors import BusyError


@dataclass(frozen=True, slots=True)
class _Asked:
    place: str
    until: float


class Quiet:
    """Tells by its answers whether a server wants no requests at all for a while.

    A Retry-After speaks of the resource that it came with: one list that is being rebuilt stops
    nothing else. When two resources in a row answer with one, and none with success in between, it
    is taken to be the server's own word, and nothing is sent until the sooner of the two is over:
    the next answer tells how it goes on.

    Args:
        host: The server, for messages.
        monotonic: Returns seconds.
    """

    def __init__(self, host: str, monotonic: Callable[[], float]) -> None:
        self._host = host
        self._monotonic = monotonic
        self._last: _Asked | None = None
        self._until = 0.0

    def check(self) -> None:
        """Raise what a request would bring.

        Raises:
            BusyError: The server wants none now; its `retry_after_s` is what is left of the time.
        """
        left_s = self._until - self._monotonic()
        if left_s > 0:
            raise BusyError(
                f"{self._host}: it asked to be left alone for a while", retry_after_s=left_s
            )

    def refused(self, place: str, error: BusyError) -> None:
        """Note that a place answered that it cannot serve now."""
        if not error.retry_after_s:
            return
        now = self._monotonic()
        asked = _Asked(place, now + error.retry_after_s)
        last, self._last = self._last, asked
        if last is not None and last.place != place and last.until > now:
            self._until = min(last.until, asked.until)

    def served(self) -> None:
        """Note that the server did what it was asked for."""
        self._last = None
