"""Reserve over the real line: offered, granted, held, called, delivered at the meter, recorded."""

import asyncio
import time
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


async def operator(rig: Rig, path: str) -> dict[str, Any]:
    """Return an answer of the operator's door."""
    return Json.validate_json(await rig.operator_get(path))


async def page(rig: Rig) -> dict[str, Any]:
    """Return the reserve as the page has it."""
    return Json.validate_json(await rig.get_page("/api/reserves"))


@pytest.mark.requirement("BUC-8")
async def test_a_reserve_is_offered_granted_called_and_delivered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = Scene(
        page_port=0,
        battery="hold",
        house=EVENING,
        headend=(
            *("list_poll_s = 5", "time_poll_s = 60", "dcap_poll_s = 60", "post_rate_s = 5"),
            *PROGRAMS,
        ),
        economy=RESERVE,
    )
    async with Rig(Stage(tmp_path / "stage", scene)) as rig:
        found = await until(
            lambda: operator(rig, "/reservations"),
            lambda told: bool(told["reservations"]),
            40.0,
            "the offer at the utility",
        )
        (offer,) = found["reservations"]
        assert offer["power_w"] == pytest.approx(-4_650.0, abs=10), "a rating of 5 kW, less margins"
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

        home = await until(
            rig.home,
            lambda home: home.net_w is not None and home.net_w > 8_000.0,
            30.0,
            "the house at its full draw",
        )
        assert home.net_w is not None
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
        assert max(s.meter_w for s in inside) <= home.net_w - COMMITTED_W + 100.0

        assert await asyncio.to_thread(reserves.show, rig.stage.page) == 0
        words = capsys.readouterr().out
        assert "2.00 kW for Reserve" in words
        assert "kWh delivered, in full after" in words
