"""Shared events on the disk: what is decided is written before anybody is told of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hems.headend.sharing.fairness import Asked
from hems.headend.sharing.following import Span
from hems.headend.sharing.model import Kind
from hems.headend.sql import insert
from hems.headend.upstream.ledger import Transactions
from hems.headend.upstream.models import GivenRow, PartRow, SharedRow
from hems.headend.upstream.shared import Given, Head, Part, Shared

_DAY_S: Final = 86_400.0
_CHUNK: Final = 500


class Shelf:
    """Shared events, their orders and what homes bore.

    Args:
        database: The head-end's.
    """

    def __init__(self, database: Transactions) -> None:
        self._database = database

    async def load(self, server: str) -> dict[str, Shared]:
        """Return the events of a utility that are not closed, by id."""
        query = select(SharedRow.__table__).where(
            SharedRow.server == server, SharedRow.closed.is_(False)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
            found = {row.id: Shared(_head(row)) for row in rows}
            for shared in found.values():
                for part in await _parts(connection, shared.head.id):
                    shared.add(part)
        return found

    async def head(self, id_: str) -> Head | None:
        """Return what is kept of an event, closed or not; None if it was never shared."""
        query = select(SharedRow.__table__).where(SharedRow.id == id_)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else _head(row)

    async def save(self, head: Head, parts: Sequence[Part] = ()) -> None:
        """Keep an event as it stands now, with new orders, in one transaction."""
        async with self._database.writing() as connection:
            values = _values(head)
            await connection.execute(
                insert(connection, SharedRow)
                .values(values)
                .on_conflict_do_update(index_elements=["id"], set_=values)
            )
            for part in parts:
                await connection.execute(
                    insert(connection, PartRow)
                    .values(
                        key=part.key,
                        shared=head.id,
                        value_w=part.value_w,
                        made_at=part.made_at,
                        start=part.span.start,
                        end=part.span.end,
                        mrid=part.mrid,
                    )
                    .on_conflict_do_nothing(index_elements=["key"])
                )
                for at in range(0, len(part.given), _CHUNK):
                    await connection.execute(
                        insert(connection, GivenRow)
                        .values([_given_values(part.key, g) for g in part.given[at : at + _CHUNK]])
                        .on_conflict_do_nothing(index_elements=["order", "home"])
                    )

    async def dispatched(self, mrids: Mapping[str, str]) -> None:
        """Note which events orders became, by key."""
        rows = [{"one": key, "event": mrid} for key, mrid in sorted(mrids.items())]
        noted = update(PartRow).where(PartRow.key == bindparam("one"))
        async with self._database.writing() as connection:
            await connection.execute(noted.values(mrid=bindparam("event")), rows)

    async def left(self, shared: str, homes: Collection[str], at: float | None) -> None:
        """Note since when homes do not take part in an event; None for those that do again."""
        parts = select(PartRow.key).where(PartRow.shared == shared).scalar_subquery()
        names = sorted(homes)
        async with self._database.writing() as connection:
            for start in range(0, len(names), _CHUNK):
                await connection.execute(
                    update(GivenRow)
                    .where(
                        GivenRow.order.in_(parts), GivenRow.home.in_(names[start : start + _CHUNK])
                    )
                    .values(left_at=at)
                )

    async def ended(self, head: Head, at: float) -> None:
        """Note that an event was taken back: nobody bears anything for it from then on."""
        async with self._database.writing() as connection:
            await connection.execute(
                update(PartRow).where(PartRow.shared == head.id, PartRow.end > at).values(end=at)
            )

    async def asked(self, since: float, without: str) -> Sequence[Asked]:
        """Return what homes were asked for since an epoch time, but for one utility's event.

        An order holds for a home until its next one for the same event begins.
        """
        query = (
            select(
                GivenRow.home,
                GivenRow.borne_w,
                GivenRow.left_at,
                PartRow.shared,
                PartRow.start,
                PartRow.end,
                SharedRow.mrid,
            )
            .join(PartRow, PartRow.key == GivenRow.order)
            .join(SharedRow, SharedRow.id == PartRow.shared)
            .where(PartRow.end > since, SharedRow.mrid != without)
            .order_by(GivenRow.home, PartRow.shared, PartRow.start, PartRow.made_at)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        asked: list[Asked] = []
        before: tuple[str, str] | None = None
        for row in rows:
            if before == (row.home, row.shared):
                asked[-1] = replace(asked[-1], end=min(asked[-1].end, row.start))
            end = row.end if row.left_at is None else min(row.end, row.left_at)
            asked.append(Asked(row.home, row.mrid, row.start, end, row.borne_w))
            before = (row.home, row.shared)
        return asked

    async def forget(self, before: float) -> None:
        """Let go of closed events that ended before an epoch time."""
        old = select(SharedRow.id).where(SharedRow.closed.is_(True), SharedRow.end < before)
        parts = select(PartRow.key).where(PartRow.shared.in_(old.scalar_subquery()))
        async with self._database.writing() as connection:
            await connection.execute(
                delete(GivenRow).where(GivenRow.order.in_(parts.scalar_subquery()))
            )
            await connection.execute(
                delete(PartRow).where(PartRow.shared.in_(old.scalar_subquery()))
            )
            await connection.execute(
                delete(SharedRow).where(SharedRow.closed.is_(True), SharedRow.end < before)
            )


async def _parts(connection: AsyncConnection, shared: str) -> Sequence[Part]:
    rows = await connection.execute(
        select(PartRow.__table__)
        .where(PartRow.shared == shared)
        .order_by(PartRow.made_at, PartRow.value_w)
    )
    parts = []
    for row in rows.all():
        given = await connection.execute(
            select(GivenRow.__table__).where(GivenRow.order == row.key).order_by(GivenRow.home)
        )
        parts.append(
            Part(
                row.key,
                row.value_w,
                row.made_at,
                Span(row.start, row.end),
                tuple(Given(g.home, g.borne_w, g.free_w, g.baseline_w, g.left_at) for g in given),
                row.mrid,
            )
        )
    return parts


def _given_values(order: str, given: Given) -> dict[str, str | float | None]:
    return {
        "order": order,
        "home": given.home,
        "borne_w": given.borne_w,
        "free_w": given.free_w,
        "baseline_w": given.baseline_w,
        "left_at": given.left_at,
    }


def _head(row: Row[Any]) -> Head:
    return Head(
        id=row.id,
        server=row.server,
        lfdi=row.lfdi,
        mrid=row.mrid,
        kind=Kind(row.kind),
        total_w=row.total_w,
        span=Span(row.start, row.end),
        short_w=row.short_w,
        shared_at=row.shared_at,
        round=row.round,
        told=frozenset(int(code) for code in row.told.split(",") if code),
        closed=row.closed,
    )


def _values(head: Head) -> dict[str, str | float | bool]:
    return {
        "id": head.id,
        "server": head.server,
        "lfdi": head.lfdi,
        "mrid": head.mrid,
        "kind": head.kind.value,
        "total_w": head.total_w,
        "start": head.span.start,
        "end": head.span.end,
        "short_w": head.short_w,
        "shared_at": head.shared_at,
        "round": head.round,
        "told": ",".join(str(code) for code in sorted(head.told)),
        "closed": head.closed,
    }
