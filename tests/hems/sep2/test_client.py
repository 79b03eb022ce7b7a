"""The client against a scripted utility over real mutual TLS: events and responses."""

import socket
import ssl
import time
from dataclasses import replace

import pytest
from zeroconf import ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from hems.sep2 import resources as res
from hems.sep2.rules.events import Program
from hems.sep2.transport.discovery import SERVICE_TYPE
from tests.hems.sep2.client_home import Home
from tests.hems.sep2.controls_made import control, default, shed
from tests.hems.sep2.utility import PIN, serving

pytestmark = [pytest.mark.requirement("PRO-2030.5"), pytest.mark.requirement("PRO-IP")]


async def test_finds_its_events_and_answers_them(home: Home, context: ssl.SSLContext) -> None:
    now = int(time.time())
    utility = home.utility()
    utility.append("/derp/1/derc", control("E1", now - 5, 600))
    utility.append("/dr/1/edc", shed("E2", now - 5, 600, 2000))
    utility.resources["/derp/1/dderc"] = default("D1", 5000)
    async with serving(utility, context), home.client(utility.base + "/dcap") as client:
        await home.until(lambda: home.limit_w == 1500)
        await utility.until(lambda: len(utility.codes) == 4)
        await home.until(lambda: home.state == "connected")
        active = client.engine.schedule.active
        assert active["TargetReduction.W"].value == 2000
        assert active["TargetReduction.W"].mandatory
    assert sorted(utility.codes) == [("E1", 1), ("E1", 2), ("E2", 1), ("E2", 2)]
    first = utility.posted("/rsp")[0]
    assert first.end_device_lfdi == home.lfdi
    assert abs(first.created_date_time - now) <= 2
    assert not [a for a in utility.asked if a.split()[1] not in utility.resources and "GET" in a]


@pytest.mark.usefixtures("multicast_dns")
async def test_finds_its_server_by_dns_sd(home: Home, context: ssl.SSLContext) -> None:
    utility = home.utility()
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600))
    announcer = AsyncZeroconf(interfaces=["127.0.0.1"])
    listener = AsyncZeroconf(interfaces=["127.0.0.1"])
    try:
        async with serving(utility, context), home.client(None, zeroconf=listener):
            await home.until(lambda: home.state == "searching")
            info = ServiceInfo(
                SERVICE_TYPE,
                f"utility.{SERVICE_TYPE}",
                port=int(utility.base.rsplit(":", 1)[1]),
                addresses=[socket.inet_aton("127.0.0.1")],
                properties={"txtvers": "1", "dcap": "/dcap", "https": None},
                server="utility.local.",
            )
            await (await announcer.async_register_service(info))
            await home.until(lambda: home.limit_w == 1500)
            assert home.states[-1].server == utility.base + "/dcap"
    finally:
        await announcer.async_unregister_all_services()
        await announcer.async_close()
        await listener.async_close()


async def test_only_links_are_followed(home: Home, context: ssl.SSLContext) -> None:
    utility = home.utility()
    moved = {"/edev/1/fsa": "/x/7", "/derp": "/y?z=1"}
    utility.resources["/x/7"] = utility.resources.pop("/edev/1/fsa")
    devices = utility.resources["/edev"]
    assert isinstance(devices, res.EndDeviceList)
    device = replace(
        devices.end_device[0],
        function_set_assignments_list_link=res.Link(href=moved["/edev/1/fsa"]),
    )
    utility.change("/edev", end_device=(device,))
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600))
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await home.until(lambda: home.limit_w == 1500)
    assert "GET /edev/1/fsa" not in utility.asked


async def test_registers_itself_where_it_is_unknown(home: Home, context: ssl.SSLContext) -> None:
    utility = home.utility()
    utility.change("/edev", end_device=(), all=0)
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await home.until(lambda: home.state == "connected")
    (made,) = utility.posted("/edev", res.EndDevice)
    assert (made.lfdi, made.sfdi) == (home.lfdi, home.sfdi)


async def test_a_wrong_pin_ends_all_traffic(home: Home, context: ssl.SSLContext) -> None:
    utility = home.utility()
    utility.change("/edev/1/rg", pin=PIN + 1)
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600))
    async with serving(utility, context), home.client(utility.base + "/dcap") as client:
        await home.until(lambda: home.state == "refused")
        assert "PIN" in client.state.detail
        before = list(utility.asked)
        await client.engine.set_default(Program("A1"), None)
        assert utility.asked == before
    assert utility.asked[-1] == "GET /edev/1/rg"
    assert not utility.got
    assert home.limit_w is None


