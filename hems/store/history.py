"""What the devices measured: every sample for some days, minute means for years."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Row, Select, Table, delete, func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from hems.store.database import Database
from hems.store.schema import devices, minutes, samples

MINUTE_S: Final = 60
MAX_POINTS: Final = 20_000
"""Most intervals of one series; a year by the half hour fits, a slip of the finger does not."""

_PRUNE_S: Final = 6 * 3600
"""Old samples go in slices of this length: a transaction that a waiting event never notices."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A device's measurement at an instant; None where the device does not measure it.

    Attributes:
        at: UTC epoch seconds, kept to 1 ms.
        device: Device id.
        power_w: Active power, consumption positive.
        soc: State of charge, 0 to 1.
        temp_c: Temperature.
        voltage_v: Phase to neutral.
    """

    at: float
    device: str
    power_w: float
    soc: float | None = None
    temp_c: float | None = None
    voltage_v: float | None = None


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


class History:
    """Samples on the disk; raises `hems.store.errors.StoreError` if SQLite refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ids: dict[str, int] = {}

    async def append(self, batch: Sequence[Sample]) -> None:
        """Add samples, in one transaction; give each sample once.

        A failed call has added nothing, so the same batch may be given again, or be dropped. A
        sample whose power is no number is left out, so that one bad device costs no other's.
        """
        batch = [s for s in batch if math.isfinite(s.at) and math.isfinite(s.power_w)]
        if not batch:
            return
        async with self._database.history() as connection:
            ids = await self._known(connection, {sample.device for sample in batch})
            await connection.execute(
                _ADD_SAMPLE,
                [
                    {
                        "device": ids[s.device],
                        "at_ms": round(s.at * 1000),
                        "power_w": s.power_w,
                        "soc": s.soc,
                        "temp_c": s.temp_c,
                        "voltage_v": s.voltage_v,
                    }
                    for s in batch
                ],
            )
            await connection.execute(_ADD_MINUTE, _by_minute(batch, ids))
        self._ids = ids  # only now: a rolled-back insert must not leave its number here

    async def history(self, start: float, end: float, step_s: int) -> Sequence[DeviceSeries]:
        """Return what every device measured in [start, end), thinned to equal steps.

        The intervals begin at multiples of `step_s`, so that a chart that moves on keeps its
        points; the first is the one in which `start` lies. Whole minutes come from the minute
        means, other steps from the samples, as long as these are kept.

        Raises:
            ValueError: The step is not positive, the end not after the start, or there would be
                more than `MAX_POINTS` intervals.
            StoreError: SQLite refused.
        """
        if step_s <= 0 or not (math.isfinite(start) and math.isfinite(end) and start < end):
            raise ValueError(f"no intervals of {step_s} s between {start} and {end}")
        first = math.floor(start / step_s)
        count = math.ceil(end / step_s) - first
        if count > MAX_POINTS:
            raise ValueError(f"{count} intervals of {step_s} s are more than {MAX_POINTS}")
        query = _minute_query if step_s % MINUTE_S == 0 else _sample_query
        at = tuple(float((first + i) * step_s) for i in range(count))
        found: list[DeviceSeries] = []
        async with self._database.history() as connection:
            known = await connection.execute(
                select(devices.c.id, devices.c.name).order_by(devices.c.name)
            )
            # Device by device, because that is how the rows lie on the disk.
            for device, name in known.all():
                rows = await connection.execute(query(device, first, count, step_s))
                found.append(_series(name, at, first, rows.all()))
        return found

    async def prune(self, before: float, *, minutes_before: float = 0.0) -> None:
        """Forget samples from before `before`, and minute means from before `minutes_before`.

        Both are UTC epoch seconds. It goes in slices; others write in between.
        """
        await self._prune(samples, samples.c.at_ms, round(before * 1000), _PRUNE_S * 1000)
        last_minute = math.floor(minutes_before / MINUTE_S)
        await self._prune(minutes, minutes.c.minute, last_minute, 7 * 24 * 60)

    async def _prune(
        self, table: Table, at: ColumnElement[int], before: int, slice_length: int
    ) -> None:
        async with self._database.history() as connection:
            ids = (await connection.execute(select(devices.c.id))).scalars().all()
        # Device by device, because that is how the rows lie on the disk.
        for device in ids:
            mine = table.c.device == device
            while True:
                async with self._database.history() as connection:
                    oldest = await connection.scalar(select(func.min(at)).where(mine))
                if oldest is None or oldest >= before:
                    break
                until = min(before, oldest + slice_length)
                async with self._database.history() as connection:
                    await connection.execute(delete(table).where(mine, at < until))

    async def _known(self, connection: AsyncConnection, names: set[str]) -> dict[str, int]:
        if names <= self._ids.keys():
            return self._ids
        await connection.execute(_ADD_DEVICE, [{"name": name} for name in sorted(names)])
        rows = await connection.execute(select(devices.c.name, devices.c.id))
        return {row.name: row.id for row in rows}


