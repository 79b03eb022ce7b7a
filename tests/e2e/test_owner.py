"""The owner's part of the main job: sees the event on the page, leaves it, comes back."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, ViewportSize, expect

from tests.e2e.conftest import Opener
from tests.e2e.test_main_job import LIMIT_W, UNDER_WITHIN_S, responses, settled, subscribed
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

PHONE = ViewportSize(width=390, height=844)
PICTURES = Path("test-results")


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
