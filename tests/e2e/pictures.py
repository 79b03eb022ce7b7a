"""Takes the README's pictures of the page from the running demo: `make pictures`."""

import asyncio
import tempfile
from pathlib import Path

from playwright.async_api import ViewportSize, async_playwright, expect

from hems.commands.scene import Scene
from hems.commands.stage import Stage
from tests.browser import CHROMIUM_ARGS
from tests.e2e.rig import Rig
from tests.waiting import until

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
SIZES = {
    "desktop": ViewportSize(width=1280, height=800),
    "phone": ViewportSize(width=390, height=844),
}
BEFORE_S = 90.0
DURING_S = 20.0


async def main() -> None:
    """Run the demo, let it live for a while, dispatch an event, take the pictures."""
    afternoon = ("--start-hour", "15.5", "--ev-arrive-hour", "15", "--battery-soc", "0.55")
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder), Scene(page_port=0, house=afternoon))
        async with Rig(stage) as rig, async_playwright() as playwright:
            await asyncio.sleep(BEFORE_S)
            await rig.dispatch(limit_import_w=1500.0, seconds=900)
            await until(rig.home, lambda home: (home.net_w or 1e9) <= 1500.0, 10.0, "obeyed")
            await asyncio.sleep(DURING_S)
            browser = await playwright.chromium.launch(
                executable_path="/usr/bin/chromium", args=CHROMIUM_ARGS
            )
            for name, size in SIZES.items():
                page = await browser.new_page(viewport=size)
                await page.goto(stage.page)
                await expect(page.get_by_test_id("event-card")).to_be_visible()
                await page.screenshot(path=IMAGES / f"home-{name}.png", full_page=name == "phone")
                await page.close()
            await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
