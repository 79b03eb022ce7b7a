"""Grid visibility on the running hub: granted, asked, streamed, withdrawn, and all of it logged."""

import asyncio
import itertools
import json
import time
from pathlib import Path

import pytest

from hems.commands.scene import Scene
from hems.commands.stage import Stage
from tests.e2e.conftest import EVENING, POLLED
from tests.e2e.rig import Rig
from tests.e2e.seen import Recipient
from tests.waiting import until

pytestmark = [pytest.mark.timeout(180)]


@pytest.mark.requirement("BUC-13", "PRV-RBAC", "PRV-TRANSIT", "LC-AUDIT", "L1-ACCESS")
async def test_who_was_granted_it_sees_the_home_until_it_is_withdrawn(tmp_path: Path) -> None:
    recipient = Recipient(tmp_path / "stage")
    scene = Scene(page_port=0, house=EVENING, headend=POLLED, economy=recipient.economy)
    async with Rig(Stage(tmp_path / "stage", scene)) as rig:
        home = await until(
            rig.home, lambda home: (home.net_w or 0.0) > 8000, 20.0, "a home that draws 8 kW"
        )
        status, said = await recipient.ask("/now")
        assert status == 403, said

        grant = {
            "recipient": recipient.lfdi,
            "name": "Grid operator",
            "purpose": "grid-operation",
            "data": ["live"],
            "until": time.time() + 3600,
        }
        assert await rig.post_page("/api/grants", grant) == 201
        status, said = await recipient.ask("/now")
        assert status == 200
        assert said["phases"]["all"]["power_w"] == pytest.approx(home.net_w, rel=0.2)
        assert 200 < said["phases"]["all"]["voltage_v"] < 250
        assert said["quality"] == "good"
        assert abs(time.time() - said["measured_at"]) < 3

        async with recipient.session() as session, session.get("/visibility/stream") as stream:
            lines = [json.loads(await stream.content.readline()) for _ in range(4)]
            steps = [b["at"] - a["at"] for a, b in itertools.pairwise(lines)]
            assert all(0 < step < 3 for step in steps)
            assert await rig.delete_page("/api/grants/1") == 204
            async with asyncio.timeout(5):
                rest = [json.loads(line) async for line in stream.content]
        assert rest[-1] == {"error": "the grant has ended"}
        assert (await recipient.ask("/now"))[0] == 403

        await rig.stage.hub.stop()
        await rig.stage.start_hub()
        log = json.loads(await rig.get_page("/api/accesses"))["accesses"]
        told = [(a["asked"].partition(" after")[0], a["allowed"]) for a in reversed(log)]
        assert told == [
            ("now", False),
            ("now", True),
            ("stream", True),
            ("stream ended", True),
            ("now", False),
        ]
