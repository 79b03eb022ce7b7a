"""Our client against a utility shaped unlike ours: XML, paging, redirects, faults, absences."""

import ssl
import time

import pytest

from tests.interop.grid.markup import Dress, el
from tests.interop.grid.server import Fault, Grid, serving
from tests.interop.grid.tree import ANSWERS, CAPABILITY, CLOCK, DEVICES, MIRROR, ROOT
from tests.interop.grid.words import power
from tests.interop.lone import Lone

pytestmark = pytest.mark.requirement("PRO-2030.5", "PRO-IP")


async def obeyed(lone: Lone, grid: Grid, context: ssl.SSLContext) -> None:
    """See one control through: found, in force, over, answered."""
    programme = grid.add_programme()
    async with serving(grid, context), lone.client(grid):
        mrid = programme.add(0, 2, opModImpLimW=1500.0)
        await lone.until(lambda: lone.in_force() == 1500)
        await lone.until(lambda: lone.in_force() is None)
        await grid.answered(mrid, [1, 2, 3])
        assert lone.state == "connected"


@pytest.mark.parametrize(
    ("dress", "absolute"),
    [(dress, False) for dress in Dress] + [(Dress.PLAIN, True), (Dress.STRANGE, True)],
    ids=lambda value: value.name.lower() if isinstance(value, Dress) else None,
)
async def test_xml_and_links_of_any_shape(
    lone: Lone, context: ssl.SSLContext, dress: Dress, absolute: bool
) -> None:
    await obeyed(lone, lone.grid(dress=dress, absolute=absolute), context)


@pytest.mark.parametrize("media", ["application/sep+xml; charset=UTF-8", "text/xml"])
async def test_other_media_types_for_xml(lone: Lone, context: ssl.SSLContext, media: str) -> None:
    grid = lone.grid()
    grid.media = media.partition(";")[0]
    await obeyed(lone, grid, context)


