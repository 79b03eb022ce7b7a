"""Errors: redirects, bad notifications, what no client should swallow or choke on."""

import io
import itertools
import ssl

import aiohttp
import pytest

from certs.pki import Pki
from certs.tls import client_context
from tests.conformance.scenario import scenario
from tests.conformance.steps import force
from tests.interop.grid.markup import Dress, dressed, el
from tests.interop.grid.notify import watching
from tests.interop.grid.server import MEDIA, Fault, Grid, serving
from tests.interop.grid.tree import CAPABILITY, CLOCK, ROOT
from tests.interop.lone import Lone

pytestmark = pytest.mark.requirement("PRO-2030.5")

CAP = "opModMaxLimW"


@scenario("ERR-001", "ERR", "A redirect is followed, and a loop of them ended")
async def test_redirects(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    moved = f"{ROOT}/moved/events"
    grid.extra[moved] = programme.events
    grid.moved = {programme.events_href: moved}
    async with serving(grid, context), lone.client(grid):
        mrid = programme.add(0, 60, opModMaxLimW=5000)
        await force(lone, CAP, 50.0)
        await grid.answered(mrid, [1, 2])
        grid.moved[moved] = programme.events_href
        seen = len(grid.log)
        await grid.until(lambda: len(grid.log) > seen + 10, 8.0, "the loop met")
        await grid.polled(CLOCK, 2)  # the rest goes on
        assert lone.in_force(CAP) == 50.0


async def _post(uri: str, body: bytes, tls: ssl.SSLContext, media: str = MEDIA) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            uri, data=io.BytesIO(body), headers={"Content-Type": media}, ssl=tls
        ) as answer,
    ):
        return answer.status


async def _uri(grid: Grid, path: str) -> str:
    await grid.until(lambda: watching(grid, path) is not None, 8.0, "subscribed")
    watcher = watching(grid, path)
    assert watcher is not None
    return watcher.findtext("{*}notificationURI") or ""


@scenario("ERR-002", "ERR", "Notifications that are none, or of nothing known, are refused")
async def test_bad_notifications(
    lone: Lone, context: ssl.SSLContext, notifying: ssl.SSLContext
) -> None:
    grid = lone.grid()
    programme = grid.add_programme(subscribable=1)
    async with serving(grid, context), lone.client(grid):
        uri = await _uri(grid, programme.events_href)
        assert await _post(uri, b"<Notification", notifying) == 400
        assert await _post(uri, b"", notifying) == 400
        assert await _post(uri, b"hello", notifying, "text/plain") == 415
        unknown = el(
            "Notification",
            el("subscribedResource", "/nowhere"),
            el("status", 0),
            el("subscriptionURI", "/nowhere/1"),
        )
        assert await _post(uri, dressed(unknown, Dress.PLAIN), notifying) == 404
        await grid.polled(programme.events_href)


@scenario("ERR-003", "ERR", "Notifications of anybody but the own utility are refused")
async def test_notifications_of_strangers(lone: Lone, pki: Pki, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme(subscribable=1)
    path = programme.events_href
    async with serving(grid, context), lone.client(grid):
        uri = await _uri(grid, path)
        watcher = watching(grid, path)
        assert watcher is not None
        forged = el(
            "Notification",
            el("subscribedResource", path),
            el("status", 1),
            el("subscriptionURI", grid.base + str(watcher.get("href"))),
        )
        impostor = client_context(pki.identity("impostor"), pki.trust)
        assert await _post(uri, dressed(forged, Dress.PLAIN), impostor) == 403
        await grid.polled(path)
        asked = grid.asked("POST", f"{grid.home.href}/watchers")
        assert sum(1 for each in asked if each.good) == len(grid.home.watchers.items)


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        pytest.param(
            *(503, {"Retry-After": "1"}),
            marks=scenario("ERR-004A", "ERR", "503 with Retry-After: tried again then"),
        ),
        pytest.param(
            *(429, {"Retry-After": "1"}),
            marks=scenario("ERR-004B", "ERR", "429 with Retry-After: tried again then"),
        ),
        pytest.param(*(500, {}), marks=scenario("ERR-004C", "ERR", "500: tried again")),
        pytest.param(*(404, {}), marks=scenario("ERR-004D", "ERR", "404: found again later")),
    ],
)
async def test_faults_of_the_server(
    lone: Lone, context: ssl.SSLContext, status: int, headers: dict[str, str]
) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    grid.faults[f"GET {programme.events_href}"] = Fault(status, headers, 2)
    async with serving(grid, context), lone.client(grid):
        programme.add(0, 60, opModMaxLimW=5000)
        await force(lone, CAP, 50.0)
    tries = grid.asked("GET", programme.events_href)[:3]
    assert [e.status for e in tries] == [status, status, 200]
    if headers:
        assert all(b.at - a.at >= 1.0 for a, b in itertools.pairwise(tries))


@scenario("ERR-005", "ERR", "One unreadable control costs no other")
async def test_one_bad_item(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    programme.events.items.append(el("DERControl", el("mRID", "0BAD"), el("creationTime", "soon")))
    async with serving(grid, context), lone.client(grid):
        mrid = programme.add(0, 60, opModMaxLimW=5000)
        await force(lone, CAP, 50.0)
        await grid.answered(mrid, [1, 2])


@scenario("ERR-006", "ERR", "An answer that is no XML is told, and the rest goes on")
async def test_no_xml(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    second = grid.add_programme(5)
    second.events.items.clear()
    grid.faults[f"GET {second.events_href}"] = Fault(200, {"Content-Type": MEDIA}, 999)
    async with serving(grid, context), lone.client(grid):
        mrid = programme.add(0, 60, opModMaxLimW=5000)
        await force(lone, CAP, 50.0)
        await grid.answered(mrid, [1, 2])
        assert any(second.events_href in alarm for alarm in lone.alarms)
        await grid.polled(CAPABILITY)
