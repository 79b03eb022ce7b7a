"""The views of the past in a real browser, over real sockets, from a store on the disk."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from hems.cem.civil import day_start
from tests.web.axe import violations
from tests.web.past import BERLIN, Past, past
from tests.web.showing import DESKTOP, OWNER, PHONE, RESULTS, SMALLEST, page_settings
from tests.web.surface import ScriptedHome
from web.server import serving

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.browser,
    pytest.mark.requirement("ROLE-UI"),
]

NOW = day_start(date(2026, 6, 17), BERLIN) + 14 * 3600
PATIENCE_MS = 20_000
"""For a month of figures on a machine that has much to do."""


@dataclass
class Looking:
    """A page that shows a past, and what the browser complained of."""

    page: Page
    url: str
    past: Past
    complaints: list[str] = field(default_factory=list)

    async def go(self, address: str) -> None:
        await self.page.goto(self.url + address)

    async def picture(self, name: str) -> None:
        """Keep a picture of the whole page for people to look at."""
        await self.page.screenshot(path=RESULTS / f"history-{name}.png", full_page=True)


@asynccontextmanager
async def looking(
    browser: Browser,
    tmp_path: Path,
    viewport: ViewportSize = DESKTOP,
    *,
    dark: bool = False,
    at: float = NOW,
) -> AsyncIterator[Looking]:
    """Open the page on a home with a past, which whoever calls has yet to make."""
    async with (
        past(tmp_path, at) as made,
        serving(ScriptedHome(), page_settings(), made.clock, (*made.parts(), OWNER), OWNER) as url,
    ):
        context = await browser.new_context(
            viewport=viewport,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="America/New_York",
            accept_downloads=True,
        )
        shown = Looking(await context.new_page(), url, made)
        shown.page.on(
            "console",
            lambda m: shown.complaints.append(m.text) if m.type in {"error", "warning"} else None,
        )
        shown.page.on("pageerror", lambda error: shown.complaints.append(str(error)))
        await shown.page.clock.set_fixed_time(at)
        yield shown
        await context.close()
    assert shown.complaints == []


def midnight(day: str) -> float:
    return day_start(date.fromisoformat(day), BERLIN)


async def test_from_a_year_to_an_hour_and_back(browser: Browser, tmp_path: Path) -> None:
    async with looking(browser, tmp_path) as shown:
        await shown.past.lived(midnight("2026-06-10"), NOW)
        page, place = shown.page, shown.page.get_by_test_id("place")
        await shown.go("/history?span=year&at=2026")
        await expect(place).to_have_text("2026")
        await expect(page.get_by_test_id("bars").locator(".piece").first).to_be_visible()
        await page.get_by_test_id("steps").locator("summary").click()
        await page.get_by_role("link", name="Look at Jun").click()
        await expect(place).to_have_text("June 2026")
        await page.get_by_role("link", name="Look at 16").click()
        await expect(place).to_have_text("Yesterday")
        assert "span=day" in page.url
        assert "at=2026-06-16" in page.url
        await expect(page.get_by_test_id("device-table")).to_contain_text("Grid meter")
        await page.get_by_role("link", name="Look at 12:00").click()
        await expect(place).to_have_text("Yesterday, 12:00 \u2013 13:00")
        await expect(page.get_by_test_id("bars").locator(".piece").first).to_be_visible()
        await page.go_back()
        await expect(place).to_have_text("Yesterday")
        await page.reload()
        await expect(place).to_have_text("Yesterday")


async def test_going_about_by_buttons(browser: Browser, tmp_path: Path) -> None:
    async with looking(browser, tmp_path, PHONE) as shown:
        await shown.past.lived(midnight("2026-06-14"), NOW)
        page, place = shown.page, shown.page.get_by_test_id("place")
        await shown.go("/history")
        await expect(place).to_have_text("Today")
        await expect(page.get_by_test_id("later")).to_be_disabled()
        await page.get_by_test_id("earlier").click()
        await expect(place).to_have_text("Yesterday")
        await page.get_by_test_id("span-week").click()
        await expect(place).to_have_text("15 Jun \u2013 21 Jun 2026")
        await page.get_by_test_id("jump").fill("2026-06-08")
        await page.get_by_test_id("jump").blur()
        await expect(place).to_have_text("8 Jun \u2013 14 Jun 2026")
        await page.get_by_test_id("now").click()
        await expect(place).to_have_text("15 Jun \u2013 21 Jun 2026")
        await page.get_by_test_id("division").select_option("use")
        await expect(page.get_by_test_id("energy")).to_contain_text("Car")
        await page.get_by_test_id("compare").select_option("before")
        await expect(page.get_by_test_id("total-taken_kwh")).to_contain_text("before:")
        assert "by=use" in page.url
        assert "compare=before" in page.url
        await expect(page.locator(".ghost").first).to_be_visible()
        await shown.picture("week-phone")


async def test_a_day_of_25_hours_has_25_bars(browser: Browser, tmp_path: Path) -> None:
    async with looking(browser, tmp_path, at=midnight("2026-10-27")) as shown:
        await shown.past.measured("meter", midnight("2026-10-25"), midnight("2026-10-26"), 1000.0)
        page = shown.page
        await shown.go("/history?span=day&at=2026-10-25")
        await expect(page.get_by_test_id("bars").locator(".piece")).to_have_count(25)
        await expect(page.get_by_test_id("total-taken_kwh")).to_contain_text("25.0")
        await page.get_by_test_id("steps").locator("summary").click()
        for name in ("01:00", "02:00 GMT+2", "02:00 GMT+1", "03:00"):
            await expect(page.get_by_role("link", name=f"Look at {name}")).to_be_visible()
        await shown.picture("25-hours")


async def test_a_day_of_23_hours_has_23_bars(browser: Browser, tmp_path: Path) -> None:
    async with looking(browser, tmp_path) as shown:
        await shown.past.measured("meter", midnight("2026-03-29"), midnight("2026-03-30"), 1000.0)
        await shown.go("/history?span=day&at=2026-03-29")
        await expect(shown.page.get_by_test_id("bars").locator(".piece")).to_have_count(23)
        await expect(shown.page.get_by_test_id("total-taken_kwh")).to_contain_text("23.0")


async def test_what_is_missing_is_said(browser: Browser, tmp_path: Path) -> None:
    async with looking(browser, tmp_path) as shown:
        start = midnight("2026-06-15")
        await shown.past.measured("meter", start, start + 6 * 3600, 1000.0)
        await shown.go("/history?span=day&at=2026-06-15")
        await expect(shown.page.get_by_test_id("partly")).to_contain_text("25\u00a0%")
        await shown.go("/history?span=day&at=2025-06-15")
        await expect(shown.page.get_by_test_id("nothing")).to_contain_text("Nothing was measured")


@pytest.mark.parametrize("form", ["csv", "parquet"])
async def test_a_file_to_take_along(browser: Browser, tmp_path: Path, form: str) -> None:
    async with looking(browser, tmp_path) as shown:
        await shown.past.lived(midnight("2026-06-16"), NOW)
        await shown.go("/history?span=day&at=2026-06-16")
        await shown.page.get_by_test_id("export-step").select_option("quarter-hour")
        async with shown.page.expect_download() as downloading:
            await shown.page.get_by_test_id(f"export-{form}").click()
        download = await downloading.value
        name = f"hems-history-2026-06-16-2026-06-17-quarter-hour.{form}"
        assert download.suggested_filename == name
        content = await asyncio.to_thread(Path(await download.path()).read_bytes)
        await expect(shown.page.get_by_test_id("export-said")).to_contain_text(name)
    assert content.startswith(b"start_utc" if form == "csv" else b"PAR1")
    assert len(content.splitlines()) == 1 + 4 * 96 or form == "parquet"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("viewport", [SMALLEST, PHONE, DESKTOP], ids=["320", "390", "1280"])
async def test_nothing_is_wrong_with_it(
    browser: Browser, tmp_path: Path, viewport: ViewportSize, *, dark: bool
) -> None:
    name = f"{viewport['width']}-{'dark' if dark else 'light'}"
    async with looking(browser, tmp_path, viewport, dark=dark) as shown:
        page = shown.page
        await shown.past.lived(midnight("2026-06-01"), NOW)
        await shown.past.cost(midnight("2026-05-01"), NOW)
        await shown.go("/history?span=month&at=2026-06&compare=before")
        pieces = page.get_by_test_id("bars").locator(".piece")
        await expect(pieces.first).to_be_visible(timeout=PATIENCE_MS)
        await page.get_by_test_id("steps").locator("summary").click()
        await shown.picture(name)
        assert await violations(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
        await shown.go("/bill?month=2026-05")
        await expect(page.get_by_test_id("bill-days")).to_be_visible(timeout=PATIENCE_MS)
        await shown.picture(f"bill-{name}")
        assert await violations(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") == viewport["width"]


async def test_a_bill_and_its_print(browser: Browser, tmp_path: Path) -> None:
    async with looking(browser, tmp_path) as shown:
        page = shown.page
        may, june = midnight("2026-05-01"), midnight("2026-06-01")
        await shown.past.cost(may, june, skip=range(int(may), int(may) + 86_400))
        await shown.past.cost(june, NOW)
        await shown.go("/bill")
        await expect(page.get_by_test_id("bill-title")).to_have_text("Bill for May 2026")
        sheet = page.get_by_test_id("bill")
        await expect(sheet).to_contain_text("Birch Lane 7")
        await expect(sheet).to_contain_text("Grid meter (meter)")
        await expect(sheet.get_by_test_id("taken-bands")).to_contain_text("\u20ac0.32")
        # 30 days of 96 quarters: cost less revenue and 0.5 cents of charges each.
        cost = 30 * (24 * 0.2 * 0.24 + 72 * 0.2 * 0.32)
        total = cost + 30 * 96 * (0.005 - 0.008)
        await expect(page.get_by_test_id("bill-total")).to_have_text(f"\u20ac{total:.2f}")
        await expect(page.get_by_test_id("bill-partly")).to_contain_text("97\u00a0%")
        await expect(page.get_by_test_id("no-invoice")).to_contain_text("no invoice")
        await page.emulate_media(media="print")
        await expect(page.get_by_test_id("print")).to_be_hidden()
        await expect(page.get_by_test_id("navigation")).to_be_hidden()
        pdf = await page.pdf(prefer_css_page_size=True)
        await asyncio.to_thread((RESULTS / "history-bill.pdf").write_bytes, pdf)
        assert pdf.startswith(b"%PDF")
        assert b"/MediaBox [0 0 594.95" in pdf or b"/MediaBox [0 0 595" in pdf, "A4"
        await page.emulate_media(media="screen")
        await page.get_by_test_id("month-after").click()
        await expect(page.get_by_test_id("bill-title")).to_have_text("Bill for June 2026")
        await expect(page.get_by_text("This month is not over")).to_be_visible()
        await expect(page.get_by_test_id("month-after")).to_have_count(0)
        await page.get_by_test_id("month").fill("2025-02")
        await expect(page.get_by_test_id("no-bill")).to_be_visible()
