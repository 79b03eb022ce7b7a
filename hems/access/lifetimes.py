"""How long somebody stays logged in, by role. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hems.access.rights import Role

_HOUR_S: Final = 3600.0
_DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a session lasts, in s.

    Attributes:
        idle_s: Without being used.
        whole_s: At all.
    """

    idle_s: float
    whole_s: float


AT_HOME: Final = Lifetime(30 * _DAY_S, 180 * _DAY_S)
GUEST: Final = Lifetime(_HOUR_S, 12 * _HOUR_S)
LIFETIMES: Final[Mapping[Role, Lifetime]] = {
    Role.OWNER: AT_HOME,
    Role.HOUSEHOLD: AT_HOME,
    Role.INSTALLER: GUEST,
    Role.PROVIDER: GUEST,
    Role.AGGREGATOR: GUEST,
    Role.AUDITOR: GUEST,
}
"""Those who live here stay logged in on their phones; others do not on theirs."""
PROVED_S: Final = 300.0
"""So long after a password was typed, what is done counts as done by who knows it."""
TOUCH_S: Final = 300.0
"""How often the use of a session is written down: not at each request, to spare the disk."""


def ends_at(role: Role, made_at: float, seen_at: float, until: float | None) -> float:
    """Return when a session ends if nobody uses it any more.

    Args:
        role: Of the account.
        made_at: When it was logged in, UTC epoch seconds.
        seen_at: When it was last used, likewise.
        until: When the account ends, likewise; None for never.
    """
    lifetime = LIFETIMES[role]
    end = min(made_at + lifetime.whole_s, seen_at + lifetime.idle_s)
    return end if until is None else min(end, until)


def over(until: float | None, now: float) -> bool:
    """Return whether an account or a token has ended."""
    return until is not None and now >= until
