"""What every change of hubs needs: find one, keep it with its history, refuse its identity."""

from collections.abc import Callable
from typing import Protocol

from hems.headend.db.changes import Draft
from hems.headend.db.database import Database
from hems.headend.errors import ConflictError, UnknownItemError
from hems.headend.fleet import hub_store, place_store
from hems.headend.fleet.memory import FleetMemory
from hems.headend.fleet.policy import IdentityPolicy
from hems.headend.fleet.records import Actor, Change, Deed, Hub


class Homes(Protocol):
    """The EndDevices that stand for hubs."""

    async def retire(self, lfdi: str) -> None:
        """Forget the EndDevice of an identity, if there is one, and what it subscribed to.

        It is called inside of a change, of which it is part.
        """
        ...

    def revoked(self, lfdi: str) -> bool:
        """Whether the certificate of an identity was taken back."""
        ...


class HubDesk:
    """Where hubs are changed.

    Args:
        database: Where they are.
        memory: What is held of them.
        now: UTC epoch seconds.
        policy: What identities must show.
        homes: Their EndDevices.

    Attributes:
        database: As given.
        now: As given.
        policy: As given.
        homes: As given.
    """

    def __init__(
        self,
        database: Database,
        memory: FleetMemory,
        now: Callable[[], float],
        policy: IdentityPolicy,
        homes: Homes,
    ) -> None:
        self.database = database
        self.now = now
        self.policy = policy
        self.homes = homes
        self._memory = memory

    async def found(self, draft: Draft, name: str) -> Hub:
        """Return a hub by its id, or by an identity that it has or had.

        Raises:
            UnknownItemError: There is none.
        """
        hub = await hub_store.find_hub(draft.connection, name)
        if hub is None:
            raise UnknownItemError(f"no hub {name[:80]!r}")
        return hub

    async def check_free(self, draft: Draft, lfdi: str) -> None:
        """Check that an identity is no hub's.

        Raises:
            ConflictError: It is, or was once.
        """
        owner = await hub_store.owner_of(draft.connection, lfdi)
        if owner is not None:
            raise ConflictError(f"identity {lfdi} is, or was, that of hub {owner}")

    async def check_site(self, draft: Draft, site: str) -> None:
        """Check that there is a site; none is there as well.

        Raises:
            UnknownItemError: There is no such site.
        """
        if site and site not in await place_store.sites_of(draft.connection, (site,)):
            raise UnknownItemError(f"no site {site[:40]!r}")

    async def keep(self, draft: Draft, hub: Hub, *changes: Change) -> None:
        """Keep a hub as it is now, and what was done; every worker will see it."""
        await hub_store.save_hub(draft.connection, hub)
        await hub_store.add_history(draft.connection, changes)
        standings = self._memory.standings
        lfdis = await hub_store.identities_of(draft.connection, (hub.id,))
        for lfdi in lfdis:
            draft.changed(standings.kind, lfdi)
        fresh = await standings.read(draft.connection, lfdis)
        draft.after.append(lambda: standings.take(fresh))

    async def bar(self, draft: Draft, lfdis: tuple[str, ...]) -> None:
        """Have identities be refused for good, and forget their EndDevices."""
        await hub_store.bar(draft.connection, lfdis)
        for lfdi in lfdis:
            await self.homes.retire(lfdi)

    async def bar_all(self, draft: Draft, hub: Hub) -> None:
        """Have all identities of a hub be refused for good."""
        await self.bar(draft, tuple(await hub_store.identities_of(draft.connection, (hub.id,))))


def change(
    hub: Hub, at: float, by: Actor, deed: Deed, step: tuple[str, str] = ("", ""), *, why: str = ""
) -> Change:
    """Return a line of a hub's history.

    Args:
        hub: Whose.
        at: When, epoch s.
        by: Who did it.
        deed: What.
        step: What was there before, and what is there since.
        why: The reason.
    """
    return Change(hub.id, at, by.name, by.role, deed, *step, why.strip(), hub.site)
