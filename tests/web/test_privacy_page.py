"""The page about privacy and security: what leaves the home, who looks, what was wrong."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, ViewportSize, expect

from der.sentence import say
from hems.access.rights import Role
from hems.visibility.grants import Data, Purpose
from tests.hems.participation.play import T
from tests.web.agreed import Agreed, agreed
from tests.web.axe import violations
from tests.web.showing import DESKTOP, PHONE, SMALLEST

pytestmark = [pytest.mark.browser, pytest.mark.requirement("ROLE-UI", "PRV-RBAC")]

LFDI = "CD" * 20


async def troubled(shown: Agreed) -> None:
    """Have something be wrong, something that was, and something that happened once."""
    clock = shown.play.clock
    clock.at = T - 900.0
    shown.alarms.began("device pv", say("{name} does not answer", name="Solar"))
    shown.alarms.began("history", "The disk is full")
    clock.at = T - 300.0
    shown.alarms.ended("history")
    shown.alarms.happened("A certificate was renewed")
    clock.at = T


def flow(page: Page, name: str) -> Locator:
    return page.locator(f'[data-flow="{name}"]').first


@pytest.mark.requirement("PRV-TRANSIT")
async def test_what_leaves_the_home_is_said_with_its_protection(
    browser: Browser, tmp_path: Path
) -> None:
    async with agreed(browser, tmp_path) as shown:
        await shown.go("/privacy")
        readings = flow(shown.page, "readings")
        await expect(readings).to_contain_text("Grid meter, Wallbox")
        await expect(readings).to_contain_text("Every 1 min")
        recipients = shown.page.get_by_test_id("recipient")
        utility = recipients.filter(has_text="grid at utility.example")
        await expect(utility.get_by_test_id("outflow")).to_have_count(4)
        await expect(utility.get_by_test_id("guard")).to_have_text("encrypted, both sides proven")
        weather = recipients.filter(has_text="weather.example")
        await expect(weather.get_by_test_id("guard")).to_have_text("not encrypted")
        await expect(weather.get_by_test_id("guard")).to_have_class("mark warn")
        devices = shown.page.get_by_test_id("trusted-device")
        await expect(devices.nth(0)).to_contain_text("Whoever answers at its address is believed")
        await expect(devices.nth(1)).to_contain_text("belongs to the service provider")
        await expect(shown.page.get_by_test_id("stranger")).to_contain_text("192.168.1.77")
        connection = shown.page.get_by_test_id("connection")
        await expect(connection).to_contain_text("right (within 0.4 s)")
        missing = shown.page.locator('[data-use="utility"]')
        await expect(missing.get_by_test_id("standing")).to_have_text("cannot be read")
        door = shown.page.locator('[data-use="recipients"]')
        await expect(door.get_by_test_id("standing")).to_have_text("good")
        await expect(door.get_by_test_id("held")).to_contain_text("Its key is a plain file")


@pytest.mark.requirement("BUC-13")
async def test_a_grant_is_made_seen_and_ended(browser: Browser, tmp_path: Path) -> None:
    async with agreed(browser, tmp_path) as shown:
        page = shown.page
        await shown.go("/privacy")
        await expect(page.get_by_test_id("no-grants")).to_be_visible()
        await page.get_by_test_id("grant-new").click()
        await expect(page.get_by_test_id("grant-name")).to_be_focused()
        await page.get_by_test_id("grant-name").fill("Grid Ltd")
        await page.get_by_test_id("grant-lfdi").fill("not an LFDI")
        await page.get_by_test_id("grant-until").fill("2027-06-01")
        await page.get_by_test_id("grant-confirm").click()
        await expect(page.get_by_test_id("grant-error")).to_contain_text("no identity")
        await page.get_by_test_id("grant-lfdi").fill(" ".join([LFDI[:20].lower(), LFDI[20:]]))
        await page.get_by_test_id("grant-confirm").click()
        await expect(page.get_by_test_id("grant-error")).to_contain_text("at least one thing")
        await page.get_by_test_id("grant-purpose").select_option("settlement")
        await page.get_by_test_id("grant-energy").check()
        await page.get_by_test_id("grant-confirm").click()
        await expect(page.get_by_test_id("grant-holds")).to_have_text("until 1 Jun 2027")
        (grant,) = await shown.visibility.grants()
        assert (grant.recipient, grant.purpose, grant.data) == (LFDI, "settlement", ("energy",))
        assert grant.until == 1_811_800_800.0  # midnight in Berlin, of the day that was chosen
        recipient = page.get_by_test_id("recipient").filter(has_text="Grid Ltd")
        await expect(recipient).to_contain_text("meter readings")  # that leaves the home now

        await page.get_by_test_id("grant-end").click()
        await expect(page.get_by_text("stays with them")).to_be_visible()
        await page.get_by_test_id("grant-end-confirm").click()
        await expect(page.get_by_test_id("grant-holds")).to_contain_text("over since")
        await expect(flow(page, "grant")).to_have_count(0)


async def test_alarms_now_and_past(browser: Browser, tmp_path: Path) -> None:
    async with agreed(browser, tmp_path) as shown:
        await troubled(shown)
        await shown.go("/privacy")
        alarm = shown.page.get_by_test_id("alarm")
        await expect(alarm).to_contain_text("Solar does not answer")
        await expect(alarm).to_contain_text("(15 min so far)")
        past = shown.page.get_by_test_id("past-alarms")
        await past.locator("summary").click()
        rows = past.get_by_test_id("past-alarm")
        await expect(rows).to_have_count(2)
        await expect(rows.nth(1)).to_contain_text("for 10 min")
        shown.alarms.ended("device pv")
        await expect(shown.page.get_by_test_id("no-alarms")).to_be_visible(timeout=20_000)


async def test_a_household_sees_alarms_and_no_more(browser: Browser, tmp_path: Path) -> None:
    async with agreed(browser, tmp_path, role=Role.HOUSEHOLD) as shown:
        await shown.go("/privacy")
        await expect(shown.page.get_by_test_id("no-alarms")).to_be_visible()
        await expect(shown.page.get_by_test_id("may-not")).to_be_visible()
        for name in ("outflows", "grants", "certificates", "trusted"):
            await expect(shown.page.get_by_test_id(name)).to_have_count(0)


async def test_an_auditor_reads_all_and_grants_nothing(browser: Browser, tmp_path: Path) -> None:
    async with agreed(browser, tmp_path, role=Role.AUDITOR) as shown:
        await shown.visibility.grant(LFDI, "Grid Ltd", Purpose.LOSSES, [Data.ENERGY], T + 60.0)
        await shown.go("/privacy")
        await expect(shown.page.get_by_test_id("grant-holds")).to_be_visible()
        for name in ("grant-new", "grant-end"):
            await expect(shown.page.get_by_test_id(name)).to_have_count(0)


@pytest.mark.parametrize(
    ("viewport", "dark", "locale"),
    [(PHONE, False, "en-GB"), (DESKTOP, True, "de-DE"), (SMALLEST, True, "es-ES")],
)
async def test_no_rule_of_accessibility_is_broken(
    browser: Browser, tmp_path: Path, viewport: ViewportSize, *, dark: bool, locale: str
) -> None:
    async with agreed(browser, tmp_path, viewport, dark=dark, locale=locale) as shown:
        await troubled(shown)
        await shown.visibility.grant(
            LFDI, "Grid Ltd", Purpose.LOSSES, [Data.ENERGY, Data.LIVE], T + 60.0
        )
        page = shown.page
        await shown.go("/privacy")
        await page.get_by_test_id("grant-new").click()
        for summary in await page.locator("summary").all():
            await summary.click()
        assert await violations(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await shown.picture(f"privacy-{locale[:2]}")
