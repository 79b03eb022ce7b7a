"""What goes with a hub and is changed by hand: licence, what it may be asked for, its site."""

from collections.abc import Callable
from dataclasses import replace

from hems.headend.errors import ConflictError
from hems.headend.fleet.desk import HubDesk, change
from hems.headend.fleet.places import check_engineer
from hems.headend.fleet.records import Actor, Deed, Hub, HubPolicy, Licence, State

_AT_HOME = frozenset({State.COMMISSIONED, State.OPERATING})


class Papers:
    """Changes of what goes with hubs.

    Each raises `UnknownItemError` where there is no such hub, `ForbiddenError` where he may not,
    `ConflictError` where it is retired, `BusyError` where the database cannot take it.

    Args:
        desk: Where they are changed.
    """

    def __init__(self, desk: HubDesk) -> None:
        self._desk = desk

    async def set_licence(self, name: str, licence: Licence | None, by: Actor, why: str) -> Hub:
        """Give a hub a licence, or take it; an operating one without any is soon quarantined."""
        return await self._edit(name, by, why, lambda hub: replace(hub, licence=licence), _licence)

    async def set_policy(self, name: str, policy: HubPolicy, by: Actor, why: str) -> Hub:
        """Say what a hub may be asked for."""
        return await self._edit(name, by, why, lambda hub: replace(hub, policy=policy), _policy)

    async def set_site(self, name: str, site: str, by: Actor, why: str) -> Hub:
        """Bring a hub to a site, or back to stock; not one that was commissioned where it is."""

        def moved(hub: Hub) -> Hub:
            if not _AT_HOME.isdisjoint({hub.state, hub.before}):
                raise ConflictError(
                    f"hub {hub.id} was commissioned at site {hub.site}; make it enrolled first"
                )
            return replace(hub, site=site)

        async with self._desk.database.changing() as draft:
            await self._desk.check_site(draft, site)
            return await self._edit(name, by, why, moved, _site)

    async def _edit(
        self,
        name: str,
        by: Actor,
        why: str,
        edit: Callable[[Hub], Hub],
        told: Callable[[Hub], tuple[Deed, str]],
    ) -> Hub:
        check_engineer(by, "change hubs")
        desk = self._desk
        async with desk.database.changing() as draft:
            hub = await desk.found(draft, name)
            if hub.state is State.RETIRED:
                raise ConflictError(f"hub {hub.id} is retired; it is not changed any more")
            edited = edit(hub)
            (deed, before), (_, after) = told(hub), told(edited)
            line = change(edited, desk.now(), by, deed, (before, after), why=why)
            await desk.keep(draft, edited, line)
        return edited


def _licence(hub: Hub) -> tuple[Deed, str]:
    licence = hub.licence
    if licence is None:
        return Deed.LICENCE, ""
    until = "" if licence.valid_until is None else f" until {licence.valid_until:.0f}"
    return Deed.LICENCE, f"{licence.number}{until}"


def _policy(hub: Hub) -> tuple[Deed, str]:
    most = hub.policy.largest_event_w
    words = "any event" if most is None else f"events up to {most} W"
    return Deed.POLICY, words if hub.policy.may_disconnect else f"{words}, no disconnection"


def _site(hub: Hub) -> tuple[Deed, str]:
    return Deed.SITE, hub.site
