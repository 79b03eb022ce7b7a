"""The console for all who read it: each view at each size, by keyboard, and without a line."""

import asyncio
import re
from typing import Final

import pytest
from playwright.async_api import Page, ViewportSize, expect

from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from tests.hems.headend.console.conftest import Shows, Town
from tests.hems.headend.console.described import described
from tests.web.axe import violations
from tests.web.schema import CONSOLE_SCHEMA, typescript
from tests.web.showing import DESKTOP, PHONE, SMALLEST

pytestmark = [
    pytest.mark.browser,
    pytest.mark.requirement("ROLE-UI"),
    pytest.mark.timeout(300),
]

VIEWS: Final = {
    "overview": ("/", "able-shed"),
    "groups": ("/groups?g=feeder-1", "able-shed"),
    "events": ("/events", "events"),
    "order": ("/events/new?group=tx-1", "preview"),
    "event": ("", "answers"),
    "hubs": ("/hubs", "hubs"),
    "hub": ("/hubs/{lfdi}", "history"),
    "trail": ("/trail", "trail"),
    "nowhere": ("/no/such/place", "navigation"),
}
"""Each view's place, with the test id of what is there once it is all there."""


async def _sideways(page: Page) -> bool:
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    return bool(await page.evaluate(wide))


@pytest.mark.parametrize(
    ("name", "size", "locale"),
    [
        ("desktop", DESKTOP, "en-GB"),
        ("phone-dark", PHONE, "de-DE"),
        ("320", SMALLEST, "de-DE"),
    ],
)
async def test_each_view_fits_and_can_be_used_by_all(
    show: Shows, town: Town, name: str, size: ViewportSize, locale: str
) -> None:
    event = await town.operator.event(shed_w=1500, minutes=30, program="Energy Support")
    found = []
    console = await show("Ines", size, dark=name.endswith("dark"), locale=locale)
    page = console.page
    for view, (path, sign) in VIEWS.items():
        place = path or f"/events/{event['id']}"
        await console.open(place.format(lfdi=town.homes["home-a"].lfdi))
        await expect(page.get_by_test_id(sign).first).to_be_visible()
        found += [f"{view}: {each}" for each in await violations(page)]
        if await _sideways(page):
            found.append(f"{view}: scrolls sideways")
        if size is not SMALLEST:
            await console.picture(f"{view}-{name}")
    assert found == []
    assert await page.evaluate("document.documentElement.lang") == locale[:2]


async def test_another_language_is_kept(show: Shows) -> None:
    console = await show("Ada")
    page = console.page
    await page.get_by_test_id("language").select_option("de")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Überblick")
    await page.reload()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Überblick")


async def test_the_tree_is_walked_by_arrow_keys(show: Shows) -> None:
    console = await show("Ada")
    page = console.page
    await console.open("/groups")
    await expect(page.get_by_test_id("group-north")).to_be_visible()
    await page.get_by_test_id("group-search").focus()
    await page.keyboard.press("Tab")
    await expect(page.get_by_test_id("group-north")).to_be_focused()
    await expect(page.get_by_test_id("group-north")).to_have_attribute("aria-expanded", "true")
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight"):
        await page.keyboard.press(key)
    await expect(page.get_by_test_id("group-tx-1")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("chosen").locator("h2")).to_have_text("Trafo 1")
    assert page.url.endswith("?g=tx-1")
    await page.keyboard.press("ArrowLeft")
    await expect(page.get_by_test_id("group-feeder-1")).to_be_focused()
    await page.keyboard.press("ArrowLeft")
    await expect(page.get_by_test_id("group-tx-1")).to_have_count(0)


async def test_the_map_is_used_by_keyboard(show: Shows) -> None:
    console = await show("Ada")
    page = console.page
    await console.open("/groups")
    mark = page.get_by_test_id("mark-feeder-2")
    await expect(mark).to_have_accessible_name("Altona, feeder")
    before = await mark.bounding_box()
    await page.get_by_test_id("map").focus()
    await page.keyboard.press("ArrowRight")
    after = await mark.bounding_box()
    assert before is not None
    assert after is not None
    assert after["x"] == pytest.approx(before["x"] - 80, abs=2)
    await page.keyboard.press("ArrowLeft")
    await mark.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("chosen").locator("h2")).to_have_text("Altona")
    # From a cluster one looks nearer until its places stand apart, down to single homes.
    await page.get_by_test_id("group-north").click()
    await page.get_by_test_id("farther").click()
    cluster = page.get_by_role("button", name=re.compile("places; look nearer"))
    for _ in range(8):
        if not await cluster.count():
            break
        await cluster.first.focus()
        await page.keyboard.press("Enter")
    site = page.get_by_test_id("mark-site-home-c")
    await expect(site).to_be_visible()
    await site.press("Enter")
    await expect(page.get_by_test_id("chosen").locator("h2")).to_have_text("Elbchaussee 3")
    assert await violations(page) == []


async def test_who_is_not_known_logs_in_and_comes_where_they_wanted(
    show: Shows, town: Town
) -> None:
    await town.employ("Ada")
    console = await show("")
    page = console.page
    await console.open("/hubs")
    await console.log_in("Ada", "not the pass phrase")
    await expect(page.get_by_test_id("login-error")).to_be_visible()
    await expect(page.get_by_test_id("login-password")).to_have_value("")
    assert await violations(page) == []
    await console.picture("login-desktop")
    await console.log_in("Ada")
    await expect(page.get_by_test_id("hubs")).to_be_visible()
    # A session that ends elsewhere leads back there.
    status, _ = await town.operator.ask("DELETE", "/operators/Ada")
    assert status == 200
    await page.get_by_test_id("to-events").click()
    await expect(page.get_by_test_id("login")).to_be_visible()


async def test_nothing_but_its_own_files_may_run(show: Shows) -> None:
    console = await show("Ada")
    answer = await console.page.goto(f"{console.url}/console/events")
    assert answer is not None
    policy = (await answer.all_headers())["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    asked = await console.page.evaluate(
        "performance.getEntriesByType('resource').map((each) => each.name)"
    )
    assert asked
    assert [each for each in asked if not each.startswith(console.url)] == []


async def test_a_lost_server_is_said_and_found_again(
    show: Shows, town: Town, settings: HeadEndSettings
) -> None:
    event = await town.operator.event(limit_import_w=4000, minutes=30)
    console = await show("Ada", PHONE)
    page = console.page
    await console.open(f"/events/{event['id']}")
    await expect(page.get_by_test_id("answers")).to_be_visible()
    port = int(town.head_end.addresses.operator_url.rpartition(":")[2])
    await town.head_end.__aexit__(None, None, None)
    await expect(page.get_by_test_id("lost")).to_be_visible(timeout=20_000)
    await expect(page.get_by_test_id("answers")).to_be_visible()
    await console.picture("lost-phone")
    again = settings.model_copy(update={"operator_port": port})
    async with HeadEnd(again, town.clock):
        await expect(page.get_by_test_id("lost")).to_have_count(0, timeout=30_000)
    # A browser tells of each question that nobody answered.
    console.complaints[:] = [e for e in console.complaints if "ERR_CONNECTION" not in e]


async def test_the_console_s_types_are_those_of_the_door() -> None:
    made = await asyncio.to_thread(typescript, await described())
    kept = await asyncio.to_thread(CONSOLE_SCHEMA.read_text, encoding="utf-8")
    assert kept == made, "run `make page-types`"
