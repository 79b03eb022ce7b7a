"""Push services' addresses: given by browsers, so no way into the home's own network.

What a browser says is checked when it says it; what its name resolves to is checked each time it
is used (a name can be made to point elsewhere later).
"""

import ipaddress
import socket
from typing import Final
from urllib.parse import urlsplit

from aiohttp import DefaultResolver
from aiohttp.abc import AbstractResolver, ResolveResult

from der.sentence import say
from hems.push.errors import BadSubscriptionError

_LONGEST: Final = 1024
_HTTPS: Final = 443


def check_endpoint(endpoint: str, *, private: bool = False) -> None:
    """Check where a browser wants its messages sent.

    Args:
        endpoint: The address, a URL.
        private: Whether private addresses and other ports are taken.

    Raises:
        BadSubscriptionError: It is no https address of a push service.
    """
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if len(endpoint) > _LONGEST or not endpoint.isascii() or not endpoint.isprintable():
        raise BadSubscriptionError(say("The push service's address is too long or not plain text."))
    if parts.scheme != "https" or not host or parts.username is not None or parts.fragment:
        raise BadSubscriptionError(say("The push service's address is no plain https address."))
    if private:
        return
    if port not in {None, _HTTPS}:
        raise BadSubscriptionError(say("A push service answers at port 443 only."))
    if not (_named(host) if _address(host) is None else public(host)):
        raise BadSubscriptionError(say("The push service's address is not on the internet."))


def public(text: str) -> bool:
    """Return whether an IP address is one of the internet's."""
    address = _address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is not None or address in _NAT64:
            return public(str(inner)) if inner is not None else _nat64_public(address)
    return address is not None and address.is_global and not address.is_multicast


def _named(host: str) -> bool:
    """Return whether it is a name of the internet's, and none of the older ways to write IPv4."""
    label = host.rstrip(".").rpartition(".")[2]
    return "." in host.rstrip(".") and not label.isdigit() and not label.startswith("0x")


_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


def _nat64_public(address: ipaddress.IPv6Address) -> bool:
    return public(str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)))


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


class PublicResolver(AbstractResolver):
    """Resolves names to addresses of the internet, and to nothing else."""

    def __init__(self) -> None:
        self._resolver = DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return a name's public addresses.

        Raises:
            OSError: It has none.
        """
        found = await self._resolver.resolve(host, port, family)
        kept = [each for each in found if public(each["host"])]
        if not kept:
            raise OSError(None, f"{host} has no address on the internet")
        return kept

    async def close(self) -> None:
        """Give back what it holds."""
        await self._resolver.close()
