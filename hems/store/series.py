"""Measurements in equal steps, from the coarsest rows that tell them, or from what is left."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, func, select

from hems.store.connection import Connection
from hems.store.rollup import MINUTE_S, QUARTER_S
from hems.store.schema import minutes, quarters, samples

MAX_POINTS: Final = 20_000
"""Most intervals of one series; a year by the half hour fits, a slip of the finger does not."""

_SAMPLE_MS: Final = 1000
"""How far apart samples are, as a rule."""
_MOST_ROWS: Final = 5000
"""Rows of each device that one question looks at, as a rule: SQLite sorts them in memory."""

Values = list[float | None]
Told = tuple[Values, Values]
"""Mean powers and last states of charge, by number of interval."""


@dataclass(frozen=True, slots=True)
class DeviceSeries:
    """Measurements of one device in equal steps.

    Attributes:
        device: Device id.
        at: Interval starts, UTC epoch seconds, whole multiples of the step.
        power_w: Mean power of each interval; None where nothing was measured.
        soc: Last state of charge of each interval, or None.
    """

    device: str
    at: Sequence[float]
    power_w: Sequence[float | None]
    soc: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Intervals:
    """Equal steps of time.

    Attributes:
        first: Number of the first, counted from the epoch.
        count: How many.
        step_s: Length of each.
    """

    first: int
    count: int
    step_s: int

    def starts(self) -> Sequence[float]:
        """Return when each begins, UTC epoch seconds."""
        return tuple(float((self.first + i) * self.step_s) for i in range(self.count))


def intervals(start: float, end: float, step_s: int) -> Intervals:
    """Return the whole steps that hold [start, end), UTC epoch seconds.

    Raises:
        ValueError: The step is not positive, the end not after the start, or there would be more
            than `MAX_POINTS`.
    """
    if step_s <= 0 or not (math.isfinite(start) and math.isfinite(end) and start < end):
        raise ValueError(f"no intervals of {step_s} s between {start} and {end}")
    first = math.floor(start / step_s)
    count = math.ceil(end / step_s) - first
    if count > MAX_POINTS:
        raise ValueError(f"{count} intervals of {step_s} s are more than {MAX_POINTS}")
    return Intervals(first, count, step_s)


class Level(Enum):
    """How finely something is kept: length of a row in ms, finest first."""

    SAMPLES = 1
    MINUTES = MINUTE_S * 1000
    QUARTERS = QUARTER_S * 1000


def level_of(step_s: int) -> Level:
    """Return the coarsest rows that steps of this length are whole multiples of."""
    wholes = [level for level in Level if step_s * 1000 % level.value == 0]
    return wholes[-1]


async def values(connection: Connection, asked: Intervals, level: Level) -> Mapping[int, Told]:
    """Return the devices' mean powers, W, and last states of charge; None where nothing is known.

    Args:
        connection: In a transaction.
        asked: The intervals.
        level: Which rows tell them; coarser ones do where these are not kept any more.

    Returns:
        By number of the device; of those only that have any rows there.
    """
    found: defaultdict[int, Told] = defaultdict(lambda: _nothing(asked.count))
    source, step_ms = _SOURCES[level], asked.step_s * 1000
    portion = max(1, _MOST_ROWS * max(level.value, _SAMPLE_MS) // step_ms)
    for begun in range(asked.first, asked.first + asked.count, portion):
        until = min(begun + portion, asked.first + asked.count)
        # The row that has begun before the first interval tells of it too where rows are longer.
        early = level.value - 1 if level.value <= step_ms else 0
        rows = await connection.execute(
            source.query(step_ms)
            .where(source.at >= (begun * step_ms + early) // level.value)
            .where(source.at < -(-until * step_ms // level.value))
        )
        for device, step, mean_w, last_soc, row in rows:
            power_w, soc = found[device]
            for number in _told(step, row, level.value, asked):
                power_w[number], soc[number] = mean_w, last_soc
    coarser = next((each for each in Level if each.value > level.value), None)
    if coarser is None:
        return found
    oldest = await connection.scalar(select(func.min(source.at)))
    older = asked.count
    if oldest is not None:
        # A coarse row that the oldest fine ones are part of is not spread over what they leave out.
        kept = oldest * level.value // coarser.value * coarser.value
        older = min(asked.count, max(0, -(-kept // step_ms) - asked.first))
    if older:
        before = Intervals(asked.first, older, asked.step_s)
        for device, (coarse_w, coarse_soc) in (await values(connection, before, coarser)).items():
            power_w, soc = found[device]
            for number in range(before.count):
                if power_w[number] is None:
                    power_w[number], soc[number] = coarse_w[number], coarse_soc[number]
    return found


def _nothing(count: int) -> Told:
    return [None] * count, [None] * count


def _told(step: int, row: int, length_ms: int, asked: Intervals) -> range:
    """Return the numbers of the intervals that a row, or the last one of a group, tells of."""
    step_ms = asked.step_s * 1000
    if length_ms <= step_ms:
        return range(step - asked.first, step - asked.first + 1)
    begun, ended = (-(-edge * length_ms // step_ms) - asked.first for edge in (row, row + 1))
    return range(max(begun, 0), min(ended, asked.count))


Steps = Select[int, int, float, float | None, int]
"""Rows of device, interval number, mean power, last state of charge, and when that was.

With one `max` in its columns, SQLite takes the bare column beside it from the row of that maximum:
so the state of charge is the last one without a second pass.
"""


@dataclass(frozen=True, slots=True)
class _Source:
    """A table that tells of intervals.

    Attributes:
        length_ms: Of a row.
        device: Its column of the device's number.
        at: Its column of the row's number since the epoch.
        mean_w: Mean power over a group of rows.
        soc: Its column of the state of charge.
    """

    length_ms: int
    device: ColumnElement[int]
    at: ColumnElement[int]
    mean_w: SQLColumnExpression[Any]
    soc: SQLColumnExpression[float | None]

    def query(self, step_ms: int) -> Steps:
        """Return the question for its rows, by devices and steps of a length."""
        step = (self.at * self.length_ms) // step_ms
        return select(
            self.device, step.label("step"), self.mean_w, self.soc, func.max(self.at)
        ).group_by(self.device, "step")


_SOURCES: Final = {
    Level.SAMPLES: _Source(
        Level.SAMPLES.value,
        samples.c.device,
        samples.c.at_ms,
        func.avg(samples.c.power_w),
        samples.c.soc,
    ),
    Level.MINUTES: _Source(
        Level.MINUTES.value,
        minutes.c.device,
        minutes.c.minute,
        func.sum(minutes.c.power_sum_w) / func.sum(minutes.c["count"]),
        minutes.c.soc,
    ),
    Level.QUARTERS: _Source(
        Level.QUARTERS.value,
        quarters.c.device,
        quarters.c.quarter,
        func.sum(quarters.c.taken_sum_w - quarters.c.given_sum_w) / func.sum(quarters.c.minutes),
        quarters.c.soc,
    ),
}
