"""Which addresses may be asked: the home's own networks, never more of one than a /24. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Final

from der.sentence import say

WIDEST: Final = 24
"""Of a larger network only the part around us is asked: a home has no thousand devices."""
_POINT_TO_POINT: Final = 31


@dataclass(frozen=True, slots=True)
class Interface:
    """One of this machine's addresses.

    Attributes:
        name: Of the network interface.
        address: IPv4 address in dots.
        prefix: Length of its network's prefix.
    """

    name: str
    address: str
    prefix: int


@dataclass(frozen=True, slots=True)
class Targets:
    """Whom a sweep may ask.

    Attributes:
        addresses: Each once, in order.
        said: What was left out and why, one sentence each.
    """

    addresses: tuple[str, ...]
    said: tuple[str, ...] = ()


def targets(interfaces: Iterable[Interface]) -> Targets:
    """Return the hosts of our own local networks, without ourselves."""
    said: list[str] = []
    networks: list[IPv4Network] = []
    own: set[IPv4Address] = set()
    for each in interfaces:
        here = IPv4Interface(f"{each.address}/{each.prefix}")
        own.add(here.ip)
        if here.ip.is_loopback:
            continue
        if not local(here.ip):
            said.append(
                say(
                    "{name}: {address} is not a home's own address; not swept",
                    name=each.name,
                    address=str(here.ip),
                )
            )
        elif each.prefix >= _POINT_TO_POINT:
            said.append(
                say(
                    "{name}: {address} is a tunnel, no network; not swept",
                    name=each.name,
                    address=here.with_prefixlen,
                )
            )
        elif each.prefix < WIDEST:
            part = IPv4Network(f"{here.ip}/{WIDEST}", strict=False)
            said.append(
                say(
                    "{name}: of {network} only {part} is swept, the part around us",
                    name=each.name,
                    network=str(here.network),
                    part=str(part),
                )
            )
            networks.append(part)
        else:
            networks.append(here.network)
    hosts = {host for network in networks for host in network.hosts()} - own
    return Targets(tuple(str(host) for host in sorted(hosts)), tuple(said))


def local(address: IPv4Address) -> bool:
    """Whether an address is of a private network (RFC 1918) or link-local (RFC 3927)."""
    return any(address in network for network in _LOCAL)


_LOCAL: Final = tuple(
    IPv4Network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16")
)


def refusal(address: str, interfaces: Sequence[Interface]) -> str | None:
    """Return why a single address may not be asked; None if it may.

    Loopback may: it is this machine, where gateways to serial lines run. So may any host of a
    network that we are in; nothing behind a router.
    """
    try:
        ip = IPv4Address(address)
    except ValueError:
        return f"{address!r} is not an IPv4 address"
    if ip.is_loopback:
        return None
    for each in interfaces:
        here = IPv4Interface(f"{each.address}/{each.prefix}")
        if ip in here.network and local(here.ip) and local(ip):
            return None
    return f"{address} is not in a local network of this machine; it is not asked"
