"""The hub's name on the home's network: multicast DNS (RFC 6762) and DNS-SD (RFC 6763)."""

import ipaddress
import logging
from collections.abc import Sequence
from typing import Final

from zeroconf import (  # type: ignore[attr-defined] # public, but not in its __all__
    AddressResolver,
    DNSAddress,
    DNSQuestionType,
    IPVersion,
    NonUniqueNameException,
    ServiceInfo,
)
from zeroconf.asyncio import AsyncZeroconf

from hems.lan.names import DOMAIN, MOST, instance, keeps, label

_log = logging.getLogger(__name__)

SERVICE: Final = "_https._tcp.local."
_PROBE_MS: Final = 2500
"""So long a machine that has the name is given to say so: it may not say it twice a second."""


class Announcer:
    """Answers for the hub's name as long as it is not closed.

    Args:
        title: What DNS-SD browsers show.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._zeroconf: AsyncZeroconf | None = None
        self._info: ServiceInfo | None = None
        self._addresses: tuple[str, ...] = ()
        self.taken = ""
        """The label that the hub has on the network; empty while it has none."""

    async def follow(self, addresses: Sequence[str], port: int) -> bool:
        """Answer for a name with these addresses; take another name where ours is another's.

        Args:
            addresses: The machine's IP addresses on the network; none ends the answering.
            port: Where the page is served.

        Returns:
            Whether name or addresses have changed.
        """
        if tuple(addresses) == self._addresses and not self._lost():
            return False
        await self.close()
        if not addresses:
            return True
        try:
            zeroconf = _open(addresses)
        except OSError as error:
            _log.warning("no multicast on %s: %s", ", ".join(addresses), error)
            return True
        self._zeroconf, self._addresses = zeroconf, tuple(addresses)
        for number in range(1, MOST + 1):
            if await self._take(zeroconf, label(number), port):
                return True
        _log.warning("all names from %s to %s are others' on this network", label(1), label(MOST))
        return True

    async def close(self) -> None:
        """Say goodbye to the network, and answer no more."""
        zeroconf, info = self._zeroconf, self._info
        self._zeroconf, self._info, self._addresses, self.taken = None, None, (), ""
        if zeroconf is None:
            return
        try:
            if info is not None:
                await (await zeroconf.async_unregister_service(info))
        finally:
            await zeroconf.async_close()

    async def _take(self, zeroconf: AsyncZeroconf, name: str, port: int) -> bool:
        """Take a name that nobody else answers for."""
        host = f"{name}.{DOMAIN}."
        resolver = AddressResolver(host)
        # Answers to all, for those to us alone may reach another responder of this machine.
        await resolver.async_request(zeroconf.zeroconf, _PROBE_MS, DNSQuestionType.QM)
        if set(resolver.parsed_addresses()) - set(self._addresses):
            _log.info("%s is another machine's on this network", host)
            return False
        info = ServiceInfo(
            SERVICE,
            f"{instance(self._title, name)}.{SERVICE}",
            parsed_addresses=list(self._addresses),
            port=port,
            properties={"path": "/"},
            server=host,
        )
        try:
            await (await zeroconf.async_register_service(info))
        except NonUniqueNameException:
            return False
        self._info, self.taken = info, name
        _log.info("the page is %s on this network", host)
        return True

    def _lost(self) -> bool:
        """Whether another machine answers for our name, and it is we who go."""
        if self._zeroconf is None or not self.taken:
            return False
        entries = self._zeroconf.zeroconf.cache.entries_with_name(f"{self.taken}.{DOMAIN}.")
        heard = {
            str(ipaddress.ip_address(record.address))
            for record in entries
            if isinstance(record, DNSAddress)
        }
        return not keeps(self._addresses, heard - set(self._addresses))


def _open(addresses: Sequence[str]) -> AsyncZeroconf:
    """Open multicast sockets on the interfaces of these addresses; IPv4's, where there is one.

    Both kinds of address are told over either.
    """
    v4 = [text for text in addresses if ipaddress.ip_address(text).version == 4]  # noqa: PLR2004
    if v4:
        return AsyncZeroconf(interfaces=v4, ip_version=IPVersion.V4Only)
    return AsyncZeroconf(interfaces=list(addresses), ip_version=IPVersion.V6Only)
