"""Deadlines that people set and that were missed; pure."""

from collections.abc import Iterable

from programs.ready_by import Departure


class Deadlines:
    """Which cars were not ready by their time, and are not yet."""

    def __init__(self) -> None:
        self._ahead: dict[str, Departure] = {}
        self._late: set[str] = set()

    def take(self, at: float, departures: Iterable[Departure]) -> bool:
        """Return whether a deadline was missed and is not made up for.

        Args:
            at: UTC epoch seconds.
            departures: What cars still have to draw by when; one that is ready, or has left, has
                none.
        """
        present = {each.device: each for each in departures}
        self._late |= {name for name, each in self._ahead.items() if each.ready_at <= at}
        self._late &= present.keys()
        self._ahead = present
        return bool(self._late)
