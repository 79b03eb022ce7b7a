"""A server that moved, over real TLS: its resources, its entry point, itself to another host."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web

from certs.pki import Pki, init_pki
from certs.tls import server_context
from hems.sep2 import resources as res
from tests.hems.sep2.client_home import PACE, Home
from tests.hems.sep2.controls_made import control
from tests.hems.sep2.utility import Utility, serving

pytestmark = [pytest.mark.requirement("PRO-2030.5"), pytest.mark.requirement("L1-AUTH")]


class Signpost:
    """A server that sends everybody elsewhere.

    Attributes:
        base: Where it is.
        target: Where it sends them.
        status: With which status.
        asked: For what, in order.
    """

    def __init__(self, target: str, status: int = 301) -> None:
        self.base = ""
        self.target = target
        self.status = status
        self.asked: list[str] = []
        self.news = asyncio.Event()

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        self.news.set()
        return web.Response(status=self.status, headers={"Location": self.target})

    async def until(self, count: int) -> None:
        async with asyncio.timeout(8):
            while len(self.asked) < count:
                self.news.clear()
                await self.news.wait()


@asynccontextmanager
async def pointing(signpost: Signpost, context: ssl.SSLContext) -> AsyncIterator[Signpost]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", signpost.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        signpost.base = f"https://127.0.0.1:{runner.addresses[0][1]}"
        yield signpost
    finally:
        await runner.cleanup()


def at_work(home: Home, utility: Utility) -> None:
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 1, 600))
    assert home.lfdi == utility.lfdi


@pytest.mark.parametrize("status", [301, 307])
async def test_an_entry_point_on_another_host_is_followed_and_checked_from_its_certificate_on(
    home: Home, context: ssl.SSLContext, status: int
) -> None:
    utility = home.utility()
    at_work(home, utility)
    async with (
        serving(utility, context),
        pointing(Signpost(utility.base + "/dcap", status), context) as old,
        home.client(old.base + "/dcap", listen=None),
    ):
        await home.until(lambda: home.limit_w == 1500)
        await utility.until(lambda: ("E1", 2) in utility.codes)
        assert home.states[-1].server == utility.base + "/dcap"
    assert old.asked == ["/dcap"]
    assert "GET /edev/1/rg" in utility.asked


async def test_the_new_host_must_know_the_pin(home: Home, context: ssl.SSLContext) -> None:
    utility = home.utility()
    at_work(home, utility)
    utility.change("/edev/1/rg", pin=222226)
    async with (
        serving(utility, context),
        pointing(Signpost(utility.base + "/dcap"), context) as old,
        home.client(old.base + "/dcap", listen=None),
    ):
        await home.until(lambda: home.state == "refused")
    assert not [a for a in utility.asked if a.startswith(("POST", "PUT"))]
    assert home.limit_w is None


async def test_the_new_host_must_be_of_a_ca_that_is_trusted(
    home: Home, context: ssl.SSLContext, pki: Pki, tmp_path_factory: pytest.TempPathFactory
) -> None:
    foreign = init_pki(tmp_path_factory.mktemp("foreign") / "pki")
    utility = home.utility()
    async with (
        serving(utility, server_context(foreign.identity("utility"), pki.trust)),
        pointing(Signpost(utility.base + "/dcap"), context) as old,
        home.client(old.base + "/dcap", listen=None),
    ):
        await home.until(lambda: home.state == "refused")
        assert "the peer's certificate is refused" in home.states[-1].detail
        await old.until(2)  # it goes back to where it was told to begin
    assert utility.asked == []


async def test_one_that_leads_out_of_tls_is_not_followed(
    home: Home, context: ssl.SSLContext
) -> None:
    async with (
        pointing(Signpost("http://127.0.0.1:9/dcap"), context) as old,
        home.client(old.base + "/dcap", listen=None),
    ):
        await old.until(3)
        await home.until(lambda: [a for a in home.alarms if "is not followed" in a])
    assert len([a for a in home.alarms if "is not followed" in a]) == 1


async def test_two_that_send_to_each_other_do_not_spin(home: Home, context: ssl.SSLContext) -> None:
    async with (
        pointing(Signpost(""), context) as one,
        pointing(Signpost(""), context) as two,
    ):
        one.target, two.target = two.base + "/dcap", one.base + "/dcap"
        pace = replace(PACE, first_retry_s=1e6, longest_retry_s=1e6)
        async with home.client(one.base + "/dcap", listen=None, pace=pace):
            await one.until(3)
            await two.until(3)
            with pytest.raises(TimeoutError):  # for days, but nobody waits for that here
                await asyncio.wait_for(one.until(4), 0.5)
            assert len(two.asked) == 3


async def test_a_loop_that_is_mended_is_followed_again(home: Home, context: ssl.SSLContext) -> None:
    utility = home.utility()
    at_work(home, utility)
    async with (
        serving(utility, context),
        pointing(Signpost(""), context) as one,
        pointing(Signpost(""), context) as two,
    ):
        one.target, two.target = two.base + "/dcap", one.base + "/dcap"
        async with home.client(one.base + "/dcap", listen=None):
            await one.until(4)  # it was given up once
            one.target = utility.base + "/dcap"
            await home.until(lambda: home.limit_w == 1500)


async def test_any_other_resource_on_another_host_is_told_and_the_rest_goes_on(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = home.utility()
    at_work(home, utility)
    listed = utility.resources["/derp"]
    assert isinstance(listed, res.DERProgramList)
    async with (
        pointing(Signpost("/nowhere"), context) as other,
        serving(utility, context),
    ):
        utility.change("/edev/1/fsa", all=1)
        assigned = utility.resources["/edev/1/fsa"]
        assert isinstance(assigned, res.FunctionSetAssignmentsList)
        utility.append(
            "/edev/1/fsa",
            res.FunctionSetAssignments(
                href="/edev/1/fsa/2",
                mrid="FB",
                der_program_list_link=res.Link(href=other.base + "/derp", all=1),
            ),
        )
        async with home.client(utility.base + "/dcap", listen=None):
            await home.until(lambda: home.limit_w == 1500)
            await home.until(lambda: [a for a in home.alarms if "leads away" in a])
            before = utility.asked.count("GET /derp/1/derc")
            await utility.until(lambda: utility.asked.count("GET /derp/1/derc") >= before + 2)
        assert other.asked == []
    assert len([a for a in home.alarms if "leads away" in a]) == 1
