"""DNS-SD: the server announces itself as `_smartenergy._tcp` (IEEE 2030.5 clause 7)."""

import ipaddress
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from zeroconf import IPVersion, NonUniqueNameException, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from hems.headend import hrefs
from hems.headend.errors import SettingsError
from hems.headend.records import Edition

SERVICE = "_smartenergy._tcp.local."

LEVELS: Mapping[Edition, str] = {
    Edition.Y2018: "-S1",
    Edition.CSIP: "-S1",
    Edition.CSIP_AUS: "+S1",
    Edition.Y2023: "-S2",
}
"""Schema level told in TXT; + says that extensions are used."""


@asynccontextmanager
async def announced(host: str, port: int, instance: str, edition: Edition) -> AsyncIterator[None]:
    """Announce the server for as long as the block runs, on the interface of `host` only.

    Args:
        host: IP address the server listens on; a loopback address is announced to this machine.
        port: Its port.
        instance: Name of the instance.
        edition: Whose level is told.

    Raises:
        SettingsError: `host` is not one address, multicast is not possible, or another server
            has this name.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError as error:
        raise SettingsError(f"advertise: host {host!r} is not an IP address") from error
    if address.is_unspecified:
        raise SettingsError(f"advertise: host {host} names no one interface to announce")
    info = ServiceInfo(
        SERVICE,
        f"{instance}.{SERVICE}",
        parsed_addresses=[host],
        port=port,
        properties={
            "txtvers": "1",
            "dcap": hrefs.DCAP,
            "path": hrefs.DCAP,
            "https": str(port),
            "level": LEVELS[edition],
        },
        server=f"{instance}.local.",
    )
    version = IPVersion.V4Only if address.version == 4 else IPVersion.V6Only  # noqa: PLR2004
    try:
        zeroconf = AsyncZeroconf(interfaces=[host], ip_version=version)
    except OSError as error:
        raise SettingsError(f"advertise: no multicast on {host}: {error}") from error
    try:
        try:
            await (await zeroconf.async_register_service(info))
        except NonUniqueNameException as error:
            raise SettingsError(f"advertise: another server is called {instance!r}") from error
        yield
        await (await zeroconf.async_unregister_service(info))
    finally:
        await zeroconf.async_close()
