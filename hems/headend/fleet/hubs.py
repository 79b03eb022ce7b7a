"""What the operator does to hubs: judged by the life-cycle's rules, durable, with its history."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hems.headend.errors import ConflictError, UnknownItemError
from hems.headend.fleet import hub_store, lifecycle
from hems.headend.fleet.commissioning import accept
from hems.headend.fleet.desk import HubDesk, change
from hems.headend.fleet.hub_store import HubQuery
from hems.headend.fleet.lifecycle import Evidence
from hems.headend.fleet.places import check_engineer
from hems.headend.fleet.records import (
    Actor,
    Change,
    Commissioning,
    Deed,
    Hub,
    State,
    hub_id,
)
from hems.headend.fleet.replacement import take_place


@dataclass(frozen=True, slots=True)
class NewHub:
    """A hub that the operator enters.

    Attributes:
        kind: hwType of its maker's identity; empty where not known.
        serial: hwSerialNum in it, lower-case hex; empty where not known.
        lfdi: Its operational identity; empty while it has none.
        site: Id of its site; empty for in stock.
    """

    kind: str = ""
    serial: str = ""
    lfdi: str = ""
    site: str = ""


class Hubs:
    """All hubs, as the operator sees and changes them.

    Args:
        desk: Where they are changed.
    """

    def __init__(self, desk: HubDesk) -> None:
        self._desk = desk

    # Looking

    async def hub(self, name: str) -> Hub:
        """Return a hub by its id, or by an identity that it has or had.

        Raises:
            UnknownItemError: There is none.
        """
        async with self._desk.database.reading() as connection:
            found = await hub_store.find_hub(connection, name)
        if found is None:
            raise UnknownItemError(f"no hub {name[:80]!r}")
        return found

    async def hubs(self, wanted: HubQuery) -> Sequence[Hub]:
        """Return hubs by id."""
        async with self._desk.database.reading() as connection:
            return await hub_store.list_hubs(connection, wanted)

    async def counts(self) -> dict[State, int]:
        """Return how many hubs there are of each state."""
        async with self._desk.database.reading() as connection:
            found = await hub_store.count_by_state(connection)
        return {state: found.get(state, 0) for state in State}

    async def tests(self, name: str) -> Sequence[Commissioning]:
        """Return the commissioning tests of a hub, latest first.

        Raises:
            UnknownItemError: There is no such hub.
        """
        hub = await self.hub(name)
        async with self._desk.database.reading() as connection:
            return await hub_store.commissionings_of(connection, hub.id)

    async def history(self, name: str, before: int | None, limit: int) -> Sequence[Change]:
        """Return the history of a hub and of all whose place it took, latest first.

        Raises:
            UnknownItemError: There is no such hub.
        """
        hub: Hub | None = await self.hub(name)
        line: list[str] = []
        async with self._desk.database.reading() as connection:
            while hub is not None:
                line.append(hub.id)
                former = hub.replaces
                hub = await hub_store.find_hub(connection, former) if former else None
            return await hub_store.history_of(connection, line, before, limit)

    # Changing

    async def enter(self, new: NewHub, by: Actor) -> Hub:
        """Enter a hub: made, or enrolled where it has an identity of ours already.

        Raises:
            ForbiddenError: He may not, or its make is not admitted.
            ConflictError: It, or its identity, is known.
            UnknownItemError: There is no such site.
            BusyError: The database cannot take it.
        """
        check_engineer(by, "enter hubs")
        desk, now = self._desk, self._desk.now()
        name = hub_id(new.kind, new.serial, new.lfdi)
        async with desk.database.changing() as draft:
            if await hub_store.find_hub(draft.connection, name) is not None:
                raise ConflictError(f"hub {name} is known already")
            await desk.check_site(draft, new.site)
            hub = Hub(name, State.MADE, now, kind=new.kind, serial=new.serial, site=new.site)
            deeds = [change(hub, now, by, Deed.STATE, ("", State.MADE))]
            if new.lfdi:
                await desk.check_free(draft, new.lfdi)
                hub = lifecycle.identify(hub, new.lfdi, now, desk.policy, renewed=False)
                await hub_store.add_identity(draft.connection, new.lfdi, hub.id)
                deeds.append(change(hub, now, by, Deed.IDENTITY, ("", new.lfdi)))
                deeds.append(change(hub, now, by, Deed.STATE, (State.MADE, hub.state)))
            await desk.keep(draft, hub, *deeds)
        return hub

    async def move(self, name: str, to: State, by: Actor, reason: str = "") -> Hub:
        """Take a hub to another state.

        Raises:
            UnknownItemError: There is no such hub.
            ForbiddenError: He may not.
            ConflictError: There is no such way, or something that it needs is not shown.
            BusyError: The database cannot take it.
        """
        desk = self._desk
        async with desk.database.changing() as draft:
            hub = await desk.found(draft, name)
            tests = await hub_store.commissionings_of(draft.connection, hub.id)
            shown = Evidence(
                desk.now(),
                reason,
                tests[0] if tests else None,
                bool(hub.lfdi) and desk.homes.revoked(hub.lfdi),
            )
            moved = lifecycle.move(hub, to, by, shown, desk.policy)
            if to is State.RETIRED:
                await desk.bar_all(draft, hub)
            deed = change(moved, shown.now, by, Deed.STATE, (hub.state, to), why=reason)
            await desk.keep(draft, moved, deed)
        return moved

    async def open_test(self, name: str, by: Actor, lasting_s: float) -> Hub:
        """Serve an enrolled hub for its test for a while; 0 s ends that.

        Raises:
            UnknownItemError: There is no such hub.
            ForbiddenError: He may not.
            ConflictError: It is not to be tested, or not for so long.
            BusyError: The database cannot take it.
        """
        desk = self._desk
        async with desk.database.changing() as draft:
            hub, now = await desk.found(draft, name), desk.now()
            opened = lifecycle.open_test(hub, by, now, lasting_s, desk.policy)
            deed = change(opened, now, by, Deed.TEST_WINDOW, ("", f"{lasting_s:g} s"))
            await desk.keep(draft, opened, deed)
        return opened

    async def commission(self, name: str, record: Commissioning, by: Actor) -> Commissioning:
        """Keep the record of a test, passed or not; the state stays as it is.

        Args:
            name: Of the hub.
            record: As entered; its id, hub, identity, site, seal and who entered it are set here.
            by: Who enters it.

        Raises:
            UnknownItemError: There is no such hub.
            ForbiddenError: He may not.
            DispatchError: It is no record of a witnessed test.
            BusyError: The database cannot take it.
        """
        check_engineer(by, "enter tests")
        desk = self._desk
        async with desk.database.changing() as draft:
            hub, now = await desk.found(draft, name), desk.now()
            made = replace(record, id=secrets.token_hex(8), entered_by=by.name, entered_at=now)
            kept = accept(made, hub, desk.policy)
            await hub_store.add_commissioning(draft.connection, kept)
            outcome = "passed" if kept.passed else "not passed"
            words = f"{outcome}, record {kept.id}"
            await desk.keep(draft, hub, change(hub, now, by, Deed.COMMISSIONING, ("", words)))
        return kept

    async def replace(self, name: str, new: str, by: Actor, reason: str) -> tuple[Hub, Hub]:
        """Have a new hub take an old one's place; the old identity is refused from now on.

        Returns:
            The old hub, retired, and the new one.

        Raises:
            UnknownItemError: There is no such hub.
            ForbiddenError: He may not.
            ConflictError: One of them cannot take part in it.
            BusyError: The database cannot take it.
        """
        desk = self._desk
        async with desk.database.changing() as draft:
            now, old = desk.now(), await desk.found(draft, name)
            gone, come = take_place(old, await desk.found(draft, new), by, now, reason)
            await desk.bar_all(draft, old)
            await desk.keep(
                draft,
                gone,
                change(gone, now, by, Deed.REPLACED, ("", come.id), why=reason),
                change(gone, now, by, Deed.STATE, (old.state, gone.state), why=reason),
            )
            await desk.keep(
                draft, come, change(come, now, by, Deed.REPLACES, (gone.id, ""), why=reason)
            )
        return gone, come
