"""The owner's part of the main job: sees the event on the page, leaves it, comes back."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, ViewportSize, expect

from tests.e2e.conftest import Opener
from tests.e2e.rig import Rig
from tests.e2e.test_main_job import LIMIT_W, UNDER_WITHIN_S, responses, settled, subscribed
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

PHONE = ViewportSize(width=390, height=844)
DESKTOP = ViewportSize(width=1280, height=800)
PICTURES = Path("test-results")
MOST_TABS = 60
"""So many presses of Tab reach any button of the first page."""
SHOWN_MS = 10_000


@pytest.mark.requirement("ROLE-UI", "BUC-1", "BUC-13")
async def test_the_owner_opts_out_in_the_browser_and_back_in(
    opened: Opener, browser: Browser
) -> None:
    async with opened() as rig:
        before = await settled(rig)
        await subscribed(rig)
        page = await browser.new_page(viewport=PHONE, reduced_motion="reduce")
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(rig.stage.page)
        await expect(page.get_by_test_id("net-power")).to_be_visible()

        event = await rig.dispatch(limit_import_w=LIMIT_W, seconds=120)
        card = page.get_by_test_id("event-card").first
        await expect(card).to_contain_text("Peak Saver")
        await expect(card.get_by_test_id("event-title")).to_contain_text("1.5 kW")
        await until(rig.home, lambda home: (home.net_w or 1e9) <= LIMIT_W, UNDER_WITHIN_S, "under")
        await page.screenshot(path=PICTURES / "e2e-event.png", full_page=True)

        await card.get_by_test_id("opt-out").click()
        await card.get_by_test_id("opt-out-confirm").click()
        await responses(rig, event.id, [1, 2, 4], 10.0)
        home = await until(
            rig.home, lambda home: home.limit_import_w is None, 5.0, "no limit any more"
        )
        assert home.events[-1].opted_out
        await until(
            rig.home,
            lambda home: (home.net_w or 0.0) > 0.5 * (before.net_w or 0.0),
            60.0,
            "loads come back",
        )

        await card.get_by_test_id("opt-in").click()
        await responses(rig, event.id, [1, 2, 4, 5], 10.0)
        await until(
            rig.home, lambda home: (home.net_w or 1e9) <= LIMIT_W, UNDER_WITHIN_S, "under again"
        )
        await rig.cancel(event.id)
        await responses(rig, event.id, [1, 2, 4, 5, 6], 10.0)
        await expect(page.get_by_test_id("event-card")).to_have_count(0)
        assert not complaints
        await page.close()


@asynccontextmanager
async def held(browser: Browser, rig: Rig, size: ViewportSize) -> AsyncIterator[Page]:
    """Open the page in a hand or on a desk; at the end no script may have failed."""
    touched = size is PHONE
    context = await browser.new_context(
        viewport=size, has_touch=touched, is_mobile=touched, locale="en-GB"
    )
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(rig.stage.page)
    await expect(page.get_by_test_id("net-power")).to_be_visible()
    yield page
    await context.close()
    assert complaints == []


async def asked(rig: Rig, page: Page) -> tuple[str, Locator]:
    """Dispatch an event; returns its id and its card, once the page shows that it is followed."""
    event = await rig.dispatch(limit_import_w=LIMIT_W, seconds=120)
    card = page.locator(f'[data-event="{event.id}"][data-state="running"]')
    await expect(card.get_by_test_id("event-title")).to_contain_text("1.5 kW", timeout=SHOWN_MS)
    await until(rig.home, lambda home: (home.net_w or 1e9) <= LIMIT_W, UNDER_WITHIN_S, "under")
    return event.id, card


async def tabbed_to(page: Page, wanted: Locator) -> None:
    """Press Tab until something has the focus; it must then be seen to have it."""
    for _ in range(MOST_TABS):
        await page.keyboard.press("Tab")
        if await wanted.evaluate("(element) => element === document.activeElement"):
            break
    await expect(wanted).to_be_focused()
    outline = await wanted.evaluate("(element) => getComputedStyle(element).outlineStyle")
    assert outline == "solid"


@pytest.mark.deep
@pytest.mark.requirement("ROLE-UI", "BUC-1")
async def test_an_event_by_touch_alone(opened: Opener, browser: Browser) -> None:
    async with opened() as rig, held(browser, rig, PHONE) as page:
        await settled(rig)
        await subscribed(rig)
        event, card = await asked(rig, page)
        out = card.get_by_test_id("opt-out")
        box = await out.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44, "a finger hits it"
        await out.tap()
        consequence = card.get_by_test_id("event-consequence")
        home = await rig.home()
        known = home.card(event)
        assert known is not None
        assert known.consequence, "the hub says what leaving means"
        await expect(consequence).to_have_text(re.compile(r"\w+ \w+"))
        assert await rig.statuses(event) == [1, 2], "nothing is done before the second tap"
        await card.get_by_role("button", name="Keep taking part").tap()
        await expect(consequence).to_have_count(0)
        await out.tap()
        await card.get_by_test_id("opt-out-confirm").tap()
        await responses(rig, event, [1, 2, 4], 10.0)
        await expect(card).to_contain_text("You opted out of Peak Saver")
        await card.get_by_test_id("opt-in").tap()
        await responses(rig, event, [1, 2, 4, 5], 10.0)
        await expect(out).to_be_visible()
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width == PHONE["width"]


@pytest.mark.deep
@pytest.mark.requirement("ROLE-UI", "BUC-1")
async def test_an_event_by_keyboard_alone(opened: Opener, browser: Browser) -> None:
    async with opened() as rig, held(browser, rig, DESKTOP) as page:
        await settled(rig)
        await subscribed(rig)
        event, card = await asked(rig, page)
        told = page.get_by_test_id("announced")
        await expect(told).to_contain_text("Peak Saver asks now: ")
        out = card.get_by_test_id("opt-out")
        await tabbed_to(page, out)
        await page.keyboard.press("Enter")
        await expect(card.get_by_test_id("event-consequence")).to_be_visible()
        await expect(card.get_by_test_id("opt-out-confirm")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(out).to_be_focused()
        assert await rig.statuses(event) == [1, 2], "nothing is done before the second word"
        await page.keyboard.press("Space")
        await page.keyboard.press("Enter")
        await responses(rig, event, [1, 2, 4], 10.0)
        await expect(told).to_contain_text("You opted out of Peak Saver")
        await expect(card.get_by_test_id("opt-in")).to_be_focused()
        await page.keyboard.press("Enter")
        await responses(rig, event, [1, 2, 4, 5], 10.0)
        await expect(out).to_be_focused()
        await expect(told).to_contain_text("Peak Saver asks now: ")
