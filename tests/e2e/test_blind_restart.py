"""A hub that starts in an event with the meter off holds the sun as it found it."""

import asyncio

import pytest

from tests.e2e.conftest import Opener
from tests.e2e.test_main_job import UNDER_WITHIN_S, subscribed
from tests.e2e.test_more_events import NOON
from tests.waiting import until

pytestmark = [pytest.mark.timeout(120)]

LIMIT_W = 1000.0


@pytest.mark.deep
@pytest.mark.requirement("BUC-11")
async def test_a_restart_without_the_meter_does_not_let_the_sun_go(opened: Opener) -> None:
    async with opened(house=NOON) as rig:
        await until(
            rig.home,
            lambda home: home.utility.state == "connected" and (home.net_w or 0.0) < -3000,
            20.0,
            "feeding more than 3 kW",
        )
        await subscribed(rig)
        event = await rig.dispatch(limit_export_w=LIMIT_W, seconds=100)
        await until(
            rig.home, lambda home: (home.net_w or -1e9) >= -LIMIT_W, UNDER_WITHIN_S, "1 kW at most"
        )
        await rig.fault("meter", "off")
        await until(rig.home, lambda home: home.net_w is None, 15.0, "the meter is lost")
        await rig.stage.hub.kill()
        told = await rig.writes()
        await rig.stage.start_hub()
        after = max(write.number for write in told)
        held = await until(
            lambda: rig.writes(after),
            lambda writes: any(w.device == "pv" for w in writes),
            20.0,
            "the roof is told again",
        )
        assert all("WMaxLimPctEna=1" in w.values for w in held if w.device == "pv")
        await asyncio.sleep(5.0)  # and so it stays
        held = await rig.writes(after)
        assert all("WMaxLimPctEna=1" in w.values for w in held if w.device == "pv")
        trace = await rig.trace(event.accepted_at + UNDER_WITHIN_S)
        assert min(s.meter_w for s in trace) >= -LIMIT_W
