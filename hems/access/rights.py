"""Roles of people and parties, and what each may do: one table, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Right(StrEnum):
    """What can be allowed or not; every operation of the API needs one."""

    ANYBODY = "anybody"
    """What is said to whoever asks: that the hub is there, and how to log in."""
    SEE = "see"
    """The home as it is now, and its devices."""
    HISTORY = "history"
    """What was measured, and what it cost."""
    STEER = "steer"
    """Wishes about devices and cars, the plan that follows, taking part in events, messages."""
    AGREE = "agree"
    """Joining and leaving programmes; what is agreed with utility and aggregator."""
    GRANT = "grant"
    """Who else may see what the home measures."""
    SET_UP = "set up"
    """Devices, settings, enrolment, updates."""
    AUDIT = "audit"
    """Logs of what was done and seen, accounts of people as a list."""
    OWN = "own"
    """Accounts and roles, backup, restore, wiping."""


class Role(StrEnum):
    """In what capacity somebody asks."""

    OWNER = "owner"
    HOUSEHOLD = "household"
    INSTALLER = "installer"
    PROVIDER = "provider"
    AGGREGATOR = "aggregator"
    AUDITOR = "auditor"


RIGHTS: Final[Mapping[Role, frozenset[Right]]] = {
    Role.OWNER: frozenset(Right),
    Role.HOUSEHOLD: frozenset({Right.ANYBODY, Right.SEE, Right.HISTORY, Right.STEER}),
    Role.INSTALLER: frozenset({Right.ANYBODY, Right.SEE, Right.SET_UP}),
    Role.PROVIDER: frozenset({Right.ANYBODY, Right.SEE, Right.SET_UP}),
    Role.AGGREGATOR: frozenset({Right.ANYBODY, Right.SEE}),
    Role.AUDITOR: frozenset({Right.ANYBODY, Right.SEE, Right.AUDIT}),
}
"""What each role may do; whatever is private needs a role that somebody was given by the owner."""


AT_HOME: Final = frozenset({Role.OWNER, Role.HOUSEHOLD})
"""Roles of those who live here; whatever others look at is private to these."""
PARTIES: Final = frozenset({Role.INSTALLER, Role.PROVIDER, Role.AGGREGATOR})
"""Roles of those who do not live here: their accounts end, and consents may add to their rights."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who asks.

    Attributes:
        name: By which the home knows them; goes into logs and records.
        role: In what capacity.
        rights: What they may do, where that is not just what their role may.
        by_consent: Rights of these that the owner added to the role's, and the number of the
            consent that each comes from.
    """

    name: str
    role: Role
    rights: frozenset[Right] | None = None
    by_consent: tuple[tuple[Right, int], ...] = ()

    @property
    def all_rights(self) -> frozenset[Right]:
        """All that they may do."""
        return RIGHTS[self.role] if self.rights is None else self.rights

    def may(self, right: Right) -> bool:
        """Return whether they may."""
        return right in self.all_rights

    def consent_for(self, right: Right) -> int | None:
        """Return the consent by which they have a right; None if it is their role's."""
        return next((number for each, number in self.by_consent if each is right), None)


HERE: Final = Who("this machine", Role.OWNER)
"""Whoever asks from the hub's own machine while no account has been made."""
