"""Who has called the central system without being known to it; for finding new chargers."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

MOST_CALLERS: Final = 64
_LONGEST_IDENTITY: Final = 48
"""OCPP 2.0.1 part 4, clause 3.1.1."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A charger that called in under an identity that no device has.

    Attributes:
        identity: As it called itself.
        remote: Its IP address.
        subprotocol: The newest version of OCPP that it offered, "" if none that we know.
        at: When it called last, UTC epoch seconds.
    """

    identity: str
    remote: str
    subprotocol: str
    at: float


class Callers:
    """Remembers the last callers, one for each identity; the longest silent are forgotten."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Caller] = OrderedDict()

    def note(self, caller: Caller) -> bool:
        """Remember a caller; returns whether it is news and sensible."""
        if not (caller.identity.isprintable() and 0 < len(caller.identity) <= _LONGEST_IDENTITY):
            return False
        before = self._known.pop(caller.identity, None)
        self._known[caller.identity] = caller
        if len(self._known) > MOST_CALLERS:
            self._known.popitem(last=False)
        return before is None or before.remote != caller.remote

    def forget(self, identity: str) -> None:
        """Forget one that is known from now on."""
        self._known.pop(identity, None)

    def all(self) -> tuple[Caller, ...]:
        """Return those remembered, the latest last."""
        return tuple(self._known.values())
