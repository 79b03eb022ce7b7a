"""Following the server's clock, which tells whole seconds (`TimeType`)."""

from dataclasses import dataclass
from typing import Final

from hems.clock import Clock, is_known
from hems.sep2.rules.drift import Drift

_STEP_S: Final = 1.0
"""A home's clock that leaves its monotonic one by more than this was set, by hand or by NTP."""
_ASIDE_S: Final = 0.05
"""Reading two clocks one after the other is no step, however busy the machine is."""

_COAST_S: Final = 0.5
"""A server that is silent is taken to have run on as it did, in steps of so much."""
_STILL_S: Final = 10.0
"""While the time is not known, what is in force is moved on by so much at once."""


@dataclass(frozen=True, slots=True)
class Told:
    """How well a server's time is known.

    Attributes:
        now: Its time, epoch seconds.
        quality: What it said of its time, as 2030.5 has it (3 to 7).
        error_s: How far `now` may be off.
        age_s: How long ago it told its time.
        drift_ppm: How much faster its clock is than this machine's.
    """

    now: float
    quality: int
    error_s: float
    age_s: float
    drift_ppm: float


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
    home's clock must not end an event. While the server is silent it is taken to run on at the
    rate that its answers have shown.

    As long as neither is known what time it is, this one stands still: nothing begins and nothing
    ends by a time that is wrong.

    Args:
        clock: The home's clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._synced = False
        self._lead_s = clock.now() - clock.monotonic()
        self._offset_s = self._assumed_s = 0.0
        self._still = None if is_known(clock) else clock.now()
        self._drift: Drift | None = None
        self._quality, self._width_s = 7, 0.0
        self._told_at = self._coasted_at = 0.0

    @property
    def offset_s(self) -> float:
        """The server's time less the home's, in s; the same float until one of them is set."""
        return self._offset_s

    def now(self) -> float:
        """Return the server's time, epoch seconds."""
        return self._clock.monotonic() + self._lead_s if self._still is None else self._still

    @property
    def stands(self) -> bool:
        """Whether it stands still, as nobody knows the time."""
        return self._still is not None

    @property
    def told(self) -> Told | None:
        """How well its time is known; None where it has not told it in this run."""
        if not self._synced or self._drift is None:
            return None
        age_s = self._clock.monotonic() - self._told_at
        error_s = self._width_s + age_s * self._drift.unsure_ppm * 1e-6
        return Told(self.now(), self._quality, error_s, age_s, self._drift.ppm)

    def assume(self, offset_s: float) -> bool:
        """Take the offset of an earlier run for the present one; False if that is no news."""
        if self._synced or offset_s == self._assumed_s:
            return False
        self._lead_s = self._clock.now() - self._clock.monotonic() + offset_s
        if self._still is not None:
            self._still += offset_s - self._assumed_s
        self._offset_s = self._assumed_s = offset_s
        return True

    def sync(self, current_time: int, sent: float, received: float, quality: int = 7) -> bool:
        """Take in what the server's clock showed; times are of the monotonic clock.

        Returns:
            Whether the clock was changed by it.
        """
        before = self.now() - self._clock.monotonic()
        lead_s = follow(before, current_time, sent, received)
        changed = lead_s != before or self._still is not None
        self._lead_s, self._synced, self._still = lead_s, True, None
        aside_s = self._aside_s
        if changed or abs(aside_s) > _ASIDE_S:
            self._offset_s += aside_s
        low_s, high_s = current_time - received, current_time + 1 - sent
        drift = self._drift
        self._drift = (
            drift.seen(received, low_s, high_s) if drift else Drift(received, low_s, high_s)
        )
        self._quality, self._width_s = quality, high_s - low_s
        self._told_at = self._coasted_at = received
        return changed

    @property
    def _aside_s(self) -> float:
        """What is missing from the offset as it was last found, in s."""
        return self.now() - self._clock.now() - self._offset_s

    @property
    def _behind_s(self) -> float:
        """How far the server has run ahead of this clock by its rate since it was told."""
        if not self._synced or self._drift is None:
            return 0.0
        return (self._clock.monotonic() - self._coasted_at) * self._drift.ppm * 1e-6

    def stepped(self) -> bool:
        """Whether something is to be settled: the home's clock was set, or the server's ran on."""
        if self._still is not None:
            return is_known(self._clock) or abs(self._aside_s) > _STILL_S
        return abs(self._aside_s) > _STEP_S or abs(self._behind_s) > _COAST_S

    def settle(self) -> float:
        """Take in what is to be settled.

        Returns:
            By how much the home's clock was set, in s, positive if forward; 0 if it was not.
        """
        if self._still is not None:
            return self._settle_still()
        behind_s = self._behind_s
        if abs(behind_s) > _COAST_S:
            self._lead_s += behind_s
            self._coasted_at = self._clock.monotonic()
            self._offset_s += behind_s
        aside_s = self._aside_s
        if abs(aside_s) <= _STEP_S:
            return 0.0
        if self._synced:
            self._offset_s += aside_s
        else:
            self._lead_s -= aside_s
        return -aside_s

    def _settle_still(self) -> float:
        """Have what is in force go on while the time is not known; go on with it once it is."""
        if not is_known(self._clock):
            self._offset_s += self._aside_s
            return 0.0
        stood_at, self._still = self.now(), None
        self._offset_s = self._assumed_s
        self._lead_s = self._clock.now() - self._clock.monotonic() + self._assumed_s
        return self.now() - stood_at
