"""Logging in, what a role may not do, and logging out, in a real browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize, expect

from hems.access.people import NewPerson
from hems.access.rights import Role
from tests.web.axe import violations
from tests.web.entry import GOOD, Entry, entry
from tests.web.showing import DESKTOP, PHONE, RESULTS, page_settings

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.browser,
    pytest.mark.requirement("ROLE-UI"),
]


@pytest_asyncio.fixture(loop_scope="module")
async def home(tmp_path: Path) -> AsyncIterator[Entry]:
    async with entry(tmp_path, page_settings()) as opened:
        yield opened


@asynccontextmanager
async def visiting(
    browser: Browser,
    home: Entry,
    viewport: ViewportSize = PHONE,
    *,
    dark: bool = False,
    locale: str = "en-GB",
) -> AsyncIterator[Page]:
    """Open a browser of its own at a home's page."""
    context = await browser.new_context(
        base_url=home.url,
        viewport=viewport,
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        locale=locale,
    )
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    try:
        yield page
    finally:
        await context.close()
    assert errors == []


async def log_in(page: Page, name: str, password: str = GOOD) -> None:
    await page.get_by_test_id("login-name").fill(name)
    await page.get_by_test_id("login-password").fill(password)
    await page.get_by_test_id("login-go").click()


async def add(home: Entry, *others: tuple[str, Role]) -> None:
    """Make the owner's account, and others."""
    await home.rights.people.first(NewPerson("Ada", Role.OWNER, GOOD))
    for name, role in others:
        await home.rights.people.add(NewPerson(name, role, GOOD))


async def test_the_owner_makes_the_first_account_and_logs_out(
    browser: Browser, home: Entry
) -> None:
    async with visiting(browser, home) as page:
        await page.goto("/people")
        await page.get_by_test_id("no-accounts").get_by_role("link").click()
        await page.get_by_test_id("first-name").fill("Ada")
        await page.get_by_test_id("first-password").fill(GOOD)
        await page.get_by_test_id("first-again").fill("something else")
        await expect(page.get_by_test_id("first-go")).to_be_disabled()
        await page.get_by_test_id("first-again").fill(GOOD)
        await expect(page.get_by_test_id("first-code")).to_have_count(0)
        assert await violations(page) == []
        await page.get_by_test_id("first-go").click()
        await expect(page).to_have_url(f"{home.url}/")
        await page.goto("/more")
        await page.get_by_test_id("more-log-out").click()
        await expect(page).to_have_url(f"{home.url}/login")
        await page.goto("/history")
        await expect(page).to_have_url(f"{home.url}/login?to=/history")


async def test_who_logs_in_gets_where_they_were_going(browser: Browser, home: Entry) -> None:
    await add(home)
    async with visiting(browser, home) as page:
        await page.goto("/people")
        await expect(page.get_by_test_id("login")).to_be_visible()
        assert await violations(page) == []
        await page.screenshot(path=RESULTS / "page-login.png", full_page=True)
        await log_in(page, "Ada", "a wrong password")
        await expect(page.get_by_test_id("login-error")).to_have_text(
            "Name and password do not fit."
        )
        await log_in(page, "ada")
        await expect(page).to_have_url(f"{home.url}/people")
        await expect(page.get_by_test_id("my-role")).to_have_text("Owner")


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil.example"])
async def test_nobody_is_led_astray_after_logging_in(
    browser: Browser, home: Entry, to: str
) -> None:
    await add(home)
    async with visiting(browser, home) as page:
        await page.goto(f"/login?to={to}")
        await log_in(page, "Ada")
        await expect(page).to_have_url(f"{home.url}/")


