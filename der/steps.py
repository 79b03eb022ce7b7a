"""Notices that UTC was set while it ran. Pure, but for the clocks that it is given."""

import time
from collections.abc import Callable
from typing import Final

_STEP_S: Final = 0.5
"""UTC that runs away from the monotonic clock by more than this at once was set, not slewed."""


class StepWatch:
    """Notices when UTC was set: by NTP after an outage, by hand, by a leap.

    Whoever remembers times in UTC and measures with them shifts them by what this returns.

    Args:
        now: UTC epoch seconds.
        monotonic: Seconds that never step, from an arbitrary origin.
    """

    def __init__(
        self, now: Callable[[], float], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._now, self._monotonic = now, monotonic
        self._ahead_s = self._gap_s()

    def step_s(self) -> float:
        """Return by how much UTC was set since the last call, in s; 0 where it only ran."""
        ahead_s, self._ahead_s = self._ahead_s, self._gap_s()
        step_s = self._ahead_s - ahead_s
        return step_s if abs(step_s) > _STEP_S else 0.0

    def _gap_s(self) -> float:
        return self._now() - self._monotonic()
