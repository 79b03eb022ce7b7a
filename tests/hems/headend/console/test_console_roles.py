"""Who may do what at the console: four eyes, looking without touching, a hub's life."""

import pytest
from playwright.async_api import expect

from hems.headend.orders.settings import FourEyesSettings
from hems.headend.settings import HeadEndSettings
from tests.hems.headend.console.conftest import Shows, Town
from tests.web.axe import violations
from tests.web.showing import PHONE

pytestmark = [
    pytest.mark.browser,
    pytest.mark.requirement("ROLE-UI", "PRV-RBAC"),
    pytest.mark.timeout(300),
]


@pytest.fixture
def settings(settings: HeadEndSettings) -> HeadEndSettings:
    """Orders that reach more than two homes need two people."""
    return settings.model_copy(update={"four_eyes": FourEyesSettings(above_homes=2)})


async def test_a_large_order_waits_for_another_dispatcher(show: Shows, town: Town) -> None:
    ada, bob = await show("Ada", PHONE), await show("Bob")
    await ada.open("/events/new")
    page = ada.page
    await page.get_by_test_id("start-now").check()
    await expect(page.get_by_test_id("needs-second")).to_be_visible()
    await page.get_by_test_id("check").click()
    await ada.picture("propose-phone")
    await page.get_by_test_id("send").click()
    await expect(page.get_by_test_id("withdraw")).to_be_visible()
    await expect(page.get_by_test_id("confirm")).to_have_count(0)  # not one's own
    assert town.head_end.book.events == ()

    page = bob.page
    await expect(page.get_by_test_id("proposals")).to_contain_text("Draw at most 4")
    assert await violations(page) == []
    await bob.picture("proposal-desktop")
    await page.get_by_test_id("confirm").click()
    await expect(page.get_by_test_id("state")).to_have_text("running")
    assert len(town.head_end.book.events) == 1
    await expect(ada.page.get_by_test_id("withdraw")).to_have_count(0, timeout=20_000)


async def test_a_proposal_is_taken_back_with_a_reason(show: Shows, town: Town) -> None:
    status, made = await town.operator.ask(
        "POST", "/events", {"limit_import_w": 3000, "minutes": 30, "start": "+10m"}
    )
    assert status == 202
    console = await show("Bob", PHONE)
    page = console.page
    await page.get_by_test_id("withdraw").click()
    await page.get_by_test_id("withdraw-reason").fill("not today")
    await page.get_by_test_id("withdraw-go").click()
    await expect(page.get_by_test_id(f"proposal-{made['id']}")).to_have_count(0)
    _, told = await town.operator.ask("GET", f"/proposals/{made['id']}")
    assert (told["state"], told["reason"], told["decided_by"]) == ("withdrawn", "not today", "Bob")


async def test_an_auditor_sees_everything_and_is_offered_nothing(show: Shows, town: Town) -> None:
    event = await town.operator.event(limit_import_w=4000, minutes=30, group="tx-2")
    console = await show("Otto")
    page = console.page
    await expect(page.get_by_test_id(f"event-{event['id']}")).to_be_visible()
    await expect(page.get_by_test_id("schedule")).to_have_count(0)
    await console.open(f"/events/{event['id']}")
    await expect(page.get_by_test_id("answers")).to_be_visible()
    await expect(page.get_by_test_id("cancel")).to_have_count(0)
    await console.open("/events/new")
    await expect(page.get_by_test_id("refused")).to_be_visible()
    await expect(page.get_by_test_id("order")).to_have_count(0)
    await console.open(f"/hubs/{town.homes['home-a'].lfdi}")
    await expect(page.get_by_test_id("history")).to_be_visible()
    await expect(page.get_by_test_id("move")).to_have_count(0)
    # Nor does the server let them, whatever the page offers.
    asked = """async (path) => {
      const { csrf } = await (await fetch("/session")).json();
      const headers = { "Content-Type": "application/json", "X-CSRF-Token": csrf };
      return (await fetch(path, { method: "POST", headers, body: "{}" })).status;
    }"""
    assert await page.evaluate(asked, f"/events/{event['id']}/cancel") == 403

    await page.get_by_test_id("to-trail").click()
    ordered = page.get_by_test_id("trail").locator("tr", has_text="order an event").first
    await ordered.locator("summary").click()
    await expect(ordered.locator("code")).to_contain_text('"limit_import_w": 4000')
    await page.get_by_test_id("trail-who").fill("Otto")
    await page.get_by_test_id("trail-who").press("Enter")
    await expect(page.get_by_test_id("trail").locator("tbody tr").first).to_contain_text("403")
    await page.get_by_test_id("trail-check").click()
    await expect(page.get_by_test_id("trail-whole")).to_contain_text("whole")
    assert await violations(page) == []
    await console.picture("trail-desktop")


async def test_a_dispatcher_has_no_trail(show: Shows) -> None:
    console = await show("Ada", PHONE)
    await expect(console.page.get_by_test_id("to-trail")).to_have_count(0)
    await console.open("/trail")
    await expect(console.page.get_by_test_id("refused")).to_be_visible()


async def test_an_engineer_quarantines_a_hub_with_a_reason(show: Shows, town: Town) -> None:
    console = await show("Erika")
    page = console.page
    await page.get_by_test_id("hubs-operating").click()
    await expect(page.get_by_test_id("hubs").locator("tbody tr")).to_have_count(3)
    lfdi = town.homes["home-c"].lfdi
    await page.get_by_test_id("hub-search").fill("0" * 40)
    await page.get_by_test_id("hub-search").press("Enter")
    await expect(page.get_by_test_id("hub-missing")).to_be_visible()
    await page.get_by_test_id("hub-search").fill(lfdi)
    await page.get_by_test_id("hub-search").press("Enter")
    await expect(page.get_by_test_id("hub-state")).to_have_text("operating")
    await page.get_by_test_id("move-to").select_option("quarantined")
    await page.get_by_test_id("move-reason").fill("its meter reads nonsense")
    await page.get_by_test_id("move-go").click()
    await expect(page.get_by_test_id("hub-state")).to_have_text("quarantined")
    latest = page.get_by_test_id("history").locator("li").first
    await expect(latest).to_contain_text("its meter reads nonsense")
    await expect(latest).to_contain_text("Erika")
    assert await violations(page) == []
    await console.picture("hub-desktop")
    # Out of there only by a way that its life has.
    ways = page.get_by_test_id("move-to").locator("option:not([disabled])")
    assert await ways.evaluate_all("all => all.map((each) => each.value)") == [
        "operating",
        "enrolled",
        "retired",
    ]
