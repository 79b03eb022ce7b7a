"""How good the hub's time is: one pure rule over all who say something of it.

Qualities are those of IEEE 2030.5 (`Time.quality`): they tell through how many hands the time has
come, and fall here as well while nobody says anything and the error grows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from hems.timekeeping.reading import Reading, Source

HOLDOVER_PPM: Final = 50.0
"""By so much the clock of a small computer goes wrong by itself, with room for its temperature."""
_FALLS_AT_S: Final = (1.0, 10.0, 60.0)
"""Beyond each of these errors, time that is held over is worth one quality less."""
AGREES_S: Final = 2.0
"""Clocks that differ by less agree: a utility tells whole seconds."""


class Quality(IntEnum):
    """Through how many hands time has come; the greater the worse."""

    AUTHORITATIVE = 3
    """From a source outside that is kept by others: NTP, GPS, PTP, IRIG, radio."""
    SECOND_HAND = 4
    """From somebody whose time is authoritative."""
    THIRD_HAND = 5
    """From somebody who has it second-hand, or set by hand."""
    FOURTH_HAND = 6
    """From somebody who has it third-hand, or by the machine's own clock alone."""
    UNCOORDINATED = 7
    """By nobody."""


@dataclass(frozen=True, slots=True)
class Server:
    """What a utility's server has told.

    Attributes:
        name: The utility's.
        quality: What it said of its time; as 2030.5 has it.
        apart_s: Its time less the hub's.
        error_s: How far `apart_s` may be off.
    """

    name: str
    quality: int
    apart_s: float
    error_s: float


@dataclass(frozen=True, slots=True)
class Standing:
    """How the hub's time stands.

    Attributes:
        source: Where it comes from.
        quality: See `Quality`.
        error_s: How far it may be off; None where nobody can say.
        name: Of who tells it; empty where nobody does.
        since: Since when it is so, monotonic seconds.
    """

    source: Source
    quality: Quality
    error_s: float | None
    name: str
    since: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known at one instant.

    Attributes:
        now: Monotonic seconds.
        doubted: Whether the hub does not know what time it is.
        followed: Whether its time is now a utility's, as the machine's clock is wrong.
        readings: What the machine's timekeepers say, the best informed first.
        servers: What utilities have told, the most trusted first.
    """

    now: float
    doubted: bool
    followed: bool
    readings: Sequence[Reading]
    servers: Sequence[Server]


def judge(seen: Evidence, before: Standing | None, last: Standing | None = None) -> Standing:
    """Return how the hub's time stands.

    Args:
        seen: What is known.
        before: How it stood when it was last looked.
        last: How it last stood while somebody told it; what is held over.
    """
    found = _found(seen, last)
    same = before is not None and (before.source, before.name) == (found.source, found.name)
    since = before.since if same and before is not None else seen.now
    return Standing(found.source, found.quality, found.error_s, found.name, since)


def _found(seen: Evidence, last: Standing | None) -> Standing:
    now = seen.now
    if seen.doubted:
        return Standing(Source.NOBODY, Quality.UNCOORDINATED, None, "", now)
    kept = next((r for r in seen.readings if r.synchronised), None)
    if kept is not None and not seen.followed:
        return Standing(kept.source, Quality.AUTHORITATIVE, kept.error_s, kept.name, now)
    near = (s for s in seen.servers if seen.followed or abs(s.apart_s) <= AGREES_S + s.error_s)
    best = min(near, key=lambda s: _handed_on(s.quality), default=None)
    if best is not None:
        error_s = best.error_s + (0.0 if seen.followed else abs(best.apart_s))
        return Standing(Source.UTILITY, _handed_on(best.quality), error_s, best.name, now)
    if last is not None and last.error_s is not None:
        return _held(last, now)
    return Standing(Source.MACHINE, Quality.FOURTH_HAND, None, "", now)


def _handed_on(quality: int) -> Quality:
    """Return what time is worth that comes from somebody who said what his is worth."""
    worst = Quality.UNCOORDINATED
    return Quality(min(max(quality, Quality.AUTHORITATIVE) + 1, worst)) if quality >= 0 else worst


def _held(last: Standing, now: float) -> Standing:
    """Return what becomes of time while it is held over; `last.since` is when it was told last."""
    error_s = (last.error_s or 0.0) + max(now - last.since, 0.0) * HOLDOVER_PPM * 1e-6
    worse = sum(error_s > limit for limit in _FALLS_AT_S)
    quality = Quality(min(max(last.quality + worse, last.quality), Quality.UNCOORDINATED))
    return Standing(Source.HELD_OVER, quality, error_s, last.name, now)
