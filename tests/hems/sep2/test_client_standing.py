"""How a home stands with its server, and what is offered only later or no more."""

import contextlib
import socket
import ssl
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from certs.pki import init_pki
from certs.tls import server_context
from hems.clock import SystemClock
from hems.sep2 import resources as res
from hems.sep2.client import ListenSettings
from hems.sep2.enddevice.enrolment import Standing
from tests.hems.sep2.client_home import MODE, Home
from tests.hems.sep2.controls_made import control, default
from tests.hems.sep2.fleet import Fleet
from tests.hems.sep2.utility import PIN, Utility, serving

pytestmark = [pytest.mark.requirement("PRO-2030.5"), pytest.mark.requirement("PRO-IP")]


class _SetClock(SystemClock):
    """The machine's clock, which somebody may set."""

    ahead_s = 0.0

    def now(self) -> float:
        return super().now() + self.ahead_s


def fleet(home: Home) -> Fleet:
    """Return a utility with an event of 1500 W and a default of 5000 W."""
    made = Fleet(home.lfdi, home.sfdi)
    made.append("/derp/1/derc", control("E1", int(time.time()) - 5, 600, limit_w=1500))
    made.resources["/derp/1/dderc"] = default("D1", 5000)
    return made


def assigned(utility: Utility) -> res.FunctionSetAssignmentsList:
    listed = utility.resources["/edev/1/fsa"]
    assert isinstance(listed, res.FunctionSetAssignmentsList)
    return listed


def read(utility: Utility, path: str, times: int) -> bool:
    return utility.asked.count(f"GET {path}") >= times


