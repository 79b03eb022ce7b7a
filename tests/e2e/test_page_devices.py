"""Devices and the car from the page alone: found, moved, kept; asked to be ready, and planned."""

import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from hems.commands.stage import Stage
from hems.settings.devices_file import tables
from tests.e2e.rig import Home, Rig
from tests.e2e.test_plan import PLAN_WITHIN_S, Plan, plan_of, scene
from tests.hems.commands.device_home import device_home
from tests.waiting import until
from tests.web.axe import violations

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(400),
    pytest.mark.requirement("ROLE-UI", "L1-OWNER"),
]
MOVE_MS = 150_000
FOUND_MS = 60_000


@asynccontextmanager
async def opened_page(browser: Browser, url: str) -> AsyncIterator[Page]:
    context = await browser.new_context(locale="en-GB", reduced_motion="reduce")
    page = await context.new_page()
    await page.goto(url)
    yield page
    await context.close()


async def search(page: Page, ports: tuple[int, ...]) -> None:
    await page.get_by_text("Look at one address only").click()
    places = " ".join(f"127.0.0.1:{port}" for port in ports)
    await page.get_by_test_id("search-place").fill(places)
    await page.get_by_test_id("search-start").click()


async def chosen(page: Page, kind: str, name: str) -> None:
    found = page.locator(f'[data-kind="{kind}"]')
    await expect(found).to_be_visible(timeout=FOUND_MS)
    await found.get_by_role("button").click()
    await page.get_by_test_id("join-name").fill(name)
    await page.get_by_test_id("join").click()
    await expect(page.get_by_test_id("joining")).to_have_attribute(
        "data-state", "asking", timeout=MOVE_MS
    )


@pytest.mark.requirement("LC-COMMISSION")
async def test_from_nothing_to_a_controlled_home_without_a_file_or_a_command(
    browser: Browser, tmp_path: Path
) -> None:
    async with device_home(tmp_path) as home:
        await home.start_hub()
        async with opened_page(browser, f"{home.page}/devices/add") as page:
            await search(page, (home.ports["meter"], home.ports["battery"]))
            await chosen(page, "meter", "Grid meter")
            await page.get_by_test_id("join-confirm").click()
            await expect(page.get_by_test_id("joining")).to_contain_text("is part of your home")
            await page.get_by_test_id("another").click()

            await chosen(page, "battery", "Battery")
            await expect(page.get_by_test_id("outcome")).to_contain_text(
                "Battery did what it was told."
            )
            assert await violations(page) == []
            await page.get_by_test_id("join-confirm").click()
            await expect(page.get_by_test_id("joining")).to_have_attribute("data-state", "added")
            await home.has("grid_meter", "battery")
            assert [t["id"] for t in tables(home.devices) if isinstance(t, dict)] == [
                "grid_meter",
                "battery",
            ]

            await page.get_by_test_id("to-device").click()
            await page.get_by_test_id("override-charge").check()
            await page.get_by_test_id("set-wish").click()

            def charges(seen: Home) -> bool:
                return (seen.tile("battery").power_w or 0.0) > 3000.0

            await until(home.home, charges, 30.0, "the battery charges as its owner wishes")
            await page.get_by_test_id("end-wish").click()
            await page.get_by_test_id("name").fill("Cellar")
            await page.get_by_test_id("takes").fill("2")
            await page.get_by_test_id("save").click()
            await expect(page.get_by_role("heading", level=1)).to_have_text(
                "Cellar", timeout=20_000
            )
            await page.get_by_test_id("remove").click()
            await page.get_by_test_id("remove-confirm").click()
            await home.has("grid_meter")


def charges_early(plan: Plan | None, until_at: float) -> float:
    """Return what the car is to draw before a time, Wh; no number while it is not planned."""
    if plan is None or "ev" not in plan.devices:
        return math.nan
    slots = int((until_at - plan.start) // plan.step_s)
    return sum(plan.devices["ev"].power_w[:slots]) * plan.step_s / 3600


@pytest.mark.deep
async def test_a_car_asked_on_the_page_to_be_ready_changes_the_plan(
    browser: Browser, tmp_path: Path
) -> None:
    async with Rig(Stage(tmp_path / "stage", scene(cheap_now=False))) as rig:
        soon = datetime.now(UTC) + timedelta(minutes=100)
        ready_at = soon.replace(second=0, microsecond=0).timestamp()
        await until(
            lambda: plan_of(rig),
            lambda plan: charges_early(plan, ready_at) < 500.0,
            PLAN_WITHIN_S,
            "a plan in which the car waits: energy is dear for hours",
        )
        asked_at = time.time()
        async with opened_page(browser, f"{rig.stage.page}/car") as page:
            await page.get_by_test_id("mode-cheapest").check()
            await page.get_by_test_id("ready").fill(f"{soon:%H:%M}")
            await page.get_by_test_id("kwh").fill("4")
            await page.get_by_test_id("order").click()
            await expect(page.get_by_test_id("order-said")).to_contain_text("Understood")
            await until(
                lambda: plan_of(rig),
                lambda plan: (
                    plan is not None
                    and plan.made_at >= asked_at - 5.0
                    and charges_early(plan, ready_at) > 3000.0
                ),
                PLAN_WITHIN_S,
                "a plan that charges the car in time",
            )
            await expect(page.get_by_test_id("readiness")).to_contain_text(
                "Will be ready", timeout=30_000
            )
            await expect(page.get_by_test_id("car-steps")).to_contain_text("charges with")
            await page.get_by_test_id("back-to-habit").click()
            await until(
                lambda: plan_of(rig),
                lambda plan: charges_early(plan, ready_at) < 500.0,
                PLAN_WITHIN_S,
                "the plan of before",
            )
