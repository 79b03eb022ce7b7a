"""The grid's frequency as a course over time: a file of values, or one made after statistics.

What is made has the character of a large synchronous area and one loss of generation in it:

- in quiet times a standard deviation of about 20 mHz, pulled back to 50 Hz within some minutes
  (Continental Europe; Rydin Gorjao et al., Nature Communications 11, 6362, 2020), by a process of
  Ornstein-Uhlenbeck;
- a loss after which the frequency falls at first by about 0.1 Hz/s, reaches its lowest point some
  0.6 Hz down within ten seconds, settles higher as reserves come, and is back in some minutes: the
  shape of the disturbances that ENTSO-E and National Grid ESO report, between the usual loss of one
  unit and the one of 9 August 2019.
"""

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

NOMINAL_HZ: Final = 50.0
SPREAD_HZ: Final = 0.02
"""Standard deviation in quiet times."""
PULL_S: Final = 180.0
"""Time constant with which it is pulled back to nominal."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss of generation.

    Attributes:
        at_s: When, from the start.
        deepest_hz: How far the lowest point is below where it was.
        settled_hz: How far below it settles once primary reserves are in.
        fall_s: Time to the lowest point.
        back_s: Time constant of the return to nominal.
    """

    at_s: float
    deepest_hz: float = 0.6
    settled_hz: float = 0.3
    fall_s: float = 8.0
    back_s: float = 150.0

    def off_hz(self, time_s: float) -> float:
        """Return by how much the frequency is off at a time, Hz, never positive."""
        after_s = time_s - self.at_s
        if after_s <= 0:
            return 0.0
        if after_s < self.fall_s:  # fast at first, slower as governors open
            return -self.deepest_hz * math.sin(math.pi / 2 * after_s / self.fall_s)
        since_s = after_s - self.fall_s
        overshoot_hz = (self.deepest_hz - self.settled_hz) * math.exp(-since_s / self.fall_s)
        return -overshoot_hz - self.settled_hz * math.exp(-since_s / self.back_s)


def synthesised(seed: int, seconds: int, losses: Sequence[Loss] = ()) -> tuple[float, ...]:
    """Return a frequency a second, Hz.

    Args:
        seed: The same makes the same course.
        seconds: How many.
        losses: What is lost on the way.
    """
    rng = random.Random(f"{seed}/frequency")  # noqa: S311 - a course of frequency, not a secret
    keep = math.exp(-1.0 / PULL_S)
    kick_hz = SPREAD_HZ * math.sqrt(1.0 - keep * keep)
    off_hz = rng.gauss(0.0, SPREAD_HZ)
    course: list[float] = []
    for second in range(seconds):
        course.append(NOMINAL_HZ + off_hz + sum(loss.off_hz(second) for loss in losses))
        off_hz = off_hz * keep + rng.gauss(0.0, kick_hz)
    return tuple(course)


@dataclass(frozen=True, slots=True)
class Course:
    """A frequency that follows a list of values from some instant on; holds the last.

    Attributes:
        values: Hz.
        period_s: Time from one to the next; between them it is a straight line.
        began: When it began, on the clock.
        clock: Seconds.
    """

    values: tuple[float, ...]
    period_s: float
    began: float
    clock: Callable[[], float] = time.monotonic

    @property
    def hz(self) -> float:
        """The frequency now."""
        place = max((self.clock() - self.began) / self.period_s, 0.0)
        index = int(place)
        if index >= len(self.values) - 1:
            return self.values[-1]
        part = place - index
        return self.values[index] * (1.0 - part) + self.values[index + 1] * part
