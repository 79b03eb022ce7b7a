"""The main job in a house that is never still: no fixed load, and the battery evens it out."""

import asyncio
import time
from collections import Counter
from pathlib import Path

import pytest

from hems.commands.scene import Scene
from hems.commands.stage import Stage
from tests.e2e.rig import Rig
from tests.waiting import until

pytestmark = [pytest.mark.timeout(180)]

LIMIT_W = 1500.0
EVENT_S = 45
UNDER_WITHIN_S = 5.0


@pytest.mark.deep
@pytest.mark.requirement("BUC-1", "ROLE-CEM")
async def test_a_noisy_house_keeps_its_limit_and_leaves_the_charger_alone(tmp_path: Path) -> None:
    scene = Scene(page_port=0, battery="self-consumption")
    async with Rig(Stage(tmp_path / "stage", scene)) as rig:
        await until(
            rig.home,
            lambda home: (
                home.utility.state == "connected"
                and (home.net_w or 0.0) > 2 * LIMIT_W
                and home.tile("battery").setpoint_w is not None
                and (home.tile("ev").power_w or 0.0) > LIMIT_W
            ),
            30.0,
            "connected, with a car that charges",
        )
        before = max((write.number for write in await rig.writes()), default=0)
        event = await rig.dispatch(limit_import_w=LIMIT_W, seconds=EVENT_S)
        ends = event.start + event.duration_s
        await asyncio.sleep(max(0.0, ends - time.time()))

        trace = await rig.trace(event.accepted_at + UNDER_WITHIN_S)
        powers = [sample.meter_w for sample in trace if sample.at < ends]
        writes = Counter(w.device for w in await rig.writes(before) if w.at < ends)
        assert len(powers) > 0.8 * 10 * (EVENT_S - UNDER_WITHIN_S)
        assert max(powers) - min(powers) > 100, "this house is still; the test shows nothing"
        over = sum(power_w > LIMIT_W for power_w in powers) / len(powers)
        assert over < 0.02, f"{100 * over:.1f} % of samples over the limit, up to {max(powers):.0f}"
        assert max(powers) <= LIMIT_W + 400
        assert 1 <= writes["ev"] <= 10, writes
