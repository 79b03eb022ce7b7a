"""Time: UTC epoch seconds for what is recorded, monotonic seconds for what is measured.

Rules never call these functions; they take the time as an argument. Only the places that do
I/O ask for it, through a `Clock`, so that tests and simulations can hold it.
"""

import time
from typing import Protocol, runtime_checkable


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