async def test_pages_of_one_item(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid(page_most=1)
    first, second = grid.add_programme(20), grid.add_programme(5, description="Second")
    for number in range(5):
        first.add(1000 + number, 60, opModImpLimW=1000.0)
    first.add(0, 60, opModImpLimW=2000.0)
    late = second.add(0, 60, opModImpLimW=1500.0)
    async with serving(grid, context), lone.client(grid):
        await lone.until(lambda: lone.in_force() == 1500)
        await grid.answered(late, [1, 2])
    starts = {
        e.target.partition("s=")[2].partition("&")[0] for e in grid.asked("GET", first.events_href)
    }
    assert {"0", "1", "5"} <= starts


async def test_a_list_of_255_events(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    made = [programme.add(3600 + 70 * n, 60, opModImpLimW=1000.0 + n) for n in range(255)]
    async with serving(grid, context), lone.client(grid) as client:
        await grid.until(
            lambda: {a.subject for a in grid.answers if a.status == 1} == set(made),
            20.0,
            "all received",
        )
        assert len(client.engine.events) == 255
    assert len(grid.answers) == 255


async def test_redirects_are_followed_here_and_nowhere_else(
    lone: Lone, context: ssl.SSLContext
) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    grid.moved = {
        "/old/start": CAPABILITY,
        f"{ROOT}/hop": programme.events_href,
        "/old/answers": ANSWERS,
    }
    programme.answer_to = "/old/answers"
    async with serving(grid, context):
        real = programme.events_href
        grid.extra[f"{grid.home.href}/x"] = el("Time")
        mrid = programme.add(0, 60, opModImpLimW=1500.0)
        async with lone.client(grid, url=f"{grid.base}/old/start"):
            await lone.until(lambda: lone.in_force() == 1500)
            await grid.answered(mrid, [1, 2])
            grid.faults[f"GET {real}"] = Fault(301, {"Location": "https://127.0.0.1:1/away"}, 999)
            await lone.until(lambda: any("away" in alarm for alarm in lone.alarms))
            assert lone.in_force() == 1500


async def test_an_overloaded_server_is_given_its_time(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    grid.faults[f"GET {programme.events_href}"] = Fault(503, {"Retry-After": "2"})
    async with serving(grid, context), lone.client(grid):
        programme.add(0, 60, opModImpLimW=1500.0)
        await lone.until(lambda: lone.in_force() == 1500)
    refused, then = grid.asked("GET", programme.events_href)[:2]
    assert refused.status == 503
    assert then.at - refused.at >= 2.0


async def test_a_response_that_was_throttled_comes_later_and_once(
    lone: Lone, context: ssl.SSLContext
) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    grid.faults[f"POST {ANSWERS}"] = Fault(429, {"Retry-After": "1"}, 2)
    async with serving(grid, context), lone.client(grid):
        mrid = programme.add(0, 4, opModImpLimW=1500.0)
        await grid.answered(mrid, [1, 2, 3], 15.0)


@pytest.mark.parametrize("ahead_s", [40.0, -40.0])
async def test_events_run_on_the_servers_clock(
    lone: Lone, context: ssl.SSLContext, ahead_s: float
) -> None:
    grid = lone.grid()
    grid.ahead_s = ahead_s
    programme = grid.add_programme()
    async with serving(grid, context), lone.client(grid) as client:
        mrid = programme.add(2, 2, opModImpLimW=1500.0)
        begins = time.time() + 2
        await lone.until(lambda: lone.in_force() == 1500)
        assert abs(time.time() - begins) < 2.2  # both clocks tell whole seconds
        await grid.answered(mrid, [1, 2, 3])
        assert abs(client.engine.offset_s - ahead_s) < 1.6
    (started,) = [a.at for a in grid.answers if a.status == 2]
    assert started is not None
    assert abs(started - (begins + ahead_s)) < 2.6


async def test_renamed_links_are_followed_anew(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    programme.add(0, 60, opModImpLimW=1500.0)
    async with serving(grid, context), lone.client(grid):
        await lone.until(lambda: lone.in_force() == 1500)
        old = programme.events_href
        programme.href = f"{ROOT}/elsewhere/9"
        grid.extra[programme.events_href] = programme.events
        programme.add(0, 60, opModImpLimW=900.0)
        await lone.until(lambda: lone.in_force() == 900)
        await grid.polled(programme.events_href, 2)
        seen = len(grid.asked("GET", old))
        await grid.polled(programme.events_href, 2)
        assert len(grid.asked("GET", old)) == seen


@pytest.mark.parametrize(
    "withheld",
    [
        {"SubscriptionListLink"},
        {"DERListLink", "LogEventListLink", "ConnectionPointLink"},
        {"DeviceInformationLink", "DeviceStatusLink", "PowerStatusLink"},
    ],
)
async def test_optional_links_may_be_missing(
    lone: Lone, context: ssl.SSLContext, withheld: set[str]
) -> None:
    grid = lone.grid()
    grid.home.withheld = withheld
    grid.shows_mirror = False
    await obeyed(lone, grid, context)
    assert not grid.asked("POST", MIRROR)


async def test_an_assignment_without_a_clock_runs_on_the_servers_own(
    lone: Lone, context: ssl.SSLContext
) -> None:
    grid = lone.grid()
    grid.ahead_s = 40.0
    grid.home.members[0].clock = None
    await obeyed(lone, grid, context)
    assert grid.asked("GET", CLOCK)


async def test_a_programme_without_links_and_an_empty_group_do_no_harm(
    lone: Lone, context: ssl.SSLContext
) -> None:
    grid = lone.grid()
    grid.add_group()
    bare = grid.add_programme(description="no default")
    bare.offers_default = False
    await obeyed(lone, grid, context)


async def test_the_server_stops_and_comes_back(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    programme.add(0, 60, opModImpLimW=1500.0)
    async with serving(grid, context), lone.client(grid):
        await lone.until(lambda: lone.in_force() == 1500)
        grid.silent = True
        await lone.until(lambda: lone.state == "unreachable")
        assert lone.in_force() == 1500
        programme.add(0, 60, opModImpLimW=700.0)
        grid.silent = False
        await lone.until(lambda: lone.in_force() == 700)
        await lone.until(lambda: lone.state == "connected")


async def test_limits_of_all_four_kinds_and_of_any_multiplier(
    lone: Lone, context: ssl.SSLContext
) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    programme.add(
        0,
        60,
        opModImpLimW=power("aus:opModImpLimW", 1500, -1),
        opModExpLimW=power("aus:opModExpLimW", 2_000_000, 3),
        opModGenLimW=0.0,
        opModLoadLimW=power("aus:opModLoadLimW", 70_000, 1),
    )
    async with serving(grid, context), lone.client(grid):
        await lone.until(lambda: lone.in_force() == 1500)
        assert lone.in_force("opModExpLimW") == 2_000_000
        assert lone.in_force("opModGenLimW") == 0
        assert lone.in_force("opModLoadLimW") == 70_000


async def test_a_list_that_grows_while_it_is_read_is_read_whole(
    lone: Lone, context: ssl.SSLContext
) -> None:
    grid = lone.grid(page_most=2)
    programme = grid.add_programme()
    for number in range(6):
        programme.add(3000 + number, 60, opModImpLimW=1000.0)
    async with serving(grid, context), lone.client(grid) as client:
        await grid.until(lambda: len(grid.answers) >= 3, 10.0, "first answers")
        programme.events.items.insert(0, programme.events.items.pop())
        late = programme.add(4000, 60, opModImpLimW=1000.0)
        await grid.answered(late, [1])
        await grid.until(lambda: len(grid.answers) == 7, 10.0, "each answered once")
        assert {e.phase for e in client.engine.events} == {"received"}


async def test_requests_reuse_connections_and_say_what_they_accept(
    lone: Lone, context: ssl.SSLContext
) -> None:
    grid = lone.grid()
    grid.add_programme()
    async with serving(grid, context), lone.client(grid):
        await grid.polled(DEVICES, 3)
    assert {e.sender for e in grid.log} == {lone.lfdi}
    missing = {e.path for e in grid.log if e.status == 404}
    assert all(path.endswith("/fallback") for path in missing), missing
