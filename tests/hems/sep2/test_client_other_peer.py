"""A server whose certificate becomes another one: what one has proved, no other has."""

import socket
import ssl
import time

import pytest

from certs.pki import Pki, issue_service
from certs.tls import server_context
from hems.sep2.errors import UnreachableError
from hems.sep2.transport.http import Transport
from tests.hems.sep2.client_home import Home
from tests.hems.sep2.controls_made import control
from tests.hems.sep2.utility import serving

pytestmark = [pytest.mark.requirement("PRO-2030.5"), pytest.mark.requirement("L1-AUTH")]

CONTROLS = "GET /derp/1/derc"


@pytest.fixture(scope="module")
def other(pki: Pki) -> ssl.SSLContext:
    return server_context(issue_service(pki, "renewed", hosts=["127.0.0.1"]), pki.trust)


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        name: tuple[str, int] = probe.getsockname()
    return name[1]


def changes(home: Home) -> int:
    return len([a for a in home.alarms if "its certificate is another one now" in a])


async def test_it_goes_on_once_its_pin_was_checked(
    home: Home, context: ssl.SSLContext, other: ssl.SSLContext, port: int
) -> None:
    utility = home.utility()
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600))
    async with home.client(f"https://127.0.0.1:{port}/dcap", listen=None):
        async with serving(utility, context, port):
            await home.until(lambda: home.limit_w == 1500)
            await utility.until(lambda: ("E1", 2) in utility.codes)
        utility.asked.clear()
        async with serving(utility, other, port):
            await home.until(lambda: changes(home) == 1)
            await utility.until(lambda: utility.asked.count(CONTROLS) >= 2)
            assert utility.asked.index("GET /edev/1/rg") < utility.asked.index(CONTROLS)
            assert home.limit_w == 1500
    assert utility.codes == [("E1", 1), ("E1", 2)], "nothing ran twice"


async def test_one_that_does_not_know_the_pin_is_sent_nothing(
    home: Home, context: ssl.SSLContext, other: ssl.SSLContext, port: int
) -> None:
    utility, thief = home.utility(), home.utility()
    thief.change("/edev/1/rg", pin=222226)
    async with home.client(f"https://127.0.0.1:{port}/dcap", listen=None):
        async with serving(utility, context, port):
            await utility.until(lambda: utility.asked.count(CONTROLS) >= 2)
        async with serving(thief, other, port):
            await home.until(lambda: home.state == "refused")
    assert CONTROLS not in thief.asked
    assert thief.got == []


async def test_two_that_have_both_proved_it_may_take_turns(
    home: Home, context: ssl.SSLContext, other: ssl.SSLContext, port: int
) -> None:
    utility = home.utility()
    async with home.client(f"https://127.0.0.1:{port}/dcap", listen=None):
        for turn in (context, other, context, other):
            utility.asked.clear()
            async with serving(utility, turn, port):
                await utility.until(lambda: utility.asked.count(CONTROLS) >= 2)
    assert changes(home) == 1


async def test_a_host_name_that_cannot_be_looked_up_is_one_error() -> None:
    """As a redirect may have it; the resolver refuses it by a UnicodeError."""
    async with Transport(f"http://{'a' * 70}.example") as transport:
        with pytest.raises(UnreachableError):
            await transport.delete("/x")
