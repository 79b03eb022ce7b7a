"""The hub's own software on the page, in a real browser: what an owner sees and decides."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from hems.access.rights import Role
from hems.software.surface import Stage
from tests.web.axe import violations
from tests.web.guarded import ScriptedUpdates
from tests.web.keeping import kept
from tests.web.showing import PHONE, showing
from tests.web.surface import ScriptedHome
from tests.web.visitor import Visitor

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.browser,
    pytest.mark.requirement("ROLE-UI", "LC-PATCH"),
]


@asynccontextmanager
async def settings(
    browser: Browser, folder: Path, role: Role = Role.OWNER, locale: str = "en-GB"
) -> AsyncIterator[tuple[Page, ScriptedUpdates]]:
    """Show the settings of a home whose hub is offered a newer version."""
    home = ScriptedHome()
    async with (
        kept(folder, home) as made,
        showing(
            browser, PHONE, home=home, visitor=Visitor(role), parts=made.parts, locale=locale
        ) as shown,
    ):
        await shown.page.goto(f"{shown.url}/settings")
        await expect(shown.page.get_by_test_id("updates")).to_be_visible()
        yield shown.page, made.updates


async def test_an_owner_installs_waits_and_goes_back(browser: Browser, tmp_path: Path) -> None:
    async with settings(browser, tmp_path) as (page, updates):
        await expect(page.get_by_test_id("updates-runs")).to_contain_text("version 0.1.0")
        offer = page.get_by_test_id("updates-offer")
        await expect(offer).to_contain_text("Version 0.2.0 is ready")
        await expect(offer).to_contain_text("Signed by Example Machines")
        await expect(offer).to_contain_text("utility.example")
        await page.get_by_test_id("updates-install").click()
        at_night = page.get_by_test_id("updates-window")
        await expect(at_night).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(page.get_by_test_id("updates-install")).to_be_focused()
        await page.get_by_test_id("updates-install").click()
        assert await violations(page) == []
        await at_night.click()
        stage = page.get_by_test_id("updates-stage")
        await expect(stage).to_contain_text("begins in these hours: 02:00")
        await page.get_by_test_id("updates-install").click()
        await page.get_by_test_id("updates-now").click()
        await expect(stage).to_contain_text("begins as soon as no event runs")
        await expect(page.get_by_test_id("updates-install")).to_have_count(0)

        until = updates.view.looked_at or 0.0
        updates.view = replace(
            updates.view, stage=Stage.TRIAL, runs="0.2.0", former="0.1.0", until=until
        )
        await expect(stage).to_contain_text("is on trial until", timeout=20_000)
        await page.get_by_test_id("updates-back").click()
        await page.get_by_test_id("updates-back-confirm").click()
        await expect(page.get_by_test_id("updates-runs")).to_contain_text("version 0.1.0")
        await page.get_by_test_id("updates-put-off").click()
        await expect(offer).to_contain_text("You have put it off.")
        assert updates.asked == [
            ("install window", "0.2.0", "Ada"),
            ("install now", "0.2.0", "Ada"),
            ("back", "", "Ada"),
            ("put off", "0.2.0", "Ada"),
        ]


async def test_an_installer_may_look(browser: Browser, tmp_path: Path) -> None:
    async with settings(browser, tmp_path, Role.INSTALLER, "de-DE") as (page, updates):
        panel = page.get_by_test_id("updates")
        await expect(panel).to_contain_text("Version 0.2.0 steht bereit")
        await expect(panel.get_by_role("button")).to_have_count(0)
        assert updates.asked == []
