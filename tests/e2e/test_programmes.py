"""Taking part over the whole line: left, its events are answered so; taken part in, recorded."""

import asyncio
import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from hems.cli import main
from tests.e2e.conftest import Opener
from tests.e2e.rig import Rig
from tests.e2e.test_main_job import LIMIT_W, UNDER_WITHIN_S, responses, settled, subscribed
from tests.stored import execute
from tests.waiting import until

pytestmark = [pytest.mark.timeout(240)]


async def listed(rig: Rig, programme: str) -> dict[str, Any]:
    told = json.loads(await rig.get_page("/api/programmes"))
    return next(each for each in told["programmes"] if each["id"] == programme)


async def records(rig: Rig, event: str) -> list[dict[str, Any]]:
    told = json.loads(await rig.get_page("/api/programmes/records"))
    return [each for each in told["records"] if each["event"] == event]


async def said(rig: Rig, event: str) -> str:
    told = json.loads(await rig.get_page("/api/home"))
    return next((str(e["consequence"]) for e in told["events"] if e["id"] == event), "")


@pytest.mark.deep
@pytest.mark.requirement("BUC-1")
async def test_an_event_is_recorded_as_it_was_delivered(opened: Opener) -> None:
    async with opened() as rig:
        await settled(rig)
        await subscribed(rig)
        event = await rig.dispatch(limit_import_w=LIMIT_W, seconds=20)
        await until(rig.home, lambda home: (home.net_w or 1e9) <= LIMIT_W, UNDER_WITHIN_S, "under")
        words = await said(rig, event.id)
        assert words.startswith("Leaving it now, it is answered as partly completed (code 8)")
        await responses(rig, event.id, [1, 2, 3], 30.0)
        (record,) = await until(
            lambda: records(rig, event.id), lambda found: len(found) == 1, 10.0, "the record"
        )
        assert record["programme"] == "peak-shaving"
        assert (record["asked"], record["unit"]) == (LIMIT_W, "W")
        assert record["inside_share"] == 1.0
        assert record["settled_s"] < UNDER_WITHIN_S + 1.0
        assert record["measured_share"] > 0.9
        assert record["delivered_wh"] > 0.0
        assert record["baseline_w"] > LIMIT_W
        assert record["asked_by"] == "Peak Saver"
        assert len(record["lfdi"]) == 40
        assert not record["opted_out"]
        assert await said(rig, event.id) == ""

        text = (await rig.get_page("/api/settlement.csv?days=1")).decode()
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [row["event_mrid"] for row in rows if row["row"] == "event"] == [event.id]


def observed(hub: Path, event: str) -> list[tuple[str, float]]:
    """Return which devices were seen to obey an event, and what they did, from the hub's ledger."""
    return [
        (device, observed_w)
        for device, observed_w in execute(
            hub,
            "SELECT device, observed_w FROM effects"
            " WHERE event = ? AND observed_at >= written_at AND setpoint_w IS NOT NULL",
            (event,),
        )
    ]


# What the ledger holds is shown in tests/hems/participation/test_observed.py.
@pytest.mark.deep
@pytest.mark.requirement("BUC-1")
async def test_the_ledger_says_which_devices_were_seen_to_obey(opened: Opener) -> None:
    async with opened() as rig:
        await settled(rig)
        await subscribed(rig)
        event = await rig.dispatch(limit_import_w=LIMIT_W, seconds=20)
        (hub,) = (path for path in rig.stage.folder.rglob("*.db") if "headend" not in path.parts)
        seen = await until(
            lambda: asyncio.to_thread(observed, hub, event.id), bool, 15.0, "a device obeys"
        )
        assert {device for device, _ in seen} <= {"battery", "ev", "water_heater", "heat_pump"}
        assert all(math.isfinite(power_w) for _, power_w in seen)


