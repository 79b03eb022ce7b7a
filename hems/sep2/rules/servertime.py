"""Following the server's clock, which tells whole seconds (`TimeType`)."""

from typing import Final

from hems.clock import Clock

_STEP_S: Final = 1.0
"""A home's clock that leaves its monotonic one by more than this was set, by hand or by NTP."""
_ASIDE_S: Final = 0.05
"""Reading two clocks one after the other is no step, however busy the machine is."""


def follow(previous_s: float, current_time: int, sent: float, received: float) -> float:
    """Return the server's time less the home's, in s.

    The server read its clock between sending and receipt, somewhere in the second it named. That
    leaves an interval of offsets; the one nearest to the previous is taken, so that two clocks
    kept by NTP stay at no offset at all instead of wandering by the second's rounding.

    Args:
        previous_s: Offset so far, 0 if none is known.
        current_time: The server's `currentTime`.
        sent: When the request was sent, the home's clock.
        received: When the answer was there, the home's clock.
    """
    return min(max(previous_s, current_time - received), current_time + 1 - sent)


class ServerClock:
    """The server's clock as this home keeps it.

    Until the server has told its time in this run, the home's own clock is the best there is, and
    where that is set, so is this one. From then on it runs on the monotonic clock: setting the
    home's clock must not end an event.

    Args:
        clock: The home's clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._synced = False
        self._lead_s = clock.now() - clock.monotonic()
        self._offset_s = 0.0

    @property
    def offset_s(self) -> float:
        """The server's time less the home's, in s; the same float until one of them is set."""
        return self._offset_s

    def now(self) -> float:
        """Return the server's time, epoch seconds."""
        return self._clock.monotonic() + self._lead_s

    def assume(self, offset_s: float) -> bool:
        """Take the offset of an earlier run for the present one; False if that is no news."""
        if offset_s == self._offset_s:
            return False
        self._lead_s = self._clock.now() - self._clock.monotonic() + offset_s
        self._offset_s = offset_s
        return True

    def sync(self, current_time: int, sent: float, received: float) -> bool:
        """Take in what the server's clock showed; times are of the monotonic clock.

        Returns:
            Whether the clock was changed by it.
        """
        lead_s = follow(self._lead_s, current_time, sent, received)
        changed = lead_s != self._lead_s
        self._lead_s, self._synced = lead_s, True
        aside_s = self._aside_s
        if changed or abs(aside_s) > _ASIDE_S:
            self._offset_s += aside_s
        return changed

    @property
    def _aside_s(self) -> float:
        """What is missing from the offset as it was last found, in s."""
        return self.now() - self._clock.now() - self._offset_s

    def stepped(self) -> bool:
        """Whether the home's clock was set."""
        return abs(self._aside_s) > _STEP_S

    def settle(self) -> float:
        """Take a step of the home's clock in; returns it in s, positive if set forward."""
        aside_s = self._aside_s
        if self._synced:
            self._offset_s += aside_s
        else:
            self._lead_s -= aside_s
        return -aside_s
