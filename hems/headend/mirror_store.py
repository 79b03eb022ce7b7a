"""Mirrored metering in the database: usage points, what their readings mean, the readings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from hems.headend.models import MeterRow, PointRow, ReadingRow
from hems.headend.records import ReadingRecord
from hems.headend.rows import AnyRow
from hems.headend.store import Store

AnySelect = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Point:
    """A usage point as posted.

    Attributes:
        id: Number in its href.
        lfdi: Whose it is.
        mrid: Its mRID.
        body: The posted XML.
    """

    id: int
    lfdi: str
    mrid: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Sample:
    """A reading as posted: whole `value`, still without its meter's power of ten.

    Attributes:
        start: Begin of its interval, epoch s.
        duration_s: Its length.
        local_id: localID, or "" if none.
        value: As posted.
    """

    start: int
    duration_s: int
    local_id: str
    value: int


@dataclass(frozen=True, slots=True)
class MeterPost:
    """What one MirrorMeterReading brought; None where it did not say.

    Attributes:
        mrid: Its mRID.
        description: Its description.
        uom: Unit code.
        flow: flowDirection code.
        multiplier: powerOfTenMultiplier.
        samples: Its readings.
    """

    mrid: str
    description: str | None
    uom: int | None
    flow: int | None
    multiplier: int | None
    samples: Sequence[Sample]


class MirrorStore:
    """Usage points and readings.

    Args:
        store: The open database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def save_point(
        self, lfdi: str, mrid: str, role: str, body: bytes, meters: Sequence[MeterPost]
    ) -> tuple[Point, bool]:
        """Store a usage point with the readings posted in it; one of the same mRID is updated.

        Returns:
            The point, and whether it is new.
        """
        values = {"role": role, "body": body}
        async with self._store.writing() as connection:
            found = await connection.execute(
                select(PointRow.id).where(PointRow.lfdi == lfdi, PointRow.mrid == mrid)
            )
            new = found.scalar_one_or_none() is None
            done = await connection.execute(
                insert(PointRow)
                .values(lfdi=lfdi, mrid=mrid, **values)
                .on_conflict_do_update(index_elements=["lfdi", "mrid"], set_=values)
                .returning(PointRow.__table__)
            )
            point = _point(done.one())
            for meter in meters:
                await _save_meter(connection, point, meter)
        return point, new

    async def save_meters(
        self, point: Point, meters: Sequence[MeterPost]
    ) -> Sequence[tuple[int, bool]]:
        """Store what MirrorMeterReadings brought, all or none of them.

        A type is kept from the first post on; later posts need not repeat it.

        Returns:
            Of each, the meter reading's number and whether it is new.
        """
        async with self._store.writing() as connection:
            return [await _save_meter(connection, point, meter) for meter in meters]

    async def points(self, lfdi: str) -> Sequence[Point]:
        """Return a home's usage points in the order they came."""
        query = select(PointRow.__table__).where(PointRow.lfdi == lfdi).order_by(PointRow.id)
        async with self._store.reading() as connection:
            return [_point(row) for row in await connection.execute(query)]

    async def point(self, lfdi: str, number: int) -> Point | None:
        """Return a home's usage point; None if it has none of this number."""
        query = select(PointRow.__table__).where(PointRow.lfdi == lfdi, PointRow.id == number)
        async with self._store.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else _point(row)

    async def delete_point(self, point: Point) -> None:
        """Forget a usage point and all its readings."""
        meters = select(MeterRow.id).where(MeterRow.point == point.id)
        async with self._store.writing() as connection:
            await connection.execute(delete(ReadingRow).where(ReadingRow.meter.in_(meters)))
            await connection.execute(delete(MeterRow).where(MeterRow.point == point.id))
            await connection.execute(delete(PointRow).where(PointRow.id == point.id))

    async def readings(
        self, *, lfdi: str | None = None, since: float = 0.0, limit: int = 1000
    ) -> Sequence[ReadingRecord]:
        """Return readings, latest first.

        Args:
            lfdi: Of this home only.
            since: Only those that begin at or after it, epoch s.
            limit: At most so many.
        """
        query = _joined().where(ReadingRow.start >= since)
        if lfdi is not None:
            query = query.where(PointRow.lfdi == lfdi)
        query = query.order_by(ReadingRow.start.desc(), ReadingRow.id.desc()).limit(limit)
        async with self._store.reading() as connection:
            return [_reading(row) for row in await connection.execute(query)]

    async def latest(self) -> Sequence[ReadingRecord]:
        """Return the last reading of each meter of each home."""
        other = aliased(ReadingRow)
        last = (
            select(other.id)
            .where(other.meter == MeterRow.id)
            .order_by(other.start.desc(), other.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        query = _joined().where(ReadingRow.id == last).order_by(MeterRow.id)
        async with self._store.reading() as connection:
            return [_reading(row) for row in await connection.execute(query)]

    async def prune(self, before: float, after: float) -> None:
        """Forget readings that began before, or say that they will begin after, epoch s.

        A home may say any time; one from the far future would be the latest for ever.
        """
        old = (ReadingRow.start < before) | (ReadingRow.start > after)
        async with self._store.writing() as connection:
            await connection.execute(delete(ReadingRow).where(old))


async def _save_meter(
    connection: AsyncConnection, point: Point, meter: MeterPost
) -> tuple[int, bool]:
    told = {
        name: value
        for name, value in (
            ("description", meter.description),
            ("uom", meter.uom),
            ("flow", meter.flow),
            ("multiplier", meter.multiplier),
        )
        if value is not None
    }
    key = {"point": point.id, "mrid": meter.mrid}
    done = await connection.execute(
        insert(MeterRow)
        .values({"description": "", "multiplier": 0, **told, **key})
        .on_conflict_do_nothing()
        .returning(MeterRow.id)
    )
    new = done.scalar_one_or_none() is not None
    if told and not new:
        await connection.execute(
            update(MeterRow)
            .where(MeterRow.point == point.id, MeterRow.mrid == meter.mrid)
            .values(**told)
        )
    found = await connection.execute(
        select(MeterRow.id, MeterRow.multiplier).where(
            MeterRow.point == point.id, MeterRow.mrid == meter.mrid
        )
    )
    row = found.one()
    for sample in meter.samples:
        values = {
            "duration_s": sample.duration_s,
            "value": sample.value * 10.0**row.multiplier,
        }
        await connection.execute(
            insert(ReadingRow)
            .values(meter=row.id, start=sample.start, local_id=sample.local_id, **values)
            .on_conflict_do_update(index_elements=["meter", "start", "local_id"], set_=values)
        )
    return row.id, new


def _joined() -> AnySelect:
    return (
        select(
            PointRow.lfdi,
            PointRow.mrid.label("point_mrid"),
            PointRow.role,
            MeterRow.mrid,
            MeterRow.description,
            MeterRow.uom,
            MeterRow.flow,
            ReadingRow.start,
            ReadingRow.duration_s,
            ReadingRow.value,
        )
        .select_from(ReadingRow)
        .join(MeterRow, MeterRow.id == ReadingRow.meter)
        .join(PointRow, PointRow.id == MeterRow.point)
    )


def _point(row: AnyRow) -> Point:
    return Point(row.id, row.lfdi, row.mrid, row.body)


def _reading(row: AnyRow) -> ReadingRecord:
    return ReadingRecord(
        row.lfdi,
        row.point_mrid,
        row.mrid,
        row.description,
        row.uom,
        row.flow,
        row.role,
        row.start,
        row.duration_s,
        row.value,
    )
