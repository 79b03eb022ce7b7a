"""What is said of a trouble that comes again and again, such as a device's garbage. Pure."""

from collections.abc import Callable
from typing import Final

_REASONS: Final = 2
_COUNTED: Final = frozenset({100, 10_000, 1_000_000})
_HOUR_S: Final = 3600.0


class Often:
    """Lets two reasons of a trouble through in an hour, and then only says how often it came.

    Args:
        now: Seconds of any clock.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._since: float | None = None
        self._count = 0
        self._said: set[str] = set()

    def say(self, why: str) -> str | None:
        """Count a trouble, and return what is to be logged of it; None for nothing.

        Args:
            why: One clause.
        """
        now = self._now()
        if self._since is None or not 0.0 <= now - self._since < _HOUR_S:
            self._since, self._count = now, 0
            self._said.clear()
        self._count += 1
        if self._count in _COUNTED:
            return f"{why} (the {self._count}th time within an hour)"
        if why in self._said or len(self._said) >= _REASONS:
            return None
        self._said.add(why)
        return why
