"""The page about privacy and security: what leaves the home, who looks, what was wrong."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, ViewportSize, expect

from der.sentence import say
from hems.access.rights import Role
from hems.agent.surface import AgentView
from hems.visibility.grants import Data, Purpose
from tests.hems.participation.play import T
from tests.web import guarded
from tests.web.agreed import Agreed, agreed
from tests.web.axe import violations
from tests.web.showing import DESKTOP, PHONE, SMALLEST

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.browser,
    pytest.mark.requirement("ROLE-UI", "PRV-RBAC"),
]

LFDI = "CD" * 20


async def troubled(shown: Agreed) -> None:
    """Have something be wrong, something that was, and something that happened once."""
    clock = shown.play.clock
    clock.at = T - 900.0
    shown.alarms.began("device pv", say("{name} does not answer", name="Solar"))
    shown.alarms.began("history", "The disk is full")
    clock.at = T - 300.0
    shown.alarms.ended("history")
    shown.alarms.happened("A certificate was renewed")
    clock.at = T


def flow(page: Page, name: str) -> Locator:
    return page.locator(f'[data-flow="{name}"]').first


@pytest.mark.requirement("PRV-TRANSIT")
async def test_what_leaves_the_home_is_said_with_its_protection(
    browser: Browser, tmp_path: Path
) -> None:
    async with agreed(browser, tmp_path) as shown:
        await shown.go("/privacy")
        readings = flow(shown.page, "readings")
        await expect(readings).to_contain_text("Grid meter, Wallbox")
        await expect(readings).to_contain_text("Every 1 min")
        recipients = shown.page.get_by_test_id("recipient")
        utility = recipients.filter(has_text="grid at utility.example")
        await expect(utility.get_by_test_id("outflow")).to_have_count(4)
        await expect(utility.get_by_test_id("guard")).to_have_text("encrypted, both sides proven")
        weather = recipients.filter(has_text="weather.example")
        await expect(weather.get_by_test_id("guard")).to_have_text("not encrypted")
        await expect(weather.get_by_test_id("guard")).to_have_class("mark warn")
        devices = shown.page.get_by_test_id("trusted-device")
        await expect(devices.nth(0)).to_contain_text("Whoever answers at its address is believed")
        await expect(devices.nth(1)).to_contain_text("belongs to the service provider")
        await expect(shown.page.get_by_test_id("stranger")).to_contain_text("192.168.1.77")
        connection = shown.page.get_by_test_id("connection")
        await expect(connection).to_contain_text("right (within 0.4 s)")
        missing = shown.page.locator('[data-use="utility"]')
        await expect(missing.get_by_test_id("standing")).to_have_text("cannot be read")
        door = shown.page.locator('[data-use="recipients"]')
        await expect(door.get_by_test_id("standing")).to_have_text("good")
        await expect(door.get_by_test_id("held")).to_contain_text("Its key is a plain file")


@pytest.mark.requirement("BUC-13")
async def test_a_grant_is_made_seen_and_ended(browser: Browser, tmp_path: Path) -> None:
    async with agreed(browser, tmp_path) as shown:
        page = shown.page
        await shown.go("/privacy")
        await expect(page.get_by_test_id("no-grants")).to_be_visible()
        await page.get_by_test_id("grant-new").click()
        await expect(page.get_by_test_id("grant-name")).to_be_focused()
        await page.get_by_test_id("grant-name").fill("Grid Ltd")
        await page.get_by_test_id("grant-lfdi").fill("not an LFDI")
        await page.get_by_test_id("grant-until").fill("2027-06-01")
        await page.get_by_test_id("grant-confirm").click()
        await expect(page.get_by_test_id("grant-error")).to_contain_text("no identity")
        await page.get_by_test_id("grant-lfdi").fill(" ".join([LFDI[:20].lower(), LFDI[20:]]))
        await page.get_by_test_id("grant-confirm").click()
        await expect(page.get_by_test_id("grant-error")).to_contain_text("at least one thing")
        await page.get_by_test_id("grant-purpose").select_option("settlement")
        await page.get_by_test_id("grant-energy").check()
        await page.get_by_test_id("grant-confirm").click()
        await expect(page.get_by_test_id("grant-holds")).to_have_text("until 1 Jun 2027")
        (grant,) = await shown.visibility.grants()
        assert (grant.recipient, grant.purpose, grant.data) == (LFDI, "settlement", ("energy",))
        assert grant.until == 1_811_800_800.0  # midnight in Berlin, of the day that was chosen
        recipient = page.get_by_test_id("recipient").filter(has_text="Grid Ltd")
        await expect(recipient).to_contain_text("meter readings")  # that leaves the home now

        await page.get_by_test_id("grant-end").click()
        await expect(page.get_by_text("stays with them")).to_be_visible()
        await page.get_by_test_id("grant-end-confirm").click()
        await expect(page.get_by_test_id("grant-holds")).to_contain_text("over since")
        await expect(flow(page, "grant")).to_have_count(0)


async def test_alarms_now_and_past(browser: Browser, tmp_path: Path) -> None:
    async with agreed(browser, tmp_path) as shown:
        await troubled(shown)
        await shown.go("/privacy")
        alarm = shown.page.get_by_test_id("alarm")
        await expect(alarm).to_contain_text("Solar does not answer")
        await expect(alarm).to_contain_text("(15 min so far)")
        past = shown.page.get_by_test_id("past-alarms")
        await past.locator("summary").click()
        rows = past.get_by_test_id("past-alarm")
        await expect(rows).to_have_count(2)
        await expect(rows.nth(1)).to_contain_text("for 10 min")
        shown.alarms.ended("device pv")
        await expect(shown.page.get_by_test_id("no-alarms")).to_be_visible(timeout=20_000)


async def attacked(shown: Agreed, *, times: int = 1) -> None:
    """Have somebody come in, and somebody else try passwords until that is found."""
    tries = [guarded.failed_login(T - 900.0 + n) for n in range(times)]
    found = guarded.guessing(T - 60.0, [2])
    await shown.log.write([guarded.logged_in(T - 3600.0), *tries, found])


@pytest.mark.requirement("LC-AUDIT", "L1-EVENTS")
async def test_the_security_log_is_read_checked_and_saved(browser: Browser, tmp_path: Path) -> None:
    async with agreed(browser, tmp_path) as shown:
        await attacked(shown, times=25)
        page = shown.page
        await shown.go("/privacy")
        rows = page.get_by_test_id("log-row")
        await expect(rows).to_have_count(20)
        finding = rows.first
        await expect(finding).to_contain_text("Somebody at 192.168.1.66 tries passwords")
        await expect(finding).to_contain_text("alarm")
        await expect(finding).to_contain_text("What you can do: If that is none of you")
        await expect(finding).to_contain_text("Nothing is answered to it for 15 min")
        await expect(finding).to_contain_text("shown by row 2")
        await expect(rows.nth(1)).to_contain_text("3 times")
        await page.get_by_test_id("log-more").click()
        await expect(rows).to_have_count(26)
        await expect(page.get_by_test_id("log-more")).to_have_count(0)

        least = page.get_by_test_id("log-least")
        await least.select_option("info")
        await expect(page.locator('[data-kind="logged-in"]')).to_have_count(0)  # on the next page
        await page.get_by_test_id("log-more").click()
        await expect(page.locator('[data-kind="logged-in"]')).to_have_count(1)
        await least.select_option("alarm")
        await expect(rows).to_have_count(1)
        await expect(rows).to_have_attribute("data-threat", "guessing")

        await page.get_by_test_id("log-check").click()
        await expect(page.get_by_test_id("log-verdict")).to_have_text(
            "All 27 rows are as they were written."
        )
        async with page.expect_download() as download:
            await page.get_by_test_id("log-export").click()
        saved = (await (await download.value).path()).read_text(encoding="utf-8").splitlines()
        assert [json.loads(line)["seq"] for line in saved[:-1]] == list(range(1, 28))
        assert json.loads(saved[-1])["rows"] == 27


async def test_a_log_without_anything_grave_says_so(browser: Browser, tmp_path: Path) -> None:
    async with agreed(browser, tmp_path) as shown:
        await shown.log.write([guarded.logged_in(T - 60.0)])
        await shown.go("/privacy")
        await expect(shown.page.get_by_test_id("log-empty")).to_be_visible()
        await expect(shown.page.get_by_test_id("log-row")).to_have_count(0)


@pytest.mark.requirement("L1-AGENT", "L1-INVENTORY")
async def test_the_agent_says_how_the_hub_stands(browser: Browser, tmp_path: Path) -> None:
    async with agreed(browser, tmp_path) as shown:
        shown.agent.view = guarded.WELL
        page = shown.page
        await shown.go("/privacy")
        await expect(page.get_by_test_id("agent-words")).to_have_text(
            "Its software is as Example Energy signed it, and its machine as it was."
        )
        agent = page.get_by_test_id("agent")
        await expect(agent).to_contain_text("1.4.0, list 7, signed by Example Energy")
        await expect(page.get_by_test_id("agent-ask")).to_have_count(0)
        await page.get_by_test_id("agent-measure").click()
        await expect(page.get_by_test_id("agent-measure")).to_be_enabled()
        assert shown.agent.measured == 1
        await page.get_by_test_id("agent-inventory").click()
        consists = page.get_by_test_id("inventory")
        for text in ("Example Machines Box 3 rev B", "EM-0042", "Battery: Sonne Box 5 2.7.1"):
            await expect(consists).to_contain_text(text)
        await expect(consists).to_contain_text("Grid meter: \N{EN DASH}")


@pytest.mark.requirement("L1-AGENT")
@pytest.mark.parametrize("role", [Role.OWNER, Role.INSTALLER])
async def test_only_the_owner_accepts_another_start(
    browser: Browser, tmp_path: Path, role: Role
) -> None:
    async with agreed(browser, tmp_path, role=role) as shown:
        trouble = [guarded.STARTED_ANEW]
        shown.agent.view = replace(guarded.WELL, troubles=trouble, excluded=True)
        page = shown.page
        await shown.go("/privacy")
        await expect(page.get_by_test_id("agent-trouble")).to_contain_text("registers 0, 7")
        await expect(page.get_by_test_id("agent-out")).to_contain_text("takes part in no programme")
        if role is not Role.OWNER:
            await expect(page.get_by_test_id("agent-ask")).to_have_count(0)
            return
        await page.get_by_test_id("agent-ask").click()
        await expect(page.get_by_test_id("agent")).to_contain_text("counts as right from now on")
        assert shown.agent.view.excluded, "one press is not enough"
        await page.get_by_test_id("agent-accept").click()
        await expect(page.get_by_test_id("agent-words")).to_contain_text("as it was")
        await expect(page.get_by_test_id("agent-trouble")).to_have_count(0)


@pytest.mark.requirement("L1-AGENT")
@pytest.mark.parametrize(
    ("view", "words"),
    [
        (AgentView(), "No software agent watches over this hub."),
        (AgentView(watched=True), "Its software agent has not spoken yet."),
        (AgentView(watched=True, heard_at=T), "Its software is being read."),
        (
            replace(guarded.WELL, registers={}),
            "Its software is as Example Energy signed it.",
        ),
    ],
)
async def test_each_way_in_which_an_agent_stands_has_its_words(
    browser: Browser, tmp_path: Path, view: AgentView, words: str
) -> None:
    async with agreed(browser, tmp_path) as shown:
        shown.agent.view = view
        await shown.go("/privacy")
        await expect(shown.page.get_by_test_id("agent-words")).to_have_text(words)


async def test_a_household_sees_alarms_and_no_more(browser: Browser, tmp_path: Path) -> None:
    async with agreed(browser, tmp_path, role=Role.HOUSEHOLD) as shown:
        await shown.go("/privacy")
        await expect(shown.page.get_by_test_id("no-alarms")).to_be_visible()
        await expect(shown.page.get_by_test_id("may-not")).to_be_visible()
        for name in ("outflows", "grants", "certificates", "trusted", "agent", "security-log"):
            await expect(shown.page.get_by_test_id(name)).to_have_count(0)


async def test_an_auditor_reads_all_and_grants_nothing(browser: Browser, tmp_path: Path) -> None:
    async with agreed(browser, tmp_path, role=Role.AUDITOR) as shown:
        await shown.visibility.grant(LFDI, "Grid Ltd", Purpose.LOSSES, [Data.ENERGY], T + 60.0)
        await shown.go("/privacy")
        await expect(shown.page.get_by_test_id("grant-holds")).to_be_visible()
        for name in ("grant-new", "grant-end"):
            await expect(shown.page.get_by_test_id(name)).to_have_count(0)


@pytest.mark.parametrize(
    ("viewport", "dark", "locale"),
    [(PHONE, False, "en-GB"), (DESKTOP, True, "de-DE"), (SMALLEST, True, "es-ES")],
)
async def test_no_rule_of_accessibility_is_broken(
    browser: Browser, tmp_path: Path, viewport: ViewportSize, *, dark: bool, locale: str
) -> None:
    async with agreed(browser, tmp_path, viewport, dark=dark, locale=locale) as shown:
        await troubled(shown)
        await shown.visibility.grant(
            LFDI, "Grid Ltd", Purpose.LOSSES, [Data.ENERGY, Data.LIVE], T + 60.0
        )
        await attacked(shown)
        shown.agent.view = replace(
            guarded.WELL, files=("hems/home.py",), troubles=[guarded.STARTED_ANEW], excluded=True
        )
        page = shown.page
        await shown.go("/privacy")
        await page.get_by_test_id("grant-new").click()
        await page.get_by_test_id("agent-ask").click()
        await page.get_by_test_id("agent-inventory").click()
        await expect(page.get_by_test_id("inventory")).to_be_visible()
        await page.get_by_test_id("log-check").click()
        await expect(page.get_by_test_id("log-verdict")).to_contain_text("3")
        for summary in await page.locator("summary").all():
            await summary.click()
        assert await violations(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await shown.picture(f"privacy-{locale[:2]}")
