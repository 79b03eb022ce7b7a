"""What the last readings of a power say about its next: its usual ripple, and its steady course."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Final

_USUAL_SHARE: Final = 0.9
"""Changes up to this quantile are usual; an appliance's switching now and then lies beyond."""
_LEAST_CHANGES: Final = 5
_TREND_SAMPLES: Final = 4
"""A power that has moved one way for so many readings goes on."""
SUN_SAMPLES: Final = 3
"""The same for the sun alone, which has no noise of its own."""
_BEYOND_NOISE: Final = 4.0
"""It must have moved this many times its median change from one reading to the next."""


def trend_w_s(past: Sequence[tuple[float, float]], samples: int = _TREND_SAMPLES) -> float:
    """Return by how much a power has steadily risen (or fallen) in a second; 0 if it has not.

    Args:
        past: Its readings: UTC epoch seconds, W; oldest first.
        samples: So many of the last must have moved one way.
    """
    rates = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(past) if b[0] > a[0]]
    last = rates[1 - samples :]
    if len(last) < samples - 1 or not (min(last) > 0 or max(last) < 0):
        return 0.0
    noise_w_s = median(abs(rate) for rate in rates)
    return median(last) if abs(sum(last)) > _BEYOND_NOISE * noise_w_s else 0.0


def typical_w(powers: Sequence[float]) -> float:
    """Return how much a power usually changes from one reading to the next, W."""
    changes = sorted(abs(b - a) for a, b in pairwise(powers))
    if len(changes) < _LEAST_CHANGES:
        return 0.0
    return changes[int(_USUAL_SHARE * (len(changes) - 1))]
