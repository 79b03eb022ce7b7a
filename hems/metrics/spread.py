"""How values are spread over ranges: plain numbers, so that to count costs next to nothing."""

from bisect import bisect_left


class Spread:
    """How values are spread over ranges.

    Args:
        bounds: Upper bounds of the ranges, in order; above the last is one more.

    Attributes:
        bounds: As given.
        counts: Values in each range.
        total: Their sum.
    """

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value
