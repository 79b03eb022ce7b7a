"""Trusted devices on the page: a new one is approved, one in quarantine judged, one blocked."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, ViewportSize, expect

from hems.access.rights import Role
from hems.emg.trust.standing import Blocker, Entry, RevokedKey
from tests.web.agreed import agreed
from tests.web.axe import violations
from tests.web.judged import EXCHANGED, KNOWN, NEW, TRUSTED
from tests.web.showing import DESKTOP, PHONE, SMALLEST
from tests.web.visitor import Visitor
from tests.web.workshop import workshop

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.browser,
    pytest.mark.requirement("ROLE-UI", "L2-TRUST", "L2-BLOCK"),
]


async def test_a_new_device_is_approved_from_the_list_of_devices(
    browser: Browser, tmp_path: Path
) -> None:
    async with workshop(browser, tmp_path) as shop:
        judged = shop.shown.outlook.judged
        judged.entries = {"battery": TRUSTED, "car": NEW}
        await shop.go("/devices")
        card = shop.page.get_by_test_id("trust-car")
        await expect(card).to_contain_text("Car is new")
        await card.get_by_test_id("news-approve").click()
        await expect(card).to_have_count(0)
        assert judged.said == [("Ada", "approve", "car", "")]


async def test_one_in_quarantine_leads_to_where_it_is_judged(
    browser: Browser, tmp_path: Path
) -> None:
    async with workshop(browser, tmp_path, visitor=Visitor(Role.INSTALLER)) as shop:
        shop.shown.outlook.judged.entries = {"car": EXCHANGED}
        await shop.go("/devices")
        card = shop.page.get_by_test_id("trust-car")
        await expect(card).to_contain_text("B-2002, not A-1001")
        await expect(card.get_by_role("button")).to_have_count(0)
        await expect(card.get_by_role("link")).to_have_attribute("href", "/privacy")


async def test_the_household_is_told_and_judges_nothing(browser: Browser, tmp_path: Path) -> None:
    async with workshop(browser, tmp_path, visitor=Visitor(Role.HOUSEHOLD)) as shop:
        shop.shown.outlook.judged.entries = {"car": NEW}
        await shop.go("/devices")
        card = shop.page.get_by_test_id("trust-car")
        await expect(card).to_contain_text("Car is new")
        await expect(card.get_by_role("button")).to_have_count(0)


async def test_an_exchanged_device_is_taken_with_a_reason(browser: Browser, tmp_path: Path) -> None:
    async with agreed(browser, tmp_path) as shown:
        page = shown.page
        shown.judged.entries = {"meter": TRUSTED, "car": EXCHANGED}
        await shown.go("/privacy")
        row = page.locator('[data-device="car"]')
        await expect(row.get_by_test_id("standing")).to_have_text("in quarantine")
        await expect(row.get_by_test_id("stand-why")).to_contain_text("B-2002, not A-1001")
        await expect(row.get_by_test_id("stand-shown")).to_contain_text("B-2002")
        await row.get_by_test_id("stand-accept").click()
        reason = row.get_by_test_id("stand-reason")
        await expect(reason).to_be_focused()
        await row.get_by_test_id("stand-confirm").click()
        assert shown.judged.said == [], "not without a reason"
        await reason.fill("the old one broke")
        await row.get_by_test_id("stand-confirm").click()
        await expect(row.get_by_test_id("standing")).to_have_text("trusted")
        assert shown.judged.said == [("Ada", "accept", "car", "the old one broke")]


async def test_a_device_is_blocked_and_allowed_again(browser: Browser, tmp_path: Path) -> None:
    async with agreed(browser, tmp_path) as shown:
        await shown.go("/privacy")
        row = shown.page.locator('[data-device="car"]')
        await row.get_by_test_id("stand-block").click()
        await row.get_by_test_id("stand-reason").fill("it was stolen")
        await row.get_by_test_id("stand-confirm").click()
        await expect(row.get_by_test_id("standing")).to_have_text("blocked")
        await expect(row.get_by_test_id("stand-why")).to_have_text("it was stolen")
        await row.get_by_test_id("stand-allow").click()
        await expect(row.get_by_test_id("standing")).to_have_text("trusted")
        assert [deed for _, deed, _, _ in shown.judged.said] == ["block", "allow"]


async def test_the_lists_block_cannot_be_taken_back_here(browser: Browser, tmp_path: Path) -> None:
    async with agreed(browser, tmp_path) as shown:
        listed = Entry(True, KNOWN, blocks={Blocker.ENTERPRISE: "recalled"})
        shown.judged.entries = {"meter": TRUSTED, "car": listed}
        await shown.go("/privacy")
        row = shown.page.locator('[data-device="car"]')
        await expect(row.get_by_test_id("standing")).to_have_text("blocked")
        await expect(row.get_by_test_id("stand-allow")).to_have_count(0)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP, SMALLEST], ids=["phone", "desktop", "least"])
async def test_it_can_be_read_by_all(
    browser: Browser, tmp_path: Path, viewport: ViewportSize, dark: bool
) -> None:
    async with agreed(browser, tmp_path, viewport, dark=dark) as shown:
        revoked = (RevokedKey("ab" * 32, 1.79e9, "another key was approved in its place"),)
        shown.judged.entries = {
            "meter": Entry(True, KNOWN, revoked=revoked),
            "car": EXCHANGED,
        }
        await shown.go("/privacy")
        row = shown.page.locator('[data-device="car"]')
        await row.get_by_test_id("stand-accept").click()
        await row.locator("summary").click()
        assert await violations(shown.page) == []
        wide = await shown.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= viewport["width"]
        await shown.picture(f"trust-{viewport['width']}-{'dark' if dark else 'light'}")


@pytest.mark.parametrize("dark", [False, True])
async def test_what_waits_can_be_read_by_all(browser: Browser, tmp_path: Path, dark: bool) -> None:
    async with workshop(browser, tmp_path, dark=dark) as shop:
        shop.shown.outlook.judged.entries = {"battery": EXCHANGED, "car": NEW}
        await shop.go("/devices")
        await expect(shop.page.get_by_test_id("trust-car")).to_be_visible()
        assert await violations(shop.page) == []
        await shop.shown.picture(f"trust-devices-{'dark' if dark else 'light'}")
