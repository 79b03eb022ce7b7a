"""Mean power by intervals, from whatever pieces meters told: pure.

Intervals begin at whole multiples of their length, UTC. A piece is what a meter counted in some
time; one that reaches over several intervals is spread evenly over its time. An interval of which
too little is known is not there: nothing is made up.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

Powers = Mapping[int, float]
"""Mean power by start of the interval, epoch s; W, consumption positive."""

LEAST_KNOWN: Final = 0.9
"""Of an interval's time, for it to be known."""


class At(StrEnum):
    """Where something is measured."""

    SITE = "site"
    """At the connection point (roleFlags: premises aggregation point)."""
    DER = "der"
    """At the DER themselves (roleFlags: DER)."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What a meter counted in some time.

    Attributes:
        start: Begin, epoch s.
        end: End, epoch s.
        known_s: How much of that time it speaks of.
        energy_ws: What it counted, W·s, consumption positive.
    """

    start: int
    end: int
    known_s: float
    energy_ws: float


@dataclass(frozen=True, slots=True)
class Slot:
    """A part of an event: an interval, or what of one lies within the event.

    Attributes:
        start: Begin of the interval, epoch s.
        begin: Begin of the part, epoch s.
        seconds: Its length.
    """

    start: int
    begin: float
    seconds: float


def slots(begin: float, end: float, step_s: int) -> Sequence[Slot]:
    """Return the intervals that a time touches, in order."""
    found: list[Slot] = []
    start = int(begin // step_s) * step_s
    while start < end:
        low, high = max(begin, start), min(end, start + step_s)
        if high > low:
            found.append(Slot(start, low, high - low))
        start += step_s
    return found


def powers(pieces: Iterable[Piece], step_s: int, least_known: float = LEAST_KNOWN) -> Powers:
    """Return the mean power of one meter by intervals.

    Args:
        pieces: What it told, in any order.
        step_s: Length of the intervals.
        least_known: Of an interval's time, for it to be known.
    """
    energy: dict[int, float] = {}
    known: dict[int, float] = {}
    for piece in pieces:
        start, length_s = piece.start - piece.start % step_s, piece.end - piece.start
        while start < piece.end:  # most often once
            shared_s = min(piece.end, start + step_s) - max(piece.start, start)
            part = shared_s / length_s
            energy[start] = energy.get(start, 0.0) + piece.energy_ws * part
            known[start] = known.get(start, 0.0) + piece.known_s * part
            start += step_s
    return {
        start: energy[start] / seconds
        for start, seconds in known.items()
        if seconds >= least_known * step_s
    }


def added(meters: Sequence[Powers]) -> Powers:
    """Return the sum of meters, where all of them are known."""
    if len(meters) < 2:  # noqa: PLR2004 - as of nearly all homes
        return meters[0] if meters else {}
    starts = set(meters[0]).intersection(*meters[1:])
    return {start: sum(meter[start] for meter in meters) for start in sorted(starts)}


def bridged(known: Powers, wanted: Sequence[int], step_s: int, most: int) -> Powers:
    """Return what is missing between two known intervals, on the straight line between them.

    Args:
        known: What is known.
        wanted: Starts of the intervals that are of interest.
        step_s: Length of the intervals.
        most: So many missing ones in a row are bridged; longer gaps stay as they are.
    """
    found: dict[int, float] = {}
    for start in wanted:
        if start in known:
            continue
        before = next((n for n in range(1, most + 1) if start - n * step_s in known), None)
        after = next((n for n in range(1, most + 1) if start + n * step_s in known), None)
        if before is None or after is None or before + after - 1 > most:
            continue
        low, high = known[start - before * step_s], known[start + after * step_s]
        found[start] = low + (high - low) * before / (before + after)
    return found
