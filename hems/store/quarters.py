"""What the devices took and gave, by periods of any length, for years."""

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from math import ceil
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Table,
    bindparam,
    cast,
    delete,
    func,
    select,
    update,
)

from hems.store.connection import Connection
from hems.store.database import Database
from hems.store.rollup import (
    MEAN_GIVEN_W,
    MEAN_TAKEN_W,
    MEAN_W,
    MINUTE_S,
    MINUTES,
    QUARTER_S,
    QUARTERS,
    derive_range,
)
from hems.store.schema import blocks, devices, minutes, quarters, quarters_owed

_PER_HOUR: Final = 60.0
_FILL_BLOCKS: Final = 8
"""What is made of old minutes in one transaction: a day, some tens of ms."""
_MOST_ROWS: Final = 3000
"""Rows of each device that one question adds up, at most: SQLite sorts them in memory."""

Period = tuple[float, float]
"""Start and end, UTC epoch seconds."""
_Range = tuple[int, int, int]
"""Number of a period, and of the first row and the first one after."""


@dataclass(frozen=True, slots=True)
class Energy:
    """What a device took and gave in a period, as far as it was measured.

    Attributes:
        taken_wh: Energy while its power was positive: consumption, import, charging.
        given_wh: Energy while it was negative, a magnitude.
        low_w: Lowest mean power of a minute, passive sign.
        high_w: Highest.
        soc_low: Lowest state of charge, 0 to 1; None where it has none.
        soc_high: Highest.
        measured_s: For how much of the period it was measured, by whole minutes.
    """

    taken_wh: float
    given_wh: float
    low_w: float
    high_w: float
    soc_low: float | None
    soc_high: float | None
    measured_s: float

    @property
    def mean_w(self) -> float:
        """Mean power over the time that was measured, passive sign."""
        return (self.taken_wh - self.given_wh) * 3600.0 / self.measured_s


def joined(one: Energy, other: Energy) -> Energy:
    """Return what two parts of a period come to."""
    return Energy(
        one.taken_wh + other.taken_wh,
        one.given_wh + other.given_wh,
        min(one.low_w, other.low_w),
        max(one.high_w, other.high_w),
        min((s for s in (one.soc_low, other.soc_low) if s is not None), default=None),
        max((s for s in (one.soc_high, other.soc_high) if s is not None), default=None),
        one.measured_s + other.measured_s,
    )


@dataclass(frozen=True, slots=True)
class DeviceEnergy:
    """A device's energies.

    Attributes:
        device: Device id.
        periods: One for each period asked for; None where nothing was measured.
    """

    device: str
    periods: Sequence[Energy | None]


