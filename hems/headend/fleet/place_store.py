"""Groups, sites and who is in a free group, in the database. Each call is part of a transaction."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, delete, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hems.headend.fleet.memory import chunks
from hems.headend.fleet.records import Group, Site
from hems.headend.fleet.rows import group_values, site_of, site_values
from hems.headend.fleet.tables import GroupRow, HubRow, MemberRow, SiteRow
from hems.headend.sql import insert


def sites_in(group: str) -> Select[Any]:
    """Return the query for the ids of the sites of a group and all below it.

    The database goes down the tree by itself: a group may have more below it than one statement
    takes names.
    """
    under = select(literal(group).label("id")).cte("under", recursive=True)
    under = under.union(select(GroupRow.id).join(under, GroupRow.parent == under.c.id))
    groups = select(under.c.id)
    columns: tuple[Any, ...] = (SiteRow.id,)
    free = select(MemberRow.site).where(MemberRow.group.in_(groups))
    return select(*columns).where(SiteRow.group.in_(groups) | SiteRow.id.in_(free))


async def save_groups(connection: AsyncConnection, groups: Iterable[Group]) -> None:
    """Insert or replace groups."""
    for group in groups:
        values = group_values(group)
        await connection.execute(
            insert(connection, GroupRow)
            .values(values)
            .on_conflict_do_update(index_elements=["id"], set_=values)
        )


async def drop_group(connection: AsyncConnection, name: str) -> None:
    """Delete a group, and who was in it."""
    await connection.execute(delete(MemberRow).where(MemberRow.group == name))
    await connection.execute(delete(GroupRow).where(GroupRow.id == name))


async def sites_of(connection: AsyncConnection, names: Collection[str]) -> Mapping[str, Site]:
    """Return those of some sites that there are, by id."""
    found: dict[str, Site] = {}
    for part in chunks(tuple(names)):
        query = select(SiteRow.__table__).where(SiteRow.id.in_(part))
        for row in await connection.execute(query):
            found[row.id] = site_of(row)
    return found


async def list_sites(
    connection: AsyncConnection, group: str | None, after: str, limit: int
) -> Sequence[Site]:
    """Return sites by id.

    Args:
        connection: Where to look.
        group: Only of this group and all below it; None for all sites.
        after: Only behind this id.
        limit: How many at most.
    """
    query = select(SiteRow.__table__).where(SiteRow.id > after)
    if group is not None:
        query = query.where(SiteRow.id.in_(sites_in(group)))
    rows = await connection.execute(query.order_by(SiteRow.id).limit(limit))
    return [site_of(row) for row in rows]


async def save_site(connection: AsyncConnection, site: Site) -> None:
    """Insert or replace a site."""
    values = site_values(site)
    await connection.execute(
        insert(connection, SiteRow)
        .values(values)
        .on_conflict_do_update(index_elements=["id"], set_=values)
    )


async def drop_site(connection: AsyncConnection, name: str) -> None:
    """Delete a site."""
    await connection.execute(delete(MemberRow).where(MemberRow.site == name))
    await connection.execute(delete(SiteRow).where(SiteRow.id == name))


async def sites_at(connection: AsyncConnection, group: str) -> int:
    """Return how many sites hang on a group itself."""
    query = select(func.count()).select_from(SiteRow).where(SiteRow.group == group)
    return int((await connection.execute(query)).scalar_one())


async def hubs_at(connection: AsyncConnection, site: str) -> int:
    """Return how many hubs are, or were, at a site."""
    query = select(func.count()).select_from(HubRow).where(HubRow.site == site)
    return int((await connection.execute(query)).scalar_one())


async def members_of(connection: AsyncConnection, group: str) -> Sequence[str]:
    """Return the sites of a free group itself."""
    query = select(MemberRow.site).where(MemberRow.group == group).order_by(MemberRow.site)
    return tuple((await connection.execute(query)).scalars())


async def set_members(connection: AsyncConnection, group: str, sites: Sequence[str]) -> None:
    """Have a free group consist of these sites."""
    await connection.execute(delete(MemberRow).where(MemberRow.group == group))
    for part in chunks(sites):
        await connection.execute(
            insert(connection, MemberRow), [{"group": group, "site": site} for site in part]
        )
