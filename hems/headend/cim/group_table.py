"""Groups of homes in the database; every worker sees them as they are."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from hems.headend.cim.models import CimGroupRow, CimMemberRow
from hems.headend.cim.ports import Group, Transactions
from hems.headend.errors import ConflictError
from hems.headend.rows import AnyRow
from hems.headend.sql import insert


class GroupTable:
    """The groups that enterprise systems make.

    Args:
        store: The open database.
    """

    def __init__(self, store: Transactions) -> None:
        self._store = store

    async def all(self) -> Sequence[Group]:
        """Return all groups, by name."""
        query = select(CimGroupRow.__table__).order_by(CimGroupRow.name)
        members: dict[str, list[str]] = {}
        async with self._store.reading() as connection:
            rows = (await connection.execute(query)).all()
            for row in await connection.execute(
                select(CimMemberRow.__table__).order_by(CimMemberRow.mrid, CimMemberRow.lfdi)
            ):
                members.setdefault(row.mrid, []).append(row.lfdi)
        return [_group(row, members.get(row.mrid, ())) for row in rows]

    async def find(self, *, mrid: str | None = None, name: str | None = None) -> Group | None:
        """Return the group of this mRID, or of this name; None where there is none."""
        query = select(CimGroupRow.__table__)
        if mrid is not None:
            query = query.where(CimGroupRow.mrid == mrid)
        if name is not None:
            query = query.where(CimGroupRow.name == name)
        async with self._store.reading() as connection:
            row = (await connection.execute(query.limit(1))).one_or_none()
            if row is None:
                return None
            found = await connection.execute(
                select(CimMemberRow.lfdi)
                .where(CimMemberRow.mrid == row.mrid)
                .order_by(CimMemberRow.lfdi)
            )
            return _group(row, found.scalars().all())

    async def save(self, *groups: Group) -> None:
        """Keep groups, all or none; one of the same mRID is replaced.

        Raises:
            ConflictError: Another one has this name.
            BusyError: The database cannot take them.
        """
        try:
            async with self._store.writing() as connection:
                for group in groups:
                    await _save(connection, group)
        except IntegrityError as error:
            names = ", ".join(repr(group.name) for group in groups)
            raise ConflictError(f"another group has the name {names}") from error

    async def delete(self, *mrids: str) -> None:
        """Forget groups, all or none.

        Raises:
            BusyError: The database cannot do it now.
        """
        async with self._store.writing() as connection:
            await connection.execute(delete(CimMemberRow).where(CimMemberRow.mrid.in_(mrids)))
            await connection.execute(delete(CimGroupRow).where(CimGroupRow.mrid.in_(mrids)))


async def _save(connection: AsyncConnection, group: Group) -> None:
    values = {"name": group.name, "description": group.description}
    await connection.execute(
        insert(connection, CimGroupRow)
        .values(mrid=group.mrid, **values)
        .on_conflict_do_update(index_elements=["mrid"], set_=values)
    )
    await connection.execute(delete(CimMemberRow).where(CimMemberRow.mrid == group.mrid))
    if group.homes:
        rows = [{"mrid": group.mrid, "lfdi": lfdi} for lfdi in group.homes]
        await connection.execute(insert(connection, CimMemberRow), rows)


def _group(row: AnyRow, homes: Sequence[str]) -> Group:
    return Group(row.mrid, row.name, row.description, tuple(homes))
