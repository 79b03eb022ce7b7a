"""This machine's own addresses, as the system has them."""

import ifaddr

from der.discovery.subnet import Interface


def own_interfaces() -> tuple[Interface, ...]:
    """Return the IPv4 addresses of all network interfaces."""
    return tuple(
        Interface(adapter.nice_name, ip.ip, ip.network_prefix)
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
        if isinstance(ip.ip, str)
    )
