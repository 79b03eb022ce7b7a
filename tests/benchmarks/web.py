"""What the page costs and how soon it shows: on a phone with a slow line, and the hub behind it.

The whole stage runs, with ten devices on real sockets, and Debian's Chromium asks the hub's page.

- `interactive_ms`: from asking for the page, on a phone four times slower than this machine and a
  slow mobile line (1.6 Mbit/s, 150 ms there and back), until the devices' tiles with their figures
  have been painted and the page could take a tap; nothing is in its cache. The median of some
  loads; `first_paint_ms` is when anything at all was there.
- `kb_gzip`: what had come over the line by then, headers and all, compressed as it was sent:
  the page's files (`kb_files`) and the first answers; the live line is left out.
- `update_p99_ms`: from the instant a process image is complete, through the decision on it and
  the live line, to the paint that shows it, on this machine unslowed.
- `year_view_ms`: from asking for the months of a year to the whole answer, from a store that holds
  ten devices at every minute of two; the slowest of some. `year_by_day_ms` is the same by days,
  `year_compared_ms` and `year_by_day_compared_ms` with the year before beside it.
- `hub_cpu_10_pages`: share of one processor that the hub's processes take while ten pages are
  open, `hub_cpu_no_page` while none is.
"""

import argparse
import asyncio
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, CDPSession, Page, ViewportSize, async_playwright

from hems.commands.scene import Scene
from hems.commands.stage import Stage
from tests.benchmarks.common import Figure, in_ms, latencies, parser, report
from tests.benchmarks.footprint import ECONOMY, EXTRA_METERS, TABLES, usage
from tests.benchmarks.web_year import year_view
from tests.browser import CHROMIUM_ARGS
from tests.e2e.rig import Part, Rig
from tests.waiting import until
from web.settings import WebSettings

MEASURE: Final = Path(__file__).with_name("web_page.js")
PAGES: Final = 10
SLOWER: Final = 4
SLOW_LINE: Final = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_600_000 / 8,
    "uploadThroughput": 750_000 / 8,
}
PHONE: Final = ViewportSize(width=390, height=844)
DESKTOP: Final = ViewportSize(width=1280, height=800)
WITHIN_S: Final = 60.0
SETTLE_S: Final = 5.0
MS: Final = 1e-3


class Update(Part):
    """A snapshot on its way to the eye; instants in ms of wall time.

    Attributes:
        at: The image was complete.
        received: The page had it.
        painted: It was on the screen.
    """

    at: float
    received: float
    painted: float


class Seen(Part):
    """What the measuring script has noted, in ms after the page was asked for."""

    tiles: float | None
    first: float | None
    updates: list[Update]


class _Response(Part):
    url: str


class _Received(Part):
    requestId: str  # noqa: N815 (as the browser calls it)
    response: _Response


class _Finished(Part):
    requestId: str  # noqa: N815
    encodedDataLength: float  # noqa: N815


class Line:
    """What came over a page's line, in bytes as sent, headers and all.

    Attributes:
        files: Of the front end.
        answers: Of the API, the live line left out: it does not end.
    """

    def __init__(self) -> None:
        self.files = 0.0
        self.answers = 0.0
        self._urls: dict[str, str] = {}

    async def watch(self, session: CDPSession) -> None:
        """Count from now on."""
        session.on("Network.responseReceived", self._received)
        session.on("Network.loadingFinished", self._finished)
        await session.send("Network.enable")

    def _received(self, event: Mapping[str, object]) -> None:
        told = _Received.model_validate(event)
        self._urls[told.requestId] = told.response.url

    def _finished(self, event: Mapping[str, object]) -> None:
        told = _Finished.model_validate(event)
        if "/api/" in self._urls.get(told.requestId, ""):
            self.answers += told.encodedDataLength
        else:
            self.files += told.encodedDataLength


@dataclass(frozen=True, slots=True)
class Load:
    """How a page came.

    Attributes:
        first_s: Anything was painted, s after asking.
        ready_s: The tiles were, and it could take a tap.
        files_kb: What had come by then of the front end.
        answers_kb: The same of the API.
    """

    first_s: float
    ready_s: float
    files_kb: float
    answers_kb: float


@asynccontextmanager
async def looking(
    browser: Browser, url: str, size: ViewportSize
) -> AsyncIterator[tuple[Page, Line]]:
    """Ask for the page with nothing in the cache; on a phone, slowly."""
    context = await browser.new_context(viewport=size)
    try:
        await context.add_init_script(path=MEASURE)
        page = await context.new_page()
        session = await context.new_cdp_session(page)
        line = Line()
        await line.watch(session)
        if size == PHONE:
            await session.send("Network.emulateNetworkConditions", dict(SLOW_LINE))
            await session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        await page.goto(url, wait_until="commit")
        yield page, line
    finally:
        await context.close()