class Quarters:
    """The quarter-hours on the disk; raises `hems.store.errors.StoreError` if SQLite refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._filling = asyncio.Lock()
        self._whole = False

    async def energy(
        self, periods: Sequence[Period], *, by_minute: bool = False
    ) -> Sequence[DeviceEnergy]:
        """Return what each device took and gave in each period.

        A quarter-hour, or minute, belongs to the period in which it begins.

        Args:
            periods: In order.
            by_minute: Whether minutes are added up, which are not kept as long, for periods
                that are shorter than a quarter-hour.
        """
        await self._database.up_to_date()
        await self.fill()
        questions = _by_minute(periods) if by_minute else _by_quarter(periods)
        async with self._database.history() as connection:
            known = await connection.execute(
                select(devices.c.id, devices.c.name).order_by(devices.c.name)
            )
            names = {row.id: row.name for row in known.all()}
            found = {device: list[Energy | None]([None]) * len(periods) for device in names}
            for query, ranges in questions.items():
                for some in _portions(ranges):
                    rows = await connection.execute(query, {"ranges": json.dumps(some)})
                    for number, device, *figures in rows:
                        part, before = Energy(*figures), found[device][number]
                        found[device][number] = part if before is None else joined(before, part)
        return [DeviceEnergy(name, found[device]) for device, name in names.items()]

    async def fill(self) -> None:
        """Make the rows of minutes that are older than the rows themselves, where any are owed.

        After an update from a version that had minutes only; slice by slice, so that others write
        in between and a crash costs one slice.
        """
        async with self._filling:
            while not self._whole:
                async with self._database.history() as connection:
                    self._whole = not await _fill_slice(connection)


async def _fill_slice(connection: Connection) -> bool:
    """Fill the newest slice that is owed; returns whether there was one."""
    owed: int | None = await connection.scalar(select(func.max(quarters_owed.c.before)))
    if owed is None:
        return False
    newest: int | None = await connection.scalar(
        select(func.max(minutes.c.minute)).where(minutes.c.minute < owed * MINUTES)
    )
    if newest is None:
        await connection.execute(delete(quarters_owed))
        return True
    until = newest // MINUTES // QUARTERS + 1
    await derive_range(connection, until - _FILL_BLOCKS, until)
    before = (until - _FILL_BLOCKS) * QUARTERS
    later = quarters_owed.c.before > before
    await connection.execute(update(quarters_owed).where(later).values(before=before))
    return True


def _by_minute(periods: Iterable[Period]) -> Mapping[Select[*tuple[Any, ...]], Sequence[_Range]]:
    """Return what to ask for the minutes of each period."""
    return {
        OF_MINUTES: [
            (n, ceil(a / MINUTE_S), ceil(b / MINUTE_S)) for n, (a, b) in enumerate(periods)
        ]
    }


def _by_quarter(periods: Iterable[Period]) -> Mapping[Select[*tuple[Any, ...]], Sequence[_Range]]:
    """Return what to ask for each period: the whole blocks in it, and quarter-hours around them."""
    whole: list[_Range] = []
    around: list[_Range] = []
    for number, (start, end) in enumerate(periods):
        first, until = ceil(start / QUARTER_S), ceil(end / QUARTER_S)
        begun, ended = -(-first // QUARTERS), until // QUARTERS
        if begun < ended:
            whole.append((number, begun, ended))
            around += [(number, first, begun * QUARTERS), (number, ended * QUARTERS, until)]
        else:
            around.append((number, first, until))
    around = [each for each in around if each[1] < each[2]]
    return {query: each for query, each in ((OF_BLOCKS, whole), (OF_QUARTERS, around)) if each}


def _portions(ranges: Iterable[_Range]) -> Iterator[Sequence[_Range]]:
    """Return the ranges in groups of so few rows as are added up at once; long ones in pieces."""
    some: list[_Range] = []
    room = _MOST_ROWS
    for number, first, until in ranges:
        begun = first
        while begun < until:
            ended = min(until, begun + room)
            some.append((number, begun, ended))
            room -= ended - begun
            begun = ended
            if not room:
                yield some
                some, room = [], _MOST_ROWS
    if some:
        yield some


def _sums(
    table: Table, at: ColumnElement[int], columns: Iterable[ColumnElement[Any]]
) -> Select[*tuple[Any, ...]]:
    """Return the question for sums over ranges of rows, by number of period and device."""
    asked = func.json_each(bindparam("ranges")).table_valued("key", "value")
    number, first, until = (
        cast(func.json_extract(asked.c.value, f"$[{i}]"), Integer) for i in range(3)
    )
    names = (each.name for each in fields(Energy))
    return (
        select(
            number.label("number"),
            table.c.device,
            *(column.label(name) for name, column in zip(names, columns, strict=True)),
        )
        # An outer join, because SQLite may turn an inner one round: it would then look at every
        # range for each of the device's rows.
        .join_from(asked, table, (at >= first) & (at < until), isouter=True)
        .group_by("number", table.c.device)
        .having(func.count(at) > 0)
    )


def _rows(table: Table) -> Iterable[ColumnElement[Any]]:
    return (
        func.sum(table.c.taken_sum_w) / _PER_HOUR,
        func.sum(table.c.given_sum_w) / _PER_HOUR,
        func.min(table.c.low_w),
        func.max(table.c.high_w),
        func.min(table.c.soc_low),
        func.max(table.c.soc_high),
        func.sum(table.c.minutes) * MINUTE_S,
    )


OF_BLOCKS: Final = _sums(blocks, blocks.c.block, _rows(blocks))
OF_QUARTERS: Final = _sums(quarters, quarters.c.quarter, _rows(quarters))
OF_MINUTES: Final = _sums(
    minutes,
    minutes.c.minute,
    (
        func.sum(MEAN_TAKEN_W) / _PER_HOUR,
        func.sum(MEAN_GIVEN_W) / _PER_HOUR,
        func.min(MEAN_W),
        func.max(MEAN_W),
        func.min(minutes.c.soc),
        func.max(minutes.c.soc),
        func.count() * MINUTE_S,
    ),
)
