"""What a party may see and do beyond its role: for one purpose, until a day. Pure.

An installer, service provider or aggregator sees by its role how the home stands, no more. What is
private, and what moves devices or binds the home, takes the owner's consent: to one of them, for
one purpose, with an end, taken back at any time. No more than the purpose needs can be granted.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from der.sentence import say
from hems.access.errors import AccountError
from hems.access.rights import PARTIES, Right, Role

LONGEST_S: Final = 2 * 366 * 86_400.0
"""No consent lasts longer: it is asked for again."""


class ConsentPurpose(StrEnum):
    """What for."""

    ADVICE = "advice"
    """To advise on how energy is used."""
    SETTLEMENT = "settlement"
    """To settle what was delivered and used."""
    MAINTENANCE = "maintenance"
    """To find and mend faults."""
    ENERGY_MANAGEMENT = "energy-management"
    """To run the home's devices for the owner."""
    FLEXIBILITY = "flexibility"
    """To offer what the home can shift or feed in, in programmes."""


FITS: Final[Mapping[ConsentPurpose, frozenset[Right]]] = {
    ConsentPurpose.ADVICE: frozenset({Right.HISTORY}),
    ConsentPurpose.SETTLEMENT: frozenset({Right.HISTORY}),
    ConsentPurpose.MAINTENANCE: frozenset({Right.HISTORY, Right.STEER}),
    ConsentPurpose.ENERGY_MANAGEMENT: frozenset({Right.HISTORY, Right.STEER}),
    ConsentPurpose.FLEXIBILITY: frozenset({Right.HISTORY, Right.STEER, Right.AGREE}),
}
"""What each purpose may need at most."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What the owner granted to one account.

    Attributes:
        id: Given by the store; 0 before.
        person: Number of the account.
        name: What that was called then.
        purpose: What for.
        rights: What may be done beyond the role.
        granted_by: Who granted it.
        granted_at: UTC epoch seconds.
        until: When it ends, likewise.
        withdrawn_at: When it was taken back; None where it was not. It does not come to life
            again, whatever the clock says.
    """

    id: int
    person: int
    name: str
    purpose: ConsentPurpose
    rights: frozenset[Right]
    granted_by: str
    granted_at: float
    until: float
    withdrawn_at: float | None = None

    def holds(self, now: float) -> bool:
        """Return whether it holds at `now`, UTC epoch seconds."""
        return self.withdrawn_at is None and self.granted_at <= now < self.until


def check(
    role: Role, purpose: ConsentPurpose, rights: Iterable[Right], until: float, now: float
) -> frozenset[Right]:
    """Refuse a consent that cannot be; returns its rights.

    Args:
        role: Of whom it is for.
        purpose: What for.
        rights: What they may do.
        until: UTC epoch seconds.
        now: UTC epoch seconds.

    Raises:
        AccountError: It is for somebody who needs none, grants nothing or more than the purpose
            needs, or its end is over or too far off.
    """
    asked = frozenset(rights)
    if role not in PARTIES:
        raise AccountError(
            say("Consents are for installers, service providers and aggregators only.")
        )
    if not asked:
        raise AccountError(say("A consent names at least one thing that is allowed."))
    if not asked <= FITS[purpose]:
        raise AccountError(say("This purpose does not need all that."))
    if not (math.isfinite(until) and now < until):
        raise AccountError(say("A consent needs a day in the future on which it ends."))
    if until > now + LONGEST_S:
        raise AccountError(say("A consent lasts for two years at most; then ask for it again."))
    return asked


def added(consents: Iterable[Consent], person: int, now: float) -> tuple[tuple[Right, int], ...]:
    """Return what somebody may do by consents now, each right with the oldest one that says so."""
    found: dict[Right, int] = {}
    for each in consents:
        if each.person == person and each.holds(now):
            for right in each.rights:
                found[right] = min(each.id, found.get(right, each.id))
    return tuple((right, found[right]) for right in Right if right in found)
