"""Which readings can be believed, and how old they are."""

import math
from typing import Final

from der.errors import TransientError
from der.model import DeviceSpec, Reading
from der.sentence import say

_AHEAD_S: Final = 0.5
"""A reading dated further ahead than this was dated before the clock was set back."""
_SANE_RANGE: Final = 3.0
"""No device reaches this multiple of its range: such a power is a fault in what it says."""


class UnbelievableError(TransientError):
    """A device answers what cannot be."""


def check(spec: DeviceSpec, reading: Reading) -> None:
    """Refuse a power that cannot be; raises UnbelievableError.

    A device without a range (a meter of no known connection) is believed anything finite.
    """
    range_w = max(abs(spec.min_w), abs(spec.max_w))
    most_w = _SANE_RANGE * range_w if range_w else math.inf
    if not (math.isfinite(reading.power_w) and abs(reading.power_w) <= most_w):
        raise UnbelievableError(
            say(
                "{id}: read gave a power of {power:g} W, which cannot be",
                id=spec.id,
                power=reading.power_w,
            )
        )


def age_s(reading: Reading, now: float) -> float:
    """Return how old a reading is, in s; infinite for one dated by a clock since set back."""
    since_s = now - reading.at
    return max(since_s, 0.0) if since_s >= -_AHEAD_S else math.inf
