"""What every worker holds of the fleet: the topology, and how each identity stands.

It is all that a request of a home and a dispatch need. Names, addresses, papers and histories stay
in the database.
"""

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from hems.headend.db.database import Database
from hems.headend.fleet.access import Access, served
from hems.headend.fleet.records import GroupKind, HubPolicy, State
from hems.headend.fleet.rows import AnyRow, group_of
from hems.headend.fleet.tables import GroupRow, HubRow, IdentityRow, MemberRow, SiteRow
from hems.headend.fleet.topology import Topology

CHUNK: Final = 500
"""Keys in one statement."""
_ANY: Final = HubPolicy()


@dataclass(frozen=True, slots=True)
class Standing:
    """How an operational identity stands.

    Attributes:
        hub: Id of its hub.
        state: How far that is.
        barred: Whether another identity has taken its place.
        testing_until: Until when an enrolled one is served for its test, epoch s.
        site: Id of the hub's site; empty for none.
        group: Id of the group that the site hangs on; empty for none.
        free: Ids of the free groups that the site is in.
        policy: What the hub may be asked for.
    """

    hub: str
    state: State
    barred: bool
    testing_until: float
    site: str
    group: str
    free: tuple[str, ...]
    policy: HubPolicy

    def access(self, now: float) -> Access:
        """Return what it is served at an epoch time."""
        return Access.NOTHING if self.barred else served(self.state, self.testing_until, now)


class Groups:
    """The topology, as every worker holds it; see `hems.headend.db.changes.Kept`."""

    kind: Final = "fleet_group"

    def __init__(self) -> None:
        self.topology = Topology()

    async def load(self, connection: AsyncConnection) -> None:
        """Read all groups."""
        rows = await connection.execute(select(GroupRow.__table__))
        self.topology = Topology(group_of(row) for row in rows)

    async def reread(self, connection: AsyncConnection, keys: Sequence[str]) -> None:
        """Read groups anew. A change in between two of them may not be whole: so all are read."""
        if keys:
            await self.load(connection)


class Standings:
    """How each identity stands, by LFDI, as every worker holds it."""

    kind: Final = "fleet_identity"

    def __init__(self) -> None:
        self._all: dict[str, Standing] = {}
        self._policies: dict[HubPolicy, HubPolicy] = {_ANY: _ANY}

    @property
    def all(self) -> Mapping[str, Standing]:
        """All of them by LFDI."""
        return self._all

    async def load(self, connection: AsyncConnection) -> None:
        """Read all of them."""
        free: dict[str, tuple[str, ...]] = {}
        for member in await connection.execute(select(MemberRow.site, MemberRow.group)):
            free[member.site] = (*free.get(member.site, ()), member.group)
        found: dict[str, Standing] = {}
        async with connection.stream(_QUERY) as rows:
            async for part in rows.partitions(CHUNK):
                for row in part:
                    found[row.lfdi] = self._standing(row, free.get(row.site, ()))
        self._all = found

    async def reread(self, connection: AsyncConnection, keys: Sequence[str]) -> None:
        """Read some of them anew."""
        self.take(await self.read(connection, keys))

    async def read(
        self, connection: AsyncConnection, lfdis: Collection[str]
    ) -> Mapping[str, Standing]:
        """Return how identities stand in the database; none of them is ever gone from there."""
        found: dict[str, Standing] = {}
        for part in chunks(tuple(lfdis)):
            rows = (await connection.execute(_QUERY.where(IdentityRow.lfdi.in_(part)))).all()
            free = await _free_groups(connection, {row.site for row in rows if row.site})
            for row in rows:
                found[row.lfdi] = self._standing(row, free.get(row.site, ()))
        return found

    def take(self, fresh: Mapping[str, Standing]) -> None:
        """Hold what was read."""
        self._all.update(fresh)

    def _standing(self, row: AnyRow, free: tuple[str, ...]) -> Standing:
        policy = HubPolicy(row.largest_event_w, row.may_disconnect)
        return Standing(
            row.hub,
            State(row.state),
            row.barred,
            row.testing_until,
            row.site,
            sys.intern(row.group or ""),
            free,
            self._policies.setdefault(policy, policy),
        )