async def seen(page: Page) -> Seen:
    """Return what the measuring script has noted so far."""
    return Seen.model_validate(await page.evaluate("() => window.measured"))


async def ready(page: Page) -> Seen:
    """Return what was noted once the tiles are there."""
    return await until(
        lambda: seen(page), lambda noted: noted.tiles is not None, WITHIN_S, "tiles with figures"
    )


async def load(browser: Browser, url: str) -> Load:
    """Load the page once on a slow phone."""
    async with looking(browser, url, PHONE) as (page, line):
        noted = await ready(page)
        files_kb, answers_kb = line.files / 1000.0, line.answers / 1000.0
        first, tiles = noted.first or 0.0, noted.tiles or 0.0
        return Load(first * MS, tiles * MS, files_kb, answers_kb)


async def watched(browser: Browser, url: str, seconds: float) -> list[Update]:
    """Return the updates that one page shows in a time."""
    async with looking(browser, url, DESKTOP) as (page, _):
        await ready(page)
        known = len((await seen(page)).updates)
        await asyncio.sleep(seconds)
        return (await seen(page)).updates[known:]


async def share(pid: int, seconds: float) -> float:
    """Return what share of one processor a process tree takes."""
    begun, before = time.monotonic(), usage(pid)
    await asyncio.sleep(seconds)
    wall_s, after = time.monotonic() - begun, usage(pid)
    return (after.exact_s - before.exact_s) / wall_s


async def with_pages(browser: Browser, url: str, pid: int, seconds: float) -> float:
    """Return the hub's share while ten pages are open, each in a profile of its own."""
    async with AsyncExitStack() as pages:
        for _ in range(PAGES):
            page, _ = await pages.enter_async_context(looking(browser, url, DESKTOP))
            await ready(page)
        await asyncio.sleep(SETTLE_S)
        return await share(pid, seconds)


async def at_rest(rig: Rig) -> None:
    """Wait until the utility is there and all devices answer."""
    await until(
        rig.home,
        lambda home: (
            home.utility.state == "connected"
            and all(tile.quality == "good" for tile in home.devices)
        ),
        30.0,
        "connected, all devices good",
    )


async def in_browser(rig: Rig, options: argparse.Namespace) -> dict[str, Figure]:
    """Measure what needs the running stage and a browser."""
    await at_rest(rig)
    url, pid = rig.stage.page, rig.stage.hub.pid
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM_ARGS
        )
        loads = [await load(browser, url) for _ in range(options.loads)]
        updates = await watched(browser, url, options.seconds)
        none = await share(pid, options.seconds)
        ten = await with_pages(browser, url, pid, options.seconds)
        await browser.close()
    return {
        "interactive_ms": in_ms(statistics.median(each.ready_s for each in loads)),
        "interactive_each_ms": [in_ms(each.ready_s) for each in loads],
        "first_paint_ms": in_ms(statistics.median(each.first_s for each in loads)),
        "kb_gzip": round(max(each.files_kb + each.answers_kb for each in loads), 1),
        "kb_files": round(max(each.files_kb for each in loads), 1),
        **latencies("update", [(each.painted - each.at) * MS for each in updates]),
        **latencies("update_line", [(each.received - each.at) * MS for each in updates]),
        "updates": len(updates),
        "hub_cpu_10_pages": round(ten, 4),
        "hub_cpu_no_page": round(none, 4),
    }


async def figures(options: argparse.Namespace) -> Mapping[str, Figure]:
    """Measure everything."""
    scene = Scene(page_port=0, extra_meters=EXTRA_METERS, economy=ECONOMY, tables=TABLES)
    with tempfile.TemporaryDirectory(prefix="web-") as folder:
        async with Rig(Stage(Path(folder), scene)) as rig:
            shown = await in_browser(rig, options)
        return shown | await year_view(Path(folder), options.views)


def main() -> None:
    """Measure and print."""
    line = parser(__doc__)
    line.add_argument("--seconds", type=float, default=60.0, help="how long each is watched, s")
    line.add_argument("--loads", type=int, default=5, help="loads that are timed")
    line.add_argument("--views", type=int, default=9, help="views of the year that are timed")
    options = line.parse_args()
    if not (WebSettings().static_dir / "index.html.gz").is_file():
        line.error("the page is not built: run `make web/static/index.html`")
    report(
        "web",
        asyncio.run(figures(options)),
        requirements=["ROLE-UI"],
        headline=[
            "interactive_ms",
            "kb_gzip",
            "update_p99_ms",
            "year_view_ms",
            "hub_cpu_10_pages",
        ],
        record=options.record,
    )


if __name__ == "__main__":
    main()
