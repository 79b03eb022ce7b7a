"""Whose word reaches which device (L1-OWNER): ownership is an attribute, and this is its rule.

| owned by | reached by | and so |
|---|---|---|
| the owner | every rank | |
| the service provider | safety, emergency, binding and accepted | its programmes use it before \
the owner's own devices; no wish of the owner, no economy and no idling moves it |
| others | safety and emergency | it counts as uncontrolled load, and in an emergency it yields \
after all that is the owner's |

The rule is applied twice: to wishes about one device, before they are arbitrated (`kept`), and to
limits of the whole home, where the allocator chooses who gives way to them (`weakest`). To stay in
when the owner leaves an event, a device of the service provider needs an EndDevice of its own at
the utility (a member in the configuration): its events bind.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from der.model import Control, DeviceSpec, DeviceState, Ownership
from programs.proposal import Proposal, Rank

_WEAKEST: Final[Mapping[Ownership, Rank]] = {
    Ownership.OWNER: Rank.IDLE,
    Ownership.SERVICE_PROVIDER: Rank.ACCEPTED,
    Ownership.OTHER: Rank.EMERGENCY,
}

MOST_ESSENTIAL: Final = 9
"""A load of this essentiality is not shed."""


def essential(spec: DeviceSpec) -> bool:
    """Return whether a load is never shed, but for the main breaker: a medical device."""
    load = spec.control in {Control.CEILING, Control.SWITCH}
    return load and (spec.keep or spec.essentiality >= MOST_ESSENTIAL)


def weakest(spec: DeviceSpec) -> Rank:
    """Return the weakest rank whose word reaches a device."""
    return Rank.SAFETY if essential(spec) else _WEAKEST[spec.ownership]


def reached(spec: DeviceSpec, rank: Rank) -> bool:
    """Return whether a word of some rank reaches a device."""
    return rank <= weakest(spec)


def kept(proposals: Iterable[Proposal], devices: Mapping[str, DeviceState]) -> tuple[Proposal, ...]:
    """Return the proposals without those that do not reach the device they are about.

    Args:
        proposals: From every programme.
        devices: The home's devices, by id.
    """
    return tuple(
        p for p in proposals if p.target not in devices or reached(devices[p.target].spec, p.rank)
    )


def all_of_provider(specs: Iterable[DeviceSpec]) -> bool:
    """Return whether there are devices and all are the service provider's."""
    found = {spec.ownership for spec in specs}
    return found == {Ownership.SERVICE_PROVIDER}