@pytest.mark.parametrize("dark", [False, True])
async def test_the_owner_sees_who_may_what_and_who_did_what(
    browser: Browser, home: Entry, *, dark: bool
) -> None:
    await add(home, ("Kim", Role.HOUSEHOLD), ("Ivo", Role.INSTALLER))
    size = DESKTOP if dark else PHONE
    async with visiting(browser, home, size, dark=dark) as page:
        await page.goto("/people")
        await log_in(page, "Ada")
        await expect(page.get_by_test_id("person")).to_have_count(3)
        await page.get_by_test_id("add-person").locator("summary").click()
        await page.get_by_test_id("new-name").fill("Mia <b>Bold</b>")
        await page.get_by_test_id("new-role").select_option("auditor")
        await page.get_by_test_id("new-days").select_option("7")
        await page.get_by_test_id("new-password").fill(GOOD)
        await page.get_by_test_id("new-again").fill(GOOD)
        await page.get_by_test_id("new-go").click()
        added = page.get_by_test_id("person").filter(has_text="Mia <b>Bold</b>")
        await expect(added).to_contain_text("until")
        await page.get_by_test_id("trail-check").click()
        await expect(page.get_by_test_id("trail-verdict")).to_contain_text("unchanged")
        await page.reload()
        await expect(page.get_by_test_id("deed").first).to_be_visible()
        row = page.locator('[data-did="POST /api/people"]')
        await expect(row).to_contain_text("added an account")
        await expect(row).to_contain_text("Mia <b>Bold</b>")
        assert await violations(page) == []
        name = f"page-people-{'dark' if dark else 'light'}.png"
        await page.screenshot(path=RESULTS / name, full_page=True)


async def test_the_last_owner_stays_and_the_page_says_why(browser: Browser, home: Entry) -> None:
    await add(home)
    async with visiting(browser, home, locale="de-DE") as page:
        await page.goto("/people")
        await log_in(page, "Ada")
        await page.get_by_test_id("remove").click()
        await page.get_by_test_id("remove-yes").click()
        await expect(page.get_by_test_id("people-error")).to_be_visible()
        await expect(page.get_by_test_id("person")).to_have_count(1)


async def test_a_member_of_the_household_sees_their_limits(browser: Browser, home: Entry) -> None:
    await add(home, ("Kim", Role.HOUSEHOLD))
    async with visiting(browser, home, locale="fr-FR") as page:
        await page.goto("/people")
        await log_in(page, "Kim")
        await expect(page.get_by_test_id("limited")).to_be_visible()
        await expect(page.get_by_test_id("my-role")).to_have_text("Foyer")
        await expect(page.get_by_test_id("people")).to_have_count(0)
        await expect(page.get_by_test_id("trail")).to_have_count(0)
        assert await violations(page) == []
        await page.get_by_test_id("my-password").locator("summary").click()
        await page.get_by_test_id("present-password").fill(GOOD)
        await page.get_by_test_id("next-password").fill("un autre bon mot")
        await page.get_by_test_id("next-again").fill("un autre bon mot")
        await page.get_by_test_id("change-password").click()
        await expect(page.get_by_role("status").filter(has_text="changé")).to_be_visible()
        await page.get_by_test_id("log-out").click()
        await expect(page).to_have_url(f"{home.url}/login")
        await log_in(page, "Kim", "un autre bon mot")
        await expect(page).to_have_url(f"{home.url}/")


async def test_a_session_ended_elsewhere_leads_to_the_log_in_page(
    browser: Browser, home: Entry
) -> None:
    await add(home)
    async with visiting(browser, home) as page:
        await page.goto("/people")
        async with page.expect_response("**/api/tokens"):
            await log_in(page, "Ada")
        for loaded in ("person", "deed", "app-begin"):
            await expect(page.get_by_test_id(loaded).first).to_be_visible()
        await home.rights.logins.end_all(home.rights.people.all()[0].id)
        await page.get_by_test_id("trail-check").click()
        await expect(page).to_have_url(f"{home.url}/login?to=/people")


