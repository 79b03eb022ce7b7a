"""The timeline of the built page: past as measured, future as planned, and the plan's reasons."""

import re
from dataclasses import replace

import pytest
from playwright.async_api import Browser, expect

from tests.web.axe import violations
from tests.web.outlook import ScriptedOutlook
from tests.web.showing import DESKTOP, PHONE, showing

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.browser,
    pytest.mark.requirement("ROLE-UI"),
]


async def test_it_shows_every_lane_measured_and_planned(browser: Browser) -> None:
    async with showing(browser, DESKTOP) as shown:
        page = shown.page
        for name in ("price", "solar", "grid", "battery", "car", "heat", "rest"):
            await expect(page.get_by_test_id(f"lane-{name}")).to_be_visible()
        solar = page.get_by_test_id("lane-solar")
        await expect(solar.locator(".measured")).to_have_attribute("d", re.compile("^M.{200}"))
        await expect(solar.get_by_test_id("planned")).to_have_attribute("d", re.compile("^M.{200}"))
        now = await page.get_by_test_id("now-line").bounding_box()
        plot = await page.get_by_test_id("plot").bounding_box()
        assert now is not None
        assert plot is not None
        assert now["x"] + now["width"] / 2 == pytest.approx(plot["x"] + plot["width"] / 2, abs=2)
        await expect(page.get_by_test_id("band")).to_have_count(2)
        for words in ("measured", "planned", "limit", "request from the grid", "Price: cheap"):
            await expect(page.get_by_test_id("legend")).to_contain_text(words)


async def test_its_reasons_are_told_on_touch_and_by_the_keyboard(browser: Browser) -> None:
    async with showing(browser, PHONE) as shown:
        page = shown.page
        when = page.get_by_test_id("looked-when")
        await expect(when).to_have_text("Now, measured")
        await expect(page.get_by_test_id("looked-values")).to_contain_text("Price €0.189 (cheap)")
        plot = await page.get_by_test_id("plot").bounding_box()
        assert plot is not None
        # 20:20 lies three quarters along a window of half a day back and half a day ahead
        await page.get_by_test_id("plot").click(
            position={"x": plot["width"] * 0.75, "y": plot["height"] / 2}
        )
        await expect(when).to_have_text("20:20, planned")
        reasons = page.get_by_test_id("looked-reason")
        await expect(reasons.filter(has_text="Battery")).to_have_text(
            "Battery gives the house what it lacks: Gives the house what it lacks"
        )

        slider = page.get_by_test_id("look")
        await slider.focus()
        await page.keyboard.press("End")
        await expect(when).to_have_text("tomorrow 02:15, planned")
        await page.keyboard.press("ArrowLeft")
        await expect(when).to_have_text("tomorrow 02:10, planned")
        spoken = await slider.get_attribute("aria-valuetext")
        assert spoken is not None
        assert "Car 7.2" in spoken
        assert "Charging: the cheapest hours before 07:00" in spoken


async def test_the_steps_to_come_stand_as_a_list_and_mark_their_time(browser: Browser) -> None:
    async with showing(browser, PHONE) as shown:
        page = shown.page
        steps = page.get_by_test_id("step")
        await expect(steps).to_have_count(5)
        await page.get_by_test_id("steps-all").click()
        await expect(steps).to_have_count(7)
        charging = steps.filter(has_text="tomorrow 01:00")
        await expect(charging).to_contain_text(re.compile(r"Wallbox charges with 7\.2\s*kW"))
        await expect(charging).to_contain_text("Charging: the cheapest hours before 07:00")
        await charging.click()
        await expect(charging).to_have_attribute("aria-pressed", "true")
        await expect(page.get_by_test_id("looked-when")).to_have_text("tomorrow 01:00, planned")
        assert await violations(page, "[data-testid=chart]") == []
        await charging.click()
        await expect(page.get_by_test_id("looked-when")).to_have_text("Now, measured")


async def test_it_goes_back_day_by_day(browser: Browser) -> None:
    async with showing(browser, DESKTOP) as shown:
        page = shown.page
        title = page.get_by_test_id("chart").get_by_role("heading", level=2)
        await expect(title).to_have_text("Half a day back, half a day ahead")
        before, after = page.get_by_test_id("day-before"), page.get_by_test_id("day-after")
        await expect(after).to_be_disabled()
        await before.click()
        await expect(title).to_have_text("Today")
        await before.click()
        await expect(title).to_have_text("Yesterday")
        await expect(page.get_by_test_id("now-line")).to_have_count(0)
        await expect(page.get_by_test_id("looked-values")).to_contain_text("Sun")
        await after.click()
        await expect(title).to_have_text("Today")
        await page.get_by_test_id("to-now").click()
        await expect(page.get_by_test_id("now-line")).to_be_visible()
        asked = {(start, end) for start, end, _ in shown.home.questions}
        assert {end - start for start, end in asked} >= {24 * 3600}, "whole days were asked for"


async def test_without_a_plan_it_says_so_and_shows_the_past(browser: Browser) -> None:
    async with showing(browser, outlook=ScriptedOutlook(view=None)) as shown:
        page = shown.page
        await expect(page.get_by_test_id("no-plan")).to_be_visible()
        await expect(page.get_by_test_id("steps")).to_have_count(0)
        solar = page.get_by_test_id("lane-solar")
        await expect(solar.locator(".measured")).to_have_attribute("d", re.compile("^M.{200}"))
        await expect(solar.get_by_test_id("planned")).to_have_attribute("d", "")


async def test_what_cannot_be_done_is_told(browser: Browser) -> None:
    outlook = ScriptedOutlook()
    assert outlook.view is not None
    short = "Wallbox 78 % of what it needs at 07:00: import limit until 06:00."
    outlook.view = replace(outlook.view, given_up=(short,))
    async with showing(browser, outlook=outlook) as shown:
        await expect(shown.page.get_by_test_id("steps")).to_contain_text(short)
