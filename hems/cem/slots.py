"""The steps of time on which a plan is made: equal, side by side, in epoch seconds.

Being seconds of UTC they know no daylight saving: a day of 23 or 25 hours is 92 or 100 quarters.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slots:
    """Equal steps of time.

    Attributes:
        start: Start of the first, UTC epoch seconds.
        step_s: Length of each, s.
        count: How many.
    """

    start: float
    step_s: float
    count: int

    @property
    def end(self) -> float:
        """End of the last, UTC epoch seconds."""
        return self.start + self.count * self.step_s

    @property
    def hours(self) -> float:
        """Length of each in hours: what makes Wh of W."""
        return self.step_s / 3600.0

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[float]:
        """Give the start of each."""
        return (self.start + i * self.step_s for i in range(self.count))

    def at(self, when: float) -> int:
        """Return the slot that holds `when`; outside, the number it would have there."""
        return math.floor((when - self.start) / self.step_s)

    @classmethod
    def around(cls, now: float, step_s: float, span_s: float) -> "Slots":
        """Return the slots from the one that holds `now`, aligned to whole steps of UTC."""
        start = math.floor(now / step_s) * step_s
        return cls(start, step_s, math.ceil((now + span_s - start) / step_s))