@pytest.mark.parametrize("status", [503, 429, 500])
async def test_a_response_is_retried_and_posted_once(
    home: Home, context: ssl.SSLContext, status: int
) -> None:
    utility = home.utility()
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600))
    utility.faults["POST /rsp"] = [status, status]
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.until(lambda: len(utility.codes) == 2)
        polls = utility.asked.count("GET /derp/1/derc")
        await utility.until(lambda: utility.asked.count("GET /derp/1/derc") > polls + 1)
    assert utility.codes == [("E1", 1), ("E1", 2)]


@pytest.mark.parametrize("statuses", [[403, 404], [404]])
async def test_a_passing_denial_costs_no_response(
    home: Home, context: ssl.SSLContext, statuses: list[int]
) -> None:
    utility = home.utility()
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600))
    utility.faults["POST /rsp"] = list(statuses)
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.until(lambda: len(utility.codes) == 2)
    assert utility.codes == [("E1", 1), ("E1", 2)]


async def test_a_refused_response_is_given_up_and_the_next_goes_on(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = home.utility()
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600))
    utility.faults["POST /rsp"] = [400]
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.until(lambda: len(utility.codes) == 1)
    assert utility.codes == [("E1", 2)]
    assert [a for a in home.alarms if "given up" in a and "400" in a]


async def test_a_lost_answer_brings_no_second_response(home: Home, context: ssl.SSLContext) -> None:
    utility = home.utility()
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600))
    utility.cut.add("/rsp")
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.until(lambda: len(utility.codes) == 2)
        await utility.until(lambda: utility.asked.count("GET /derp/1/derc") > 3)
    assert utility.codes == [("E1", 1), ("E1", 2)]
    assert "GET /rsp" in utility.asked


async def test_a_restart_posts_what_was_owed_and_nothing_twice(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = home.utility()
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600))
    async with serving(utility, context):
        async with home.client(utility.base + "/dcap"):
            await utility.until(lambda: len(utility.codes) == 2)
        # The process died after the second POST and before it was noted.
        home.ledger.locations.popitem()
        async with home.client(utility.base + "/dcap"):
            await utility.until(lambda: "GET /rsp" in utility.asked)
            await utility.until(lambda: utility.asked.count("GET /derp/1/derc") > 4)
    assert utility.codes == [("E1", 1), ("E1", 2)]
    assert len(home.ledger.locations) == 2


async def test_holds_the_limit_again_with_the_server_unreachable(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = home.utility()
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600))
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await home.until(lambda: home.limit_w == 1500)
    home.schedules.clear()
    async with home.client(utility.base + "/dcap"):
        await home.until(lambda: home.limit_w == 1500)
        await home.until(lambda: home.state == "unreachable")


@pytest.mark.usefixtures("multicast_dns")
async def test_a_found_server_that_is_not_the_homes_own_does_not_end_the_search(
    home: Home, context: ssl.SSLContext
) -> None:
    """The neighbour's, say: nothing more is sent to that one, and the own one is found yet."""
    utility, neighbour = home.utility(), home.utility()
    neighbour.change("/edev/1/rg", pin=222226)
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600))
    announcer = AsyncZeroconf(interfaces=["127.0.0.1"])
    listener = AsyncZeroconf(interfaces=["127.0.0.1"])

    async def announce(name: str, base: str) -> None:
        info = ServiceInfo(
            SERVICE_TYPE,
            f"{name}.{SERVICE_TYPE}",
            port=int(base.rsplit(":", 1)[1]),
            addresses=[socket.inet_aton("127.0.0.1")],
            properties={"txtvers": "1", "dcap": "/dcap", "https": None},
            server=f"{name}.local.",
        )
        await (await announcer.async_register_service(info))

    try:
        async with (
            serving(utility, context),
            serving(neighbour, context),
            home.client(None, zeroconf=listener, listen=None),
        ):
            await announce("neighbour", neighbour.base)
            await home.until(lambda: home.state == "refused")
            asked = len(neighbour.asked)
            await announce("utility", utility.base)
            await home.until(lambda: home.limit_w == 1500)
            assert len(neighbour.asked) == asked
            assert neighbour.got == []
    finally:
        await announcer.async_unregister_all_services()
        await announcer.async_close()
        await listener.async_close()
