"""Events and messages on the built page: what is asked, leaving it, what is over."""

import re
from dataclasses import replace

import pytest
from playwright.async_api import Browser, expect

from hems.access.rights import Role
from tests.web.axe import violations
from tests.web.script import BINDING, PEAK, PRICE, SCRIPT_START, TOMORROW, event, message
from tests.web.showing import showing
from tests.web.surface import ScriptedHome
from tests.web.visitor import Visitor

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.browser,
    pytest.mark.requirement("ROLE-UI"),
]

COMING = event(
    TOMORROW,
    state="coming",
    program="Evening Calm",
    title="Reduce by 1 kW",
    starts_at=SCRIPT_START + 3 * 3600,
    ends_at=SCRIPT_START + 4 * 3600,
)
LEAVING = "You lose the bonus of 2.50 for this evening."
STORM = message(TOMORROW, "A storm comes: keep your car charged.", urgent=True)


async def test_opting_out_needs_a_second_word_and_reaches_the_home(browser: Browser) -> None:
    home = ScriptedHome()
    asked, *others = home.now.events
    await home.play(events=[replace(asked, consequence=LEAVING), *others])
    async with showing(browser, home=home) as shown:
        page = shown.page
        card = page.get_by_test_id("event-card")
        await expect(card).to_have_count(1)
        await expect(card).to_contain_text("Peak Saver asks now")
        await expect(card).to_contain_text(re.compile("14:13\\s*\N{EN DASH} 14:53"))
        await expect(page.get_by_test_id("event-title")).to_have_text("Import at most 1.5 kW")

        await page.get_by_test_id("opt-out").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("opt-out-confirm")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(page.get_by_test_id("opt-out")).to_be_focused()
        assert home.wishes == []

        await page.get_by_test_id("opt-out").click()
        await expect(page.get_by_test_id("event-consequence")).to_have_text(LEAVING)
        assert await violations(page, "[data-testid=event-card]") == []
        await page.get_by_test_id("opt-out-confirm").click()
        await expect(card).to_contain_text("You opted out of Peak Saver")
        await expect(page.get_by_test_id("announced")).to_contain_text(
            "You opted out of Peak Saver"
        )
        assert home.wishes == [("opt-out", PEAK)]

        await page.get_by_test_id("opt-in").click()
        await expect(page.get_by_test_id("opt-out")).to_be_visible()
        assert home.wishes == [("opt-out", PEAK), ("opt-in", PEAK)]


async def test_events_come_and_go(browser: Browser) -> None:
    async with showing(browser) as shown:
        page, home = shown.page, shown.home
        await home.play(events=[COMING])
        card = page.get_by_test_id("event-card")
        await expect(card).to_contain_text("Evening Calm will ask")
        await expect(card).to_contain_text("begins in")
        await expect(page.get_by_test_id("announced")).to_contain_text("Evening Calm will ask")

        await home.play(
            events=[event(BINDING, may_opt_out=False), replace(COMING, state="running")]
        )
        await expect(card).to_have_count(2)
        binding = page.locator(f"[data-event='{BINDING}']")
        await expect(binding).to_contain_text("binding")
        await expect(binding.get_by_role("button")).to_have_count(0)

        await home.play(events=[replace(COMING, state="cancelled")], alarms=["The breaker is hot."])
        await expect(card).to_have_count(0)
        await expect(page.get_by_test_id("event-over")).to_contain_text("Cancelled")
        await expect(page.get_by_test_id("alarms")).to_contain_text("The breaker is hot.")


async def test_a_refused_opt_out_is_told_in_words(browser: Browser) -> None:
    async with showing(browser) as shown:
        page, home = shown.page, shown.home
        await page.get_by_test_id("opt-out").click()
        # It becomes binding between the page's last snapshot and the click.
        home.now = replace(home.now, events=[event(PEAK, may_opt_out=False)])
        await page.get_by_test_id("opt-out-confirm").click()
        await expect(page.get_by_test_id("event-card").get_by_role("alert")).to_contain_text(
            "Peak Saver does not allow opting out"
        )
        assert home.wishes == []
        # Chromium reports the refusal's status on its console; nothing else may stand there.
        assert len(shown.complaints) == 1
        assert "409" in shown.complaints.pop()


async def test_messages_and_the_price_are_told(browser: Browser) -> None:
    async with showing(browser) as shown:
        await shown.home.play(
            messages=[message(PEAK, "Works in your street on Friday."), STORM], price=PRICE
        )
        cards = shown.page.get_by_test_id("message")
        await expect(cards).to_have_count(2)
        await expect(cards.first).to_contain_text("A storm")
        await expect(shown.page.get_by_test_id("price")).to_have_text(
            re.compile("costs \u20ac0.312 a kWh until 15:00, then \u20ac0.284")
        )
        await shown.picture("messages")
        await cards.first.get_by_test_id("message-read").click()
        await expect(cards).to_have_count(1)
        assert shown.home.wishes == [("acknowledge", STORM.id)]


async def test_what_cannot_be_done_says_why(browser: Browser) -> None:
    async with showing(browser) as shown:
        why = "This home cannot carry out opModVoltVar."
        refused = replace(event(TOMORROW, state="rejected"), note=why)
        await shown.home.play(events=[refused])
        over = shown.page.get_by_test_id("event-over")
        await expect(over).to_contain_text("Not possible here")
        await expect(over.get_by_test_id("event-note")).to_have_text(why)


async def test_who_may_not_decide_is_not_asked_to(browser: Browser) -> None:
    auditor = Visitor(Role.AUDITOR)
    home = ScriptedHome()
    await home.play(messages=[STORM])
    async with showing(browser, home=home, visitor=auditor) as shown:
        page = shown.page
        await expect(page.get_by_test_id("event-title")).to_be_visible()
        await expect(page.get_by_test_id("message")).to_be_visible()
        await expect(page.get_by_test_id("opt-out")).to_have_count(0)
        await expect(page.get_by_test_id("message-read")).to_have_count(0)
        cost = page.get_by_test_id("today-cost").get_by_role("button")
        await cost.click()
        note = page.get_by_test_id("today-note")
        await expect(note).to_have_text("Your role in this home does not allow this.")
        assert all("403" in each for each in shown.complaints)
        shown.complaints.clear()
