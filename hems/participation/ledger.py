"""The records on the disk, with baselines and quarter-hours from the history of the meter."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from hems.participation.baseline import (
    DAYS,
    QUARTER_S,
    Baseline,
    Powers,
    comparable,
    constant,
    customer,
    intervals,
    quarters,
)
from hems.store.history import History
from hems.store.performances import Interval, Performances, Settled
from programs.performance import Performance

_MINUTE_S: Final = 60
_LAG_S: Final = 120.0
"""So long after an event all its samples are in the history."""
_DAY_S: Final = 86_400.0
_LONGEST_S: Final = 31 * _DAY_S
"""Of a longer event no quarter-hours are kept: it is no event that is settled on."""
LOOK_BACK_S: Final = 41 * _DAY_S


class Ledger:
    """Where records are kept and found.

    Args:
        performances: The records' table.
        history: What the devices measured.
        meter: The connection point's meter; None where the home has none.
        zone: The home's time zone, by which days are alike.
    """

    def __init__(
        self, performances: Performances, history: History, meter: str | None, zone: ZoneInfo
    ) -> None:
        self._performances = performances
        self._history = history
        self._meter = meter
        self._zone = zone
        self._baselines: dict[tuple[float, float], Baseline | None] = {}

    async def put(self, performance: Performance) -> None:
        """Write a record, in place of an earlier one of the same event.

        Raises:
            StoreError: SQLite refused.
        """
        await self._performances.put(performance)

    async def find(self, start: float, end: float, programme: str = "") -> Sequence[Settled]:
        """Return the records that overlap a time, UTC epoch seconds, by start.

        Raises:
            StoreError: SQLite refused.
        """
        return await self._performances.find(start, end, programme)

    async def settle(self, now: float) -> None:
        """Find the quarter-hours of records whose samples are in the history by now.

        Raises:
            StoreError: SQLite refused.
        """
        try:
            for found in await self._performances.unsettled(now - _LAG_S):
                await self._performances.put_intervals(found, await self._intervals(found))
        finally:
            self._baselines.clear()

    async def baseline(self, starts_at: float, ends_at: float) -> Baseline | None:
        """Return what the home draws at this time on other days; None where nobody knows.

        Weeks of history are read for it, and events often come many at a time: what was found
        counts until the next `settle`.

        Raises:
            StoreError: SQLite refused.
        """
        if self._meter is None or not 0 < ends_at - starts_at <= _LONGEST_S:
            return None
        key = starts_at, ends_at
        if key not in self._baselines:
            self._baselines[key] = await self._baseline(starts_at, ends_at)
        return self._baselines[key]

    async def _baseline(self, starts_at: float, ends_at: float) -> Baseline | None:
        past = await self._performances.find(starts_at - LOOK_BACK_S, starts_at)
        busy = [(each.record.starts_at, each.record.ends_at) for each in past]
        powers: dict[int, float] = {}
        days: list[float] = []
        for other in comparable(starts_at, ends_at - starts_at, self._zone, busy):
            # A whole quarter-hour more on either side, for a clock that was changed in between.
            day = await self._powers(
                other - QUARTER_S, other + (ends_at - starts_at) + QUARTER_S, QUARTER_S
            )
            if day:
                powers |= day
                days.append(other)
            if len(days) == DAYS:
                break
        return customer(starts_at, ends_at, days, powers)

    async def _intervals(self, of: Performance) -> tuple[Interval, ...]:
        starts_at, ends_at = of.starts_at, of.ends_at
        if self._meter is None or not 0 < ends_at - starts_at <= _LONGEST_S:
            return ()
        return intervals(
            starts_at, ends_at, await self._would(of), await self._metered(starts_at, ends_at)
        )

    async def _would(self, of: Performance) -> Baseline | None:
        """Return a record's baseline by the quarter-hour."""
        if of.baseline_w is None:
            return None
        found = await self.baseline(of.starts_at, of.ends_at)
        if found is not None and found.words == of.baseline_by:
            return found
        return constant(of.starts_at, of.ends_at, of.baseline_w, of.baseline_by)

    async def _metered(self, starts_at: float, ends_at: float) -> Mapping[int, tuple[float, float]]:
        """Return the mean of what of each quarter-hour lies within a time, and the s read of it."""
        joules: dict[int, float] = defaultdict(float)
        seconds: dict[int, float] = defaultdict(float)
        begin = starts_at
        while begin < ends_at:
            end = min(begin + _DAY_S, ends_at)
            for minute, power_w in (await self._powers(begin, end, _MINUTE_S)).items():
                first, last = max(float(minute), begin), min(minute + _MINUTE_S, end)
                mean_w = power_w
                if last - first < _MINUTE_S:  # what else the minute saw is not of the event
                    mean_w = await self._mean_w(first, last, power_w)
                quarter = math.floor(minute / QUARTER_S) * QUARTER_S
                joules[quarter] += mean_w * (last - first)
                seconds[quarter] += last - first
            begin = end
        return {
            q: (joules[q] / seconds[q], seconds[q])
            for q, _ in quarters(starts_at, ends_at)
            if seconds[q]
        }

    async def _mean_w(self, start: float, end: float, else_w: float) -> float:
        """Return the mean over a part of a minute; of the whole where its samples are gone."""
        powers = await self._powers(start, end, 1)
        return sum(powers.values()) / len(powers) if powers else else_w

    async def _powers(self, start: float, end: float, step_s: int) -> Powers:
        """Return the meter's means, by start."""
        found = await self._history.history(start, end, step_s)
        mine = next((series for series in found if series.device == self._meter), None)
        if mine is None:
            return {}
        pairs = zip(mine.at, mine.power_w, strict=True)
        return {round(at): power_w for at, power_w in pairs if power_w is not None}
