"""The fleet put together: what workers hold of it, what the operator may do, what is kept up."""

from collections.abc import Callable
from dataclasses import dataclass

from hems.headend.book import Book
from hems.headend.db.database import Database
from hems.headend.fleet.access import ALL, Access
from hems.headend.fleet.arrivals import Arrivals
from hems.headend.fleet.desk import HubDesk
from hems.headend.fleet.door_hubs import HubDoor
from hems.headend.fleet.door_imports import ImportDoor
from hems.headend.fleet.door_places import PlaceDoor
from hems.headend.fleet.door_words import Who
from hems.headend.fleet.end_devices import EndDevices
from hems.headend.fleet.hubs import Hubs
from hems.headend.fleet.imports import Imports
from hems.headend.fleet.memory import FleetMemory
from hems.headend.fleet.papers import Papers
from hems.headend.fleet.places import GroupInUse, Places
from hems.headend.fleet.settings import FleetSettings
from hems.headend.modes import Edition


@dataclass(frozen=True, slots=True)
class Fleet:
    """All of it.

    Attributes:
        memory: Groups of homes and how identities stand, for each request and dispatch.
        places: Groups and sites.
        hubs: Hubs.
        arrivals: What enrolment and revocation tell it.
        doors: What the operator may do.
        strict: Whether homes that are no hub of the fleet are refused.
    """

    memory: FleetMemory
    places: Places
    hubs: Hubs
    arrivals: Arrivals
    doors: tuple[PlaceDoor, HubDoor, ImportDoor]
    strict: bool

    def access(self, lfdi: str, now: float) -> Access:
        """Return what an identity is served at an epoch time."""
        known = self.memory.access(lfdi, now)
        if known is not None:
            return known
        return Access.NOTHING if self.strict else ALL

    async def keep(self) -> None:
        """Quarantine whose licence has ended.

        Raises:
            BusyError: The database cannot serve now.
        """
        await self.arrivals.stop()


def assemble_fleet(
    database: Database,
    book: Book,
    now: Callable[[], float],
    settings: FleetSettings,
    edition: Edition,
    *,
    revoked: Callable[[str], bool],
    who: Who,
    used: GroupInUse | None = None,
) -> Fleet:
    """Put the fleet together; `Database.load` reads what is held of it, so call it before.

    Args:
        database: Where it is.
        book: The EndDevices.
        now: UTC epoch seconds.
        settings: What identities must show.
        edition: What homes speak of which nobody says it.
        revoked: Whether the certificate of an LFDI was taken back.
        who: Who asks at the operator's door, and as what.
        used: Says what keeps a group from being dropped.
    """
    policy, memory = settings.policy(), FleetMemory(database)
    homes = EndDevices(book, revoked)
    desk = HubDesk(database, memory, now, policy, homes)
    places, hubs = Places(database, memory, now, used), Hubs(desk)
    imports = Imports(database, memory, now, policy=policy, homes=homes, edition=edition)
    doors = (
        PlaceDoor(places, memory, who),
        HubDoor(hubs, Papers(desk), memory, who),
        ImportDoor(imports, who),
    )
    return Fleet(
        memory, places, hubs, Arrivals(desk, strict=settings.strict), doors, settings.strict
    )
