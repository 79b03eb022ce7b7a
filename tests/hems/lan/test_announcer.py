"""The hub's name in multicast DNS, asked for on a real socket of this machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from zeroconf import (  # type: ignore[attr-defined] # public, but not in its __all__
    AddressResolver,
    IPVersion,
    ServiceInfo,
)
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from hems.lan.announcer import SERVICE, Announcer

pytestmark = [pytest.mark.requirement("ROLE-UI"), pytest.mark.usefixtures("multicast_dns")]
HERE = "127.0.0.1"
THERE = "127.0.0.9"


@asynccontextmanager
async def listening() -> AsyncIterator[AsyncZeroconf]:
    zeroconf = AsyncZeroconf(interfaces=[HERE], ip_version=IPVersion.V4Only)
    try:
        yield zeroconf
    finally:
        await zeroconf.async_close()


async def addresses_of(name: str) -> list[str]:
    async with listening() as zeroconf:
        resolver = AddressResolver(f"{name}.")
        await resolver.async_request(zeroconf.zeroconf, 2000)
        return list(resolver.parsed_addresses())


@asynccontextmanager
async def other_machine(name: str, address: str) -> AsyncIterator[None]:
    """Another machine that has a name already."""
    info = ServiceInfo(
        SERVICE, f"Other.{SERVICE}", parsed_addresses=[address], port=443, server=f"{name}."
    )
    async with listening() as zeroconf:
        await (await zeroconf.async_register_service(info))
        yield
        await (await zeroconf.async_unregister_service(info))


@asynccontextmanager
async def announcing(*addresses: str, title: str = "Elm Street 4") -> AsyncIterator[Announcer]:
    announcer = Announcer(title)
    try:
        assert await announcer.follow(addresses, 8443)
        yield announcer
    finally:
        await announcer.close()


async def test_the_hub_answers_for_its_name_and_its_service() -> None:
    async with announcing(HERE) as announcer:
        assert announcer.taken == "hems"
        assert await addresses_of("hems.local") == [HERE]
        async with listening() as zeroconf:
            info = AsyncServiceInfo(SERVICE, f"Elm Street 4 (hems).{SERVICE}")
            assert await info.async_request(zeroconf.zeroconf, 2000)
            assert (info.server, info.port) == ("hems.local.", 8443)
    assert await addresses_of("hems.local") == [], "it has said goodbye"


async def test_a_name_that_another_machine_has_is_not_taken() -> None:
    async with other_machine("hems.local", THERE), announcing(HERE) as announcer:
        assert announcer.taken == "hems-2"
        assert await addresses_of("hems-2.local") == [HERE]


async def test_the_name_follows_the_machine_s_addresses() -> None:
    async with announcing(HERE) as announcer:
        assert not await announcer.follow((HERE,), 8443), "nothing has changed"
        assert await announcer.follow((HERE, THERE), 8443)
        assert set(await addresses_of("hems.local")) == {HERE, THERE}
        assert await announcer.follow((), 8443), "without a network there is no name"
        assert announcer.taken == ""


async def test_a_hub_that_meets_another_later_yields_if_its_address_is_higher() -> None:
    async with announcing("127.0.0.1", "127.0.0.5") as announcer, listening() as zeroconf:
        # The other answers for the name too, as when two networks are joined.
        info = ServiceInfo(
            SERVICE, f"B.{SERVICE}", parsed_addresses=["10.0.0.1"], port=1, server="hems.local."
        )
        await (await zeroconf.async_register_service(info))
        await asyncio.sleep(0.3)
        assert await announcer.follow(("127.0.0.1", "127.0.0.5"), 8443)
        assert announcer.taken == "hems-2"
        await (await zeroconf.async_unregister_service(info))


@pytest.mark.parametrize("title", ["a.b._c\\d" + "Ö" * 90, "\x00\n"])
async def test_a_home_of_any_name_can_be_announced(title: str) -> None:
    async with announcing(HERE, title=title) as announcer:
        assert announcer.taken == "hems"
