"""The records on the disk, with baselines and quarter-hours from the history of the meter."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from hems.participation.baseline import Spans, held, intervals, moved
from hems.store.history import History
from hems.store.performances import Interval, Performances, Settled
from programs.customer_baseline import (
    BEFORE_FROM_S,
    LOOK_BACK_DAYS,
    MEAN_OF_10,
    QUARTER_S,
    Baseline,
    Method,
    Powers,
    baseline,
    comparable,
    constant,
    counts,
    quarters,
)
from programs.performance import Performance

_MINUTE_S: Final = 60
_LAG_S: Final = 120.0
"""So long after an event all its samples are in the history."""
_OUT_S: Final = 10.0
"""Who is out of an event for less is on the way into it, which is owed."""
_DAY_S: Final = 86_400.0
_LONGEST_S: Final = 31 * _DAY_S
"""Of a longer event no quarter-hours are kept: it is no event that is settled on."""
_LOOK_BACK_S: Final = (LOOK_BACK_DAYS + 1) * _DAY_S
_NOTHING: Final[Mapping[str, Method]] = {}


def _key(of: Performance) -> tuple[str, str, str, float]:
    return of.event, of.lfdi, of.kind, of.starts_at


class Ledger:
    """Where records are kept and found.

    Args:
        performances: The records' table.
        history: What the devices measured.
        meter: The connection point's meter; None where the home has none.
        zone: The home's time zone, by which days are alike.
        methods: How baselines are found, by programme; `MEAN_OF_10` for what is not named.
    """

    def __init__(
        self,
        performances: Performances,
        history: History,
        meter: str | None,
        zone: ZoneInfo,
        methods: Mapping[str, Method] = _NOTHING,
    ) -> None:
        self._performances = performances
        self._history = history
        self._meter = meter
        self._zone = zone
        self._methods = methods
        self._baselines: dict[tuple[float, float, Method], Baseline | None] = {}
        self._out: dict[tuple[str, str, str, float], Spans] = {}

    async def put(self, performance: Performance, out: Spans = ()) -> None:
        """Write a record, in place of an earlier one of the same event.

        Args:
            performance: The record.
            out: From when to when within it nothing was owed, UTC epoch seconds, in order. It is
                not kept on the disk: an event's record is written twice, and its maker tells it
                both times.

        Raises:
            StoreError: SQLite refused.
        """
        await self._performances.put(performance)
        self._out[_key(performance)] = out

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
                self._out.pop(_key(found), None)
        finally:
            self._baselines.clear()

    async def baseline(
        self, starts_at: float, ends_at: float, programme: str = ""
    ) -> Baseline | None:
        """Return what the home draws at this time on other days; None where nobody knows.

        Weeks of history are read for it, and events often come many at a time: what was found
        counts until the next `settle`.

        Args:
            starts_at: When an event began, UTC epoch seconds.
            ends_at: When it ended.
            programme: Whose it is.

        Raises:
            StoreError: SQLite refused.
        """
        if self._meter is None or not 0 < ends_at - starts_at <= _LONGEST_S:
            return None
        key = starts_at, ends_at, self._methods.get(programme, MEAN_OF_10)
        if key not in self._baselines:
            self._baselines[key] = await self._baseline(*key)
        return self._baselines[key]

    async def _baseline(self, starts_at: float, ends_at: float, method: Method) -> Baseline | None:
        past = await self._performances.find(starts_at - _LOOK_BACK_S, starts_at)
        busy = [(p.record.starts_at, p.record.ends_at) for p in past if moved(p.record)]
        before_s = BEFORE_FROM_S if method.adjusted else 0.0
        powers: dict[int, float] = {}
        days: list[float] = []
        if method.adjusted:
            powers |= await self._powers(starts_at - before_s - QUARTER_S, starts_at, QUARTER_S)
        for other in comparable(starts_at, ends_at - starts_at, self._zone, busy):
            # A whole quarter-hour more on either side, for a clock that was changed in between.
            begin = other - before_s - QUARTER_S
            powers |= await self._powers(
                begin, other + (ends_at - starts_at) + QUARTER_S, QUARTER_S
            )
            if counts(starts_at, ends_at, other, powers):
                days.append(other)
            if len(days) == method.days:
                break
        return baseline(starts_at, ends_at, days, powers, method)

    async def _intervals(self, of: Performance) -> tuple[Interval, ...]:
        starts_at, ends_at = of.starts_at, of.ends_at
        if self._meter is None or not 0 < ends_at - starts_at <= _LONGEST_S:
            return ()
        out = [(left, back) for left, back in self._out.get(_key(of), ()) if back - left >= _OUT_S]
        owed = held(starts_at, ends_at, out)
        metered: dict[int, tuple[float, float]] = {}
        for begin, end in owed:
            for quarter, (power_w, read_s) in (await self._metered(begin, end)).items():
                known_w, known_s = metered.get(quarter, (0.0, 0.0))
                whole_s = known_s + read_s
                metered[quarter] = (known_w * known_s + power_w * read_s) / whole_s, whole_s
        return intervals(owed, await self._would(of), metered)

    async def _would(self, of: Performance) -> Baseline | None:
        """Return a record's baseline by the quarter-hour."""
        if of.baseline_w is None:
            return None
        found = await self.baseline(of.starts_at, of.ends_at, of.programme)
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
