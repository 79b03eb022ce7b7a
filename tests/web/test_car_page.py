"""The car's page: asked to be ready, what the plan makes of it, and back to the habit."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from hems.access.rights import Role
from tests.web.axe import violations
from tests.web.script import SCRIPT_START
from tests.web.showing import DESKTOP, PHONE, SMALLEST
from tests.web.visitor import Visitor
from tests.web.workshop import workshop

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.browser,
    pytest.mark.requirement("ROLE-UI", "L1-OWNER"),
    pytest.mark.timeout(120),
]


async def test_the_plan_s_next_steps_its_cost_and_the_habit_are_said(
    browser: Browser, tmp_path: Path
) -> None:
    async with workshop(browser, tmp_path) as shop:
        await shop.go("/car")
        car = shop.page.get_by_test_id("car-car")
        await expect(car.get_by_test_id("habit")).to_have_text(
            "As a rule: Cheapest, ready by 07:00."
        )
        await expect(car.get_by_test_id("leaves")).to_contain_text("07:20; next: tomorrow 07:20")
        await expect(car.get_by_test_id("readiness")).to_contain_text(
            "Will be ready by tomorrow 07:00"
        )
        steps = car.get_by_test_id("car-steps")
        await expect(steps.locator("li")).to_have_count(4)
        await expect(steps).to_contain_text("Waits until tomorrow 01:00: energy costs 0.21 then")
        await expect(car.get_by_test_id("car-cost")).to_contain_text("€")


async def test_a_car_is_asked_to_be_ready_and_goes_back_to_its_habit(
    browser: Browser, tmp_path: Path
) -> None:
    async with workshop(browser, tmp_path) as shop:
        await shop.go("/car")
        await shop.page.get_by_test_id("mode-cheapest").check()
        await shop.page.get_by_test_id("ready").fill("18:30")
        await shop.page.get_by_test_id("share").fill("80")
        await shop.page.get_by_test_id("order").click()
        await expect(shop.page.get_by_test_id("order-said")).to_contain_text("Understood")
        await expect(shop.page.get_by_test_id("back-to-habit")).to_be_visible()
        (car,) = shop.needs.needs().cars
        assert car.ordered
        assert car.ready_at == SCRIPT_START + (4 * 60 + 10) * 60
        assert car.energy_wh == pytest.approx((0.80 - 0.41) * 60e3)
        await expect(shop.page.get_by_test_id("readiness")).to_contain_text("Will not be ready")
        await shop.page.get_by_test_id("back-to-habit").click()
        await expect(shop.page.get_by_test_id("order-said")).to_contain_text("Back to the habit")
        assert not shop.needs.needs().cars[0].ordered


async def test_the_habit_is_changed_and_taken_back_by_who_lives_here(
    browser: Browser, tmp_path: Path
) -> None:
    async with workshop(browser, tmp_path) as shop:
        await shop.go("/car")
        form = shop.page.get_by_test_id("habit-form")
        await form.locator("summary").click()
        assert await violations(shop.page) == []
        await form.get_by_test_id("habit-mode").select_option("solar")
        await form.get_by_test_id("habit-ready").fill("06:15")
        for day in (5, 6):
            await form.get_by_test_id(f"habit-day-{day}").uncheck()
        await form.get_by_test_id("habit-kwh").fill("11.5")
        await form.get_by_test_id("habit-save").click()
        await expect(form.get_by_test_id("habit-said")).to_contain_text("Saved")
        (car,) = shop.needs.needs().cars
        assert (car.habit_mode, car.habit_ready, car.habit_wh) == ("solar", "06:15", 11_500)
        assert list(car.habit_days) == [0, 1, 2, 3, 4]
        await expect(shop.page.get_by_test_id("habit")).to_have_text(
            "As a rule: Solar only, ready by 06:15."
        )
        await form.get_by_test_id("habit-drop").click()
        await expect(shop.page.get_by_test_id("habit")).to_contain_text("ready by 07:00")
        await expect(form.get_by_test_id("habit-drop")).to_have_count(0)


async def test_at_once_needs_no_time(browser: Browser, tmp_path: Path) -> None:
    async with workshop(browser, tmp_path) as shop:
        await shop.go("/car")
        await shop.page.get_by_test_id("mode-now").check()
        await expect(shop.page.get_by_test_id("ready")).to_have_count(0)
        await shop.page.get_by_test_id("order").click()
        await expect(shop.page.get_by_test_id("order-said")).to_contain_text("Understood")
        assert shop.needs.needs().cars[0].mode == "now"


async def test_an_appliance_is_asked_for_and_taken_back(browser: Browser, tmp_path: Path) -> None:
    async with workshop(browser, tmp_path) as shop:
        await shop.go("/car")
        run = shop.page.get_by_test_id("run-washer")
        await expect(run.get_by_test_id("run-state")).to_have_text("No run is asked for.")
        await run.get_by_test_id("run-ready").fill("20:00")
        await run.get_by_test_id("run-ask").click()
        await expect(run.get_by_test_id("run-state")).to_have_text("Will be done by 20:00.")
        await run.get_by_test_id("run-cancel").click()
        await expect(run.get_by_test_id("run-state")).to_have_text("No run is asked for.")
        assert not shop.needs.needs().runs[0].asked


async def test_when_people_drive_is_not_for_guests(browser: Browser, tmp_path: Path) -> None:
    async with workshop(browser, tmp_path, visitor=Visitor(Role.INSTALLER)) as shop:
        await shop.go("/car")
        refused = shop.page.get_by_text("Your role in this home does not allow this.")
        await expect(refused).to_be_visible()
        await expect(shop.page.get_by_test_id("car-car")).to_have_count(0)
        shop.expect_refusals()  # the first page asked for accounts, which are not theirs to see


@pytest.mark.parametrize("locale", ["en-GB", "de-DE", "fr-FR", "es-ES"])
async def test_it_breaks_no_rule_of_accessibility(
    browser: Browser, tmp_path: Path, locale: str
) -> None:
    dark = locale in {"de-DE", "es-ES"}
    size = SMALLEST if locale == "fr-FR" else DESKTOP if locale == "de-DE" else PHONE
    async with workshop(browser, tmp_path, size, dark=dark, locale=locale) as shop:
        await shop.go("/car")
        await expect(shop.page.get_by_test_id("car-steps")).to_be_visible()
        assert await violations(shop.page) == []
        assert await shop.page.evaluate("document.documentElement.scrollWidth") <= size["width"]
