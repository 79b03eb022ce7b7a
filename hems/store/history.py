"""What the devices measured: samples for a day, minute means for a month, quarters for years.

What is asked for more finely than it is kept any more is answered by what is kept.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Table, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from hems.store.connection import Connection
from hems.store.database import Database
from hems.store.quarters import Quarters
from hems.store.rollup import MINUTE_S, MINUTES, QUARTERS, derive
from hems.store.schema import blocks, devices, minutes, quarters, samples
from hems.store.series import MAX_POINTS, DeviceSeries, Level, intervals, level_of, values

__all__ = ["MAX_POINTS", "MINUTE_S", "DeviceSeries", "History", "Sample"]

_PRUNE_S: Final = 1800
"""Old samples go in slices of this length: a transaction that a waiting event never notices."""
_PRUNE_MINUTES: Final = 18 * 60
_PRUNE_BLOCKS: Final = 9 * 8


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


class History:
    """Samples on the disk; raises `hems.store.errors.StoreError` if SQLite refuses."""

    def __init__(self, database: Database, quarters: Quarters) -> None:
        self._database = database
        self._quarters = quarters
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
            touched = _by_minute(batch, ids)
            await connection.execute(_ADD_MINUTE, list(touched.values()))
            await derive(connection, {minute for _, minute in touched})
        self._ids = ids  # only now: a rolled-back insert must not leave its number here

    async def newest(self) -> float | None:
        """Return when something was last recorded, UTC epoch seconds; None for never."""
        async with self._database.history() as connection:
            rows = await connection.execute(select(func.max(samples.c.at_ms)))
            at_ms: int | None = rows.scalar_one()
        return None if at_ms is None else at_ms / 1000.0

    async def history(self, start: float, end: float, step_s: int) -> Sequence[DeviceSeries]:
        """Return what every device measured in [start, end), thinned to equal steps.

        The intervals begin at multiples of `step_s`, so that a chart that moves on keeps its
        points; the first is the one in which `start` lies. Whole quarter-hours come from their
        rows, whole minutes from the minute means, other steps from the samples; where these are
        not kept any more, from what is.

        Raises:
            ValueError: The step is not positive, the end not after the start, or there would be
                more than `MAX_POINTS` intervals.
            StoreError: SQLite refused.
        """
        asked = intervals(start, end, step_s)
        await self._database.up_to_date()
        level = level_of(step_s)
        if level is Level.QUARTERS:
            await self._quarters.fill()
        at = asked.starts()
        async with self._database.history() as connection:
            known = await connection.execute(
                select(devices.c.id, devices.c.name).order_by(devices.c.name)
            )
            found = await values(connection, asked, level)
        return [DeviceSeries(name, at, *found[device]) for device, name in known.all()]

    async def prune(
        self, before: float, *, minutes_before: float = 0.0, quarters_before: float = 0.0
    ) -> None:
        """Forget samples from before `before`, and what was made of them from before the others.

        All are UTC epoch seconds; nothing goes but with the whole of what is made of it. It goes
        in slices; others write in between.
        """
        await self._quarters.fill()
        last_minute = math.floor(before / MINUTE_S)
        await self._prune(samples, samples.c.at_ms, last_minute * MINUTE_S * 1000, _PRUNE_S * 1000)
        last_quarter = math.floor(minutes_before / MINUTE_S / MINUTES)
        await self._prune(minutes, minutes.c.minute, last_quarter * MINUTES, _PRUNE_MINUTES)
        last_block = math.floor(quarters_before / MINUTE_S / MINUTES / QUARTERS)
        await self._prune(
            quarters, quarters.c.quarter, last_block * QUARTERS, _PRUNE_BLOCKS * QUARTERS
        )
        await self._prune(blocks, blocks.c.block, last_block, _PRUNE_BLOCKS)

    async def _prune(
        self, table: Table, at: ColumnElement[int], before: int, slice_length: int
    ) -> None:
        while True:
            async with self._database.history() as connection:
                oldest = await connection.scalar(select(func.min(at)))
            if oldest is None or oldest >= before:
                break
            until = min(before, oldest + slice_length)
            async with self._database.history() as connection:
                await connection.execute(delete(table).where(at < until))

    async def _known(self, connection: Connection, names: set[str]) -> dict[str, int]:
        if names <= self._ids.keys():
            return self._ids
        await connection.execute(_ADD_DEVICE, [{"name": name} for name in sorted(names)])
        rows = await connection.execute(select(devices.c.name, devices.c.id))
        return {row.name: row.id for row in rows}


_ADD_DEVICE: Final = insert(devices).on_conflict_do_nothing(index_elements=["name"])
_ADD_SAMPLE: Final = insert(samples).on_conflict_do_nothing(index_elements=["at_ms", "device"])
_minute = insert(minutes)
_ADD_MINUTE: Final = _minute.on_conflict_do_update(
    index_elements=["minute", "device"],
    set_={
        "count": minutes.c["count"] + _minute.excluded["count"],
        "power_sum_w": minutes.c.power_sum_w + _minute.excluded.power_sum_w,
        "soc": func.coalesce(_minute.excluded.soc, minutes.c.soc),
        # A minute that an older version began has its sum only.
        "taken_sum_w": _minute.excluded.taken_sum_w
        + func.coalesce(minutes.c.taken_sum_w, func.max(minutes.c.power_sum_w, 0.0)),
    },
)


def _by_minute(
    batch: Iterable[Sample], ids: Mapping[str, int]
) -> Mapping[tuple[int, int], Mapping[str, int | float | None]]:
    """Add a batch's samples up for each device and minute, by their numbers."""
    sums: dict[tuple[int, int], tuple[int, float, float, float | None]] = {}
    for sample in sorted(batch, key=lambda s: s.at):
        key = (ids[sample.device], math.floor(sample.at / MINUTE_S))
        count, power_sum_w, taken_sum_w, soc = sums.get(key, (0, 0.0, 0.0, None))
        sums[key] = (
            count + 1,
            power_sum_w + sample.power_w,
            taken_sum_w + max(sample.power_w, 0.0),
            soc if sample.soc is None else sample.soc,
        )
    return {
        (device, minute): {
            "device": device,
            "minute": minute,
            "count": n,
            "power_sum_w": power_sum_w,
            "taken_sum_w": taken_sum_w,
            "soc": soc,
        }
        for (device, minute), (n, power_sum_w, taken_sum_w, soc) in sums.items()
    }
