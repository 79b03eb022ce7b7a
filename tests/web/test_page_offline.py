"""The built page while the hub is out of reach: the last known state stays, and looks old."""

import re
from dataclasses import replace

import pytest
from playwright.async_api import Browser, expect

from tests.web.outlook import ScriptedOutlook
from tests.web.script import PEAK, event
from tests.web.showing import OWNER, PHONE, page_settings
from tests.web.surface import ScriptedClock, ScriptedHome
from web.server import serving

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.browser,
    pytest.mark.requirement("ROLE-UI"),
]


async def test_the_page_comes_back_after_the_hub_was_away(browser: Browser) -> None:
    home, settings, outlook = ScriptedHome(), page_settings(), ScriptedOutlook()
    page = await browser.new_page(viewport=PHONE, locale="en-GB")
    async with serving(home, settings, ScriptedClock(), (*outlook.parts(), OWNER)) as url:
        await page.goto(url)
        await expect(page.get_by_test_id("live")).to_have_text("Live figures")
        await expect(page.get_by_test_id("offline")).to_have_count(0)
        await expect(page.get_by_test_id("steps")).to_be_visible()
    await expect(page.get_by_test_id("live")).to_contain_text("Reconnecting to the hub")
    await expect(page.get_by_test_id("offline")).to_be_visible()
    await expect(page.get_by_test_id("net-power")).to_be_visible()

    await home.play(net_w=5200)
    again = replace(settings, port=int(url.rpartition(":")[2]))
    async with serving(home, again, ScriptedClock(), (*outlook.parts(), OWNER)):
        await expect(page.get_by_test_id("live")).to_have_text("Live figures", timeout=15_000)
        await expect(page.get_by_test_id("offline")).to_have_count(0)
        await expect(page.get_by_test_id("net-power")).to_have_text(re.compile(r"5\.2\s*kW"))
        await page.close()


async def test_a_hub_that_starts_anew_is_not_out_of_reach(browser: Browser) -> None:
    home, settings, outlook = ScriptedHome(), page_settings(), ScriptedOutlook()
    page = await browser.new_page(viewport=PHONE, locale="en-GB")
    async with serving(home, settings, ScriptedClock(), (*outlook.parts(), OWNER)) as url:
        await page.goto(url)
        await expect(page.get_by_test_id("live")).to_have_text("Live figures")
        await page.evaluate(
            """new MutationObserver(() => {
                 if (document.querySelector("[data-testid=offline]")) window.said = true;
               }).observe(document.body, { childList: true, subtree: true });"""
        )
    await expect(page.get_by_test_id("live")).to_contain_text("Reconnecting to the hub")
    again = replace(settings, port=int(url.rpartition(":")[2]))
    async with serving(home, again, ScriptedClock(), (*outlook.parts(), OWNER)):
        await expect(page.get_by_test_id("live")).to_have_text("Live figures", timeout=15_000)
        assert await page.evaluate("window.said === undefined")
        await page.close()


async def test_what_was_known_is_shown_aged_after_a_reload_without_the_hub(
    browser: Browser,
) -> None:
    home, settings, outlook = ScriptedHome(), page_settings(), ScriptedOutlook()
    context = await browser.new_context(viewport=PHONE, locale="en-GB")
    page = await context.new_page()
    async with serving(home, settings, ScriptedClock(), (*outlook.parts(), OWNER)) as url:
        await page.goto(url)
        await expect(page.get_by_test_id("live")).to_have_text("Live figures")
        await expect(page.get_by_test_id("step").first).to_be_visible()
        await expect(page.get_by_test_id("today-cost")).to_contain_text("€1.84")
        await home.play(events=[event(PEAK, title="Import at most 2 kW")])
        await expect(page.get_by_test_id("event-title")).to_have_text("Import at most 2 kW")
        # The files of the page still come, as they do from a service worker; the hub's answers not.
        await context.route("**/api/**", lambda route: route.abort())
        await page.reload()
        await expect(page.get_by_test_id("offline")).to_be_visible()
        await expect(page.get_by_test_id("live")).to_contain_text("Reconnecting to the hub")
        await expect(page.get_by_test_id("net-power")).to_have_text(re.compile(r"1\.4\s*kW"))
        await expect(page.get_by_test_id("event-title")).to_have_text("Import at most 2 kW")
        await expect(page.get_by_test_id("today-cost")).to_contain_text("€1.84")
        await expect(page.get_by_test_id("step").first).to_be_visible()
        solar = page.get_by_test_id("lane-solar")
        await expect(solar.locator(".measured")).to_have_attribute("d", re.compile("^M.{200}"))

        await context.unroute("**/api/**")
        await expect(page.get_by_test_id("live")).to_have_text("Live figures", timeout=15_000)
        await expect(page.get_by_test_id("offline")).to_have_count(0)
    await context.close()


async def test_what_lies_broken_in_the_browser_is_passed_over(browser: Browser) -> None:
    context = await browser.new_context(viewport=PHONE, locale="en-GB")
    await context.add_init_script(
        """for (const name of ["home", "plan", "today", "day", "quarters"])
             localStorage.setItem(`hems.kept.${name}`, '{"shape":1,"cameMs":');"""
    )
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    async with serving(
        ScriptedHome(), page_settings(), ScriptedClock(), (*ScriptedOutlook().parts(), OWNER)
    ) as url:
        await page.goto(url)
        await expect(page.get_by_test_id("live")).to_have_text("Live figures")
        await expect(page.get_by_test_id("step").first).to_be_visible()
    await context.close()
    assert complaints == []


async def test_after_sleep_the_line_is_opened_anew_at_once(browser: Browser) -> None:
    """A browser that slept may hold a line that died meanwhile, and never be told of it."""
    home, outlook = ScriptedHome(), ScriptedOutlook()
    page = await browser.new_page(viewport=PHONE, locale="en-GB")
    async with serving(home, page_settings(), ScriptedClock(), (*outlook.parts(), OWNER)) as url:
        await page.goto(url)
        await expect(page.get_by_test_id("live")).to_have_text("Live figures")
        # Its clock went on while its timers stood still.
        async with page.expect_request("**/api/stream*", timeout=10_000):
            await page.evaluate("{ const now = Date.now; Date.now = () => now() + 600_000; }")
        await expect(page.get_by_test_id("live")).to_have_text("Live figures")
        async with page.expect_request("**/api/stream*", timeout=10_000):
            await page.evaluate("window.dispatchEvent(new Event('online'))")
        await expect(page.get_by_test_id("live")).to_have_text("Live figures")
        await page.close()
