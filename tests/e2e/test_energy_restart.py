"""Energy support over a restart: what was saved before counts, and is not asked for again."""

import asyncio
import time

import pytest

from tests.e2e.conftest import Opener
from tests.e2e.test_main_job import responses, settled, subscribed
from tests.waiting import until

pytestmark = [pytest.mark.timeout(180)]


@pytest.mark.requirement("BUC-5")
async def test_energy_saved_before_a_crash_is_not_asked_for_again(opened: Opener) -> None:
    async with opened() as rig:
        before = await settled(rig)
        await subscribed(rig)
        before_w = before.net_w or 0.0
        event = await rig.dispatch(reduce_energy_wh=30.0, seconds=60, program="Energy Support")
        ends = event.start + event.duration_s
        # Long enough that most is saved and has been written down (every 10 s) before the crash.
        await asyncio.sleep(30.0)
        await rig.stage.hub.kill()
        await rig.stage.start_hub()
        await until(
            rig.home,
            lambda home: home.utility.state == "connected",
            10.0,
            "connected again",
        )
        await asyncio.sleep(max(0.0, ends - time.time()))
        await responses(rig, event.id, [1, 2, 3], 15.0)
        used = [s.meter_w for s in await rig.trace(event.accepted_at) if s.at < ends]
        saved_wh = (before_w - sum(used) / len(used)) * (ends - event.accepted_at) / 3600.0
        assert 0.9 * 30.0 <= saved_wh <= 1.8 * 30.0
