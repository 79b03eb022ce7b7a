"""Mirrored metering in the database: usage points, what their readings mean, the readings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    delete,
    func,
    null,
    select,
    true,
)
from sqlalchemy.orm import aliased

from hems.headend.errors import ForbiddenError, RequestError
from hems.headend.mirror_posts import MeterPost, ReadingsPost, save_posts
from hems.headend.models import HomeRow, MeterRow, PointRow, ReadingRow, ThinnedRow
from hems.headend.paging import Page, Query
from hems.headend.records import ReadingRecord
from hems.headend.rows import AnyRow
from hems.headend.sql import insert
from hems.headend.store import Store
from hems.headend.together import Together

AnySelect = Select[*tuple[Any, ...]]

MAX_POINTS: Final = 64
"""Usage points of one home."""


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
class PointPost:
    """A usage point that was posted.

    Attributes:
        lfdi: Whose it is.
        mrid: Its mRID.
        role: Its roleFlags, hex.
        body: The posted XML, without readings.
        agent: LFDI of the aggregator that speaks for its home, or is it; None for none.
    """

    lfdi: str
    mrid: str
    role: str
    body: bytes
    agent: str | None = None


class MirrorStore:
    """Usage points and readings.

    Args:
        store: The open database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._posts = Together(self._save_posts)

    async def save_point(
        self, wanted: PointPost, meters: Sequence[MeterPost]
    ) -> tuple[Point, bool]:
        """Store a usage point with the readings posted in it; one of the same mRID is updated.

        Returns:
            The point, and whether it is new.

        Raises:
            ForbiddenError: The home has too many.
            BusyError: The database cannot take it; nothing of it was stored.
        """
        lfdi, mrid = wanted.lfdi, wanted.mrid
        values = {"role": wanted.role, "body": wanted.body, "agent": wanted.agent}

        def work(connection: Connection) -> tuple[Point, bool]:
            found = connection.execute(
                select(PointRow.id).where(PointRow.lfdi == lfdi, PointRow.mrid == mrid)
            )
            new = found.scalar_one_or_none() is None
            if new:
                connection.execute(_HOLD, {"whose": lfdi})
                if _count(connection, PointRow.lfdi == lfdi) >= MAX_POINTS:
                    raise ForbiddenError(f"device {lfdi} has {MAX_POINTS} usage points already")
            done = connection.execute(
                insert(connection, PointRow)
                .values(lfdi=lfdi, mrid=mrid, **values)
                .on_conflict_do_update(index_elements=["lfdi", "mrid"], set_=values)
                .returning(PointRow.__table__)
            )
            point = _point(done.one())
            save_posts(connection, [ReadingsPost(lfdi, point.id, meters)])
            return point, new

        return await self._store.transact(work)

    async def save_meters(self, post: ReadingsPost) -> Sequence[tuple[int, bool]]:
        """Store what a home posted to one of its usage points, all or none of it.

        A type is kept from the first post on; later posts need not repeat it. Posts of many homes
        that come at once share one transaction.

        Returns:
            Of each meter reading, its number and whether it is new.

        Raises:
            UnknownItemError: The home has no usage point of this number.
            BusyError: The database cannot take it; nothing of it was stored.
        """
        done = await self._posts.add(post)
        self._store.on_readings(post)
        return done

    async def _save_posts(
        self, posts: Sequence[ReadingsPost]
    ) -> Sequence[Sequence[tuple[int, bool]] | RequestError]:
        return await self._store.transact(lambda connection: save_posts(connection, posts))

    async def listed(self, lfdi: str, agent: str | None, part: Query) -> Page[Point]:
        """Return a part of the usage points that a home sees, in the order they came.

        Args:
            lfdi: The home's.
            agent: The same for an aggregator, who sees those of all for whom it speaks; else None.
            part: Which part.
        """
        query = select(PointRow.__table__).where(_whose(lfdi, agent)).order_by(PointRow.id)
        async with self._store.reading() as connection:
            rows = await connection.execute(query.offset(part.start).limit(part.limit))
            items = [_point(row) for row in rows]
        return Page(items, await self.count(lfdi, agent))

    async def count(self, lfdi: str, agent: str | None = None) -> int:
        """Return how many usage points a home sees; see `listed`."""
        return await self._store.inquire(lambda found: _count(found, _whose(lfdi, agent)))

    async def point(self, number: int) -> Point | None:
        """Return a usage point, whosever it is; None if there is none of this number."""
        query = select(PointRow.__table__).where(PointRow.id == number)
        async with self._store.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else _point(row)

    async def delete_point(self, point: Point) -> None:
        """Forget a usage point and all its readings."""
        meters = select(MeterRow.id).where(MeterRow.point == point.id)
        async with self._store.writing() as connection:
            # The point first: whoever posts to it now comes before this, or finds it gone.
            await connection.execute(delete(PointRow).where(PointRow.id == point.id))
            await connection.execute(delete(ReadingRow).where(ReadingRow.meter.in_(meters)))
            await connection.execute(delete(ThinnedRow).where(ThinnedRow.meter.in_(meters)))
            await connection.execute(delete(MeterRow).where(MeterRow.point == point.id))

    async def readings(
        self, *, lfdi: str | None = None, since: float = 0.0, limit: int = 1000
    ) -> Sequence[ReadingRecord]:
        """Return readings, latest first.

        Args:
            lfdi: Of this home only.
            since: Only those that begin at or after it, epoch s.
            limit: At most so many.
        """
        async with self._store.reading() as connection:
            found = [
                reading_of(row)
                for kept, last in ((ReadingRow, ReadingRow.id), (ThinnedRow, ThinnedRow.meter))
                for row in await connection.execute(
                    joined(kept)
                    .where(kept.start >= since, true() if lfdi is None else PointRow.lfdi == lfdi)
                    .order_by(kept.start.desc(), last.desc())
                    .limit(limit)
                )
            ]
        found.sort(key=lambda each: each.start, reverse=True)
        return found[:limit]

    async def latest(self) -> Sequence[ReadingRecord]:
        """Return the last reading of each meter of each home."""
        other, thinned = aliased(ReadingRow), aliased(ThinnedRow)
        last = (
            select(other.id)
            .where(other.meter == MeterRow.id)
            .order_by(other.start.desc(), other.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        fresh = joined(ReadingRow).where(ReadingRow.id == last).order_by(MeterRow.id)
        # Who has been silent for long has left thinned readings only.
        since = select(func.max(thinned.start)).where(thinned.meter == MeterRow.id)
        silent = ~select(other.id).where(other.meter == MeterRow.id).exists()
        old = joined(ThinnedRow).where(ThinnedRow.start == since.scalar_subquery(), silent)
        async with self._store.reading() as connection:
            return [
                reading_of(row)
                for query in (fresh, old.order_by(MeterRow.id))
                for row in await connection.execute(query)
            ]

    async def prune(self, before: float, after: float, thinned_before: float) -> None:
        """Forget readings that began before, or say that they will begin after, epoch s.

        A home may say any time; one from the far future would be the latest for ever.

        Args:
            before: Of readings as they were posted.
            after: Of the same.
            thinned_before: Of those that were thinned.
        """
        old = (ReadingRow.start < before) | (ReadingRow.start > after)
        async with self._store.writing() as connection:
            await connection.execute(delete(ReadingRow).where(old))
            await connection.execute(delete(ThinnedRow).where(ThinnedRow.start < thinned_before))


def joined(kept: type[ReadingRow] | type[ThinnedRow]) -> AnySelect:
    """Return the query for readings, as they were posted or thinned."""
    thinned = kept is ThinnedRow
    return (
        select(
            PointRow.lfdi,
            PointRow.mrid.label("point_mrid"),
            PointRow.role,
            MeterRow.mrid,
            MeterRow.description,
            MeterRow.uom,
            MeterRow.flow,
            kept.start,
            kept.duration_s,
            kept.value,
            (ThinnedRow.least if thinned else null()).label("least"),
            (ThinnedRow.greatest if thinned else null()).label("greatest"),
        )
        .select_from(kept)
        .join(MeterRow, MeterRow.id == kept.meter)
        .join(PointRow, PointRow.id == MeterRow.point)
    )


def _whose(lfdi: str, agent: str | None) -> ColumnElement[bool]:
    return PointRow.lfdi == lfdi if agent is None else PointRow.agent == agent


_HOLD: Final = (
    select(HomeRow.id)
    .where(HomeRow.lfdi == bindparam("whose"))
    .with_for_update(key_share=True)  # SQLite has one writer and does without
)
"""Has whoever else makes a usage point of the same home wait, so that they can be counted."""


def _count(connection: Connection, which: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).where(which)).scalar_one())


def _point(row: AnyRow) -> Point:
    return Point(row.id, row.lfdi, row.mrid, row.body)


def reading_of(row: AnyRow) -> ReadingRecord:
    """Read a reading."""
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
        row.least,
        row.greatest,
    )
