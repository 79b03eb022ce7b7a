"""A device falls silent and comes back, as the people in the house see it on phone and desktop."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.e2e.conftest import Opener
from tests.e2e.rig import Home, Rig
from tests.e2e.test_main_job import settled
from tests.waiting import until
from tests.web.axe import violations
from tests.web.showing import DESKTOP, PHONE

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.requirement("ROLE-UI", "LC-TEST"),
]

LOST = "water_heater"
LOST_WITHIN_S = 30.0
BACK_WITHIN_S = 60.0
"""Attempts to reach a device that is gone grow rarer, up to half a minute apart."""
SAID_MS = 10_000
SILENT = "No usable answer. The hub keeps asking and manages without it."


@asynccontextmanager
async def looking(
    browser: Browser, rig: Rig, size: ViewportSize, locale: str = "en-GB"
) -> AsyncIterator[Page]:
    """Open the hub's page; at the end no script on it may have failed."""
    context = await browser.new_context(
        base_url=rig.stage.page,
        viewport=size,
        has_touch=size is PHONE,
        locale=locale,
        reduced_motion="reduce",
    )
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    await context.close()
    assert errors == []


def quality(home: Home) -> str:
    return home.tile(LOST).quality


async def calm(page: Page) -> None:
    """Check that Home speaks of no trouble."""
    await page.goto("/")
    tile = page.get_by_test_id(f"tile-{LOST}")
    await expect(tile).to_have_attribute("data-quality", "good")
    await expect(page.get_by_test_id("alarms")).to_have_count(0)
    await expect(page.get_by_test_id("silent")).to_have_count(0)
    await expect(page.get_by_test_id("why")).not_to_contain_text("No usable answer")


async def said_at_home(page: Page, power: str) -> None:
    """Check that Home says which device is lost, since when, and what the hub does about it."""
    tile = page.get_by_test_id(f"tile-{LOST}")
    await expect(tile).to_have_attribute("data-quality", "lost", timeout=SAID_MS)
    await expect(page.get_by_test_id("alarms")).to_contain_text("Water heater does not answer")
    await expect(page.get_by_test_id("why")).to_contain_text(f"Water heater: {SILENT}")
    await expect(tile.locator(".figure")).to_have_text(power)
    await expect(tile).to_contain_text("Last: heating")
    await expect(tile.get_by_test_id("aged")).to_have_text(re.compile(r"Last answer \d+\s*s ago"))
    await expect(tile.get_by_test_id("silent")).to_have_text(SILENT)
    technical = tile.get_by_text("no Modbus connection")
    await expect(technical).to_be_hidden()
    heat = page.get_by_test_id("flow-heat")
    await expect(heat).to_have_attribute("data-current", "false")
    await expect(heat.get_by_test_id("flow-aged")).to_contain_text("ago")
    await tile.get_by_text("What it says").click()
    await expect(technical).to_be_visible()
    assert await violations(page) == []
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width == await page.evaluate("document.documentElement.clientWidth")


async def said_at_devices(page: Page, power: str) -> None:
    """Check the list of devices, and the device's own page with what to do."""
    await page.get_by_test_id("navigation").get_by_role("link", name="Devices").click()
    card = page.get_by_test_id(f"device-{LOST}")
    await expect(card.locator(".figure")).to_have_text(power)
    await expect(card).to_contain_text(re.compile(r"Does not answer\s*Last answer \d+\s*s ago"))
    await expect(card).to_contain_text("Out of reach: on its own until it answers")
    assert await violations(page) == []
    await card.get_by_role("link").click()
    await expect(page.get_by_test_id("health-state")).to_have_text("Does not answer")
    await expect(page.get_by_test_id("advice")).to_contain_text("The hub keeps trying")
    await expect(page.get_by_test_id("health-error")).to_contain_text("no Modbus connection")
    assert await violations(page) == []
    first = page.locator(".panels > *").first
    await expect(first).to_have_attribute("data-testid", "health")


async def past_in_the_alarms(page: Page) -> None:
    """Check that the alarm is over, and stands among those of before."""
    await page.goto("/privacy")
    await expect(page.get_by_test_id("no-alarms")).to_be_visible()
    past = page.get_by_test_id("past-alarms")
    await past.locator("summary").click()
    latest = past.get_by_test_id("past-alarm").first
    await expect(latest).to_contain_text("Water heater does not answer")
    await expect(latest).to_contain_text(re.compile(r"\bfor \d+\s*(s|min)"))


@pytest.mark.deep
async def test_a_lost_device_is_said_in_plain_words_and_forgotten_once_it_is_back(
    opened: Opener, browser: Browser
) -> None:
    async with (
        opened() as rig,
        looking(browser, rig, PHONE) as phone,
        looking(browser, rig, DESKTOP) as desktop,
        looking(browser, rig, PHONE, "de-DE") as german,
    ):
        await settled(rig)
        pages = (phone, desktop)
        for page in pages:
            await calm(page)
        await rig.fault(LOST, "off")
        lost = await until(rig.home, lambda home: quality(home) == "lost", LOST_WITHIN_S, "lost")
        held = lost.tile(LOST).power_w
        assert held is not None
        assert held == pytest.approx(3000.0, abs=100.0), "the last figure stays"
        power = f"{held / 1000:.1f}\N{NO-BREAK SPACE}kW"
        for page in pages:
            await said_at_home(page, power)
            await page.get_by_test_id(f"todo-{LOST}").click()
            await expect(page.get_by_test_id("health-state")).to_have_text("Does not answer")
            await said_at_devices(page, power)
            await page.goto("/privacy")
            await expect(page.get_by_test_id("alarm")).to_contain_text(
                "Water heater does not answer"
            )
        await german.goto("/")
        await expect(german.get_by_test_id("alarms")).to_contain_text("Water heater antwortet")
        silent = german.get_by_test_id("silent")
        await expect(silent).to_contain_text("Keine brauchbare Antwort.")

        await rig.fault(LOST, "none")
        await until(rig.home, lambda home: quality(home) == "good", BACK_WITHIN_S, "back")
        await expect(german.get_by_test_id("alarms")).to_have_count(0, timeout=SAID_MS)
        for page in pages:
            await calm(page)
            await past_in_the_alarms(page)
