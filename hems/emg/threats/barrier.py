"""Who may ask nothing of the hub for a while. Never the hub's own machine."""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from hems.emg.threats.origin import address_of, origin

WARNED_S: Final = 3600.0
"""Whoever is kept out by a warning is told to come again after so long."""

_MOST: Final = 256
_HERE: Final = tuple(ipaddress.ip_network(each) for each in ("127.0.0.0/8", "::1/128"))
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Barred:
    """A source that is kept out.

    Attributes:
        source: An address, or an IPv6 network.
        left_s: For how long still, s.
        why: What was found, in one sentence.
    """

    source: str
    left_s: float
    why: str = ""


class Barrier:
    """Sources that are kept out, each until its time.

    Args:
        own: Returns the addresses that are never kept out: the hub's own, and its utilities'.

    Attributes:
        changed: Told when others are kept out than before; must not block.
    """

    def __init__(self, own: Callable[[], Collection[str]] = tuple) -> None:
        self.changed: Callable[[], None] = lambda: None
        self._own = own
        self._until: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._warned: frozenset[_Network] = frozenset()

    @property
    def spared(self) -> Collection[str]:
        """The addresses that are never kept out now."""
        return self._own()

    def close(self, source: str, until: float, why: str = "") -> bool:
        """Keep a source out; returns whether it is one that may be.

        Args:
            source: An address, or an IPv6 network.
            until: Monotonic seconds.
            why: What was found, in one sentence.
        """
        source = origin(source)
        if not may_be_barred(source, self._own()):
            return False
        before, _ = self._until.pop(source, (until, ""))
        self._until[source] = max(until, before), why
        while len(self._until) > _MOST:
            self._until.popitem(last=False)
        self.changed()
        return True

    def lift(self, source: str) -> bool:
        """Keep a source out no longer; returns whether it was."""
        lifted = self._until.pop(origin(source), None) is not None
        if lifted:
            self.changed()
        return lifted

    def barred(self, now: float) -> Sequence[Barred]:
        """Return who is kept out because of what was found; `now` in monotonic seconds."""
        return [
            Barred(source, until - now, why)
            for source, (until, why) in self._until.items()
            if until > now
        ]

    def shut_off(self, networks: Collection[str]) -> None:
        """Keep out whoever is in these networks, as long as the service provider warns of them.

        Args:
            networks: All of them; a network that this machine is in is left out.
        """
        own = self._own()
        self._warned = frozenset(
            ipaddress.ip_network(each, strict=False)
            for each in networks
            if may_be_barred(each, own)
        )

    def wait_s(self, source: str, now: float) -> float:
        """Return for how long a source is still kept out, in s; 0 for not at all."""
        if any(_within(source, network) for network in self._warned):
            return WARNED_S
        until, _ = self._until.get(origin(source), (now, ""))
        return max(0.0, until - now)


def may_be_barred(source: str, own: Collection[str]) -> bool:
    """Return whether a source is an address, and neither this machine's nor a network it is in."""
    try:
        network = ipaddress.ip_network(source.partition("%")[0], strict=False)
    except ValueError:
        return False
    if network.is_unspecified or any(
        network.version == here.version and network.overlaps(here) for here in _HERE
    ):
        return False
    return not any(_within(address, network) for address in own)


def _within(text: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    address = address_of(text)
    return address is not None and address in network
