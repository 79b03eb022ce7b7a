"""The meter's last hour in minutes: what the home drew before an event."""

import math
from collections import deque
from dataclasses import dataclass, replace
from typing import Final

from hems.participation.measure import LONGEST_GAP_S
from programs.slope import WINDOW_S

_MINUTE_S: Final = 60.0
_KEPT_S: Final = 3600.0
BEFORE_S: Final = 900.0
"""The mean net power of so long before an event stands for what there would have been."""


@dataclass(frozen=True, slots=True)
class _Minute:
    start: float
    seconds: float
    joule: float
    peak_w: float


class Past:
    """The net power of the last hour, a minute a cell, and of the last minute in full."""

    def __init__(self) -> None:
        self._minutes: deque[_Minute] = deque()
        self._recent: deque[tuple[float, float]] = deque()
        self._at: float | None = None

    def take(self, at: float, net_w: float | None) -> None:
        """Take in what the meter showed.

        Args:
            at: UTC epoch seconds.
            net_w: Net power; None while it cannot be read.
        """
        before, self._at = self._at, at
        if net_w is None:
            return
        self._recent.append((at, net_w))
        while self._recent[0][0] < at - WINDOW_S:
            self._recent.popleft()
        lasted_s = 0.0 if before is None else at - before
        if not 0.0 < lasted_s <= LONGEST_GAP_S:
            lasted_s = 0.0
        start = math.floor(at / _MINUTE_S) * _MINUTE_S
        if not self._minutes or self._minutes[-1].start != start:
            self._minutes.append(_Minute(start, 0.0, 0.0, net_w))
        cell = self._minutes[-1]
        self._minutes[-1] = _Minute(
            start, cell.seconds + lasted_s, cell.joule + net_w * lasted_s, max(cell.peak_w, net_w)
        )
        while self._minutes[0].start <= at - _KEPT_S - _MINUTE_S:
            self._minutes.popleft()

    @property
    def at(self) -> float | None:
        """When the meter was looked at last, UTC epoch seconds; None before, and after a jump."""
        return self._at

    @property
    def recent(self) -> tuple[tuple[float, float], ...]:
        """Net power of the last minute: UTC epoch seconds and W, oldest first."""
        return tuple(self._recent)

    def mean_w(self, before: float) -> float | None:
        """Return the mean net power of the quarter-hour before; None if not measured.

        Args:
            before: UTC epoch seconds, within the last minute.
        """
        minute = math.floor(before / _MINUTE_S) * _MINUTE_S
        cells = [m for m in self._minutes if before - BEFORE_S <= m.start < minute]
        begun = [(at, w) for at, w in self._recent if minute <= at <= before]
        begun_s = before - begun[0][0] if begun else 0.0
        seconds = sum(m.seconds for m in cells) + begun_s
        if not seconds:
            return None
        begun_w = sum(w for _, w in begun) / max(len(begun), 1)
        return (sum(m.joule for m in cells) + begun_w * begun_s) / seconds

    def peak_w(self, before: float) -> float | None:
        """Return the greatest net power of the hour before; None if not measured."""
        cells = [m.peak_w for m in self._minutes if before - _KEPT_S <= m.start < before]
        return max(cells, default=None)

    def shift(self, by_s: float) -> None:
        """Move all times along, after UTC was set."""
        self._at = None
        self._recent = deque((at + by_s, w) for at, w in self._recent)
        self._minutes = deque(replace(m, start=m.start + by_s) for m in self._minutes)
