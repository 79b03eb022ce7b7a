"""How much of what is odd may be a device's fault, and from when on it is hostile. Pure."""

from collections.abc import Callable


class Patience:
    """Ends when something came so often within a time, and begins anew when that time is over.

    So one burst, however long, ends it once: who judges can tell it from what goes on.

    Args:
        most: So often it ends.
        span_s: Within so long, s.
        now: Seconds of any clock.
    """

    def __init__(self, most: int, span_s: float, now: Callable[[], float]) -> None:
        self._most = most
        self._span_s = span_s
        self._now = now
        self._since = 0.0
        self._count = 0

    def ends(self) -> bool:
        """Count once more; returns whether it ends by that."""
        now = self._now()
        if not self._count or not 0.0 <= now - self._since < self._span_s:
            self._since, self._count = now, 0
        self._count += 1
        return self._count == self._most
