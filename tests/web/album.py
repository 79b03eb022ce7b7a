"""The pictures of the page that are kept under `docs/images`: what each shows, and how it is taken.

Clock, data, fonts and size are fixed and nothing moves, so each is the same each time.
"""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from tests.browser import CHROMIUM_ARGS
from tests.web.house import House, visit
from tests.web.likeness import opened
from tests.web.showing import DESKTOP, PHONE

IMAGES: Final = Path(__file__).resolve().parents[2] / "docs" / "images"
SIZES: Final = {"phone": PHONE, "desktop": DESKTOP}
STEADY_ARGS: Final = ("--font-render-hinting=none", "--disable-lcd-text")
_FONTS: Final = """() => {
  const pen = document.createElement("canvas").getContext("2d");
  const wide = (family) => (pen.font = `40px ${family}`, pen.measureText("Wärmepumpe 42").width);
  const missing = ["DejaVu Serif", "DejaVu Sans"].filter(
    (name) => wide(`"${name}", monospace`) === wide("monospace"));
  const style = document.documentElement.style;
  style.setProperty("--serif", '"DejaVu Serif"');
  style.setProperty("--sans", '"DejaVu Sans"');
  return missing;
}"""
_DRAWN: Final = """() => new Promise((done) => requestAnimationFrame(
  () => requestAnimationFrame(() => setTimeout(done, 50))))"""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a picture shows.

    Attributes:
        name: Of the view.
        path: Where it is on the page.
        sign: Test id of what is there once it is all there.
        event: Whether the home is in the middle of an event.
        dark: Whether it is also taken dark.
    """

    name: str
    path: str
    sign: str
    event: bool = False
    dark: bool = False


SCENES: Final = (
    Scene("home", "/", "steps", dark=True),
    Scene("event", "/", "steps", event=True, dark=True),
    Scene("devices", "/devices", "device-washer"),
    Scene("car", "/car", "car-steps"),
    Scene("programmes", "/programmes", "records"),
    Scene("history", "/history?span=week&at=2026-06-08", "device-table"),
    Scene("bill", "/bill?month=2026-05", "bill-days"),
    Scene("privacy", "/privacy", "trusted"),
    Scene("setup", "/setup?step=home", "home-breaker"),
)


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: a scene at a size, light or dark."""

    scene: Scene
    size: str
    dark: bool

    @property
    def name(self) -> str:
        """Of its file, without its ending."""
        return f"{self.scene.name}-{self.size}{'-dark' if self.dark else ''}"

    @property
    def kept(self) -> Path:
        """Where it is kept."""
        return IMAGES / f"{self.name}.png"

    @property
    def viewport(self) -> ViewportSize:
        """How large it is."""
        return SIZES[self.size]


def shots() -> Iterator[Shot]:
    """Yield all pictures that are kept."""
    for scene in SCENES:
        for size in SIZES:
            for dark in (False, True) if scene.dark else (False,):
                yield Shot(scene, size, dark)


@asynccontextmanager
async def steady_browser() -> AsyncIterator[Browser]:
    """Give a Chromium that draws the same on each machine."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=[*CHROMIUM_ARGS, *STEADY_ARGS],
        )
        yield browser
        await browser.close()


@asynccontextmanager
async def posing(browser: Browser, house: House, shot: Shot) -> AsyncIterator[Page]:
    """Open the page as a picture shows it."""
    house.show(house.eventful if shot.scene.event else house.calm)
    async with visit(browser, shot.viewport, dark=shot.dark) as page:
        await page.goto(house.url + shot.scene.path)
        await expect(page.get_by_test_id(shot.scene.sign).first).to_be_visible()
        missing = await page.evaluate(_FONTS)
        assert missing == [], "the pictures need Debian's fonts-dejavu-core and -extra"
        await page.evaluate(_DRAWN)
        yield page


async def taken(page: Page) -> Image.Image:
    """Take the picture of what is to be seen of a page."""
    return opened(await page.screenshot(animations="disabled", caret="hide"))
