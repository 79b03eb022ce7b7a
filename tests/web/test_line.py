"""The page's one live line to the hub, in a real browser."""

import re

import pytest
from playwright.async_api import Browser, Page, expect

from tests.waiting import until
from tests.web.showing import Shown, showing

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.browser,
    pytest.mark.requirement("ROLE-UI"),
]

WITHIN_S = 10.0


async def _turn(page: Page, *, away: bool) -> None:
    """Have the page believe that its window is hidden, or seen again."""
    await page.evaluate(
        """(away) => {
            Object.defineProperty(document, "hidden", { get: () => away, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        away,
    )


async def _lines(shown: Shown, count: int) -> None:
    async def look() -> int:
        await shown.home.play(net_w=-2340)  # who is gone is noticed when told something
        return shown.home.readers

    await until(look, lambda readers: readers == count, WITHIN_S, f"{count} lines open")


async def test_the_page_opens_one_line(browser: Browser) -> None:
    """The line that is opened before the page is there is the one that it then listens to."""
    async with showing(browser) as shown:
        await _lines(shown, 1)
        assert shown.home.opened == 1


async def test_a_page_that_nobody_sees_holds_no_line(browser: Browser) -> None:
    async with showing(browser) as shown:
        await _lines(shown, 1)
        await _turn(shown.page, away=True)
        await _lines(shown, 0)
        await _turn(shown.page, away=False)
        await _lines(shown, 1)
        await expect(shown.page.get_by_test_id("net-power")).to_have_text(re.compile(r"2\.3\s*kW"))
