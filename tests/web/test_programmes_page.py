"""The page of the programmes: what is on offer, joined and left by consent, and what it earned."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, ViewportSize, expect

from hems.access.rights import Role
from hems.participation.consent import text_version
from programs.registry import BY_ID
from tests.hems.participation.play import EVENT, signal_of
from tests.web.agreed import agreed
from tests.web.axe import violations
from tests.web.showing import DESKTOP, PHONE, SMALLEST

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.browser,
    pytest.mark.requirement("ROLE-UI", "L1-OWNER"),
]

PEAK = "peak-shaving"


def card(page: Page, programme: str = PEAK) -> Locator:
    return page.locator(f'[data-programme="{programme}"]')


async def test_what_leaving_means_is_read_before_it_is_left_and_joining_asks_again(
    browser: Browser, tmp_path: Path
) -> None:
    async with agreed(browser, tmp_path) as shown:
        shown.play.events, shown.play.signals = [EVENT], [signal_of(EVENT)]
        shown.play.live(0, 60, 1400.0)
        await shown.go("/programmes")
        peak = card(shown.page)
        await expect(peak.get_by_test_id("programme-joined")).to_have_text("Taking part")
        await expect(peak.get_by_test_id("programme-now")).to_contain_text("Peak Saver asks for it")
        await peak.get_by_test_id("leave").click()
        await expect(peak.get_by_test_id("consequence")).to_contain_text("after 1 of 10 min")
        assert shown.play.part.takes_part(PEAK)  # nothing is done before the second word
        await shown.page.keyboard.press("Escape")
        await expect(peak.get_by_test_id("leave")).to_be_focused()
        await peak.get_by_test_id("leave").click()
        await peak.get_by_test_id("leave-confirm").click()
        await expect(peak.get_by_test_id("programme-joined")).to_contain_text(
            "Not taking part, said Ada"
        )
        assert not shown.play.part.takes_part(PEAK)

        offered = shown.page.get_by_test_id("offered-programmes")
        await expect(offered.locator(f'[data-programme="{PEAK}"]')).to_be_visible()
        await peak.get_by_test_id("join").click()
        await expect(peak.get_by_test_id("join-form")).to_contain_text(BY_ID[PEAK].about.asks)
        await expect(peak.get_by_test_id("join-form")).to_contain_text(text_version(BY_ID[PEAK]))
        await peak.get_by_test_id("until").fill("2027-06-01")
        await peak.get_by_test_id("join-confirm").click()
        await expect(peak.get_by_test_id("programme-joined")).to_contain_text("until")
        (consent,) = (
            d for p in await shown.play.part.programmes() if p.id == PEAK for d in p.decisions[:1]
        )
        assert (consent.by, consent.joined) == ("Ada", True)
        assert consent.until == 1_811_800_800.0  # midnight in Berlin, of the day that was chosen


async def test_a_text_that_has_changed_asks_again(browser: Browser, tmp_path: Path) -> None:
    async with agreed(browser, tmp_path) as shown:
        old = '[{"joined":true,"by":"Ada","at":1.0,"until":null,"version":"0123456789ab"}]'
        await shown.play.store.settings.put(f"consents {PEAK}", old)
        await shown.play.part.load()
        await shown.go("/programmes")
        peak = card(shown.page)
        await expect(peak.get_by_test_id("changed")).to_contain_text("has changed since")
        assert await violations(shown.page) == []
        await peak.get_by_test_id("read-again").click()
        await peak.get_by_test_id("join-confirm").click()
        await expect(peak.get_by_test_id("changed")).to_have_count(0)


async def test_what_the_home_has_nothing_for_says_so_and_cannot_be_joined(
    browser: Browser, tmp_path: Path
) -> None:
    async with agreed(browser, tmp_path) as shown:
        why = "No reserve is agreed for this home."
        shown.play.terms = replace(shown.play.terms, missing={"reserve": why})
        await shown.play.anew().load()
        await shown.go("/programmes")
        reserve = card(shown.page, "reserve")
        await expect(reserve.get_by_test_id("missing")).to_have_text(why)
        await expect(reserve.get_by_test_id("join")).to_have_count(0)
        await expect(card(shown.page, "microgrid").get_by_test_id("missing")).to_have_count(0)


async def test_what_was_delivered_by_month_and_for_settlement(
    browser: Browser, tmp_path: Path
) -> None:
    async with agreed(browser, tmp_path, DESKTOP) as shown:
        await shown.go("/programmes")
        months = shown.page.get_by_test_id("month")
        await expect(months).to_have_count(2)
        latest = months.first
        await expect(latest.get_by_test_id("month-delivered")).to_have_text("3.5 kWh delivered")
        await expect(latest.get_by_test_id("month-earned")).to_contain_text("0.88")
        first = latest.locator('[data-event="0A"]')
        await expect(first.get_by_test_id("record-baseline")).to_contain_text("comparable days")
        await expect(first.get_by_test_id("record-inside")).to_have_text("100 %")
        left = latest.locator('[data-event="0B"]')
        await expect(left.get_by_test_id("opted-out")).to_be_visible()
        await expect(left).to_contain_text("comfort missed for 12 min")
        await expect(
            latest.locator('[data-event="R1"]').get_by_test_id("record-score")
        ).to_have_text("0.963")
        async with shown.page.expect_download() as coming:
            await latest.get_by_test_id("settlement-csv").click()
        kept = Path(await (await coming.value).path())
        lines = (await asyncio.to_thread(kept.read_text, "utf-8")).splitlines()
        assert sum(line.startswith("event,") for line in lines) == 3  # the older month's is not
        await shown.picture("programmes-desktop")


async def test_reserve_and_island_stand_on_the_page(browser: Browser, tmp_path: Path) -> None:
    async with agreed(browser, tmp_path) as shown:
        await shown.go("/programmes")
        await expect(shown.page.get_by_test_id("reserve")).to_contain_text("held ready")
        await expect(shown.page.get_by_test_id("reserve-call")).to_contain_text("240 Wh")
        island = shown.page.get_by_test_id("island")
        await island.get_by_test_id("island-ask").click()
        await expect(island.get_by_test_id("island-consequence")).to_contain_text("4 h")
        assert not shown.tied.view.asked_to_leave
        await island.get_by_test_id("island-confirm").click()
        await expect(island.get_by_test_id("island-words")).to_have_text("Parting")
        assert shown.tied.view.asked_to_leave


@pytest.mark.requirement("PRV-RBAC")
async def test_whose_role_does_not_allow_it_is_told_and_has_no_button(
    browser: Browser, tmp_path: Path
) -> None:
    async with agreed(browser, tmp_path, role=Role.INSTALLER) as shown:
        await shown.go("/programmes")
        await expect(card(shown.page).get_by_test_id("programme-joined")).to_be_visible()
        await expect(shown.page.get_by_text("but not join or leave")).to_be_visible()
        for name in ("leave", "join", "island-ask"):
            await expect(shown.page.get_by_test_id(name)).to_have_count(0)
        await expect(shown.page.get_by_test_id("records")).to_have_count(0)


@pytest.mark.parametrize(
    ("viewport", "dark", "locale"),
    [(PHONE, False, "en-GB"), (DESKTOP, True, "de-DE"), (SMALLEST, True, "fr-FR")],
)
async def test_no_rule_of_accessibility_is_broken(
    browser: Browser, tmp_path: Path, viewport: ViewportSize, *, dark: bool, locale: str
) -> None:
    async with agreed(browser, tmp_path, viewport, dark=dark, locale=locale) as shown:
        page = shown.page
        await shown.go("/programmes")
        await card(page).get_by_test_id("leave").click()
        await card(page).locator("summary").click()
        await page.get_by_test_id("always-programmes").locator("summary").first.click()
        await page.get_by_test_id("island-ask").click()
        assert await violations(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await shown.picture(f"programmes-{locale[:2]}")
