"""The hours of regulation: what was asked and done in each, and the record that comes of it.

Markets score by the hour; an event that lasts longer has a record for each of its hours.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from der.sentence import say
from programs.performance import Performance
from programs.score import SAMPLE_S, Sample, Score, score

HOUR_S: Final = 3600.0
NEAR: Final = 0.1
"""A sample this near to what was asked, as a share of the capacity, was inside it."""
_LEAST: Final = 0.01
"""Where less than this was asked on the average, there is nothing to score."""


@dataclass(slots=True)
class Period:
    """One hour, or the part of it in which regulation was armed.

    Attributes:
        programme: Whose it is.
        event: mRID of the event behind it; an id of the home's own without one.
        asked_by: Who asked.
        starts_at: UTC epoch seconds.
        capacity_w: What 1 stands for.
        samples: What was asked and done, 10 s each.
        until: When the last of them came, UTC epoch seconds.
    """

    programme: str
    event: str
    asked_by: str
    starts_at: float
    capacity_w: float
    samples: list[Sample] = field(default_factory=list)
    until: float = 0.0

    def take(self, samples: Sequence[Sample], now: float) -> None:
        """Take in further samples."""
        if samples:
            self.samples += samples
            self.until = now

    def shift(self, by_s: float) -> None:
        """Move its times, after UTC was set."""
        self.starts_at += by_s
        self.until += by_s

    def over(self, now: float) -> bool:
        """Return whether its hour is over."""
        return now // HOUR_S > self.starts_at // HOUR_S

    def record(self, ends_at: float, *, opted_out: bool) -> Performance | None:
        """Return its record; None where it was too short to have a sample.

        Args:
            ends_at: UTC epoch seconds.
            opted_out: Whether the owner ended it.
        """
        if not self.samples:
            return None
        errors = [s.done - s.asked for s in self.samples]
        size = sum(abs(s.asked) for s in self.samples) / len(self.samples)
        found = score(self.samples) if size >= _LEAST else None
        lasted_s = max(ends_at - self.starts_at, SAMPLE_S)
        return Performance(
            self.programme,
            self.event,
            self.asked_by,
            self.starts_at,
            ends_at,
            self.capacity_w,
            "W",
            inside_share=sum(abs(e) <= NEAR for e in errors) / len(errors),
            deviation=math.sqrt(sum(e * e for e in errors) / len(errors)) * self.capacity_w,
            measured_share=min(len(self.samples) * SAMPLE_S / lasted_s, 1.0),
            score=None if found is None else found.total,
            opted_out=opted_out,
            note=_note(found, self.samples),
        )


def _note(found: Score | None, samples: list[Sample]) -> str:
    if found is None:
        return say("Too little was asked, or for too short, to score it")
    mileage = sum(abs(after.asked - before.asked) for before, after in pairwise(samples))
    return say(
        "Correlation {correlation:.3f}, delay {delay:.3f}, precision {precision:.3f}; "
        "the signal moved {mileage:.1f} times the capacity",
        correlation=found.correlation,
        delay=found.delay,
        precision=found.precision,
        mileage=mileage,
    )
