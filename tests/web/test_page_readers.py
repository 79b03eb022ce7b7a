"""The built page for all who read it: four languages, the keyboard, large letters, paper."""

import re

import pytest
from playwright.async_api import Browser, expect

from tests.web.axe import violations
from tests.web.showing import DESKTOP, PHONE, SMALLEST, showing

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.browser,
    pytest.mark.requirement("ROLE-UI"),
]


@pytest.mark.parametrize(
    ("locale", "figure", "flow", "out"),
    [
        ("de-DE", "1,4", "Sonne", "Nicht teilnehmen"),
        ("fr-FR", "1,4", "Soleil", "Ne pas participer"),
        ("es-ES", "1,4", "Sol", "No participar"),
    ],
)
async def test_it_speaks_the_reader_s_language(
    browser: Browser, locale: str, figure: str, flow: str, out: str
) -> None:
    async with showing(browser, SMALLEST, locale=locale) as shown:
        page = shown.page
        await expect(page.get_by_test_id("net-power")).to_have_text(re.compile(rf"^{figure}\s*kW$"))
        await expect(page.get_by_test_id("flow-solar")).to_contain_text(flow)
        await expect(page.get_by_test_id("opt-out")).to_have_text(out)
        await expect(page.get_by_test_id("steps")).to_be_visible()
        assert await page.evaluate("document.documentElement.lang") == locale[:2]
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width == SMALLEST["width"]
        assert await violations(page) == []
        await shown.picture(f"320-{locale[:2]}")


async def test_another_language_is_told_kept_and_followed_by_figures(browser: Browser) -> None:
    async with showing(browser) as shown:
        page = shown.page
        await page.get_by_test_id("to-more").click()
        await page.get_by_test_id("language").select_option("de")
        await expect(page.get_by_test_id("spoken")).to_have_text(
            "Diese Seite ist jetzt auf Deutsch."
        )
        await page.get_by_test_id("to-home").click()
        await expect(page.get_by_test_id("net-power")).to_have_text(re.compile(r"1,4\s*kW"))
        await expect(page.get_by_test_id("today-cost")).to_contain_text(re.compile(r"1,84\s*€"))
        await page.reload()
        await expect(page.get_by_test_id("net-power")).to_have_text(re.compile(r"1,4\s*kW"))
        await expect(page.get_by_test_id("why")).to_contain_text("Peak Saver bittet")


async def test_the_keyboard_reaches_everything_in_the_order_it_is_read(browser: Browser) -> None:
    async with showing(browser) as shown:
        page = shown.page
        await expect(page.get_by_test_id("step").first).to_be_visible()
        await expect(page.get_by_test_id("day-before")).to_be_enabled()
        await page.keyboard.press("Tab")
        await expect(page.locator(".skip")).to_be_focused()
        await page.keyboard.press("Enter")
        reached: list[str] = []
        for _ in range(12):
            await page.keyboard.press("Tab")
            reached.append(await page.evaluate(_FOCUSED))
        assert reached[:7] == [
            "opt-out",
            "today-cost",
            "today-saved",
            "today-self",
            "today-carbon",
            "day-before",
            "look",
        ]
        assert reached[7] == "step"


_FOCUSED = """() => {
  const on = document.activeElement;
  return (on.dataset.testid ?? on.closest('[data-testid]')?.dataset.testid) ?? on.tagName;
}"""


async def test_letters_twice_as_large_push_nothing_out(browser: Browser) -> None:
    async with showing(browser, DESKTOP) as shown:
        page = shown.page
        await expect(page.get_by_test_id("step").first).to_be_visible()
        await page.evaluate("document.documentElement.style.fontSize = '200%'")
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width == DESKTOP["width"]
        await shown.picture("200-percent")


async def test_it_can_be_printed(browser: Browser) -> None:
    async with showing(browser, PHONE) as shown:
        page = shown.page
        await expect(page.get_by_test_id("step").first).to_be_visible()
        await page.emulate_media(media="print")
        await expect(page.get_by_test_id("navigation")).to_be_hidden()
        await expect(page.get_by_test_id("look")).to_be_hidden()
        await expect(page.get_by_test_id("net-power")).to_be_visible()
        await expect(page.get_by_test_id("lane-solar")).to_be_visible()
        await shown.picture("print")
