"""Readings that cannot be: beyond the rating, of a sign that the device has not, or frozen.

A worker looks at what passes it, and remembers of each meter what its readings mean and since when
they are the same. Of ratings it knows what homes have told (DERCapability), read once in a while.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from hems.headend.mirror_posts import MeterPost, ReadingsPost, Sample
from hems.headend.monitor.facts import Kind
from hems.headend.monitor.thresholds import Thresholds

MOST: Final = 200_000
"""Meters that a worker remembers; who comes above is not looked at until a minute's end."""
_WATTS: Final = 38
_REVERSE: Final = 19
_FINE: Final = 1
"""Powers of ten above this are so coarse that a value may well stay the same."""
_SAMPLES: Final = 30
_GENERATORS: Final = frozenset({2, 3, 4, 5, 6})
"""DERType of what only gives power: engine, fuel cell, sun, combined heat and power, other."""
_NOTHING_W: Final = 50.0
_LITTLE: Final = 0.05
_MINUTE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Rating:
    """What a home's DER can do.

    Attributes:
        most_w: The greatest power either way, W; 0 where it is not told.
        generates: Whether it only gives power.
    """

    most_w: float = 0.0
    generates: bool = False


def rating_of(kind: int, powers: Iterable[float | None]) -> Rating:
    """Return the rating of a DER by its type and the powers that it tells, W."""
    most = max((power for power in powers if power is not None), default=0.0)
    return Rating(most, kind in _GENERATORS)


@dataclass(slots=True)
class _Meter:
    """What is known of a meter.

    Attributes:
        uom: Unit code.
        factor: What a posted value is to be multiplied with; negative where it flows out.
        fine: Whether its readings are fine enough to change all the time.
        value: As posted last.
        since: Since when it is that, epoch s.
        same: In how many readings.
    """

    uom: int = 0
    factor: float = 1.0
    fine: bool = True
    value: int = 0
    since: int = 0
    same: int = 0


@dataclass(slots=True)
class Span:
    """The least and greatest power that a usage point told in a minute, W; taken power positive."""

    lfdi: str
    low: float
    high: float
    frozen_s: int = 0


class Powers:
    """The power that homes tell this worker.

    Args:
        of: From when on it is odd.
    """

    def __init__(self, of: Thresholds) -> None:
        self._of = of
        self._meters: dict[tuple[int, str], _Meter] = {}
        self._spans: dict[int, Span] = {}

    def take(self) -> Mapping[int, Span]:
        """Return the minute's powers by usage point, and begin anew."""
        spans, self._spans = self._spans, {}
        if len(self._meters) >= MOST:
            self._meters.clear()
        return spans

    def posted(self, post: ReadingsPost) -> None:
        """Look at readings."""
        for told in post.meters:
            meter = self._meter(post.point, told)
            if meter is None or meter.uom != _WATTS:
                continue
            for sample in told.samples:
                self._look(post, meter, sample)

    def _look(self, post: ReadingsPost, meter: _Meter, sample: Sample) -> None:
        power = sample.value * meter.factor
        span = self._spans.get(post.point)
        if span is None:
            span = self._spans[post.point] = Span(post.lfdi, power, power)
        elif power < span.low:
            span.low = power
        elif power > span.high:
            span.high = power
        if sample.value != meter.value or not sample.value or sample.start < meter.since:
            meter.value, meter.since, meter.same = sample.value, sample.start, 1
            return
        meter.same += 1
        lasting = sample.start - meter.since
        if meter.fine and meter.same >= _SAMPLES and lasting >= self._of.frozen_s:
            span.frozen_s = max(span.frozen_s, lasting)

    def _meter(self, point: int, told: MeterPost) -> _Meter | None:
        """Return a meter as it is after a post; None where there are too many."""
        meter = self._meters.get((point, told.mrid))
        if meter is None:
            if len(self._meters) >= MOST:
                return None
            meter = self._meters[point, told.mrid] = _Meter()
        if told.uom is not None:
            exponent = told.multiplier or 0
            meter.uom = told.uom
            meter.factor = 10.0**exponent * (-1.0 if told.flow == _REVERSE else 1.0)
            meter.fine = exponent <= _FINE
        return meter


def odd(span: Span, rating: Rating, *, of_der: bool, of: Thresholds) -> list[tuple[Kind, float]]:
    """Return what is odd in a minute of a usage point: kinds of facts, and their measures.

    Args:
        span: Its powers.
        rating: Of the home's DER.
        of_der: Whether they are of the DER, not of the whole home.
        of: From when on it is odd.
    """
    found: list[tuple[Kind, float]] = []
    if span.frozen_s:
        found.append((Kind.FROZEN, span.frozen_s / _MINUTE_S))
    if of_der and rating.most_w > 0.0:
        if max(span.high, -span.low) > of.over_rating * rating.most_w + _NOTHING_W:
            found.append((Kind.OVER_RATING, 0.0))
        if rating.generates and span.high > _LITTLE * rating.most_w + _NOTHING_W:
            found.append((Kind.SIGN, 0.0))
    return found
