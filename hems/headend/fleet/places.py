"""Groups, sites and who is in which: the operator's changes, judged, durable, seen by all."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence

from hems.headend.db.changes import Draft
from hems.headend.db.database import Database
from hems.headend.errors import ConflictError, DispatchError, ForbiddenError, UnknownItemError
from hems.headend.fleet import hub_store, place_store
from hems.headend.fleet.hub_store import HubQuery
from hems.headend.fleet.memory import FleetMemory
from hems.headend.fleet.records import Actor, Change, Deed, Group, GroupKind, Role, Site
from hems.headend.fleet.topology import Topology

GroupInUse = Callable[[str], str | None]
"""Returns what a group is used for elsewhere (a programme, an event ahead); None for nothing."""


class Places:
    """Groups and sites.

    Args:
        database: Where they are.
        memory: What is held of them.
        now: UTC epoch seconds.
        used: Says what keeps a group from being dropped.
    """

    def __init__(
        self,
        database: Database,
        memory: FleetMemory,
        now: Callable[[], float],
        used: GroupInUse | None = None,
    ) -> None:
        self._database = database
        self._memory = memory
        self._now = now
        self._used = used or _unused

    # Groups

    async def save_groups(self, groups: Sequence[Group], by: Actor) -> None:
        """Enter or change groups, all or none; a group may stand before the one above it.

        Raises:
            ForbiddenError: He may not.
            DispatchError: They would be no tree, or an id is a site's or comes twice.
            BusyError: The database cannot take them.
        """
        check_engineer(by, "change groups")
        for name, count in Counter(group.id for group in groups).items():
            if count > 1:
                raise DispatchError(f"group {name!r} is named twice")
        async with self._database.changing() as draft:
            topology = self._memory.topology.with_groups(groups)
            for name in await place_store.sites_of(draft.connection, [g.id for g in groups]):
                raise DispatchError(f"group {name!r}: a site has that id")
            await self._check_kinds(draft, groups)
            await place_store.save_groups(draft.connection, groups)
            self._take(draft, topology, (group.id for group in groups))

    async def drop_group(self, name: str, by: Actor) -> None:
        """Drop a group that nothing hangs on.

        Raises:
            ForbiddenError: He may not.
            UnknownItemError: There is none of this id.
            ConflictError: Groups or sites hang on it, or it is used.
            BusyError: The database cannot do it now.
        """
        check_engineer(by, "drop groups")
        async with self._database.changing() as draft:
            topology = self._memory.topology.without(name)
            if why := self._used(name):
                raise ConflictError(f"group {name!r} is used by {why}")
            if count := await place_store.sites_at(draft.connection, name):
                raise ConflictError(f"group {name!r} has {count} sites")
            members = await place_store.members_of(draft.connection, name)
            await place_store.drop_group(draft.connection, name)
            self._take(draft, topology, (name,))
            await self._reread_at(draft, members)

    async def set_members(self, name: str, sites: Sequence[str], by: Actor) -> None:
        """Have a free group consist of these sites.

        Raises:
            ForbiddenError: He may not.
            UnknownItemError: There is no such group or site.
            ConflictError: It is a group of the topology: its sites hang on it.
            BusyError: The database cannot do it now.
        """
        check_engineer(by, "change who is in a group")
        wanted = tuple(dict.fromkeys(sites))
        async with self._database.changing() as draft:
            if self._memory.topology.group(name).kind is not GroupKind.FREE:
                raise ConflictError(f"group {name!r} is of the topology; move its sites instead")
            known = await place_store.sites_of(draft.connection, wanted)
            if missing := [each for each in wanted if each not in known]:
                raise UnknownItemError(f"no site {missing[0][:40]!r}")
            before = await place_store.members_of(draft.connection, name)
            await place_store.set_members(draft.connection, name, wanted)
            await self._reread_at(draft, {*before, *wanted})

    async def members(self, name: str) -> Sequence[str]:
        """Return the sites of a free group itself."""
        async with self._database.reading() as connection:
            return await place_store.members_of(connection, name)

    # Sites

    async def site(self, name: str) -> Site:
        """Return a site.

        Raises:
            UnknownItemError: There is none of this id.
        """
        async with self._database.reading() as connection:
            found = await place_store.sites_of(connection, (name,))
        if name not in found:
            raise UnknownItemError(f"no site {name[:40]!r}")
        return found[name]

    async def sites(self, group: str | None, after: str, limit: int) -> Sequence[Site]:
        """Return sites by id, of a group and all below it, or all.

        Raises:
            UnknownItemError: There is no such group.
        """
        if group is not None:
            self._memory.topology.group(group)
        async with self._database.reading() as connection:
            return await place_store.list_sites(connection, group, after, limit)

    async def save_site(self, site: Site, by: Actor, why: str = "") -> None:
        """Enter or change a site; one that hangs on another group goes there with its hubs.

        Raises:
            ForbiddenError: He may not.
            DispatchError: Its group cannot have sites, or is not there, or its id is a group's.
            BusyError: The database cannot take it.
        """
        check_engineer(by, "change sites")
        async with self._database.changing() as draft:
            check_site(site, self._memory.topology)
            before = (await place_store.sites_of(draft.connection, (site.id,))).get(site.id)
            await place_store.save_site(draft.connection, site)
            if before is None or before.group == site.group:
                return
            hubs = await hub_store.list_hubs(draft.connection, HubQuery(site=site.id, limit=_ALL))
            await hub_store.add_history(
                draft.connection,
                (
                    Change(
                        hub.id,
                        self._now(),
                        by.name,
                        by.role,
                        Deed.SITE,
                        before.group,
                        site.group,
                        why.strip(),
                        site.id,
                    )
                    for hub in hubs
                ),
            )
            await self._reread_at(draft, (site.id,))

    async def drop_site(self, name: str, by: Actor) -> None:
        """Drop a site at which there never was a hub.

        Raises:
            ForbiddenError: He may not.
            UnknownItemError: There is none of this id.
            ConflictError: A hub is, or was, there.
            BusyError: The database cannot do it now.
        """
        check_engineer(by, "drop sites")
        async with self._database.changing() as draft:
            if name not in await place_store.sites_of(draft.connection, (name,)):
                raise UnknownItemError(f"no site {name[:40]!r}")
            if count := await place_store.hubs_at(draft.connection, name):
                raise ConflictError(f"site {name!r} has or had {count} hubs, whose history stays")
            await place_store.drop_site(draft.connection, name)

    async def _check_kinds(self, draft: Draft, groups: Sequence[Group]) -> None:
        """Refuse to make a free group of one with sites, or the other way round."""
        for group in groups:
            known = self._memory.topology.groups.get(group.id)
            if known is None or (known.kind is GroupKind.FREE) is (group.kind is GroupKind.FREE):
                continue
            if await place_store.sites_at(draft.connection, group.id):
                raise DispatchError(f"group {group.id!r} has sites: it cannot become free")
            if await place_store.members_of(draft.connection, group.id):
                raise DispatchError(f"group {group.id!r} has members: it must stay free")

    async def _reread_at(self, draft: Draft, sites: Collection[str]) -> None:
        """Have every worker see how the hubs of some sites stand now."""
        standings = self._memory.standings
        lfdis = await hub_store.identities_at(draft.connection, sites)
        for lfdi in lfdis:
            draft.changed(standings.kind, lfdi)
        fresh = await standings.read(draft.connection, lfdis)
        draft.after.append(lambda: standings.take(fresh))

    def _take(self, draft: Draft, topology: Topology, names: Iterable[str]) -> None:
        held = self._memory.groups
        for name in names:
            draft.changed(held.kind, name)

        def take() -> None:
            held.topology = topology

        draft.after.append(take)


_ALL = 1_000_000


def check_engineer(by: Actor, what: str) -> None:
    """Check that somebody may change the fleet.

    Raises:
        ForbiddenError: He may not.
    """
    if by.role is not Role.ENGINEER:
        raise ForbiddenError(f"{by.name}, as {by.role.value}, may not {what}: engineer may")


def check_site(site: Site, topology: Topology) -> None:
    """Check where a site hangs.

    Raises:
        DispatchError: Its group cannot have sites, or is not there, or its id is a group's.
    """
    if site.id in topology.groups:
        raise DispatchError(f"site {site.id!r}: a group has that id")
    group = topology.groups.get(site.group)
    if group is None:
        raise DispatchError(f"site {site.id!r}: there is no group {site.group[:40]!r}")
    if group.kind is GroupKind.FREE:
        raise DispatchError(
            f"site {site.id!r}: group {group.id!r} is free; a site hangs on one of the topology"
        )


def _unused(_name: str) -> None:
    """Say that a group is not used elsewhere."""
