"""An event from the first click to its settlement, with homes that answer and measure over TLS."""

import csv
import io
from pathlib import Path

import pytest
from playwright.async_api import Route, expect

from certs.pki import Pki
from hems.headend.modes import Edition
from tests.hems.headend import ours
from tests.hems.headend.console.conftest import Console, Shows, Town
from tests.hems.headend.settle.homes import respond
from tests.web.axe import violations

pytestmark = [
    pytest.mark.browser,
    pytest.mark.requirement("ROLE-UI", "PRV-RBAC"),
    pytest.mark.timeout(300),
]
WITHIN_MS = 30_000


async def test_an_event_is_ordered_answered_measured_cancelled_and_settled(
    show: Shows, town: Town, pki: Pki, tmp_path: Path
) -> None:
    start = town.clock.at
    for name in ("home-a", "home-b"):
        await town.measured(name, 3_000.0, start - 1_800, start)
    # Our hub learns of a group's first order when it polls; of further ones it is notified.
    first = await town.operator.event(program="Energy Support", shed_w=500, minutes=1, group="tx-1")
    await town.operator.ask("POST", f"/events/{first['id']}/cancel")
    lfdi = town.homes["home-a"].lfdi
    async with ours.client(town.head_end, pki, lfdi, Edition.CSIP_AUS, tmp_path):
        console = await show("Ada")
        event = await order(console)
        await watch_answers(console, town, event)
        await watch_delivery(console, town)
        await cancel_and_settle(console, town)

    status, told = await town.operator.ask("GET", f"/events/{event}")
    assert (status, told["state"]) == (200, "cancelled")
    _, trail = await town.operator.ask("GET", "/trail?who=Ada")
    cancelled = next(each for each in trail["entries"] if each["did"].endswith("/cancel"))
    assert "line is back" in cancelled["detail"]
    assert cancelled["outcome"] == 200


async def order(console: Console) -> str:
    """Choose a group and order a reduction of it; returns the event's id."""
    page = console.page
    await page.get_by_test_id("to-groups").click()
    await page.get_by_test_id("group-search").fill("trafo 1")
    await page.get_by_test_id("group-tx-1").click()
    await expect(page.get_by_test_id("chosen")).to_contain_text("Umspannwerk Nord")
    await expect(page.get_by_test_id("able-shed")).to_be_visible()
    await page.get_by_test_id("schedule").click()
    await page.get_by_test_id("kind").select_option("shed_w")
    await page.get_by_test_id("program").select_option(label="Energy Support")
    await page.get_by_test_id("value").fill("1.5")
    await page.get_by_test_id("start-now").check()
    await page.get_by_text("Spread over time").click()
    await page.get_by_test_id("randomStart").fill("0")
    await expect(page.get_by_test_id("reached")).to_have_text("2")
    await expect(page.get_by_test_id("barred")).to_have_text("0")
    await page.get_by_test_id("check").click()
    await expect(page.get_by_test_id("sure")).to_contain_text("2 homes of: Trafo 1")
    assert await violations(page) == []
    await console.picture("order-desktop")
    await page.get_by_test_id("send").click()
    await expect(page.get_by_test_id("state")).to_have_text("running")
    return page.url.rpartition("/")[2]


async def watch_answers(console: Console, town: Town, event: str) -> None:
    """Our own hub answers by itself, another home by hand, while the page is looked at."""
    page, other = console.page, town.homes["home-b"]
    taking_part = page.get_by_test_id("answer-taking-part")
    await expect(taking_part).to_contain_text("1", timeout=WITHIN_MS)
    await expect(page.get_by_test_id("silent")).to_contain_text(other.lfdi[:8])
    for status in (1, 2):
        await respond(other, event, status, town.clock.at + 1, drlc=True)
    await expect(taking_part).to_contain_text("2", timeout=WITHIN_MS)
    await expect(page.get_by_test_id("all-answered")).to_be_visible()


async def watch_delivery(console: Console, town: Town) -> None:
    """What homes take is measured, and drawn beside what was asked."""
    page, start = console.page, town.clock.at
    town.clock.at = start + 1_500
    await town.measured("home-a", 1_500.0, start, start + 1_500)
    await town.measured("home-b", 2_000.0, start, start + 1_500)
    await expect(page.get_by_test_id("latest")).to_contain_text("2.5", timeout=WITHIN_MS)
    await expect(page.get_by_test_id("delivery").locator("rect").first).to_be_visible()
    assert await violations(page) == []
    await console.picture("event-desktop")