@pytest.mark.requirement("BUC-1", "L1-OWNER")
async def test_a_programme_that_was_left_is_answered_with_opt_out_until_it_is_joined_again(
    opened: Opener, capsys: pytest.CaptureFixture[str]
) -> None:
    async with opened() as rig:
        await settled(rig)
        await subscribed(rig)
        before = await listed(rig, "peak-shaving")
        assert before["joined"]
        assert before["consequence"][0] == before["about"]["leaving"]
        ask = ["programme", "leave", "peak-shaving", "--by", "Ada", "--url", rig.stage.page]
        assert await asyncio.to_thread(main, ask) == 1  # nobody said yes
        assert (await listed(rig, "peak-shaving"))["joined"]
        assert await asyncio.to_thread(main, [*ask, "--yes"]) == 0
        out = capsys.readouterr().out
        assert before["about"]["leaving"] in out
        assert (await listed(rig, "peak-shaving"))["decided_by"] == "Ada"

        event = await rig.dispatch(limit_import_w=LIMIT_W, seconds=60)
        await until(
            rig.home,
            lambda home: (card := home.card(event.id)) is not None and card.opted_out,
            10.0,
            "left by itself",
        )
        await asyncio.sleep(3.0)
        assert (await rig.home()).limit_import_w is None
        assert 4 in await rig.statuses(event.id)
        assert (await rig.trace(event.accepted_at))[-1].meter_w > LIMIT_W

        join = ["programme", "join", "peak-shaving", "--by", "Ada", "--url", rig.stage.page]
        assert await asyncio.to_thread(main, join) == 0
        await until(rig.home, lambda home: (home.net_w or 1e9) <= LIMIT_W, UNDER_WITHIN_S, "in")
        assert 5 in await until(
            lambda: rig.statuses(event.id), lambda codes: 5 in codes, 10.0, "opted in again"
        )
        await rig.cancel(event.id)
        (record,) = await until(
            lambda: records(rig, event.id), lambda found: len(found) == 1, 10.0, "the record"
        )
        assert record["opted_out"]
        assert "The owner was out of it" in record["note"]


# A hub killed within an event is shown in test_main_job.py, what counts in participation.
@pytest.mark.deep
@pytest.mark.requirement("BUC-1", "LC-TEST")
async def test_a_hub_that_is_killed_within_an_event_counts_the_time_as_not_measured(
    opened: Opener,
) -> None:
    async with opened() as rig:
        await settled(rig)
        await subscribed(rig)
        event = await rig.dispatch(limit_import_w=LIMIT_W, seconds=40)
        await until(rig.home, lambda home: (home.net_w or 1e9) <= LIMIT_W, UNDER_WITHIN_S, "under")
        await asyncio.sleep(3.0)
        await rig.stage.hub.kill()
        await rig.stage.start_hub()
        await responses(rig, event.id, [1, 2, 3], 60.0)
        (record,) = await until(
            lambda: records(rig, event.id), lambda found: len(found) == 1, 10.0, "the record"
        )
        assert record["baseline_w"] > LIMIT_W  # from before the crash
        assert 0.2 < record["measured_share"] < 0.98
        assert record["inside_share"] == 1.0


@pytest.mark.deep
@pytest.mark.browser
@pytest.mark.requirement("ROLE-UI", "L1-OWNER")
async def test_the_owner_reads_what_leaving_means_and_leaves_on_the_page(
    opened: Opener, browser: Browser
) -> None:
    async with opened() as rig:
        await settled(rig)
        page = await browser.new_page(reduced_motion="reduce")
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(f"{rig.stage.page}/programmes")
        peak = page.locator('[data-programme="peak-shaving"]')
        await expect(peak.get_by_test_id("programme-joined")).to_have_text("Taking part")
        await peak.get_by_test_id("leave").click()
        await expect(peak).to_contain_text((await listed(rig, "peak-shaving"))["consequence"][0])
        await peak.get_by_test_id("leave-confirm").click()
        await expect(peak.get_by_test_id("programme-joined")).to_contain_text("Not taking part")
        assert not (await listed(rig, "peak-shaving"))["joined"]
        await peak.get_by_test_id("join").click()
        await peak.get_by_test_id("join-confirm").click()
        await expect(peak.get_by_test_id("programme-joined")).to_contain_text("Taking part, said")
        assert (await listed(rig, "peak-shaving"))["joined"]
        await page.get_by_test_id("always-programmes").locator("summary").first.click()
        breaker = page.locator('[data-programme="main-breaker"]')
        await expect(breaker).to_be_visible()
        await expect(breaker.get_by_test_id("leave")).to_have_count(0)
        assert not complaints


# Each refusal is a row of tests/web/test_programmes_api.py.
@pytest.mark.deep
@pytest.mark.requirement("L1-OWNER")
async def test_what_is_no_choice_is_refused_with_its_reason(opened: Opener) -> None:
    async with opened() as rig:
        await settled(rig)
        safety = await listed(rig, "main-breaker")
        order = {"by": "Ada", "version": safety["version"]}
        assert await rig.post_page("/api/programmes/main-breaker/leave", order) == 409
        assert await rig.post_page("/api/programmes/none/leave", order) == 404
        economy = await listed(rig, "economy")
        stale = {"by": "Ada", "version": safety["version"]}
        assert await rig.post_page("/api/programmes/economy/leave", stale) == 400
        good = {"by": "Ada", "version": economy["version"]}
        assert await rig.post_page("/api/programmes/economy/leave", good) == 204
        assert not (await listed(rig, "economy"))["joined"]
