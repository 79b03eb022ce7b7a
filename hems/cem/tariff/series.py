"""Values told for spans of time: day-ahead prices, a utility's tariff, carbon; pure."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final, Self

from hems.cem.slots import Slots
from hems.cem.tariff.wall_clock import DAY_S

_LAST_S: Final = 32_503_680_000.0
"""The year 3000: beyond it date arithmetic gives up."""


@dataclass(frozen=True, slots=True)
class Span:
    """A value for [start, end), UTC epoch seconds."""

    start: float
    end: float
    value: float


@dataclass(frozen=True, slots=True)
class Series:
    """Values by time: in order, not overlapping, with gaps where nothing is known.

    Attributes:
        spans: The values.
        told_at: When the source last said so, UTC epoch seconds.
    """

    spans: tuple[Span, ...]
    told_at: float

    @classmethod
    def of(cls, spans: Iterable[Span], told_at: float) -> Self:
        """Make one of spans in any order.

        Raises:
            ValueError: Two overlap, one ends before it begins, or a value is no number.
        """
        ordered = tuple(sorted(spans, key=lambda span: span.start))
        for span in ordered:
            if not math.isfinite(span.value) or not span.start < span.end < math.inf:
                raise ValueError(
                    f"{span.value:g} from {said(span.start)} until {said(span.end)} cannot be"
                )
        for one, other in pairwise(ordered):
            if other.start < one.end:
                raise ValueError(
                    f"two values hold at {said(other.start)}: {one.value:g} and {other.value:g}"
                )
        return cls(ordered, told_at)

    @property
    def end(self) -> float:
        """End of the last span, UTC epoch seconds; minus infinity where there is none."""
        return self.spans[-1].end if self.spans else -math.inf

    def at(self, when: float) -> float | None:
        """Return the value at an instant; None if it is not known."""
        index = bisect_right(self.spans, when, key=lambda span: span.start) - 1
        if index < 0 or when >= self.spans[index].end:
            return None
        return self.spans[index].value

    def joined(self, older: "Series | None", since: float) -> "Series":
        """Return these values, and what an older telling says of the time before them.

        Args:
            older: That telling; None for none.
            since: What of it ended before is left out, UTC epoch seconds.
        """
        if older is None or not self.spans:
            return self
        first = self.spans[0].start
        before = (
            Span(span.start, min(span.end, first), span.value)
            for span in older.spans
            if span.start < first and span.end > since
        )
        return Series((*before, *self.spans), self.told_at)

    def repeated(self, until: float) -> "Series":
        """Return these values and, from their end on, those of the last day again and again.

        Args:
            until: How far that has to go, UTC epoch seconds.
        """
        since = self.end - DAY_S
        day = [
            Span(max(span.start, since), span.end, span.value)
            for span in self.spans
            if span.end > since
        ]
        days = math.ceil((until - self.end) / DAY_S) if day else 0
        more = (
            Span(span.start + i * DAY_S, span.end + i * DAY_S, span.value)
            for i in range(1, days + 1)
            for span in day
        )
        return Series((*self.spans, *more), self.told_at)

    def edges(self, start: float, end: float) -> Iterator[float]:
        """Yield the instants in (start, end) at which the value may change."""
        first = bisect_right(self.spans, start, key=lambda span: span.end)
        last = bisect_left(self.spans, end, key=lambda span: span.start)
        for span in self.spans[first:last]:
            yield from (edge for edge in (span.start, span.end) if start < edge < end)


def said(when: float) -> str:
    """Return an instant as people write it, in UTC."""
    if not abs(when) < _LAST_S:
        return f"{when:g}"
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def means(
    slots: Slots, edges: Iterable[float], value_at: Callable[[float], float]
) -> tuple[float, ...]:
    """Return the mean of a value that only changes at edges, by slot.

    Args:
        slots: The steps of time.
        edges: All instants at which it may change; those outside the slots don't matter.
        value_at: The value at an instant.
    """
    inner = sorted({edge for edge in edges if slots.start < edge < slots.end})
    made: list[float] = []
    for start in slots:
        end = start + slots.step_s
        among = inner[bisect_right(inner, start) : bisect_left(inner, end)]
        parts = [(b - a, value_at(a)) for a, b in pairwise((start, *among, end))]
        if len(parts) == 1:
            made.append(parts[0][1])
        else:
            made.append(sum(length * value for length, value in parts) / slots.step_s)
    return tuple(made)
