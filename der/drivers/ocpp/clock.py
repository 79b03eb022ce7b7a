"""What a charger's timestamps say of its own clock, and of how old its words are. Pure.

A message may come late, never early: of all differences between what a timestamp says and when
it came, the greatest is nearest to the truth. One that stays much lower shows a clock that was
set back; one that rises fast is a queue of old messages that a charger sends after an outage. And
one that is much greater, but only once, is no time at all.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

WELL_S: Final = 30.0
"""A clock that is off by no more than this is well."""
_LATE_S: Final = 2.0
"""What seems younger than this is new: many chargers write whole seconds."""
_STEADY_S: Final = 10.0
_MOST_AHEAD_S: Final = 366 * 86_400.0
"""A clock that is further ahead is none; one that has lost its time begins long ago."""
_TAKEN_WITHIN_S: Final = 120.0
"""So long, two heartbeats, after our clock was set chargers take the time from it."""
_DRIFT: Final = 1e-3
"""Greatest drift of a clock that is allowed for."""
_EARLIEST: Final = datetime(1970, 1, 2, tzinfo=UTC)


def epoch(text: object) -> float | None:
    """Return the time that a timestamp (ISO 8601, OCPP 1.6 section 3.15) says, epoch seconds.

    Returns:
        None for what is none; one without a zone counts as UTC.
    """
    if not isinstance(text, str) or len(text) > 64:  # noqa: PLR2004 - far beyond any timestamp
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.timestamp() if moment >= _EARLIEST else None
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True, slots=True)
class ChargerClock:
    """What is known of a charger's clock.

    Attributes:
        ahead_s: By how much it is ahead of ours; negative if it is behind, None if not known.
        seen_at: When that was last looked at, UTC epoch seconds.
        other_s: Another difference that may turn out to be the truth.
        other_at: Since when.
        due_until: Until when it may have been set to the time that it was told, which is not
            to be waited for: our own was set before.
    """

    ahead_s: float | None = None
    seen_at: float = 0.0
    other_s: float | None = None
    other_at: float = 0.0
    due_until: float = 0.0

    @property
    def off_s(self) -> float:
        """By how much it is off, if that is much; else 0."""
        return self.ahead_s if self.ahead_s is not None and abs(self.ahead_s) > WELL_S else 0.0

    def heard(self, stated: float, now: float) -> "ChargerClock":
        """Return what is known after a message.

        Args:
            stated: What its timestamp says, epoch seconds.
            now: When it came, UTC epoch seconds.
        """
        ahead_s = stated - now
        if ahead_s > _MOST_AHEAD_S:
            return self
        known = replace(self, seen_at=now, other_s=None, other_at=0.0)
        if self.ahead_s is None:
            return replace(known, ahead_s=ahead_s)
        known_s = self.ahead_s - _DRIFT * max(0.0, now - self.seen_at)
        if abs(ahead_s - known_s) <= WELL_S:
            return replace(known, ahead_s=max(ahead_s, known_s))
        if now < self.due_until and abs(ahead_s) <= _LATE_S:
            return ChargerClock(ahead_s, now)  # it has taken what it was told
        same = self.other_s is not None and abs(ahead_s - self.other_s) <= _LATE_S
        if not same or now < self.other_at:
            return replace(known, ahead_s=known_s, other_s=ahead_s, other_at=now)
        if ahead_s > known_s or now - self.other_at >= _STEADY_S:
            return ChargerClock(ahead_s, now)
        return replace(self, ahead_s=known_s, seen_at=now)

    def shifted(self, step_s: float, now: float) -> "ChargerClock":
        """Return what is known once our own clock was set by so many seconds, to `now`."""
        return ChargerClock(
            None if self.ahead_s is None else self.ahead_s - step_s,
            self.seen_at + step_s,
            None if self.other_s is None else self.other_s - step_s,
            self.other_at + step_s,
            now + _TAKEN_WITHIN_S,
        )

    def age_s(self, stated: float, now: float) -> float:
        """Return how old a message is that came at `now`, in s; 0 for a new one."""
        if self.ahead_s is None:
            return 0.0
        age_s = self.ahead_s - (stated - now)
        return age_s if age_s >= _LATE_S else 0.0
