"""Finding the utility's server by DNS-SD: `_smartenergy._tcp` on the local link."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from zeroconf import ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from hems.sep2.errors import MalformedError

SERVICE_TYPE: Final = "_smartenergy._tcp.local."
_RESOLVE_S: Final = 3.0
_HTTPS_PORT: Final = 443


@dataclass(frozen=True, slots=True)
class Found:
    """A server that announced itself.

    Attributes:
        name: Its instance name.
        base: Its origin, such as "https://192.0.2.7:8443".
        dcap: Where its DeviceCapability is.
        level: Extensibility level it announces, such as "-S1"; empty if none.
    """

    name: str
    base: str
    dcap: str
    level: str = ""


def parse_txt(name: str, address: str, port: int, txt: Mapping[str, str | None]) -> Found:
    """Return the server that an announcement speaks of.

    Args:
        name: Instance name.
        address: IP address it resolved to.
        port: Port of its SRV record.
        txt: Its TXT record: `dcap` the path, `https` present for TLS, with a port of its own or
            none; `level`.

    Raises:
        MalformedError: It names no DeviceCapability, or an https port that is none.
    """
    dcap = txt.get("dcap")
    if not dcap:
        raise MalformedError(f"{name} TXT", "no dcap")
    scheme = "https" if "https" in txt else "http"
    own_port = txt.get("https") or ""
    if own_port:
        digits = own_port.isascii() and own_port.isdigit()
        if not digits or not 0 < int(own_port) < 1 << 16:
            raise MalformedError(f"{name} TXT", f"https={own_port!r} is no port")
        port = int(own_port)
    host = f"[{address}]" if ":" in address else address
    return Found(name, f"{scheme}://{host}:{port}", "/" + dcap.lstrip("/"), txt.get("level") or "")


class Discovery:
    """Listens to announcements; an async context manager.

    Args:
        zeroconf: Shared multicast sockets; None to open some here.
    """

    def __init__(self, zeroconf: AsyncZeroconf | None = None) -> None:
        self._own = zeroconf is None
        self._zeroconf = zeroconf
        self._browser: AsyncServiceBrowser | None = None
        self._names: asyncio.Queue[str] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        if self._zeroconf is None:
            self._zeroconf = AsyncZeroconf()
        self._browser = AsyncServiceBrowser(
            self._zeroconf.zeroconf, [SERVICE_TYPE], handlers=[self._changed]
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._browser is not None:
            await self._browser.async_cancel()
        if self._own and self._zeroconf is not None:
            await self._zeroconf.async_close()

    def _changed(
        self,
        zeroconf: Zeroconf,  # noqa: ARG002 - zeroconf calls with these names
        service_type: str,  # noqa: ARG002
        name: str,
        state_change: ServiceStateChange,
    ) -> None:
        if state_change is not ServiceStateChange.Removed:
            self._names.put_nowait(name)

    def again(self, found: Found) -> None:
        """Have `next` look at a server once more that it has returned already."""
        self._names.put_nowait(found.name)

    async def next(self) -> Found:
        """Wait for the next announced server.

        Raises:
            MalformedError: An announcement that cannot be used; the next call waits on.
        """
        if self._zeroconf is None:
            raise RuntimeError("enter the context first")
        while True:
            name = await self._names.get()
            info = AsyncServiceInfo(SERVICE_TYPE, name)
            if not await info.async_request(self._zeroconf.zeroconf, _RESOLVE_S * 1000):
                continue
            addresses = info.parsed_scoped_addresses()
            if addresses:
                return parse_txt(name, addresses[0], info.port or _HTTPS_PORT, _texts(info))


def _texts(info: AsyncServiceInfo) -> dict[str, str | None]:
    return {
        key.decode("ascii", "replace").lower(): None
        if value is None
        else value.decode("utf-8", "replace")
        for key, value in info.properties.items()
    }
