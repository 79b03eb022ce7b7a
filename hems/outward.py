"""Where the hub may call out to: one rule for each address that is given to it by somebody.

Addresses are given by browsers (push services), by the owner (webhook, prices, weather) and, in
redirects, by whoever answers there. None may make the hub knock at doors that its giver could not
reach: how near an address lies is its `Ring`, and nothing leads further in than what the owner
wrote. What a name resolves to is looked at each time it is used, for a name can be made to point
elsewhere later.
"""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import IntEnum
from typing import Final

import aiohttp
from aiohttp import DefaultResolver
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from der.sentence import say

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_THIS_NETWORK: Final = ipaddress.IPv4Network("0.0.0.0/8")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_OF_A_HOME: Final = (".local", ".lan", ".home", ".home.arpa", ".internal", ".fritz.box")
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class OutwardError(Exception):
    """An address where the hub does not ask; `str()` is one clause."""


class Ring(IntEnum):
    """How near an address lies, the nearest first."""

    MACHINE = 0
    HOME = 1
    INTERNET = 2


def ring_of_address(text: str) -> Ring | None:
    """Return how near an IP address lies.

    Args:
        text: As `ipaddress` reads it; a zone may stand behind it.

    Returns:
        None for what is no address, or one at which no server of anybody's is to be asked:
        link-local (where clouds tell their machines' credentials), multicast, unspecified.
    """
    try:
        return _ring(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return None


def _ring(address: _Address) -> Ring | None:
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return _ring(inner)
    elif address in _THIS_NETWORK:
        return None
    if address.is_loopback:
        return Ring.MACHINE
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return None
    if address.is_reserved:
        return None
    return Ring.INTERNET if address.is_global else Ring.HOME


def ring_of_name(name: str) -> Ring:
    """Return how near a host's name says that it lies; what it resolves to is another question."""
    name = name.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return Ring.MACHINE
    if name and ("." not in name or name.endswith(_OF_A_HOME)):
        return Ring.HOME
    return Ring.INTERNET


def ring_of_host(host: str) -> Ring | None:
    """Return how near a host of a URL lies, which is an address or a name; see both."""
    if not host:
        return None
    # So aiohttp tells addresses, which it resolves by itself ("127.1"), from names.
    if ":" in host or host.replace(".", "").isdigit():
        return ring_of_address(host)
    return ring_of_name(host)


def public(text: str) -> bool:
    """Return whether an IP address is one of the internet's."""
    return ring_of_address(text) is Ring.INTERNET


class RingResolver(AbstractResolver):
    """Resolves names to addresses that are no nearer than a ring.

    Args:
        nearest: The ring.
    """

    def __init__(self, nearest: Ring) -> None:
        self._nearest = nearest
        self._resolver = DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return a name's addresses, those that may be asked.

        Raises:
            OSError: It has none.
        """
        found = await self._resolver.resolve(host, port, family)
        kept = [each for each in found if _may(ring_of_address(each["host"]), self._nearest)]
        if not kept:
            where = "on the internet" if self._nearest is Ring.INTERNET else "that may be asked"
            raise OSError(None, f"{host} has no address {where}")
        return kept

    async def close(self) -> None:
        """Give back what it holds."""
        await self._resolver.close()


@asynccontextmanager
async def asking(
    url: str, *, within_s: float, most_redirects: int
) -> AsyncIterator[aiohttp.ClientResponse]:
    """Ask, by GET, at an address that the owner gave; redirects are followed, but none further in.

    An owner may name a server of the home, or of this machine, by its address or a name that says
    so. A name of the internet's that resolves into the home is none, and a server elsewhere cannot
    send the hub to one.

    Args:
        url: The address, http or https.
        within_s: Longest time for all that the context does.
        most_redirects: So many are followed.

    Yields:
        The answer that is no redirect, of any status.

    Raises:
        OutwardError: It is, or leads to, an address at which the hub does not ask.
        TimeoutError: It took longer.
        aiohttp.ClientError: No connection, or no answer of HTTP.
        OSError: The same.
    """
    at = URL(url)
    nearest = ring_of_host(at.host or "")
    if nearest is None:
        raise OutwardError(say("{host} is no address that is asked", host=at.host or ""))
    connector = aiohttp.TCPConnector(resolver=RingResolver(nearest))
    async with (
        asyncio.timeout(within_s),
        aiohttp.ClientSession(connector=connector, trust_env=False) as session,
    ):
        for _ in range(most_redirects + 1):
            async with session.get(at, allow_redirects=False) as response:
                place = response.headers.get("Location", "")
                if response.status not in _REDIRECTS or not place:
                    yield response
                    return
                at = _next(at, place, nearest)
        raise OutwardError(say("it leads on more than {most} times", most=most_redirects))


def _next(at: URL, place: str, nearest: Ring) -> URL:
    """Return where a redirect leads.

    Raises:
        OutwardError: Nowhere that may be asked.
    """
    try:
        to = at.join(URL(place))
    except ValueError as error:
        raise OutwardError(say("it leads to what is no address")) from error
    if to.scheme not in {"http", "https"} or not to.host:
        raise OutwardError(say("it leads to what is no address"))
    if at.scheme == "https" and to.scheme != "https":
        raise OutwardError(say("it leads from an encrypted connection to one that is not"))
    if not _may(ring_of_host(to.host), nearest):
        raise OutwardError(say("it leads into the home, to {host}", host=to.host))
    return to


def _may(ring: Ring | None, nearest: Ring) -> bool:
    return ring is not None and ring >= nearest
