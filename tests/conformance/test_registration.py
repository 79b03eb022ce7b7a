"""CSIP-AUS: registration, PIN, connection point; rates of polling and posting."""

import asyncio
import itertools
import ssl
import time
from functools import partial

import pytest

from hems.sep2.enddevice.readings import MirrorSpec, Sample, SeriesSpec
from tests.conformance.scenario import AUS, EVERY, scenario
from tests.conformance.steps import force
from tests.interop.grid.server import Grid, serving
from tests.interop.grid.tree import CAPABILITY, DEVICES, MIRROR
from tests.interop.grid.words import number_of, text_of
from tests.interop.lone import Lone

pytestmark = pytest.mark.requirement("PRO-2030.5")

CAP = "opModMaxLimW"


@scenario("ALL-01", "REG", "Discovery where the device was entered out of band")
async def test_out_of_band(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    async with serving(grid, context), lone.client(grid):
        await grid.polled(programme.events_href)
    for path in (CAPABILITY, DEVICES, f"{grid.home.href}/pin", f"{grid.home.href}/groups"):
        assert grid.asked("GET", path), path
    assert not grid.asked("POST", DEVICES)


@scenario("ALL-02", "REG", "Discovery with registration in band")
async def test_in_band(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    grid.members.clear()
    async with serving(grid, context), lone.client(grid):
        await lone.until(lambda: lone.state == "connected")
    (posted,) = grid.asked("POST", DEVICES)
    device = posted.element()
    assert text_of(device, "lFDI") == lone.lfdi
    assert number_of(device, "changedTime") is not None
    assert text_of(device, "deviceCategory") is not None


@scenario("ALL-03-REJ", "REG", "A wrong PIN ends all traffic and is shown to the owner")
async def test_wrong_pin(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    grid.home.pin = 123455
    grid.add_programme().add(0, 60, opModMaxLimW=5000)
    async with serving(grid, context), lone.client(grid) as client:
        await lone.until(lambda: lone.state == "refused")
        seen = len(grid.log)
        assert "PIN" in client.state.detail
        with pytest.raises(AssertionError):
            await grid.until(lambda: len(grid.log) > seen, 2.0, "silence broken")
    assert {e.method for e in grid.log} == {"GET"}


@scenario("ALL-04", "REG", "The right PIN opens the way")
async def test_right_pin(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    async with serving(grid, context), lone.client(grid):
        mrid = programme.add(0, 60, opModMaxLimW=5000)
        await grid.answered(mrid, [1, 2])
    pin, first = grid.asked("GET", f"{grid.home.href}/pin")[0], grid.asked("POST", ".*")[0]
    assert pin.at < first.at


@scenario(
    "ALL-05", "REG", "Without a RegistrationLink the device waits, and goes on once it is there"
)
async def test_no_registration_link(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    grid.home.withheld = {"RegistrationLink"}
    grid.add_programme().add(0, 60, opModMaxLimW=5000)
    async with serving(grid, context), lone.client(grid):
        await grid.polled(DEVICES, 2)
        assert lone.in_force(CAP) is None
        assert not grid.asked("POST", ".*")
        grid.home.withheld = set()
        await force(lone, CAP, 50.0)


@pytest.mark.parametrize(
    "which",
    [
        pytest.param(
            "groups",
            marks=scenario("ALL-19", "CTL", "A new poll rate of the assignments is taken up"),
        ),
        pytest.param(
            "programs",
            marks=scenario("ALL-20", "CTL", "A new poll rate of the programmes is taken up"),
        ),
    ],
)
async def test_a_new_poll_rate(lone: Lone, context: ssl.SSLContext, which: str) -> None:
    grid = lone.grid()
    grid.add_programme()
    listed = {
        "groups": (grid.home.groups, f"{grid.home.href}/groups"),
        "programs": (grid.home.members[0].programmes, f"{grid.home.href}/groups/1/programs"),
    }
    listing, path = listed[which]
    async with serving(grid, context), lone.client(grid):
        await grid.polled(path, 3)
        listing.poll_s = 3
        await grid.polled(path)
        first = len(grid.asked("GET", path))
        await grid.polled(path, 2, 12.0)
        at = [e.at for e in grid.asked("GET", path)[first - 1 :]]
        assert all(b - a >= 2.2 for a, b in itertools.pairwise(at)), at


@scenario("ALL-14", "CTL", "The lists that change are subscribed to", EVERY)
async def test_subscribes(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    grid.home.groups.subscribable = 1
    grid.home.members[0].programmes.subscribable = 1
    programme = grid.add_programme(subscribable=1)
    wanted = {
        programme.events_href,
        f"{grid.home.href}/groups",
        f"{grid.home.href}/groups/1/programs",
    }

    def watched() -> set[str | None]:
        return {w.findtext("{*}subscribedResource") for w in grid.home.watchers.items}

    async with serving(grid, context), lone.client(grid):
        await grid.until(lambda: wanted <= watched(), 8.0, "all subscribed")


@scenario("ALL-10A", "MON", "Bodies are valid by the schema of 2018", AUS)
async def test_bodies_of_2018(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme(subscribable=1)
    async with serving(grid, context), lone.client(grid):
        mrid = programme.add(0, 2, opModExpLimW=1000.0)
        await grid.answered(mrid, [1, 2, 3])
    assert not [e for e in grid.log if b"schemaVer" in e.body]


@scenario("ALL-10", "MON", "A new post rate of the usage point is taken up", EVERY)
async def test_a_new_post_rate(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    grid.mirror_post_s = 3
    point = MirrorSpec("5A", "meter", (SeriesSpec("5B", "net power", uom=38),), post_s=1)
    async with serving(grid, context), lone.client(grid, mirrors=(point,)) as client:
        await grid.until(lambda: grid.asked("POST", MIRROR), 8.0, "point made")
        posts = f"{MIRROR}/.*"
        for _ in range(3):
            before = len(grid.asked("POST", posts))
            client.add_sample(Sample("5B", time.time() - 1, 1, 1234.0))
            await grid.until(partial(_more, grid, posts, before), 8.0, "posted")
            await asyncio.sleep(0.3)  # one round takes what comes while it lasts
    at = [e.at for e in grid.asked("POST", posts)]
    assert all(b - a >= 2.2 for a, b in itertools.pairwise(at)), at


def _more(grid: Grid, posts: str, than: int) -> bool:
    return len(grid.asked("POST", posts)) > than