_ADD_DEVICE: Final = insert(devices).on_conflict_do_nothing(index_elements=["name"])
_ADD_SAMPLE: Final = insert(samples).on_conflict_do_nothing(index_elements=["device", "at_ms"])
_minute = insert(minutes)
_ADD_MINUTE: Final = _minute.on_conflict_do_update(
    index_elements=["device", "minute"],
    set_={
        "count": minutes.c["count"] + _minute.excluded["count"],
        "power_sum_w": minutes.c.power_sum_w + _minute.excluded.power_sum_w,
        "soc": func.coalesce(_minute.excluded.soc, minutes.c.soc),
    },
)


def _by_minute(
    batch: Iterable[Sample], ids: Mapping[str, int]
) -> list[dict[str, int | float | None]]:
    """Add a batch's samples up for each device and minute."""
    sums: dict[tuple[int, int], tuple[int, float, float | None]] = {}
    for sample in sorted(batch, key=lambda s: s.at):
        key = (ids[sample.device], math.floor(sample.at / MINUTE_S))
        count, power_sum_w, soc = sums.get(key, (0, 0.0, None))
        last_soc = soc if sample.soc is None else sample.soc
        sums[key] = (count + 1, power_sum_w + sample.power_w, last_soc)
    return [
        {"device": device, "minute": minute, "count": n, "power_sum_w": total, "soc": soc}
        for (device, minute), (n, total, soc) in sums.items()
    ]


Steps = Select[int, float, float | None, int]
"""Rows of interval number, mean power, last state of charge, and when that was.

With one `max` in its columns, SQLite takes the bare column beside it from the row of that maximum:
so the state of charge is the last one without a second pass.
"""


def _minute_query(device: int, first: int, count: int, step_s: int) -> Steps:
    length = step_s // MINUTE_S
    at = minutes.c.minute
    return (
        select(
            (at // length).label("step"),
            func.sum(minutes.c.power_sum_w) / func.sum(minutes.c["count"]),
            minutes.c.soc,
            func.max(at),
        )
        .where(minutes.c.device == device)
        .where(at >= first * length, at < (first + count) * length)
        .group_by("step")
    )


def _sample_query(device: int, first: int, count: int, step_s: int) -> Steps:
    length = step_s * 1000
    at = samples.c.at_ms
    return (
        select(
            (at // length).label("step"), func.avg(samples.c.power_w), samples.c.soc, func.max(at)
        )
        .where(samples.c.device == device)
        .where(at >= first * length, at < (first + count) * length)
        .group_by("step")
    )


def _series(
    name: str,
    at: Sequence[float],
    first: int,
    rows: Iterable[Row[int, float, float | None, int]],
) -> DeviceSeries:
    power_w: list[float | None] = [None] * len(at)
    soc: list[float | None] = [None] * len(at)
    for step, mean_w, last_soc, _ in rows:
        power_w[step - first] = mean_w
        soc[step - first] = last_soc
    return DeviceSeries(name, at, power_w, soc)
