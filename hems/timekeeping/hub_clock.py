"""The hub's clock: the machine's, unless that is known to be wrong.

It never shows a time before the last one that was known, whatever the machine says: a certificate
that has ended stays ended, and nothing is written down into the past. While the time is in doubt
the clock runs on from there, and `known` is False, by which the events of utilities stand still
and nothing is recorded.
"""

import logging
from enum import StrEnum
from typing import Final

from hems.clock import Clock, SystemClock

_log = logging.getLogger(__name__)

TOLERANCE_S: Final = 3600.0
"""A clock that is put back by so much was only put right; it still shows the year."""
_SET_S: Final = 30.0
"""A clock that moves by so much against the monotonic one was set by somebody."""
PATIENCE_S: Final = 600.0
"""So long it is waited, after the machine's start, for somebody who knows the time."""


class Doubt(StrEnum):
    """Why the machine's clock is not believed."""

    PAST = "past"
    """It shows a time that is over."""
    RESTARTED = "restarted"
    """The machine has no clock that runs while it is off, and nobody has told it the time since."""


class HubClock:
    """A `Clock` that knows when it cannot be right.

    Args:
        least: Before when it cannot be, UTC epoch seconds.
        restarted: Whether the machine was off since, and has no clock of its own.
        machine: The machine's clock.
    """

    def __init__(
        self, least: float, *, restarted: bool = False, machine: Clock | None = None
    ) -> None:
        self._machine = machine or SystemClock()
        self._least = least
        self._began = self._machine.monotonic()
        self._gap_s = self._machine.now() - self._began
        """What the machine's clock was ahead of the monotonic one when it was last looked at."""
        self._lead_s: float | None = None
        """What the hub's own time is ahead of the monotonic clock; None: it is the machine's."""
        self._told = False
        self.doubt: Doubt | None = None
        if self._machine.now() < least - TOLERANCE_S:
            self._doubt(Doubt.PAST)
        elif restarted:
            self._doubt(Doubt.RESTARTED)

    def now(self) -> float:
        """Return UTC as epoch seconds."""
        lead_s = self._lead_s
        if lead_s is not None:
            return self._machine.monotonic() + lead_s
        at = self._machine.now()
        if at >= self._least - TOLERANCE_S:
            return at
        self._lead_s = lead_s = self._gap_s  # set back while the hub runs, which knows better
        _log.warning("the machine's clock was set to the past; the hub goes on without it")
        return self._machine.monotonic() + lead_s

    def monotonic(self) -> float:
        """Return seconds that never step, from an arbitrary origin."""
        return self._machine.monotonic()

    @property
    def known(self) -> bool:
        """Whether the time is known (`hems.clock.Doubting`)."""
        return self.doubt is None

    @property
    def alone(self) -> bool:
        """Whether the machine's clock is wrong, and the hub keeps a time of its own."""
        return self._lead_s is not None

    @property
    def followed(self) -> bool:
        """Whether the time is a utility's."""
        return self._told

    @property
    def machine_now(self) -> float:
        """What the machine's clock shows, right or wrong, UTC epoch seconds."""
        return self._machine.now()

    @property
    def least(self) -> float:
        """Before when it cannot be, UTC epoch seconds."""
        return self._least

    def no_earlier(self, at: float) -> None:
        """Take note that it cannot be before an instant, UTC epoch seconds; never goes back."""
        if at <= self._least:
            return
        self._least = at
        if self.doubt is not None and self.now() < at:
            self._lead_s = at - self._machine.monotonic()
        elif self._lead_s is None and self._machine.now() < at - TOLERANCE_S:
            self._doubt(Doubt.PAST)

    def look(self, *, synchronised: bool) -> None:
        """Look whether the machine's clock can be believed (again).

        Args:
            synchronised: Whether somebody keeps it to a source outside.
        """
        at, gap_s = self._machine.now(), self._machine.now() - self._machine.monotonic()
        was_set, past = abs(gap_s - self._gap_s) > _SET_S, at < self._least - TOLERANCE_S
        if not past:
            self._gap_s = gap_s
        if self._lead_s is None or past:
            return
        waited = self._machine.monotonic() - self._began >= PATIENCE_S
        patient = self.doubt is Doubt.RESTARTED and waited
        only_put_back = self.doubt is None and not self._told
        if synchronised or only_put_back or (was_set and not self._told) or patient:
            _log.info("the time is known: the machine's clock is believed")
            self._lead_s, self.doubt, self._told = None, None, False

    def follow(self, at: float) -> bool:
        """Take a utility's time, where the machine's own is in doubt or wrong.

        Args:
            at: UTC epoch seconds, now.

        Returns:
            Whether it is followed: not where it is over as well.
        """
        if self._lead_s is None or at < self._least - TOLERANCE_S:
            return False
        if self.doubt is not None:
            _log.info("the time is known: a utility has told it")
        self._lead_s, self.doubt, self._told = at - self._machine.monotonic(), None, True
        return True

    def _doubt(self, why: Doubt) -> None:
        self.doubt = why
        self._lead_s = max(self._machine.now(), self._least) - self._machine.monotonic()
        _log.warning("what time it is is not known (%s); the hub goes on from the last", why)
