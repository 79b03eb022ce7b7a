"""The one set of rules on identities for all profiles, and what contracts bound; pure."""

from dataclasses import dataclass
from typing import Final

from hems.headend.fleet.records import HubPolicy

CHECKS: Final = ("identity", "registration", "event", "readings", "limits", "safe-state")
"""Checks of a commissioning test: it showed its own certificate, its PIN is the one we know, it
carried out a test event and answered it, its readings arrive, its limits hold, and cut off from
us it fell back to its defaults."""

_DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class IdentityPolicy:
    """What identities must show, whichever profile their hubs speak.

    Attributes:
        makes: hwTypes that may be enrolled; empty for any.
        checks: What a commissioning test must have tested at least.
        test_valid_s: How long a passed test counts until the hub is commissioned by it.
        licence_needed: Whether a hub may operate only with a licence that holds.
        test_window_s: How long an enrolled hub may be served for its test, at most.
    """

    makes: frozenset[str] = frozenset()
    checks: tuple[str, ...] = CHECKS
    test_valid_s: float = 90 * _DAY_S
    licence_needed: bool = True
    test_window_s: float = _DAY_S

    def admits(self, kind: str) -> bool:
        """Whether hubs of a make may be enrolled; `kind` is empty where it is not known."""
        return not self.makes or kind in self.makes


def bars_event(policy: HubPolicy, change_w: float, *, disconnects: bool) -> str | None:
    """Return why a hub must not be asked for an event; None where it may be.

    Args:
        policy: What its contract says.
        change_w: How much power the event would have it change, W, either sign.
        disconnects: Whether the event asks it to leave the grid.
    """
    if disconnects and not policy.may_disconnect:
        return "its contract does not let it be disconnected"
    most = policy.largest_event_w
    if most is not None and abs(change_w) > most:
        return f"its contract lets it be asked for {most} W at most, not {abs(change_w):.0f} W"
    return None
