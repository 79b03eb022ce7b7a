"""Where notifications may go: pure rules against being used as someone's proxy (SSRF)."""

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from hems.headend.errors import RequestError

_MAX_URI = 255
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def check_destination(uri: str, peer: str | None, allowed: Iterable[str]) -> None:
    """Refuse a notificationURI that leads elsewhere than to the subscriber.

    Args:
        uri: As posted; must be an absolute https URI.
        peer: Address that the subscriber's connection comes from.
        allowed: Further host names, addresses or networks that the utility has configured.

    Raises:
        RequestError: The URI is not one to post to; the message says why.
    """
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError as error:
        raise RequestError(f"notificationURI: {uri[:80]!r} is not a URI: {error}") from error
    host = parts.hostname
    if len(uri) > _MAX_URI or parts.scheme.lower() != "https" or not host or port == 0:
        raise RequestError(f"notificationURI: {uri[:80]!r} is not an absolute https URI")
    if parts.username is not None or parts.fragment or not uri.isascii() or " " in uri:
        raise RequestError(f"notificationURI: {uri[:80]!r} has user, fragment or odd characters")
    address = _address(host)
    if address is None:
        # A name may lead anywhere tomorrow, so only those that the utility trusts are taken.
        if host.casefold() not in {name.casefold() for name in allowed}:
            raise RequestError(f"notificationURI: host {host!r} is not one that is allowed")
    elif address != _address(peer or "") and not _in_networks(address, allowed):
        raise RequestError(
            f"notificationURI: {host} is neither the subscriber's own address nor allowed"
        )


def _address(text: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(text.split("%", maxsplit=1)[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _in_networks(address: _Address, allowed: Iterable[str]) -> bool:
    for text in allowed:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            continue  # a host name
        if address in network:
            return True
    return False
