"""Which addresses this machine has on the home's network."""

import ipaddress
from collections.abc import Iterable
from typing import Final

import ifaddr

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_INNER: Final = ("docker", "br-", "veth", "virbr", "lxc", "lxd", "cni", "podman", "zt", "vnet")
"""Interfaces of containers and virtual machines: no phone of the house reaches an address there."""


def own_addresses(host: str) -> tuple[str, ...]:
    """Return the addresses at which a server that listens on `host` is reached from outside.

    Args:
        host: One address, or an unspecified one ("0.0.0.0" for IPv4, "::" for both families).
    """
    try:
        listened = ipaddress.ip_address(host)
    except ValueError:
        return ()
    if not listened.is_unspecified:
        return (str(listened),)
    found = (
        (adapter.nice_name, ip.ip if isinstance(ip.ip, str) else ip.ip[0])
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
    )
    return reachable(found, with_v6=listened.version == 6)  # noqa: PLR2004 - IPv6


def reachable(found: Iterable[tuple[str, str]], *, with_v6: bool) -> tuple[str, ...]:
    """Return which of a machine's addresses the home's network reaches, in order and once each.

    Args:
        found: Names of interfaces, and an address of each.
        with_v6: Whether IPv6 is served.
    """
    kept: dict[Address, None] = {}
    for interface, text in found:
        address = ipaddress.ip_address(text.partition("%")[0])
        inner = interface.startswith(_INNER)
        # A link-local IPv6 address means nothing without the interface of who asks.
        useless = address.is_loopback or address.is_multicast or address.is_link_local
        if not inner and not useless and (with_v6 or isinstance(address, ipaddress.IPv4Address)):
            kept[address] = None
    return tuple(sorted(map(str, kept), key=_order))


def _order(text: str) -> tuple[int, int]:
    address = ipaddress.ip_address(text)
    return address.version, int(address)
