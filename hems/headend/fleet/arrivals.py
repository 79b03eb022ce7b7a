"""What the server itself does to hubs: identities given and renewed, and who has to stop."""

from collections.abc import Collection

from hems.headend.errors import ConflictError
from hems.headend.fleet import hub_store, lifecycle
from hems.headend.fleet.desk import HubDesk, change
from hems.headend.fleet.lifecycle import Evidence
from hems.headend.fleet.records import Actor, Deed, Hub, Role, State, hub_id

SERVER = Actor("server", Role.SYSTEM)


class Arrivals:
    """The server's own deeds.

    Args:
        desk: Where hubs are changed.
        strict: Whether every home is a hub of the fleet, so that hardware becomes one by enrolling.
    """

    def __init__(self, desk: HubDesk, *, strict: bool) -> None:
        self._desk = desk
        self._strict = strict

    async def check_enrols(self, kind: str, serial: str) -> None:
        """Check that hardware may be given an identity, before that is issued.

        Args:
            kind: hwType of the hardware.
            serial: Its hwSerialNum, hex.

        Raises:
            ForbiddenError: Its hub is retired, or of a make that is not admitted.
            BusyError: The database cannot serve.
        """
        name = hub_id(kind, serial.lower(), "")
        async with self._desk.database.reading() as connection:
            hub = await hub_store.find_hub(connection, name)
        if hub is None and self._strict:
            hub = Hub(name, State.MADE, 0.0, kind=kind, serial=serial.lower())
        if hub is not None:
            lifecycle.identify(hub, "", self._desk.now(), self._desk.policy, renewed=False)

    async def identified(self, kind: str, serial: str, lfdi: str) -> Hub | None:
        """Note that hardware was given its first identity, or one anew, by enrolment.

        A former identity of it is refused from now on. Told again it does nothing.

        Args:
            kind: hwType of the hardware.
            serial: Its hwSerialNum, hex.
            lfdi: The identity.

        Returns:
            The hub; None where the hardware is no hub's of ours and need not be.

        Raises:
            ForbiddenError: The hub is retired, or of a make that is not admitted.
            ConflictError: The identity is another hub's.
            BusyError: The database cannot take it.
        """
        desk, now = self._desk, self._desk.now()
        name = hub_id(kind, serial.lower(), lfdi)
        async with desk.database.changing() as draft:
            hub = await hub_store.find_hub(draft.connection, name)
            if (hub is None and not self._strict) or (hub is not None and hub.lfdi == lfdi):
                return hub
            await desk.check_free(draft, lfdi)
            deeds = []
            if hub is None:
                hub = Hub(name, State.MADE, now, kind=kind, serial=serial.lower())
                deeds.append(change(hub, now, SERVER, Deed.STATE, ("", State.MADE)))
            begun = lifecycle.identify(hub, lfdi, now, desk.policy, renewed=False)
            await desk.bar_all(draft, hub)
            await hub_store.add_identity(draft.connection, lfdi, hub.id)
            deeds.append(change(begun, now, SERVER, Deed.IDENTITY, (hub.lfdi, lfdi)))
            if begun.state is not hub.state:
                deeds.append(change(begun, now, SERVER, Deed.STATE, (hub.state, begun.state)))
            await desk.keep(draft, begun, *deeds)
        return begun

    async def renewed(self, old: str, new: str) -> Hub | None:
        """Note that an identity was renewed; both count until `superseded`.

        Returns:
            The hub; None where the old identity is no hub's of ours.

        Raises:
            ForbiddenError: The hub is retired.
            ConflictError: The new identity is another hub's.
            BusyError: The database cannot take it.
        """
        desk, now = self._desk, self._desk.now()
        async with desk.database.changing() as draft:
            owner = await hub_store.owner_of(draft.connection, old)
            if owner is None:
                return None
            hub = await desk.found(draft, owner)
            if hub.lfdi == new:
                return hub
            if await hub_store.owner_of(draft.connection, new) != hub.id:
                await desk.check_free(draft, new)
                await hub_store.add_identity(draft.connection, new, hub.id)
            after = lifecycle.identify(hub, new, now, desk.policy, renewed=True)
            await desk.keep(draft, after, change(after, now, SERVER, Deed.IDENTITY, (old, new)))
        return after

    async def superseded(self, old: str) -> None:
        """Refuse an identity from now on: its hub came in with the one that renewed it.

        Raises:
            ConflictError: It is the only one of its hub.
            BusyError: The database cannot take it.
        """
        desk = self._desk
        async with desk.database.changing() as draft:
            owner = await hub_store.owner_of(draft.connection, old)
            if owner is None:
                return
            hub = await desk.found(draft, owner)
            if hub.lfdi == old:
                raise ConflictError(f"hub {hub.id} has no other identity than {old}")
            await desk.bar(draft, (old,))
            deed = change(hub, desk.now(), SERVER, Deed.IDENTITY, (old, ""), why="superseded")
            await desk.keep(draft, hub, deed)

    async def stop(self, revoked: Collection[str] = ()) -> list[Hub]:
        """Quarantine who may not go on: a licence has ended, an identity was revoked.

        Call it every minute or so, and as soon as an identity is revoked.

        Args:
            revoked: Identities that were taken back.

        Returns:
            Who was quarantined.

        Raises:
            BusyError: The database cannot take it.
        """
        desk, done = self._desk, list[Hub]()
        now = desk.now()
        async with desk.database.reading() as connection:
            names = {hub.id for hub in await hub_store.licences_ended(connection, now)}
            for lfdi in revoked:
                owner = await hub_store.owner_of(connection, lfdi)
                names |= set() if owner is None else {owner}
        for name in sorted(names):
            async with desk.database.changing() as draft:
                hub = await desk.found(draft, name)
                gone = hub.lfdi in revoked or (bool(hub.lfdi) and desk.homes.revoked(hub.lfdi))
                why = lifecycle.must_stop(hub, now, desk.policy, revoked=gone)
                if why is None:
                    continue
                shown = Evidence(now, why, revoked=gone)
                stopped = lifecycle.move(hub, State.QUARANTINED, SERVER, shown, desk.policy)
                deed = change(stopped, now, SERVER, Deed.STATE, (hub.state, stopped.state), why=why)
                await desk.keep(draft, stopped, deed)
                done.append(stopped)
        return done
