"""Who asks how often what needs no login: so many answers a second to each caller, no more."""

from typing import Final

MOST: Final = 10
CALLERS: Final = 256
"""Of so many at a time it is known how often they ask; further ones wait for the next second."""


class Knocks:
    """Counts callers within the present second.

    Args:
        most: So many answers each gets in it.
        callers: So many callers are counted.
    """

    def __init__(self, most: int = MOST, callers: int = CALLERS) -> None:
        self._most = most
        self._callers = callers
        self._second = 0
        self._counts: dict[str, int] = {}

    def too_many(self, caller: str, now: float) -> bool:
        """Count a request; return whether it is one too many.

        Args:
            caller: Where it comes from.
            now: Monotonic s.
        """
        second = int(now)
        if second != self._second:
            self._second, self._counts = second, {}
        if caller not in self._counts and len(self._counts) >= self._callers:
            return True
        count = self._counts[caller] = self._counts.get(caller, 0) + 1
        return count > self._most
