"""Time: UTC epoch seconds for what is recorded, monotonic seconds for what is measured.

Rules never call these functions; they take the time as an argument. Only the places that do
I/O ask for it, through a `Clock`, so that tests and simulations can hold it.
"""

import time
from typing import Final, Protocol, runtime_checkable

_STEP_S: Final = 0.5
"""UTC that runs away from the monotonic clock by more than this at once was set, not slewed."""


class Clock(Protocol):
    """Where a component gets its time from."""

    def now(self) -> float:
        """Return UTC as epoch seconds."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never step, from an arbitrary origin."""
        ...


@runtime_checkable
class Doubting(Clock, Protocol):
    """A clock that can tell whether it knows the time."""

    @property
    def known(self) -> bool:
        """Whether it does; else `now` is the least that the time can be."""
        ...


def is_known(clock: Clock) -> bool:
    """Return whether a clock knows the time; one that never doubts does."""
    return not isinstance(clock, Doubting) or clock.known


class SystemClock:
    """The machine's own clock, kept by NTP."""

    def now(self) -> float:
        """Return UTC as epoch seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds that never step, from an arbitrary origin."""
        return time.monotonic()


class StepWatch:
    """Notices when UTC was set while it ran: by NTP after an outage, by hand, by a leap.

    Whoever remembers times in UTC and measures with them shifts them by what this returns.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead_s = self._gap_s()

    def step_s(self) -> float:
        """Return by how much UTC was set since the last call, in s; 0 where it only ran."""
        ahead_s, self._ahead_s = self._ahead_s, self._gap_s()
        step_s = self._ahead_s - ahead_s
        return step_s if abs(step_s) > _STEP_S else 0.0

    def _gap_s(self) -> float:
        return self._clock.now() - self._clock.monotonic()