async def cancel_and_settle(console: Console, town: Town) -> None:
    """End the event before its time, with a reason; look at what it came to, take it as a file."""
    page = console.page
    await page.get_by_test_id("cancel").click()
    await expect(page.get_by_test_id("cancel-go")).to_be_disabled()
    await page.get_by_test_id("cancel-reason").fill("line is back")
    await page.get_by_test_id("cancel-go").click()
    await expect(page.get_by_test_id("state")).to_have_text("cancelled")
    await expect(page.get_by_test_id("cancel")).to_have_count(0)
    rows = page.get_by_test_id("settled").locator("tbody tr")
    await expect(rows).to_have_count(2, timeout=WITHIN_MS)
    await expect(page.get_by_test_id("total")).to_contain_text("kWh")
    async with page.expect_download() as waited:
        await page.get_by_test_id("csv").click()
    path = await (await waited.value).path()
    told = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    assert {row["lfdi"] for row in told} == {town.homes[n].lfdi for n in ("home-a", "home-b")}
    await console.picture("settled-desktop")


async def test_an_order_whose_answers_are_lost_is_given_once(show: Shows, town: Town) -> None:
    console = await show("Ada")
    page, keys = console.page, list[str]()

    async def lose(route: Route) -> None:
        """Have the order arrive, and its answer not, twice."""
        if route.request.method != "POST":
            await route.continue_()
            return
        keys.append(route.request.headers["idempotency-key"])
        answer = await route.fetch()
        assert answer.status == 201, await answer.text()
        if len(keys) == 1:
            await route.abort()
        elif len(keys) == 2:
            await route.fulfill(status=503, json={"error": "the database is away"})
        else:
            assert answer.headers["idempotency-replayed"] == "true"
            await route.fulfill(response=answer)

    await page.route("**/events", lose)
    await console.open("/events/new?group=tx-1")
    await page.get_by_test_id("check").click()
    await page.get_by_test_id("send").click()
    await expect(page.get_by_test_id("state")).to_have_text("scheduled", timeout=WITHIN_MS)
    (event,) = town.head_end.book.events
    assert page.url.endswith(f"/events/{event.mrid}")
    assert (len(keys), len(set(keys))) == (3, 1)
    console.complaints.clear()  # the browser tells of what we have lost


async def test_an_order_that_makes_no_sense_is_refused_before_it_is_sent(
    show: Shows, town: Town
) -> None:
    console = await show("Ada")
    page = console.page
    await console.open("/events/new")
    await page.get_by_test_id("value").fill("lots")
    await expect(page.locator("#flaw-value")).to_contain_text("A number from 0")
    await expect(page.get_by_test_id("check")).to_be_disabled()
    await page.get_by_test_id("value").fill("4")
    # The server knows more: no programme of the head-end's carries this for longer than it may.
    await page.get_by_test_id("kind").select_option("shed_w")
    await page.get_by_test_id("value").fill("0.001")
    await page.get_by_test_id("minutes").fill("1")
    await page.get_by_text("Spread over time").click()
    await page.get_by_test_id("randomDuration").fill("-3600")
    await expect(page.get_by_test_id("refusal")).to_contain_text("shorten the event to nothing")
    await expect(page.get_by_test_id("check")).to_be_disabled()
    assert town.head_end.book.events == ()
    assert await violations(page) == []


async def test_a_hub_that_may_not_be_asked_for_so_much_is_barred_with_the_reason(
    show: Shows, town: Town
) -> None:
    lfdi = town.homes["home-b"].lfdi
    await town.operator.ask("PUT", f"/fleet/hubs/{lfdi}/policy", {"largest_event_w": 1000})
    console = await show("Ada")
    page = console.page
    await console.open("/events/new?group=feeder-1")
    await page.get_by_test_id("kind").select_option("shed_w")
    await page.get_by_test_id("value").fill("2")
    await expect(page.get_by_test_id("reached")).to_have_text("2")
    await expect(page.get_by_test_id("barred")).to_have_text("1")
    await expect(page.get_by_test_id("why-barred")).to_contain_text("1000 W")
    await console.picture("barred-desktop")
