"""The devices' pages: what each does and why, taken over for a while, changed, found, removed."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from der.sim.options import Options
from der.sim.runner import SimulatedHome
from hems.access.rights import Role
from hems.device_surface import MoveOutcome
from hems.settings.config import load
from tests.web.axe import violations
from tests.web.script import SCRIPT_START
from tests.web.showing import DESKTOP, PHONE, SMALLEST
from tests.web.visitor import Visitor
from tests.web.workshop import workshop

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.browser,
    pytest.mark.requirement("ROLE-UI", "L1-OWNER", "LC-COMMISSION"),
    pytest.mark.timeout(120),
]
VIEWS = ("/devices", "/devices/battery", "/devices/heatpump", "/devices/meter", "/devices/add")


async def test_every_device_says_what_it_does_and_why(browser: Browser, tmp_path: Path) -> None:
    async with workshop(browser, tmp_path) as shop:
        await shop.go("/devices")
        battery = shop.page.get_by_test_id("device-battery")
        await expect(battery).to_contain_text("1.3 kW")
        await expect(battery).to_contain_text("Peak Saver asks for at most 1.5 kW")
        await battery.get_by_role("link").click()
        await expect(shop.page).to_have_url(f"{shop.shown.url}/devices/battery")
        await expect(shop.page.get_by_test_id("mode")).to_have_text("The hub steers it")
        await expect(shop.page.get_by_test_id("reason")).to_contain_text("Peak Saver")
        await expect(shop.page.get_by_test_id("firmware")).to_have_text("2.7.1")
        await expect(shop.page.get_by_test_id("facts")).to_contain_text("not known to the hub")
        await expect(shop.page.get_by_test_id("safe")).to_contain_text("Goes idle.")
        await expect(shop.page.get_by_test_id("by-hand")).to_contain_text("hems.toml")
        await expect(shop.page.get_by_test_id("remove")).to_have_count(0)


async def test_the_owner_takes_over_until_a_time_and_gives_it_back(
    browser: Browser, tmp_path: Path
) -> None:
    async with workshop(browser, tmp_path) as shop:
        await shop.go("/devices/battery")
        await shop.page.get_by_test_id("override-charge").check()
        await shop.page.get_by_test_id("override-lasts").select_option("until")
        await shop.page.get_by_test_id("override-clock").fill("06:30")
        await shop.page.get_by_test_id("set-wish").click()
        await expect(shop.page.get_by_test_id("wished")).to_have_text(
            "By your wish: charges until tomorrow 06:30"
        )
        wished = shop.shown.home.device("battery")
        assert wished.wish_w == 5000.0
        assert wished.wish_until == SCRIPT_START + (16 * 60 + 10) * 60
        await shop.page.get_by_test_id("end-wish").click()
        await expect(shop.page.get_by_test_id("wished")).to_have_count(0)
        assert shop.shown.home.device("battery").wish_w is None


async def test_a_limit_of_the_sun_is_a_size_without_a_sign(
    browser: Browser, tmp_path: Path
) -> None:
    async with workshop(browser, tmp_path) as shop:
        await shop.go("/devices/pv")
        await shop.page.get_by_test_id("override-giveAtMost").check()
        await shop.page.get_by_test_id("override-kw").fill("2.5")
        await shop.page.get_by_test_id("set-wish").click()
        await expect(shop.page.get_by_test_id("wished")).to_contain_text("gives at most 2.5 kW")
        assert shop.shown.home.device("pv").wish_w == -2500.0


async def test_what_it_is_called_and_must_keep_to_is_changed_in_its_file(
    browser: Browser, tmp_path: Path
) -> None:
    async with workshop(browser, tmp_path) as shop:
        await shop.go("/devices/heatpump")
        await shop.page.get_by_test_id("low").fill("24")
        await shop.page.get_by_test_id("save").click()
        await expect(shop.page.get_by_role("alert")).to_contain_text(
            "comfort_low 24 degC is not below comfort_high 23 degC"
        )
        shop.expect_refusals()
        await shop.page.get_by_test_id("low").fill("18.5")
        await shop.page.get_by_test_id("name").fill("Warm rooms")
        await shop.page.get_by_test_id("takes").fill("2.4")
        await shop.page.get_by_test_id("essentiality").select_option("late")
        await shop.page.get_by_test_id("save").click()
        await expect(shop.page.get_by_test_id("settings-said")).to_contain_text("Saved.")
        section = load(shop.following.path).device[-1]
        assert (section.name, section.max, section.essentiality) == ("Warm rooms", 2400.0, 8)
        assert (section.comfort_low, section.comfort_high) == (18.5, 23.0)


async def test_a_device_is_removed_only_on_a_second_word(browser: Browser, tmp_path: Path) -> None:
    async with workshop(browser, tmp_path) as shop:
        await shop.go("/devices/heatpump")
        await shop.page.get_by_test_id("remove").click()
        await expect(shop.page.get_by_test_id("keep")).to_be_focused()
        await shop.page.keyboard.press("Escape")
        await expect(shop.page.get_by_test_id("remove")).to_be_focused()
        assert shop.kept == ["heatpump"]
        await shop.page.get_by_test_id("remove").click()
        await shop.page.get_by_test_id("remove-confirm").click()
        await expect(shop.page).to_have_url(f"{shop.shown.url}/devices")
        assert shop.kept == []


async def test_a_device_that_is_lost_says_what_to_do(browser: Browser, tmp_path: Path) -> None:
    async with workshop(browser, tmp_path) as shop:
        await shop.go("/devices/car")
        await expect(shop.page.get_by_test_id("health-state")).to_have_text("Works")
        await shop.shown.home.lose("car")
        await expect(shop.page.get_by_test_id("health-state")).to_have_text("Does not answer")
        await expect(shop.page.get_by_test_id("health-error")).to_contain_text("timed out")
        await expect(shop.page.get_by_test_id("advice")).to_contain_text("switched on")
        await expect(shop.page.get_by_test_id("figure")).to_contain_text("2.8 kW")
        assert await violations(shop.page) == []


async def test_a_test_move_is_done_from_the_page(browser: Browser, tmp_path: Path) -> None:
    async with workshop(browser, tmp_path) as shop:
        await shop.go("/devices/battery")
        await shop.page.get_by_test_id("test").click()
        await expect(shop.page.get_by_test_id("outcome")).to_contain_text(
            "Battery did what it was told."
        )
        assert shop.bench.tested == ["battery"]


async def test_found_tested_and_kept(browser: Browser, tmp_path: Path) -> None:
    async with SimulatedHome(Options(ocpp="")) as house, workshop(browser, tmp_path) as shop:
        await shop.go("/devices/add")
        await shop.page.get_by_text("Look at one address only").click()
        port = house.devices.servers["pv"].port
        await shop.page.get_by_test_id("search-place").fill(f"127.0.0.1:{port}")
        await shop.page.get_by_test_id("search-start").click()
        found = shop.page.locator('[data-kind="pv"]', has_text="SIM-PV-1")
        await expect(found).to_be_visible(timeout=20_000)
        await expect(shop.page.locator('[data-kind="evse"]')).to_contain_text("garage")
        assert await violations(shop.page) == []
        await found.get_by_role("button").click()
        await expect(shop.page.get_by_test_id("join-name")).to_be_focused()
        await shop.page.get_by_test_id("join-name").fill("Roof")
        await shop.page.get_by_test_id("join").click()
        await expect(shop.page.get_by_test_id("outcome")).to_contain_text("Roof did what")
        assert await violations(shop.page) == []
        await shop.page.get_by_test_id("join-confirm").click()
        await expect(shop.page.get_by_test_id("joining")).to_have_attribute("data-state", "added")
        assert shop.kept == ["heatpump", "roof"]


async def test_one_that_fails_is_shown_with_why_and_left(browser: Browser, tmp_path: Path) -> None:
    async with workshop(browser, tmp_path) as shop:
        shop.following.outcome = MoveOutcome(
            passed=False, moved=False, findings=("The meter showed one and the same value.",)
        )
        await shop.go("/devices/add")
        await shop.page.get_by_test_id("manual").click()
        await shop.page.get_by_test_id("join-name").fill("Garage")
        await shop.page.get_by_test_id("join-driver").select_option("ocpp16")
        await shop.page.get_by_test_id("join-kind").select_option("evse")
        await shop.page.get_by_test_id("join-station").fill("garage")
        await shop.page.get_by_test_id("join-takes").fill("7.4")
        assert await violations(shop.page) == []
        await shop.page.get_by_test_id("join").click()
        await expect(shop.page.get_by_test_id("findings")).to_contain_text("one and the same")
        await shop.page.reload()  # the hub goes on with it, whoever looks
        await expect(shop.page.get_by_test_id("findings")).to_contain_text("one and the same")
        assert await violations(shop.page) == []
        await shop.page.get_by_test_id("join-drop").click()
        await expect(shop.page.get_by_test_id("joining")).to_contain_text("as before")
        assert shop.kept == ["heatpump"]


async def test_what_a_role_does_not_allow_is_not_offered(browser: Browser, tmp_path: Path) -> None:
    async with workshop(browser, tmp_path, visitor=Visitor(Role.HOUSEHOLD)) as shop:
        await shop.go("/devices/heatpump")
        await expect(shop.page.get_by_test_id("override")).to_be_visible()
        await expect(shop.page.get_by_test_id("settings")).to_contain_text("does not allow")
        await expect(shop.page.get_by_test_id("upkeep")).to_have_count(0)
        await shop.go("/devices")
        await expect(shop.page.get_by_test_id("device-car")).to_be_visible()
        await expect(shop.page.get_by_test_id("add-device")).to_have_count(0)


@pytest.mark.parametrize("locale", ["en-GB", "de-DE", "fr-FR", "es-ES"])
async def test_no_view_breaks_a_rule_of_accessibility(
    browser: Browser, tmp_path: Path, locale: str
) -> None:
    dark = locale in {"de-DE", "es-ES"}
    size = SMALLEST if locale == "fr-FR" else DESKTOP if locale == "de-DE" else PHONE
    async with workshop(browser, tmp_path, size, dark=dark, locale=locale) as shop:
        for view in VIEWS:
            await shop.go(view)
            await expect(shop.page.locator("h1")).to_be_visible()
            await expect(shop.page.locator(".card").first).to_be_visible()
            assert await violations(shop.page) == [], view
            wide = await shop.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= size["width"], view
