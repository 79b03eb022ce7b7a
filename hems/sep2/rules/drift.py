"""How fast another clock runs away from the home's monotonic one; pure.

A server tells whole seconds, so each answer leaves an interval in which its lead over the monotonic
clock lies. Two intervals, a time apart, leave an interval of rates; the longer they are apart, the
narrower. Of these the one nearest to none is taken: where NTP keeps both clocks it stays none.
"""

from dataclasses import dataclass
from typing import Final, Self

MOST_PPM: Final = 500.0
"""No clock that works is further off: what kernels correct at most."""
LEAST_PPM: Final = 5.0
"""A rate is never known better: it goes with the temperature of the crystal."""
_LONGEST_S: Final = 2 * 86_400.0
"""What was further back tells of another season."""
_SHORTEST_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Drift:
    """What answers have told of a clock's rate.

    Attributes:
        since: When the first of them came, monotonic seconds.
        low_s: Least lead that it left.
        high_s: Greatest lead that it left.
        least_ppm: Slowest rate that all of them leave.
        most_ppm: Fastest rate that all of them leave.
    """

    since: float
    low_s: float
    high_s: float
    least_ppm: float = -MOST_PPM
    most_ppm: float = MOST_PPM

    @property
    def ppm(self) -> float:
        """The rate, positive where the other clock is faster."""
        return min(max(0.0, self.least_ppm), self.most_ppm)

    @property
    def unsure_ppm(self) -> float:
        """How far `ppm` may be off."""
        return max(self.most_ppm - self.ppm, self.ppm - self.least_ppm, LEAST_PPM)

    def seen(self, at: float, low_s: float, high_s: float) -> Self:
        """Return what is known after one more answer; begins anew where it fits no rate.

        Args:
            at: When it came, monotonic seconds.
            low_s: Least lead that it leaves.
            high_s: Greatest lead that it leaves.
        """
        passed_s = at - self.since
        if passed_s < _SHORTEST_S:
            return self
        least = max(self.least_ppm, (low_s - self.high_s) / passed_s * 1e6)
        most = min(self.most_ppm, (high_s - self.low_s) / passed_s * 1e6)
        kind = type(self)
        if least > most:  # one of the clocks was set
            return kind(at, low_s, high_s)
        if passed_s > _LONGEST_S:
            aside = 4 * LEAST_PPM
            return kind(at, low_s, high_s, max(least - aside, -MOST_PPM), most + aside)
        return kind(self.since, self.low_s, self.high_s, least, most)
