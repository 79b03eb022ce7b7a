"""How well a response followed what was asked of it: correlation, delay and precision, 0 to 1 each.

The measures are those of PJM's regulation market (PJM Manual 12, performance score calculation):
samples of 10 s, windows of 5 minutes, shifts of up to 5 minutes, the three weighted alike. Two
things are stricter here. No 10 s are forgiven for the signal's way, which is not ours to lose
(battery and hub are in one house); and precision compares what belongs together in time.

Pure; sums are kept as running totals, so that an hour is scored in some milliseconds.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

SAMPLE_S: Final = 10.0
"""A sample is the mean over this time, in s."""
_WINDOW: Final = 30
"""Samples in a window of 5 minutes; also the greatest shift."""
_FLAT: Final = 1e-6
"""Variance of a signal below which it has no course that a response could follow."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What was asked and what was done over the same 10 s, as shares of the capacity.

    Attributes:
        asked: -1 to 1.
        done: In the same sign.
    """

    asked: float
    done: float


@dataclass(frozen=True, slots=True)
class Score:
    """How well it was followed, 0 to 1 each.

    Attributes:
        correlation: How alike the courses are, at the shift at which they fit best.
        delay: 1 for no shift, 0 for one of 5 minutes.
        precision: 1 less the mean error, as a share of the mean size of what was asked.
    """

    correlation: float
    delay: float
    precision: float

    @property
    def total(self) -> float:
        """The three, weighted alike."""
        return (self.correlation + self.delay + self.precision) / 3


def score(samples: Sequence[Sample], window: int = _WINDOW) -> Score | None:
    """Return how well a response followed.

    Args:
        samples: One after the other, 10 s each.
        window: Samples in a window, and the greatest shift; fewer than asked for by the market
            only where less than 5 minutes are to be scored.

    Returns:
        None where there is less than one window, or nothing was asked.
    """
    count = len(samples)
    size = sum(abs(s.asked) for s in samples)
    if window < 2 or count < window or size == 0.0:  # noqa: PLR2004 - two make a course
        return None
    error = sum(abs(s.done - s.asked) for s in samples)
    likes = _Likeness(samples, window)
    best = [likes.best(start) for start in range(count - window + 1)]
    moving = [found for found in best if found is not None]
    precision = _share(1.0 - error / size)
    if not moving:  # a signal that stood still: there is a level to hold, and no course
        return Score(precision, 1.0, precision)
    return Score(
        sum(like for like, _ in moving) / len(moving),
        sum(delay for _, delay in moving) / len(moving),
        precision,
    )


class _Likeness:
    """Correlations of windows, from running totals."""

    def __init__(self, samples: Sequence[Sample], window: int) -> None:
        self._window = window
        self._count = len(samples)
        asked, done = [s.asked for s in samples], [s.done for s in samples]
        self._asked, self._asked2 = _totals(asked), _totals([x * x for x in asked])
        self._done, self._done2 = _totals(done), _totals([y * y for y in done])
        self._both = [
            _totals([x * y for x, y in zip(asked, done[shift:], strict=False)])
            for shift in range(min(window, self._count - window) + 1)
        ]

    def best(self, start: int) -> tuple[float, float] | None:
        """Return correlation and delay score of the shift whose sum of both is greatest.

        None where the signal stands still in this window.
        """
        if self._spread(self._asked, self._asked2, start) < _FLAT:
            return None
        last = min(self._window, self._count - self._window - start)
        found = [
            (_share(self._at(start, shift)), 1.0 - shift / self._window)
            for shift in range(last + 1)
        ]
        return max(found, key=lambda each: (each[0] + each[1], each[1]))

    def _at(self, start: int, shift: int) -> float:
        """Return the correlation of the window at `start` with the response `shift` later."""
        n = self._window
        spread_asked = self._spread(self._asked, self._asked2, start)
        spread_done = self._spread(self._done, self._done2, start + shift)
        if spread_done < _FLAT:
            return 0.0
        both = self._both[shift]
        means = _sum(self._asked, start, n) * _sum(self._done, start + shift, n) / n
        return (_sum(both, start, n) - means) / n / math.sqrt(spread_asked * spread_done)

    def _spread(self, totals: Sequence[float], squares: Sequence[float], start: int) -> float:
        """Return the variance over the window at `start`."""
        n = self._window
        mean = _sum(totals, start, n) / n
        return _sum(squares, start, n) / n - mean * mean


def _totals(values: Sequence[float]) -> list[float]:
    return [*accumulate(values, initial=0.0)]


def _sum(totals: Sequence[float], start: int, count: int) -> float:
    return totals[start + count] - totals[start]


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)
