"""Whom an event does not reach although it is for them: by contract, or by how the hub stands.

A contract is looked at whenever a home sees its events, so that one that changes, or a home that
comes into a group later, is judged as it is then. How a hub stands keeps events from it at the edge
already (`hems.headend.fleet.access`); here it is said.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from hems.headend.fleet.access import Access
from hems.headend.fleet.memory import FleetMemory
from hems.headend.fleet.policy import bars_event
from hems.headend.fleet.records import HubPolicy
from hems.headend.modes import Mode, Value
from hems.headend.orders.size import size_of
from hems.headend.records import Event, Home

_ANY = HubPolicy()


@dataclass(frozen=True, slots=True)
class Barring:
    """Homes that an event does not reach.

    Attributes:
        why: The reason, as the operator is told.
        homes: How many there are.
    """

    why: str
    homes: int


class Contracts:
    """What contracts let homes be asked for, and which hubs take part.

    Args:
        fleet: Their hubs.
        access: What an identity is served now.
    """

    def __init__(self, fleet: FleetMemory, access: Callable[[str], Access]) -> None:
        self._fleet = fleet
        self._access = access

    def bars(self, event: Event, lfdi: str) -> bool:
        """Return whether a home's contract keeps an event from it."""
        policy = self._policy(lfdi)
        return policy is not None and _reason(policy, event.values, event.duration_s) is not None

    def limited(self, lfdi: str) -> bool:
        """Return whether a home's contract keeps anything from it at all."""
        return self._policy(lfdi) is not None

    def largest_w(self, lfdi: str) -> int | None:
        """Return by how much an event may change a home's power, W; None for any."""
        policy = self._policy(lfdi)
        return None if policy is None else policy.largest_event_w

    def special(self, lfdi: str) -> bool:
        """Return whether there is anything that does not reach a home at present."""
        return self.limited(lfdi) or Access.EVENTS not in self._access(lfdi)

    def barred(
        self, values: Mapping[Mode, Value], duration_s: float, homes: Iterable[Home]
    ) -> Mapping[str, str]:
        """Return whom an order does not reach, by LFDI, and why."""
        found: dict[str, str] = {}
        for home in homes:
            why = self._why(values, duration_s, home.lfdi)
            if why is not None:
                found[home.lfdi] = why
        return found

    def _why(self, values: Mapping[Mode, Value], duration_s: float, lfdi: str) -> str | None:
        standing = self._fleet.standing(lfdi)
        if Access.EVENTS not in self._access(lfdi):
            state = "no hub of the fleet" if standing is None else standing.state.value
            return f"its hub takes no part: {state}"
        policy = self._policy(lfdi)
        return None if policy is None else _reason(policy, values, duration_s)

    def _policy(self, lfdi: str) -> HubPolicy | None:
        standing = self._fleet.standing(lfdi)
        return None if standing is None or standing.policy == _ANY else standing.policy


def counted(barred: Mapping[str, str]) -> Sequence[Barring]:
    """Return how many homes an order does not reach, by reason, the most frequent first."""
    return [Barring(why, homes) for why, homes in Counter(barred.values()).most_common()]


def _reason(policy: HubPolicy, values: Mapping[Mode, Value], duration_s: float) -> str | None:
    size = size_of(values, duration_s, 0.0)
    return bars_event(policy, size.asked_w, disconnects=size.disconnects)