async def test_a_disabled_home_runs_no_events_but_its_default(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = fleet(home)
    async with serving(utility, context), home.client(utility.base + "/dcap") as client:
        await home.until(lambda: home.limit_w == 1500)
        utility.alter(home.lfdi, enabled=False)
        await home.until(lambda: home.limit_w == 5000)
        assert client.members[0].standing is Standing.DISABLED
        await home.until(lambda: home.state == "refused")
        assert "disabled this home" in client.state.detail
        assert [a for a in home.alarms if "is disabled there" in a]
        reads = utility.asked.count("GET /derp/1/derc")
        polls = utility.asked.count("GET /edev")
        await utility.until(partial(read, utility, "/edev", polls + 3))
        assert utility.asked.count("GET /derp/1/derc") == reads, "its programmes are left alone"
        utility.alter(home.lfdi, enabled=True)
        await home.until(lambda: home.limit_w == 1500)
        await home.until(lambda: home.state == "connected")
    assert sorted(utility.codes) == [("E1", 1), ("E1", 2)], "nothing of it was answered twice"


async def test_a_home_that_is_disabled_at_the_start_waits(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = fleet(home)
    utility.alter(home.lfdi, enabled=False)
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await home.until(lambda: home.state == "refused")
        assert not utility.got
        utility.alter(home.lfdi, enabled=True)
        await utility.until(lambda: len(utility.codes) == 2)


async def test_a_home_that_is_struck_off_keeps_its_default_and_is_told(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = fleet(home)
    device = utility.resources["/edev"]
    assert isinstance(device, res.EndDeviceList)
    async with (
        serving(utility, context),
        home.client(utility.base + "/dcap", registers=False) as client,
    ):
        await home.until(lambda: home.limit_w == 1500)
        utility.strike(home.lfdi)
        await home.until(lambda: home.limit_w == 5000)
        assert client.members[0].standing is Standing.GONE
        await home.until(lambda: home.state == "refused")
        utility.append("/edev", device.end_device[0])
        await home.until(lambda: home.limit_w == 1500)
        await home.until(lambda: home.state == "connected")
    assert [a for a in home.alarms if "not among its end devices any more" in a]
    assert not utility.posted("/edev")


async def test_a_home_that_is_struck_off_registers_anew(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = fleet(home)
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await home.until(lambda: home.limit_w == 1500)
        utility.strike(home.lfdi)
        await utility.until(lambda: utility.posted("/edev"))
        await home.until(lambda: home.limit_w == 1500 and home.state == "connected")


async def test_an_empty_list_of_assignments_is_polled_until_there_is_something(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = fleet(home)
    held = assigned(utility)
    utility.change("/edev/1/fsa", function_set_assignments=(), all=0)
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await home.until(lambda: home.state == "connected")
        await utility.until(partial(read, utility, "/edev/1/fsa", 2))
        assert "GET /derp" not in utility.asked
        utility.change("/edev/1/fsa", function_set_assignments=held.function_set_assignments, all=1)
        polls = utility.asked.count("GET /edev/1/fsa")
        await home.until(lambda: home.limit_w == 1500)
        assert utility.asked.count("GET /edev/1/fsa") <= polls + 1, "within one poll of the list"


async def test_an_empty_programme_list_is_polled_until_there_is_something(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = fleet(home)
    programs = utility.resources["/derp"]
    assert isinstance(programs, res.DERProgramList)
    utility.change("/derp", der_program=(), all=0)
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.until(partial(read, utility, "/derp", 2))
        polls = utility.asked.count("GET /derp")
        utility.change("/derp", der_program=programs.der_program, all=1)
        await home.until(lambda: home.limit_w == 1500)
        assert utility.asked.count("GET /derp") <= polls + 1, "within one poll of the list"


async def test_links_that_appear_later_are_found(home: Home, context: ssl.SSLContext) -> None:
    utility = fleet(home)
    link = res.Link(href="/edev/1/fsa", all=1)
    utility.alter(home.lfdi, function_set_assignments_list_link=None)
    only = replace(assigned(utility).function_set_assignments[0], der_program_list_link=None)
    whole = assigned(utility).function_set_assignments
    utility.change("/edev/1/fsa", function_set_assignments=(only,))
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await home.until(lambda: home.state == "connected")
        utility.alter(home.lfdi, function_set_assignments_list_link=link)
        await utility.until(partial(read, utility, "/edev/1/fsa", 2))
        assert home.limit_w is None
        utility.change("/edev/1/fsa", function_set_assignments=whole)
        await home.until(lambda: home.limit_w == 1500)


async def test_a_list_that_is_offered_no_more_takes_its_programmes_along(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = fleet(home)
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await home.until(lambda: home.limit_w == 1500)
        only = replace(assigned(utility).function_set_assignments[0], der_program_list_link=None)
        utility.change("/edev/1/fsa", function_set_assignments=(only,))
        await home.until(lambda: home.limit_w is None)
        await utility.until(lambda: ("E1", 6) in utility.codes)


@pytest.mark.requirement("TIME-SERVER")
async def test_events_run_on_the_clock_that_the_assignments_name(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = fleet(home)
    ahead = replace_time(utility, "/tm2", 5000)
    only = replace(assigned(utility).function_set_assignments[0], time_link=res.Link(href="/tm2"))
    utility.change("/edev/1/fsa", function_set_assignments=(only,))
    utility.change("/derp/1/derc", der_control=(control("E2", ahead - 5, 600),), all=1)
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await home.until(lambda: home.limit_w == 1500)
        start = home.schedules[-1][1].active[MODE].start
        assert start == pytest.approx(time.time() - 5, abs=3)
    assert "GET /tm" not in utility.asked, "the clock of the entry point does not count"


async def test_assignments_that_name_clocks_which_disagree_are_told_of(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = fleet(home)
    replace_time(utility, "/tm2", 5000)
    second = res.FunctionSetAssignments(
        href="/edev/1/fsa/2", mrid="FB", time_link=res.Link(href="/tm2")
    )
    utility.append("/edev/1/fsa", second)
    async with serving(utility, context), home.client(utility.base + "/dcap") as client:
        await home.until(lambda: [a for a in home.alarms if "off the clock" in a])
        await home.until(lambda: home.limit_w == 1500)
        assert client.engine.offset_s == pytest.approx(0, abs=2), "the first that is named"


def replace_time(utility: Utility, path: str, ahead_s: int) -> int:
    """Add a clock that stands; returns what it shows."""
    shown = int(time.time()) + ahead_s
    utility.resources[path] = res.Time(
        href=path,
        current_time=shown,
        dst_end_time=0,
        dst_offset=0,
        dst_start_time=0,
        quality=4,
        tz_offset=0,
    )
    return shown


async def test_an_entry_point_that_moved_is_followed_with_all_checks(
    home: Home, context: ssl.SSLContext
) -> None:
    there, here = fleet(home), home.utility()
    async with serving(there, context), serving(here, context):
        here.redirects["GET /dcap"] = there.base + "/dcap"
        async with home.client(here.base + "/dcap") as client:
            await home.until(lambda: home.limit_w == 1500)
            await home.until(lambda: home.state == "connected")
            assert client.state.server == there.base + "/dcap"
        assert there.asked.index("GET /edev/1/rg") < there.asked.index("GET /edev/1/fsa")
    assert set(here.asked) == {"GET /dcap"}


async def test_a_wrong_pin_where_it_moved_to_ends_all_traffic(
    home: Home, context: ssl.SSLContext
) -> None:
    there, here = fleet(home), home.utility()
    there.change("/edev/1/rg", pin=PIN + 1)
    async with serving(there, context), serving(here, context):
        here.redirects["GET /dcap"] = there.base + "/dcap"
        async with home.client(here.base + "/dcap"):
            await home.until(lambda: [s for s in home.states if "PIN" in s.detail])
            assert home.limit_w is None
        assert there.asked[-1] == "GET /edev/1/rg"
    assert not there.got


async def test_a_stranger_that_it_is_sent_to_hears_nothing_and_the_home_comes_back(
    home: Home, context: ssl.SSLContext, tmp_path: Path
) -> None:
    other = init_pki(tmp_path / "other")
    strange = server_context(other.identity("utility"), other.trust)
    there, here = fleet(home), fleet(home)
    async with serving(there, strange), serving(here, context):
        here.redirects["GET /dcap"] = there.base + "/dcap"
        async with home.client(here.base + "/dcap"):
            await home.until(lambda: home.state == "refused")
            here.redirects.clear()
            await home.until(lambda: home.limit_w == 1500)
    assert not there.asked


async def test_events_outlive_a_session(home: Home, context: ssl.SSLContext) -> None:
    here, there = fleet(home), fleet(home)
    async with (
        serving(here, context),
        serving(there, context),
        home.client(here.base + "/dcap"),
    ):
        await home.until(lambda: home.limit_w == 1500)
        told = len(home.schedules)
        here.redirects["GET /dcap"] = there.base + "/dcap"
        await there.until(partial(read, there, "/derp/1/derc", 2))
        assert home.limit_w == 1500
        assert all(s.active[MODE].value == 1500 for _, s in home.schedules[told:])
    assert sorted(here.codes) == [("E1", 1), ("E1", 2)]
    assert not there.codes, "what was answered is not answered again"


async def test_a_notification_port_that_was_taken_is_used_once_it_is_free(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = home.utility()
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        listen = ListenSettings("127.0.0.1", port)
        async with serving(utility, context), home.client(utility.base + "/dcap", listen=listen):
            await home.until(lambda: home.state == "connected")
            await home.until(lambda: [a for a in home.alarms if str(port) in a])
            assert not utility.posted("/edev/1/sub")
            taken.close()
            await utility.until(lambda: utility.posted("/edev/1/sub"))
    assert f":{port}/" in utility.posted("/edev/1/sub")[0].notification_uri
    assert len([a for a in home.alarms if str(port) in a]) == 1


async def test_a_clock_that_is_set_makes_no_server_silent(
    home: Home, context: ssl.SSLContext
) -> None:
    home.clock = clock = _SetClock()
    utility = home.utility(poll_s=900)
    began = time.monotonic()
    async with serving(utility, context), home.client(utility.base + "/dcap") as client:
        assert client.silent_s is None, "it has not answered yet"
        await utility.settled()
        for clock.ahead_s in (0.0, 7200.0, -7200.0):
            assert client.silent_s is not None
            assert 0.0 <= client.silent_s <= time.monotonic() - began
