"""Hubs, their identities, tests and histories in the database. Each call is part of a transaction.

Nothing here deletes: what a hub was stays known.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hems.headend.fleet.memory import chunks
from hems.headend.fleet.place_store import sites_in
from hems.headend.fleet.records import Change, Commissioning, Hub, State
from hems.headend.fleet.rows import (
    change_of,
    change_values,
    commissioning_of,
    commissioning_values,
    hub_of,
    hub_values,
)
from hems.headend.fleet.tables import (
    CommissioningRow,
    HistoryRow,
    HubRow,
    IdentityRow,
)
from hems.headend.sql import insert


@dataclass(frozen=True, slots=True)
class HubQuery:
    """Which hubs are wanted, by id.

    Attributes:
        state: Of this state only; None for any.
        group: At sites of this group and all below it only; None for any.
        site: At this site only; None for any.
        after: Only behind this id.
        limit: How many at most.
    """

    state: State | None = None
    group: str | None = None
    site: str | None = None
    after: str = ""
    limit: int = 100


async def find_hub(connection: AsyncConnection, name: str) -> Hub | None:
    """Return the hub of an id, or of an identity that it has or had; None for none."""
    owner = select(IdentityRow.hub).where(IdentityRow.lfdi == name.upper()).scalar_subquery()
    query = select(HubRow.__table__).where((HubRow.id == name) | (HubRow.id == owner))
    row = (await connection.execute(query.limit(1))).one_or_none()
    return None if row is None else hub_of(row)


async def hubs_of(connection: AsyncConnection, names: Collection[str]) -> Mapping[str, Hub]:
    """Return those of some hubs that there are, by id."""
    found: dict[str, Hub] = {}
    for part in chunks(tuple(names)):
        query = select(HubRow.__table__).where(HubRow.id.in_(part))
        for row in await connection.execute(query):
            found[row.id] = hub_of(row)
    return found


async def owners_of(connection: AsyncConnection, lfdis: Collection[str]) -> Mapping[str, str]:
    """Return the ids of the hubs that have or had some identities, by identity."""
    found: dict[str, str] = {}
    for part in chunks(tuple(lfdis)):
        query = select(IdentityRow.lfdi, IdentityRow.hub).where(IdentityRow.lfdi.in_(part))
        for row in await connection.execute(query):
            found[row.lfdi] = row.hub
    return found


async def list_hubs(connection: AsyncConnection, wanted: HubQuery) -> Sequence[Hub]:
    """Return hubs by id."""
    query = select(HubRow.__table__).where(HubRow.id > wanted.after)
    if wanted.state is not None:
        query = query.where(HubRow.state == wanted.state.value)
    if wanted.site is not None:
        query = query.where(HubRow.site == wanted.site)
    if wanted.group is not None:
        query = query.where(HubRow.site.in_(sites_in(wanted.group)))
    rows = await connection.execute(query.order_by(HubRow.id).limit(wanted.limit))
    return [hub_of(row) for row in rows]


async def count_by_state(connection: AsyncConnection) -> Mapping[State, int]:
    """Return how many hubs there are of each state."""
    query = select(HubRow.state, func.count()).group_by(HubRow.state)
    rows = await connection.execute(query)
    return {State(state): count for state, count in rows}


async def save_hub(connection: AsyncConnection, hub: Hub) -> None:
    """Insert or replace a hub."""
    values = hub_values(hub)
    await connection.execute(
        insert(connection, HubRow)
        .values(batch="", **values)
        .on_conflict_do_update(index_elements=["id"], set_=values)
    )


async def owner_of(connection: AsyncConnection, lfdi: str) -> str | None:
    """Return the id of the hub that has or had an identity; None for nobody's."""
    return (await owners_of(connection, (lfdi,))).get(lfdi)


async def add_identity(connection: AsyncConnection, lfdi: str, hub: str) -> None:
    """Enter an identity of a hub."""
    await connection.execute(
        insert(connection, IdentityRow).values(lfdi=lfdi, hub=hub, barred=False)
    )


async def bar(connection: AsyncConnection, lfdis: Collection[str]) -> None:
    """Have identities be refused from now on."""
    for part in chunks(tuple(lfdis)):
        await connection.execute(
            update(IdentityRow).where(IdentityRow.lfdi.in_(part)).values(barred=True)
        )


async def identities_of(connection: AsyncConnection, hubs: Collection[str]) -> Sequence[str]:
    """Return all identities, barred ones too, of some hubs."""
    query = select(IdentityRow.lfdi).where(IdentityRow.hub.in_(hubs))
    return tuple((await connection.execute(query)).scalars())


async def identities_at(connection: AsyncConnection, sites: Collection[str]) -> Sequence[str]:
    """Return all identities of the hubs at some sites."""
    found: list[str] = []
    for part in chunks(tuple(sites)):
        query = (
            select(IdentityRow.lfdi)
            .join(HubRow, HubRow.id == IdentityRow.hub)
            .where(HubRow.site.in_(part))
        )
        found += (await connection.execute(query)).scalars()
    return found


async def add_commissioning(connection: AsyncConnection, record: Commissioning) -> None:
    """Keep the record of a test."""
    await connection.execute(
        insert(connection, CommissioningRow).values(commissioning_values(record))
    )


async def commissionings_of(connection: AsyncConnection, hub: str) -> Sequence[Commissioning]:
    """Return a hub's tests, latest first."""
    query = (
        select(CommissioningRow.__table__)
        .where(CommissioningRow.hub == hub)
        .order_by(CommissioningRow.entered_at.desc(), CommissioningRow.id)
    )
    return [commissioning_of(row) for row in await connection.execute(query)]


async def add_history(connection: AsyncConnection, changes: Iterable[Change]) -> None:
    """Add lines to histories."""
    values = [change_values(change) for change in changes]
    if values:
        await connection.execute(insert(connection, HistoryRow), values)


async def history_of(
    connection: AsyncConnection, hubs: Collection[str], before: int | None, limit: int
) -> Sequence[Change]:
    """Return the joined history of some hubs, latest first.

    Args:
        connection: Where to look.
        hubs: Their ids.
        before: Only lines before this number; None for the latest.
        limit: How many at most.
    """
    query = select(HistoryRow.__table__).where(HistoryRow.hub.in_(hubs))
    if before is not None:
        query = query.where(HistoryRow.id < before)
    rows = await connection.execute(query.order_by(HistoryRow.id.desc()).limit(limit))
    return [change_of(row) for row in rows]


async def licences_ended(connection: AsyncConnection, now: float) -> Sequence[Hub]:
    """Return the operating hubs without a licence that holds at an epoch time."""
    holds = (
        HubRow.licence.is_not(None)
        & (HubRow.licence_from <= now)
        & (HubRow.licence_until.is_(None) | (HubRow.licence_until > now))
    )
    query = select(HubRow.__table__).where(HubRow.state == State.OPERATING.value, ~holds)
    return [hub_of(row) for row in await connection.execute(query)]
