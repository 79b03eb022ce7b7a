"""Reserve over the real line: offered, granted, held, called, delivered at the meter, recorded."""

import asyncio
import os
import struct
import time
import zoneinfo
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from hems.commands import reserves
from hems.commands.scene import Scene
from hems.commands.stage import Stage
from tests.e2e.conftest import EVENING
from tests.e2e.rig import Rig
from tests.waiting import until

pytestmark = [pytest.mark.timeout(180)]

COMMITTED_W = 2_000.0
CALL_S = 30
PROGRAMS = (
    *("[[programs]]", 'name = "Peak Saver"', "primacy = 10", 'kind = "der"'),
    *("[[programs]]", 'name = "Reserve"', "primacy = 5", 'kind = "drlc"'),
)
RESERVE = (
    "[reserve]",
    "enabled = true",
    'programs = ["Reserve"]',
    'products = ["spinning"]',
    'call = "2 min"',
)
Json = TypeAdapter(dict[str, Any])


DAY_AHEAD = (
    "[reserve]",
    "enabled = true",
    'programs = ["Reserve"]',
    'products = ["day-ahead"]',
    'hours = ["00:00-02:00"]',
    'call = "2 min"',
)
ZONE = "Test/Evening"
EVENING_S = 60.0
"""Until midnight by the clock of `ZONE`, when the hub starts in it."""


async def operator(rig: Rig, path: str) -> dict[str, Any]:
    """Return an answer of the operator's door."""
    return Json.validate_json(await rig.operator_get(path))


async def page(rig: Rig) -> dict[str, Any]:
    """Return the reserve as the page has it."""
    return Json.validate_json(await rig.get_page("/api/reserves"))


def scene(reserve: tuple[str, ...] = RESERVE) -> Scene:
    """Return a home whose battery waits for an event, and a utility with a reserve programme."""
    polled = ("list_poll_s = 5", "time_poll_s = 60", "dcap_poll_s = 60", "post_rate_s = 5")
    return Scene(
        page_port=0,
        battery="hold",
        house=EVENING,
        headend=(*polled, *PROGRAMS),
        economy=reserve,
    )


async def committed(rig: Rig) -> None:
    """Have the utility commit a part of what is offered, and the home hold it."""
    found = await until(
        lambda: operator(rig, "/reservations"),
        lambda told: bool(told["reservations"]),
        40.0,
        "the offer at the utility",
    )
    # Shortly before midnight the next day's window is offered as well.
    offer = min(found["reservations"], key=lambda told: told["start"])
    assert offer["power_w"] == pytest.approx(-4_600.0, abs=10), "a rating of 5 kW, less margins"
    assert offer["energy_wh"] == pytest.approx(offer["power_w"] / 30, abs=1)

    granted = await rig.operator_post(
        f"/reservations/{offer['id']}/grant",
        {"power_w": -COMMITTED_W, "energy_wh": -COMMITTED_W / 30, "minutes": 10},
    )
    held = await until(
        lambda: page(rig),
        lambda shown: any(c["state"] == "held ready" for c in shown["commitments"]),
        30.0,
        "the commitment held",
    )
    (commitment,) = held["commitments"]
    assert commitment["power_w"] == COMMITTED_W, granted


async def drawing(rig: Rig) -> float:
    """Wait until the house draws all that it does; return its net power, W."""
    home = await until(
        rig.home,
        lambda home: home.net_w is not None and home.net_w > 8_000.0,
        30.0,
        "the house at its full draw",
    )
    assert home.net_w is not None
    return home.net_w


@pytest.mark.requirement("BUC-8")
async def test_a_reserve_is_offered_granted_called_and_delivered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Rig(Stage(tmp_path / "stage", scene())) as rig:
        await committed(rig)
        before_w = await drawing(rig)
        event = await rig.dispatch(shed_w=COMMITTED_W, seconds=CALL_S, program="Reserve")
        sent = time.time()
        called = await until(
            lambda: page(rig), lambda shown: bool(shown["calls"]), 15.0, "the call"
        )
        begun = called["calls"][0]["starts_at"]
        await asyncio.sleep(max(begun + CALL_S + 3.0 - time.time(), 0.0))
        (call,) = (await page(rig))["calls"]
        assert call["id"] == event.id
        assert call["over"]
        assert call["settled_s"] <= 10.0, "and 10 minutes are allowed"
        assert call["promised_wh"] == pytest.approx(COMMITTED_W * CALL_S / 3600.0, abs=1.0)
        assert call["delivered_wh"] >= 0.85 * call["promised_wh"]

        # By the meter itself: in full from seconds after it was told until its end.
        trace = await rig.trace(sent)
        inside = [s for s in trace if begun + 5.0 <= s.at < begun + CALL_S - 0.5]
        assert len(inside) > 100
        assert max(s.meter_w for s in inside) <= before_w - COMMITTED_W + 100.0

        # The house goes on as before, with no peak above the one that it had.
        after = await rig.trace(begun + CALL_S)
        assert max(s.meter_w for s in after) <= before_w + 300.0

        assert await asyncio.to_thread(reserves.show, rig.stage.page) == 0
        words = capsys.readouterr().out
        assert "2.00 kW for Reserve" in words
        assert "kWh delivered, in full after" in words

        # A battery that is lost: the owner is told, and the offer is taken back at the utility.
        await rig.fault("battery", "off")
        told = await until(
            rig.home,
            lambda home: any("no battery can be reached" in a for a in home.alarms),
            20.0,
            "the alarm",
        )
        assert any("The reserve of 2 kW promised to utility" in a for a in told.alarms)
        await until(
            lambda: operator(rig, "/reservations"),
            lambda told: any(r["state"] == "taken back" for r in told["reservations"]),
            40.0,
            "the offer withdrawn",
        )


