"""When a home took part in an event, by what it answered: pure.

A home that never answered is not known to have been told, and counts for nothing. Who answered
takes part from the beginning, unless it refused; it leaves when its owner does, and comes back when
he does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Final

from hems.headend.records import Event
from hems.headend.settle.baseline import Span


class Stand(StrEnum):
    """How a home stands to an event, by its last answer."""

    UNTOLD = "not told"
    SILENT = "no answer"
    RECEIVED = "received"
    TAKES_PART = "taking part"
    DONE = "done"
    LEFT = "left"
    REFUSED = "refused"
    REPLACED = "replaced"
    """Something else took its place."""
    TAKEN_BACK = "taken back"
    """It was cancelled."""


@dataclass(frozen=True, slots=True)
class Said:
    """One answer of a home.

    Attributes:
        code: Response.status.
        at: When, by the home's word, epoch s.
        received_at: When it came, epoch s.
    """

    code: int
    at: int
    received_at: float


@dataclass(frozen=True, slots=True)
class Part:
    """A home's part in an event.

    Attributes:
        stand: By its last answer.
        codes: All that it answered, in the order they came.
        asked: For which time it was asked.
        spans: When it took part, in order; within that.
    """

    stand: Stand
    codes: tuple[int, ...]
    asked: Span
    spans: tuple[Span, ...]

    @property
    def seconds(self) -> float:
        """How long it took part."""
        return sum(span.seconds for span in self.spans)


STANDS: Final = {
    1: Stand.RECEIVED,
    2: Stand.TAKES_PART,
    5: Stand.TAKES_PART,
    3: Stand.DONE,
    9: Stand.DONE,
    4: Stand.LEFT,
    8: Stand.LEFT,
    10: Stand.LEFT,
    6: Stand.TAKEN_BACK,
    7: Stand.REPLACED,
    13: Stand.REPLACED,
    14: Stand.REPLACED,
    **dict.fromkeys((251, 252, 253, 254), Stand.REFUSED),
}
"""By code; others say nothing of it."""

_BEGINS: Final = 2
_ENDS: Final = frozenset({3, 8, 9})
_LEAVES: Final = frozenset({4, 6, 7, 13, 14})
_COMES_BACK: Final = 5
_NEVER: Final = frozenset({10, 251, 252, 253, 254})
_CANCELLED: Final = 6
_CLOCKS_APART_S: Final = 300


def part_of(event: Event, said: Sequence[Said], *, told: bool, until: float = inf) -> Part:
    """Return a home's part in an event.

    Args:
        event: The event.
        said: What the home answered, in the order it came.
        told: Whether there were words to tell it.
        until: What comes later has not been yet, epoch s.
    """
    codes = tuple(each.code for each in said)
    known = [STANDS[code] for code in codes if code in STANDS]
    asked = _asked(event, said, until)
    if not known:
        return Part(Stand.SILENT if told else Stand.UNTOLD, codes, asked, ())
    spans = () if _NEVER & set(codes) else _spans(event, said, asked)
    return Part(known[-1], codes, asked, spans)


def _asked(event: Event, said: Sequence[Said], until: float) -> Span:
    """Return for which time a home was asked: where that is drawn by lot, by its own word."""
    begin, end = float(event.start), float(event.start + event.duration_s)
    if event.randomize_start_s:
        drawn: float = event.start + event.randomize_start_s
        low, high = min(begin, drawn), max(begin, drawn)
        begun = _first(event, said, frozenset({_BEGINS}))
        begin = begin if begun is None else min(max(begun, low), high)
        end = begin + event.duration_s
    if event.randomize_duration_s:
        ended = _first(event, said, _ENDS)
        drawn = end + event.randomize_duration_s
        low, high = min(end, drawn), max(end, drawn)
        end = end if ended is None else min(max(ended, low), high)
    if event.cancelled_at is not None:
        stopped = event.cancelled_at
        if event.cancel_randomized:
            own = _first(event, said, frozenset({_CANCELLED}))
            stopped = stopped if own is None else max(own, stopped)
        end = min(end, stopped)
    return Span(begin, max(begin, min(end, until)))


def _first(event: Event, said: Sequence[Said], codes: frozenset[int]) -> float | None:
    return next((_at(event, each) for each in said if each.code in codes), None)


def _spans(event: Event, said: Sequence[Said], asked: Span) -> tuple[Span, ...]:
    found: list[Span] = []
    begun: float | None = asked.begin
    turns = [(_at(event, each), each.code) for each in said]
    for at, code in sorted(turns, key=lambda turn: turn[0]):
        if code in _LEAVES and begun is not None:
            found.append(Span(begun, min(at, asked.end)))
            begun = None
        elif code == _COMES_BACK and begun is None:
            begun = max(at, asked.begin)
    if begun is not None:
        found.append(Span(begun, asked.end))
    return tuple(span for span in found if span.seconds > 0)


def _at(event: Event, said: Said) -> float:
    """Return when an answer was meant; a home whose clock is wrong is taken by ours."""
    early = event.accepted_at - _CLOCKS_APART_S
    if early <= said.at <= said.received_at + _CLOCKS_APART_S:
        return float(said.at)
    return said.received_at
