"""A scripted home on a page in a real browser, for the tests of the page."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.web.outlook import ScriptedOutlook
from tests.web.script import ZONE
from tests.web.surface import ScriptedClock, ScriptedHome
from tests.web.visitor import Visitor
from web.operation import Part
from web.server import serving
from web.settings import WebSettings

RESULTS: Final = Path(os.environ.get("HEMS_PICTURES", "test-results"))
"""Where pictures are kept for people to look at."""
PHONE = ViewportSize(width=390, height=844)
SMALLEST = ViewportSize(width=320, height=640)
NARROW = ViewportSize(width=360, height=740)
OWNER: Final = Visitor()
DESKTOP = ViewportSize(width=1280, height=800)


@dataclass
class Shown:
    """A page that shows a scripted home, and what the browser complained of."""

    page: Page
    home: ScriptedHome
    outlook: ScriptedOutlook
    url: str
    complaints: list[str] = field(default_factory=list)

    async def picture(self, name: str) -> None:
        """Keep a picture of the whole page for people to look at."""
        await self.page.screenshot(path=RESULTS / f"page-{name}.png", full_page=True)


def page_settings() -> WebSettings:
    """Return how the built page is served; `HEMS_PAGE` names another folder that it lies in."""
    settings = WebSettings(port=0, time_zone=ZONE)
    built = os.environ.get("HEMS_PAGE")
    if built is not None:
        settings = WebSettings(port=0, time_zone=ZONE, static_dir=Path(built))
    if not (settings.static_dir / "index.html").is_file():
        pytest.fail("the page is not built: run `make web/static/index.html`")
    return settings


@asynccontextmanager
async def showing(
    browser: Browser,
    viewport: ViewportSize = PHONE,
    *,
    dark: bool = False,
    home: ScriptedHome | None = None,
    outlook: ScriptedOutlook | None = None,
    locale: str = "en-GB",
    visitor: Visitor = OWNER,
    parts: Sequence[Part] = (),
) -> AsyncIterator[Shown]:
    """Show a scripted home, with more parts of the API where a page needs them.

    At the end the browser must have had nothing to complain of.
    """
    settings = page_settings()
    home, outlook = home or ScriptedHome(), outlook or ScriptedOutlook()
    async with serving(
        home, settings, ScriptedClock(), (*outlook.parts(), visitor, *parts), visitor
    ) as url:
        context = await browser.new_context(
            viewport=viewport,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            locale=locale,
        )
        shown = Shown(await context.new_page(), home, outlook, url)
        shown.page.on(
            "console",
            lambda m: shown.complaints.append(m.text) if m.type in {"error", "warning"} else None,
        )
        shown.page.on("pageerror", lambda error: shown.complaints.append(str(error)))
        await shown.page.goto(url)
        await expect(shown.page.get_by_test_id("net-power")).to_be_visible()
        yield shown
        await context.close()
    assert shown.complaints == []
