"""Who asks at the operator's door, and as what. Frozen, no I/O."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from aiohttp import web

from hems.access.credential_rules import key
from hems.headend.fleet import records as fleet


class OperatorRole(StrEnum):
    """What somebody at the utility does; one person may have several."""

    DISPATCHER = "dispatcher"
    """Orders events, prices, messages and reservations, and confirms what others propose."""
    ENGINEER = "engineer"
    """Keeps homes, hubs, groups, programmes and identities."""
    AUDITOR = "auditor"
    """Sees everything, the trail too, and changes nothing."""
    ADMIN = "admin"
    """Says who is an operator."""


ANY: Final = frozenset(OperatorRole)
"""Whoever has any role."""


class Way(StrEnum):
    """How somebody got in."""

    SESSION = "session"
    TOKEN = "token"  # noqa: S105 - the name of a way
    MACHINE = "machine"
    TELECONTROL = "telecontrol"
    """A control centre, by its certificate or its line (IEC 60870-5-104)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody who asks.

    Attributes:
        name: By which the utility knows them.
        roles: Theirs.
        way: How they got in.
        csrf: What a page that is open in their browser shows with each change; empty but for
            sessions.
        until: When they have to log in again, epoch s; None for never.
    """

    name: str
    roles: frozenset[OperatorRole]
    way: Way
    csrf: str = ""
    until: float | None = None

    @property
    def person(self) -> str:
        """What tells people apart; empty for machines, which are nobody in particular."""
        return "" if self.way in {Way.MACHINE, Way.TELECONTROL} else key(self.name)

    @property
    def actor(self) -> fleet.Actor:
        """Who does something to the fleet."""
        for role in (OperatorRole.ENGINEER, OperatorRole.DISPATCHER):
            if role in self.roles:
                return fleet.Actor(self.name, _FLEET[role])
        return fleet.Actor(self.name, fleet.Role.AUDITOR)


MACHINE: Final = Identity("operator", ANY, Way.MACHINE)
"""Whoever holds the machine's own token: the commands at this machine."""

_FLEET: Final = {
    OperatorRole.ENGINEER: fleet.Role.ENGINEER,
    OperatorRole.DISPATCHER: fleet.Role.DISPATCHER,
}

IDENTITY: Final = web.RequestKey("operator", Identity)


def asker(request: web.Request) -> Identity:
    """Return who asks."""
    return request[IDENTITY]


def actor_of(request: web.Request) -> fleet.Actor:
    """Return who does something to the fleet."""
    return asker(request).actor