async def test_what_hands_the_home_over_asks_for_the_password_once_more(
    browser: Browser, home: Entry
) -> None:
    await add(home, ("Kim", Role.HOUSEHOLD))
    async with visiting(browser, home) as page:
        await page.goto("/login?to=/people")
        await log_in(page, "Ada")
        await expect(page).to_have_url(f"{home.url}/people")
        home.clock.at += 301.0
        role = page.locator("[data-person=Kim]").get_by_test_id("role")
        await role.select_option("owner")
        await expect(page.get_by_test_id("proof-password")).to_be_focused()
        assert await violations(page) == []
        await page.get_by_test_id("proof-cancel").click()
        await expect(page.get_by_test_id("people-error")).to_contain_text("Prove once more")
        await expect(role).to_have_value("household")

        await role.select_option("installer")
        await page.get_by_test_id("proof-password").fill("not it")
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("proof").get_by_role("alert")).to_have_text(
            "That is not your password."
        )
        await page.keyboard.press("Escape")
        await expect(page.get_by_test_id("proof")).to_have_count(0)
        await expect(role).to_have_value("household")

        await role.select_option("auditor")
        await page.get_by_test_id("proof-password").fill(GOOD)
        await page.screenshot(path=RESULTS / "proof.png")
        await page.get_by_test_id("proof-go").click()
        await expect(page.get_by_test_id("proof")).to_have_count(0)
        await expect(role).to_have_value("auditor")
        await expect(page.get_by_test_id("people-error")).to_have_count(0)
        await role.select_option("household")
        await expect(role).to_be_enabled()
        assert {each.name: each.role for each in home.rights.people.all()} == {
            "Ada": Role.OWNER,
            "Kim": Role.HOUSEHOLD,
        }


async def test_nothing_is_asked_for_that_a_role_may_not_see(browser: Browser, home: Entry) -> None:
    await add(home, ("Ivy", Role.INSTALLER))
    async with visiting(browser, home) as page:
        await page.goto("/login")
        await log_in(page, "Ivy")
        await expect(page).to_have_url(f"{home.url}/")
        refused: list[str] = []
        page.on("response", lambda r: refused.append(r.url) if r.status == 403 else None)
        await page.reload()
        await expect(page.get_by_test_id("chart")).to_be_visible()
        await page.get_by_test_id("today-cost").get_by_role("button").click()
        await expect(page.get_by_test_id("today-note")).to_contain_text("role")
        for path in ("/history", "/bill"):
            await page.goto(path)
            await expect(page.get_by_test_id("refused")).to_contain_text("Your role")
        assert refused == []


async def test_a_name_is_text_whatever_is_in_it(browser: Browser, home: Entry) -> None:
    name = "<img src=x onerror=alert(1)><b>Zoë & Co</b>"
    await add(home, (name, Role.HOUSEHOLD), ("W" * 64, Role.PROVIDER))
    async with visiting(browser, home, {"width": 320, "height": 600}) as page:
        await page.goto("/login?to=/people")
        await log_in(page, "Ada")
        people = page.get_by_test_id("people")
        await expect(people.get_by_test_id("person")).to_have_count(3)
        await expect(people.get_by_text(name, exact=True)).to_be_visible()
        await expect(people.locator("img")).to_have_count(0)
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 320


async def test_a_session_that_ends_in_the_middle_of_a_form_leads_to_the_log_in_and_back(
    browser: Browser, home: Entry
) -> None:
    await add(home)
    async with visiting(browser, home) as page:
        await page.goto("/login?to=/people")
        await log_in(page, "Ada")
        await page.get_by_test_id("add-person").locator("summary").click()
        await page.get_by_test_id("new-name").fill("Kim")
        await page.get_by_test_id("new-password").fill(GOOD)
        await page.get_by_test_id("new-again").fill(GOOD)
        await home.rights.logins.end_all(home.rights.people.all()[0].id)
        await page.get_by_test_id("new-go").click()
        await expect(page).to_have_url(f"{home.url}/login?to=/people")
        await log_in(page, "Ada")
        await expect(page).to_have_url(f"{home.url}/people")
        assert len(home.rights.people.all()) == 1
