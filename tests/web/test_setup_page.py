"""The guided path and the settings in a real browser, over real files."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from hems.settings.config import load
from tests.web.axe import violations
from tests.web.keeping import Kept, kept
from tests.web.outlook import ScriptedOutlook
from tests.web.showing import DESKTOP, PHONE, RESULTS, SMALLEST, page_settings
from tests.web.surface import ScriptedClock, ScriptedHome
from tests.web.visitor import Visitor
from web.server import serving

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.browser,
    pytest.mark.requirement("ROLE-UI"),
]

STEPS = ("language", "account", "home", "tariff", "devices", "utility", "done")


@dataclass
class Walk:
    """A page on which a home is set up, and what the browser complained of."""

    page: Page
    kept: Kept
    url: str
    complaints: list[str] = field(default_factory=list)


@asynccontextmanager
async def walking(
    browser: Browser,
    folder: Path,
    viewport: ViewportSize = DESKTOP,
    *,
    dark: bool = False,
    locale: str = "en-GB",
) -> AsyncIterator[Walk]:
    home, outlook, visitor = ScriptedHome(), ScriptedOutlook(), Visitor()
    async with kept(folder, home) as made:
        parts = (*outlook.parts(), visitor, *made.parts)
        async with serving(home, page_settings(), ScriptedClock(), parts, visitor) as url:
            context = await browser.new_context(
                viewport=viewport,
                color_scheme="dark" if dark else "light",
                reduced_motion="reduce",
                locale=locale,
                timezone_id="Europe/Paris",
            )
            walk = Walk(await context.new_page(), made, url)
            walk.page.on(
                "console",
                lambda m: walk.complaints.append(m.text) if m.type == "error" else None,
            )
            walk.page.on("pageerror", lambda error: walk.complaints.append(str(error)))
            yield walk
            await context.close()
    assert walk.complaints == []


async def at_step(walk: Walk, step: str) -> None:
    await walk.page.goto(f"{walk.url}/setup?step={step}")
    await expect(walk.page.locator(f"[data-step={step}]")).to_be_visible()


async def test_the_path_by_keyboard_leaves_a_home_that_is_set_up(
    browser: Browser, tmp_path: Path
) -> None:
    async with walking(browser, tmp_path) as walk:
        page = walk.page
        await at_step(walk, "home")
        await page.get_by_test_id("home-name").focus()
        await page.keyboard.type("Moulin")
        await expect(page.get_by_test_id("home-zone")).to_have_value("Europe/Paris")
        await expect(page.get_by_test_id("home-breaker")).to_have_value("45")
        await page.keyboard.press("Enter")
        await expect(page.locator("[data-step=tariff]")).to_be_visible()
        await page.get_by_test_id("tariff-bands").check()
        await page.get_by_test_id("band-add").press("Enter")
        await page.get_by_test_id("band-0").get_by_label("Price").fill("0.16")
        await page.get_by_test_id("tariff-price").fill("0.25")
        await page.get_by_test_id("step-next").press("Enter")
        await expect(page.locator("[data-step=devices]")).to_be_visible()
        config = load(walk.kept.path)
        assert (config.home.name, config.home.main_breaker) == ("Moulin", 45.0)
        assert config.tariff.import_.window[0].price == 0.16
        assert config.home.time_zone == "Europe/Paris"


async def test_it_is_taken_up_where_it_was_left(browser: Browser, tmp_path: Path) -> None:
    async with walking(browser, tmp_path) as walk:
        page = walk.page
        await at_step(walk, "language")
        await page.get_by_test_id("step-next").click()
        await expect(page.locator("[data-step=account]")).to_be_visible()
        await page.get_by_test_id("step-home").click()
        await page.get_by_test_id("home-name").fill("Mill")
        await page.get_by_test_id("step-next").click()
        await page.get_by_test_id("step-later").click()
        await expect(page.locator("[data-step=devices]")).to_be_visible()
        await page.goto(f"{walk.url}/setup?step=done")
        await expect(page.get_by_test_id("missing").locator("li")).not_to_have_count(0)
        await page.get_by_test_id("setup-finish").click()
        await expect(page.get_by_test_id("net-power")).to_be_visible()


async def test_settings_are_saved_refused_by_field_and_undone(
    browser: Browser, tmp_path: Path
) -> None:
    async with walking(browser, tmp_path) as walk:
        walk.kept.path.write_text('[home]\nbattery = "hold"\n')
        page = walk.page
        await page.goto(f"{walk.url}/settings")
        limits = page.get_by_test_id("group-limits")
        await limits.get_by_label("Keep each quarter-hour under").fill("4.5")
        await page.get_by_test_id("save-limits").click()
        await expect(limits.get_by_role("status")).to_contain_text("Saved")
        assert load(walk.kept.path).peak.limit == 4500.0
        await expect(page.get_by_test_id("setting-home-battery")).to_contain_text("hems.toml")
        await expect(page.locator("#setting-home-battery")).to_be_disabled()
        reserve = page.get_by_test_id("group-reserve")
        await reserve.get_by_label("Offer reserve").check()
        await page.get_by_test_id("save-reserve").click()
        await expect(reserve.get_by_role("alert").first).to_contain_text("programs")
        await page.get_by_test_id("version-back").first.click()
        await expect(limits.get_by_label("Keep each quarter-hour under")).to_have_value("")
        assert load(walk.kept.path).peak.limit is None


async def test_a_backup_is_made_and_looked_into_by_the_browser(
    browser: Browser, tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir()
    async with walking(browser, tmp_path / "home") as walk:
        page = walk.page
        await page.goto(f"{walk.url}/settings")
        await page.get_by_test_id("backup-passphrase").fill("correct horse battery")
        await page.get_by_test_id("backup-again").fill("correct horse battery")
        await page.get_by_test_id("backup-make").click()
        async with page.expect_download() as downloading:
            await page.get_by_test_id("backup-fetch").click(timeout=30_000)
        file = tmp_path / "home.hems-backup"
        await (await downloading.value).save_as(file)
        await page.get_by_test_id("restore-file").set_input_files(file)
        await page.get_by_test_id("restore-passphrase").fill("correct horse battery")
        await page.get_by_test_id("restore-check").click()
        await expect(page.get_by_test_id("restore-contents")).to_contain_text("Home")
        await page.get_by_test_id("restore-replace").click()
        await expect(page.get_by_test_id("restore-started")).to_be_visible(timeout=30_000)
        assert walk.kept.anew == [None]


async def test_wiping_waits_for_the_right_name(browser: Browser, tmp_path: Path) -> None:
    async with walking(browser, tmp_path) as walk:
        page = walk.page
        await page.goto(f"{walk.url}/settings")
        await page.get_by_test_id("wipe-typed").fill("house")
        await expect(page.get_by_test_id("wipe-do")).to_be_disabled()
        await page.get_by_test_id("wipe-typed").fill("Home")
        await page.get_by_test_id("wipe-do").click()
        await expect(page.get_by_test_id("wipe").get_by_role("status")).to_be_visible()
        assert walk.kept.anew == [None]


@pytest.mark.parametrize("dark", [False, True])
async def test_every_step_is_for_everybody(browser: Browser, tmp_path: Path, *, dark: bool) -> None:
    size = PHONE if dark else DESKTOP
    async with walking(browser, tmp_path, size, dark=dark) as walk:
        page = walk.page
        for step in STEPS:
            await at_step(walk, step)
            if step == "tariff":
                await page.get_by_test_id("tariff-bands").check()
                await page.get_by_test_id("band-add").click()
            await page.evaluate(
                "document.querySelectorAll('details').forEach((each) => (each.open = true))"
            )
            assert await violations(page) == [], step
            shade = "dark" if dark else "light"
            await page.screenshot(path=RESULTS / f"setup-{step}-{shade}.png", full_page=True)
        await page.goto(f"{walk.url}/settings")
        await expect(page.get_by_test_id("versions")).to_be_visible()
        assert await violations(page) == []
        await page.screenshot(path=RESULTS / f"settings-{shade}.png", full_page=True)


@pytest.mark.parametrize("locale", ["de-DE", "fr-FR", "es-ES"])
async def test_nothing_runs_over_the_edge_in_any_language(
    browser: Browser, tmp_path: Path, locale: str
) -> None:
    async with walking(browser, tmp_path, SMALLEST, locale=locale) as walk:
        for step in STEPS:
            await at_step(walk, step)
            over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert await walk.page.evaluate(over) <= 0, step
            assert "setup." not in await walk.page.locator("main").inner_text()
        await walk.page.goto(f"{walk.url}/settings")
        await expect(walk.page.get_by_test_id("versions")).to_be_visible()
        assert await walk.page.evaluate(over) <= 0
