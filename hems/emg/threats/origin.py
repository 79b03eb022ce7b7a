"""By what attempts from an address are counted. Pure."""

import ipaddress
from typing import Final

_HOST_BITS: Final = 64
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def origin(address: str) -> str:
    """Return what attempts from an address are counted by: of IPv6 its network, not its device."""
    found = address_of(address)
    if found is None:
        return address
    if isinstance(found, ipaddress.IPv4Address) or found.is_loopback:
        return str(found)
    return str(ipaddress.ip_network((found, _HOST_BITS), strict=False))


def address_of(text: str) -> Address | None:
    """Return an IP address; one of IPv4 that is written as IPv6 is one of IPv4."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found