class FleetMemory:
    """Both of them, and what follows from them.

    Args:
        database: Whose log keeps them as they are there; make this before its `load`.
    """

    def __init__(self, database: Database) -> None:
        self._groups = Groups()
        self._standings = Standings()
        database.changes.keep(self._groups)
        database.changes.keep(self._standings)

    @property
    def groups(self) -> Groups:
        """The topology's holder."""
        return self._groups

    @property
    def standings(self) -> Standings:
        """The holder of how identities stand."""
        return self._standings

    @property
    def topology(self) -> Topology:
        """All groups."""
        return self._groups.topology

    def standing(self, lfdi: str) -> Standing | None:
        """Return how an identity stands; None for one that is no hub's of ours."""
        return self._standings.all.get(lfdi)

    def access(self, lfdi: str, now: float) -> Access | None:
        """Return what an identity is served; None for one that is no hub's of ours."""
        found = self.standing(lfdi)
        return None if found is None else found.access(now)

    def groups_of(self, lfdi: str) -> tuple[str, ...]:
        """Return a home's groups: its site, and all that it is in from the narrowest on."""
        found = self.standing(lfdi)
        if found is None or not found.site:
            return ()
        above = self.topology.above
        free = (each for name in found.free for each in above(name))
        return tuple(dict.fromkeys((found.site, *above(found.group), *free)))

    def depth(self, group: str) -> int:
        """Return how far down a group, or a site, stands: what is asked of the narrower rules.

        Raises:
            UnknownItemError: There is none of this id.
        """
        if any(each.site == group for each in self._standings.all.values()):
            return _DEPTHS[GroupKind.SITE]
        return _DEPTHS[self.topology.group(group).kind]

    def homes_in(self, group: str) -> Iterator[str]:
        """Yield the LFDIs of the hubs of a group, or a site, that take part or hold their defaults.

        An identity that is barred, retired or not commissioned is in no group's count.
        """
        under = frozenset(self.topology.under(group))
        for lfdi, each in self._standings.all.items():
            counts = not each.barred and each.state in _COUNTED
            if counts and (
                each.site == group or each.group in under or not under.isdisjoint(each.free)
            ):
                yield lfdi


_DEPTHS: Final = {
    GroupKind.FREE: 0,
    GroupKind.SYSTEM: 1,
    GroupKind.SUBTRANSMISSION: 2,
    GroupKind.SUBSTATION: 3,
    GroupKind.FEEDER: 4,
    GroupKind.SEGMENT: 5,
    GroupKind.TRANSFORMER: 6,
    GroupKind.SITE: 7,
}
_COUNTED: Final = frozenset({State.COMMISSIONED, State.OPERATING, State.QUARANTINED})

_COLUMNS: Final[tuple[Any, ...]] = (
    IdentityRow.lfdi,
    IdentityRow.hub,
    IdentityRow.barred,
    HubRow.state,
    HubRow.testing_until,
    HubRow.site,
    HubRow.largest_event_w,
    HubRow.may_disconnect,
    SiteRow.group,
)
_QUERY: Final = (
    select(*_COLUMNS)
    .join(HubRow, HubRow.id == IdentityRow.hub)
    .join(SiteRow, SiteRow.id == HubRow.site, isouter=True)
)


def chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield keys so many at a time as one statement takes."""
    for start in range(0, len(keys), CHUNK):
        yield keys[start : start + CHUNK]


async def _free_groups(
    connection: AsyncConnection, sites: Collection[str]
) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    if sites:
        query = select(MemberRow.site, MemberRow.group).where(MemberRow.site.in_(sites))
        for row in await connection.execute(query):
            found[row.site] = (*found.get(row.site, ()), row.group)
    return found
