"""How far an address is; pure: nobody is asked, a name is judged by how it is written."""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from hems.outward import Ring, ring_of_name
from hems.security.surface import Reach

_RINGS: Final = {
    Ring.MACHINE: Reach.MACHINE,
    Ring.HOME: Reach.HOME,
    Ring.INTERNET: Reach.BEYOND,
}


def host_of(url: str) -> str:
    """Return the host of an address of the web; empty where it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def reach_of(host: str) -> Reach:
    """Return how far a host is; what cannot be told is beyond the home."""
    name = host.strip("[]").rstrip(".").lower()
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return _RINGS[ring_of_name(name)]
    if address.is_loopback:
        return Reach.MACHINE
    near = address.is_private or address.is_link_local
    return Reach.HOME if near and not address.is_unspecified else Reach.BEYOND
