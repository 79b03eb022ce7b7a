"""What is told by itself: what changed beyond its dead band, or was not told for long; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hems.headend.telecontrol.asdu import Measured, Point, Quality, short
from hems.headend.telecontrol.points import Place, Seen


@dataclass(frozen=True, slots=True)
class Figure:
    """A quantity as the head-end knows it.

    Attributes:
        value: It, in its own unit; 0 where it is not known.
        quality: What is wrong with it.
        at: As of when, epoch s.
    """

    value: float
    quality: Quality
    at: float


Told = Point | Measured


def told(seen: Seen, figure: Figure | None, now: float) -> Told:
    """Return a point as it stands on the line, with its time.

    Args:
        seen: The point.
        figure: What is known of it; None for nothing yet.
        now: Epoch s.
    """
    if figure is None:
        figure = Figure(0.0, Quality.INVALID, now)
    if seen.single:
        return Point(figure.value != 0, figure.quality, figure.at)
    return Measured(short(figure.value / seen.scale), figure.quality, figure.at)


@dataclass(frozen=True, slots=True)
class _Last:
    told: Told
    at: float


class Reporter:
    """What one control centre was told last by itself, over all its connections.

    Args:
        points: Those that it sees.
    """

    def __init__(self, points: Iterable[Seen]) -> None:
        self._points = {seen.place: seen for seen in points}
        self._last: dict[Place, _Last] = {}

    def due(self, values: Mapping[Place, Told], now: float) -> Sequence[tuple[Place, Told]]:
        """Return what is to be told, in the order of the table.

        Args:
            values: All points as they are.
            now: Monotonic s.
        """
        return [
            (place, values[place])
            for place, seen in self._points.items()
            if place in values and self._is_due(seen, values[place], now)
        ]

    def sent(self, place: Place, value: Told, now: float) -> None:
        """Take note that something was told."""
        self._last[place] = _Last(value, now)

    def _is_due(self, seen: Seen, value: Told, now: float) -> bool:
        last = self._last.get(seen.place)
        if last is None or last.told.quality != value.quality:
            return True
        if seen.period_s and now - last.at >= seen.period_s:
            return True
        return _moved(last.told, value, seen.dead_band)


def _moved(before: Told, after: Told, dead_band: float) -> bool:
    match before, after:
        case Point(was), Point(is_):
            return was != is_
        case Measured(was), Measured(is_):
            return was != is_ and not abs(is_ - was) < dead_band
        case _:
            return True
