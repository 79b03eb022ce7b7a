"""A server that does not know the home's PIN is left alone, and taken up with once it does."""

import contextlib
import socket
import ssl
import time
from collections.abc import AsyncIterator

import pytest
from zeroconf import ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from hems.sep2.transport.discovery import SERVICE_TYPE
from tests.hems.sep2.client_home import Home
from tests.hems.sep2.controls_made import control
from tests.hems.sep2.utility import PIN, Utility, serving

SOON_S = 0.3
"""Instead of half a minute."""


def wrong(home: Home) -> Utility:
    utility = home.utility()
    utility.change("/edev/1/rg", pin=PIN + 1)
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600))
    return utility


def pins_asked(utility: Utility) -> int:
    return utility.asked.count("GET /edev/1/rg")


@contextlib.asynccontextmanager
async def announced(base: str) -> AsyncIterator[AsyncZeroconf]:
    """Announce a server on the loopback interface; yields who listens there."""
    info = ServiceInfo(
        SERVICE_TYPE,
        f"utility.{SERVICE_TYPE}",
        port=int(base.rsplit(":", 1)[1]),
        addresses=[socket.inet_aton("127.0.0.1")],
        properties={"txtvers": "1", "dcap": "/dcap", "https": None},
        server="utility.local.",
    )
    async with (
        AsyncZeroconf(interfaces=["127.0.0.1"]) as announcer,
        AsyncZeroconf(interfaces=["127.0.0.1"]) as listener,
    ):
        await (await announcer.async_register_service(info))
        yield listener
        await announcer.async_unregister_all_services()


@pytest.mark.requirement("PRO-2030.5")
async def test_it_is_taken_up_with_once_its_pin_is_right(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = wrong(home)
    async with (
        serving(utility, context),
        home.client(utility.base + "/dcap", wrong_pin_s=SOON_S, listen=None),
    ):
        await utility.until(lambda: pins_asked(utility) == 3)
        await home.until(lambda: home.state == "refused")
        assert set(utility.asked) == {"GET /dcap", "GET /edev", "GET /edev/1/rg"}
        assert not utility.got
        utility.change("/edev/1/rg", pin=PIN)
        await home.until(lambda: home.limit_w == 1500)
        await home.until(lambda: home.state == "connected")
    assert [s.state for s in home.states] == ["connecting", "refused", "connected"]
    assert len([a for a in home.alarms if "PIN" in a]) == 1


@pytest.mark.usefixtures("multicast_dns")
async def test_one_that_was_found_is_asked_again_too(home: Home, context: ssl.SSLContext) -> None:
    utility = wrong(home)
    async with (
        serving(utility, context),
        announced(utility.base) as listener,
        home.client(None, zeroconf=listener, wrong_pin_s=SOON_S, listen=None),
    ):
        await home.until(lambda: home.state == "refused")
        utility.change("/edev/1/rg", pin=PIN)
        await home.until(lambda: home.limit_w == 1500)
    assert "searching" not in [s.state for s in home.states[1:]]


async def test_one_that_it_was_sent_on_to_is_asked_again_too(
    home: Home, context: ssl.SSLContext
) -> None:
    there, here = wrong(home), home.utility()
    async with serving(there, context), serving(here, context):
        here.redirects["GET /dcap"] = there.base + "/dcap"
        async with home.client(here.base + "/dcap", wrong_pin_s=SOON_S, listen=None) as client:
            await home.until(lambda: home.state == "refused")
            there.change("/edev/1/rg", pin=PIN)
            await home.until(lambda: home.limit_w == 1500)
            assert client.state.server == there.base + "/dcap"