# A hub killed within an event is shown in test_main_job.py.
@pytest.mark.deep
@pytest.mark.requirement("BUC-8")
async def test_a_hub_that_is_killed_in_the_call_goes_on_delivering(tmp_path: Path) -> None:
    async with Rig(Stage(tmp_path / "stage", scene())) as rig:
        await committed(rig)
        before_w = await drawing(rig)
        await rig.dispatch(shed_w=COMMITTED_W, seconds=2 * CALL_S, program="Reserve")
        called = await until(
            lambda: page(rig), lambda shown: bool(shown["calls"]), 15.0, "the call"
        )
        begun = called["calls"][0]["starts_at"]
        await asyncio.sleep(5.0)
        await rig.stage.hub.kill()
        await rig.stage.start_hub()
        shown = await until(
            lambda: page(rig),
            lambda shown: bool(shown["calls"] and shown["commitments"]),
            30.0,
            "the call again, and what it calls",
        )
        assert shown["calls"][0]["starts_at"] == pytest.approx(begun, abs=2.0)
        assert shown["calls"][0]["asked_w"] == COMMITTED_W
        assert shown["commitments"][0]["state"] == "called"
        await asyncio.sleep(max(begun + 2 * CALL_S + 2.0 - time.time(), 0.0))
        (call,) = (await page(rig))["calls"]
        assert call["over"]
        assert call["delivered_wh"] >= 0.5 * call["promised_wh"], "what was measured of it"
        # Devices keep what they were told while nobody is there, so the grid saw all of it.
        trace = await rig.trace(begun + 5.0)
        inside = [s for s in trace if s.at < begun + 2 * CALL_S - 0.5]
        late = [s for s in inside if s.meter_w > before_w - COMMITTED_W + 100.0]
        assert len(late) <= 0.05 * len(inside)


def write_zone(folder: Path, offset_s: int) -> None:
    """Write a time zone that is always so far ahead of UTC, as RFC 8536 has it."""
    head = b"TZif" + bytes(16) + struct.pack(">6l", 0, 0, 0, 0, 1, 4)
    path = folder / ZONE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(head + struct.pack(">lBB", offset_s, 0, 0) + b"LMT\0")


async def move_to_the_evening(rig: Rig, zones: Path) -> None:
    """Start the hub anew in a time zone where the day is over soon."""
    await rig.stage.hub.stop()
    offset_s = round(86_400 - EVENING_S - time.time() % 86_400)
    write_zone(zones, (offset_s + 43_200) % 86_400 - 43_200)
    config = rig.stage.folder / "hub" / "hems.toml"
    words = config.read_text()
    config.write_text(words.replace("[home]\n", f'[home]\ntime_zone = "{ZONE}"\n', 1))
    await rig.stage.start_hub()


@pytest.mark.requirement("BUC-9")
async def test_a_day_ahead_reserve_is_promised_in_the_evening_and_given_after_midnight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zones = tmp_path / "zones"
    monkeypatch.setenv("PYTHONTZPATH", os.pathsep.join((str(zones), *zoneinfo.TZPATH)))
    async with Rig(Stage(tmp_path / "stage", scene(DAY_AHEAD))) as rig:
        await move_to_the_evening(rig, zones)
        midnight = time.time() + EVENING_S
        found = await until(
            lambda: operator(rig, "/reservations"),
            lambda told: any(r["power_w"] < 0 for r in told["reservations"]),
            40.0,
            "the offer at the utility",
        )
        (offer,) = found["reservations"]
        await rig.operator_post(
            f"/reservations/{offer['id']}/grant",
            {"power_w": -COMMITTED_W, "energy_wh": -COMMITTED_W / 30},
        )
        told = await until(
            lambda: page(rig), lambda shown: bool(shown["commitments"]), 30.0, "the commitment"
        )
        (commitment,) = told["commitments"]
        assert commitment["product"] == "day-ahead"
        assert commitment["state"] == "to come"
        assert commitment["starts_at"] == pytest.approx(midnight, abs=30.0)
        await until(
            lambda: page(rig),
            lambda shown: shown["commitments"][0]["state"] == "held ready",
            commitment["starts_at"] - time.time() + 10.0,
            "the commitment held after midnight",
        )
        before_w = await drawing(rig)
        await rig.dispatch(shed_w=COMMITTED_W, seconds=CALL_S, program="Reserve")
        called = await until(
            lambda: page(rig), lambda shown: bool(shown["calls"]), 15.0, "the call"
        )
        begun = called["calls"][0]["starts_at"]
        assert called["commitments"][0]["state"] == "called"
        await asyncio.sleep(max(begun + CALL_S + 3.0 - time.time(), 0.0))
        (call,) = (await page(rig))["calls"]
        assert call["settled_s"] <= 10.0, "and 30 minutes are allowed"
        assert call["delivered_wh"] >= 0.85 * call["promised_wh"]
        trace = await rig.trace(begun + 5.0)
        inside = [s for s in trace if s.at < begun + CALL_S - 0.5]
        assert max(s.meter_w for s in inside) <= before_w - COMMITTED_W + 100.0
