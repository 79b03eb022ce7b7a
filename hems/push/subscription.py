"""A browser that wants to be told while the page is closed."""

from dataclasses import dataclass
from enum import StrEnum

MINUTES_A_DAY = 1440


class Subject(StrEnum):
    """What somebody can choose to be told of."""

    EVENTS = "events"
    ALARMS = "alarms"
    CAR = "car"
    MESSAGES = "messages"


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours in which nothing is pushed, by the home's clock.

    Attributes:
        start: Minute of the day at which they begin.
        end: Minute at which they end; before `start` where they go over midnight.
    """

    start: int
    end: int

    def holds(self, minute: int) -> bool:
        """Return whether a minute of the day is one of them; none is where both ends are one."""
        if self.start <= self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


@dataclass(frozen=True, slots=True)
class Subscription:
    """One browser's wish.

    Attributes:
        id: Made of its address.
        endpoint: Where its push service takes what is for it (RFC 8030).
        p256dh: Its public key, an uncompressed P-256 point (RFC 8291).
        auth: What it shares with us, 16 octets.
        who: Whose browser it is, as the home knows them.
        called: What they call the browser ("Anna's phone").
        subjects: What it is told of.
        language: In which language.
        quiet: When it is not; None for always.
        since: When it was made, UTC epoch seconds.
    """

    id: str
    endpoint: str
    p256dh: bytes
    auth: bytes
    who: str
    called: str
    subjects: frozenset[Subject]
    language: str
    quiet: Quiet | None
    since: float
