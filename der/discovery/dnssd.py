"""Finding what announces itself by multicast DNS (DNS-SD, RFC 6763) on the local link."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Final

from zeroconf import InterfaceChoice, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from der.discovery.announced import TYPES, Announcement, of
from der.discovery.found import Found
from der.errors import TransientError

_RESOLVE_MS: Final = 3000.0


async def announced(interfaces: Sequence[str] | None = None) -> AsyncGenerator[Found, None]:
    """Yield what announces itself, until the caller has enough.

    Args:
        interfaces: Own addresses to listen on; None for all.

    Raises:
        TransientError: Multicast cannot be used here.
    """
    try:
        zeroconf = AsyncZeroconf(
            interfaces=InterfaceChoice.All if interfaces is None else [*interfaces]
        )
    except OSError as error:
        raise TransientError(f"mDNS cannot be used on this machine: {error}") from error
    names: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    def changed(
        zeroconf: Zeroconf,  # noqa: ARG001 - zeroconf calls with these names
        service_type: str,
        name: str,
        state_change: ServiceStateChange,
    ) -> None:
        if state_change is not ServiceStateChange.Removed:
            names.put_nowait((service_type, name))

    try:
        browser = AsyncServiceBrowser(zeroconf.zeroconf, list(TYPES), handlers=[changed])
        try:
            async for said in _resolved(zeroconf, names):
                found = of(said)
                if found is not None:
                    yield found
        finally:
            await browser.async_cancel()
    finally:
        await zeroconf.async_close()


async def _resolved(
    zeroconf: AsyncZeroconf, names: asyncio.Queue[tuple[str, str]]
) -> AsyncGenerator[Announcement, None]:
    """Yield announcements as they resolve; one that does not holds no other up."""
    done: asyncio.Queue[Announcement | None] = asyncio.Queue()
    tasks: set[asyncio.Task[None]] = set()

    async def resolve(service_type: str, name: str) -> None:
        info = AsyncServiceInfo(service_type, name)
        if await info.async_request(zeroconf.zeroconf, _RESOLVE_MS):
            done.put_nowait(_announcement(service_type, info))

    async def follow() -> None:
        while True:
            task = asyncio.create_task(resolve(*await names.get()))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    following = asyncio.create_task(follow())
    try:
        while True:
            said = await done.get()
            if said is not None:
                yield said
    finally:
        for task in (following, *tasks):
            task.cancel()
        await asyncio.gather(following, *tasks, return_exceptions=True)


def _announcement(service_type: str, info: AsyncServiceInfo) -> Announcement | None:
    addresses = info.parsed_scoped_addresses()
    if not addresses or not info.port:
        return None
    kind = service_type.removesuffix(".local.")
    return Announcement(
        type=kind,
        name=info.name.removesuffix(f".{service_type}"),
        host=next((a for a in addresses if ":" not in a), addresses[0]),
        port=info.port,
        txt={
            key.decode("ascii", "replace").lower(): None
            if value is None
            else value.decode("utf-8", "replace")
            for key, value in info.properties.items()
        },
    )
