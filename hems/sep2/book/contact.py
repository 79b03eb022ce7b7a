"""Since when a server is silent, by the home's own clock."""

import math

from hems.clock import Clock


class Contact:
    """Contact with one server.

    Args:
        clock: The home's clock.
        loss_s: Time without contact after which it counts as lost.
    """

    def __init__(self, clock: Clock, loss_s: float) -> None:
        self._clock = clock
        self._loss_s = loss_s
        self._at = clock.monotonic()
        self.suspended = False
        """Whether the server does not know the device, so that none of its events runs."""

    def note(self) -> None:
        """Note that the server answered."""
        self._at = self._clock.monotonic()

    @property
    def left_s(self) -> float:
        """In how many s it counts as lost; negative once it does."""
        return self._loss_s - (self._clock.monotonic() - self._at)

    def lost_since(self, now: float, *, keeps_schedule: bool) -> float | None:
        """Return since when it counts as lost; None while it does not.

        Args:
            now: The server's time, epoch seconds, which the answer is in, too.
            keeps_schedule: Whether events that are known go on without contact.
        """
        if self.suspended:
            return -math.inf
        if keeps_schedule:
            return None
        left_s = self.left_s
        return now + left_s if left_s <= 0 else None
