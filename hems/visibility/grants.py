"""Who may see what of the home's measurements, what for, and until when. Pure.

These are private data: what a household does can be read from them. Nobody sees anything that the
owner has not granted, by the identity of a certificate, for one purpose and until a day.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from der.sentence import say

LONGEST_S: Final = 2 * 366 * 86_400.0
"""No grant lasts longer: consent is asked for again."""
LONGEST_WORDS: Final = 80


class Data(StrEnum):
    """What can be seen."""

    LIVE = "live"
    """Power, reactive power, voltage and frequency as they are measured, each second."""
    POWER = "power"
    """The means of active and reactive power of equal intervals, by phase."""
    VOLTAGE = "voltage"
    """Mean, least and greatest voltage, and frequency, of equal intervals, by phase."""
    ENERGY = "energy"
    """The meter's registers at the bounds of equal intervals."""
    EVENTS = "events"
    """When the voltage or the frequency left its bounds, and for how long."""


class Purpose(StrEnum):
    """What for."""

    OPERATION = "grid-operation"
    TOPOLOGY = "topology-identification"
    LOSSES = "line-loss-analysis"
    SETTLEMENT = "settlement"


class GrantError(ValueError):
    """A grant that makes no sense; `str()` is one sentence for the owner."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What the owner granted to one recipient.

    Attributes:
        id: Given by the store; 0 before.
        recipient: LFDI of the recipient's certificate, 40 hex digits, upper case.
        name: What the owner calls the recipient.
        purpose: What for.
        data: What may be seen.
        granted_at: UTC epoch seconds.
        until: When it ends, UTC epoch seconds; when it was withdrawn, where it was.
        withdrawn_at: When the owner withdrew it; None where it was not. It does not come to life
            again, even if the clock was wrong then and is set back.
    """

    id: int
    recipient: str
    name: str
    purpose: Purpose
    data: frozenset[Data]
    granted_at: float
    until: float
    withdrawn_at: float | None = None

    def holds(self, now: float) -> bool:
        """Return whether it holds at `now`, UTC epoch seconds."""
        return self.withdrawn_at is None and self.granted_at <= now < self.until


def granted(
    recipient: str,
    name: str,
    purpose: Purpose,
    data: Iterable[Data],
    *,
    until: float,
    now: float,
) -> Grant:
    """Return a new grant.

    Args:
        recipient: LFDI, in either case, with or without spaces.
        name: What the owner calls the recipient.
        purpose: What for.
        data: What may be seen; at least one.
        until: UTC epoch seconds.
        now: UTC epoch seconds.

    Raises:
        GrantError: The LFDI is none, nothing is granted, or the time is over or too far off.
    """
    lfdi = "".join(recipient.split()).upper()
    if len(lfdi) != 40 or any(c not in "0123456789ABCDEF" for c in lfdi):  # noqa: PLR2004
        raise GrantError(say("{recipient!r} is no LFDI: it has 40 hex digits", recipient=recipient))
    called = name.strip()
    if not called or len(called) > LONGEST_WORDS or not called.isprintable():
        raise GrantError(
            say(
                "a recipient needs a name of at most {longest_words} characters",
                longest_words=LONGEST_WORDS,
            )
        )
    kinds = frozenset(data)
    if not kinds:
        raise GrantError(say("a grant names at least one kind of data"))
    if not (math.isfinite(until) and now < until):
        raise GrantError(say("a grant needs a day in the future on which it ends"))
    if until > now + LONGEST_S:
        raise GrantError(say("a grant lasts for at most two years; then it is asked for again"))
    return Grant(0, lfdi, called, purpose, kinds, now, until)


def seen_by(grants: Iterable[Grant], recipient: str, now: float) -> frozenset[Data]:
    """Return what a recipient may see now, all its grants together."""
    found = (g.data for g in grants if g.recipient == recipient and g.holds(now))
    return frozenset[Data]().union(*found)


def purposes_of(grants: Iterable[Grant], recipient: str, data: Data, now: float) -> str:
    """Return what for a recipient may see some data now, in words; empty if it may not."""
    held = {
        g.purpose for g in grants if g.recipient == recipient and g.holds(now) and data in g.data
    }
    return ", ".join(sorted(held))
