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
- `year_view_ms`: from asking for the days of a year to the whole answer, from a store that holds
  ten devices at every minute of that year; the slowest of some.
- `hub_cpu_10_pages`: share of one processor that the hub's processes take while ten pages are
  open, `hub_cpu_no_page` while none is.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, CDPSession, Page
from pydantic import TypeAdapter

from tests.e2e.rig import Part

MEASURE: Final = Path(__file__).with_name("web_page.js")
PAGES: Final = 10
SLOWER: Final = 4
SLOW_LINE: Final = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_600_000 / 8,
    "uploadThroughput": 750_000 / 8,
}
WITHIN_S: Final = 60.0


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
    firstPaint: float | None  # noqa: N815 (as the script calls it)
    updates: list[Update]


@dataclass(slots=True)
class Line:
    """What came over a page's line, in bytes as sent.

    Attributes:
        files: Of the front end.
        answers: Of the API, the live line left out.
    """

    files: int = 0
    answers: int = 0

    async def watch(self, session: CDPSession) -> None:
        """Count from now on."""
        urls: dict[str, str] = {}

        def asked(event: Mapping[str, object]) -> None:
            urls[str(event["requestId"])] = TypeAdapter(dict[str, object]).validate_python(
                event["response"]
            )["url"].__str__()

        def came(event: Mapping[str, object]) -> None:
            size = int(float(str(event["encodedDataLength"])))
            if "/api/" in urls.get(str(event["requestId"]), ""):
                self.answers += size
            else:
                self.files += size

        session.on("Network.responseReceived", asked)
        session.on("Network.loadingFinished", came)
        await session.send("Network.enable")


async def seen(page: Page) -> Seen:
    """Return what the measuring script has noted so far."""
    noted = await page.evaluate("measured")
    return Seen.model_validate(noted)


@asynccontextmanager
async def looking(browser: Browser, url: str, *, phone: bool) -> AsyncIterator[tuple[Page, Line]]:
    """Open the page with nothing in its cache, and yield it before it has loaded."""
    size = {"width": 390, "height": 844} if phone else {"width": 1280, "height": 800}
    context = await browser.new_context(viewport=TypeAdapter(ViewportSize).validate_python(size))
    try:
        await context.add_init_script(path=MEASURE)
        page = await context.new_page()
        session = await context.new_cdp_session(page)
        line = Line()
        await line.watch(session)
        if phone:
            await session.send("Network.emulateNetworkConditions", dict(SLOW_LINE))
            await session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        await page.goto(url, wait_until="commit")
        yield page, line
    finally:
        await context.close()
