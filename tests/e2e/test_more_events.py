"""Further shapes of the main job: export limits, the 2023 edition, one event over another."""

import asyncio
import time

import pytest

from tests.e2e.conftest import Opener
from tests.e2e.test_main_job import LIMIT_W, UNDER_WITHIN_S, over, responses, settled, subscribed
from tests.waiting import until

pytestmark = [pytest.mark.timeout(120)]

NOON = (
    *("--fixed-load", "300", "--pv-w", "3500", "--battery-soc", "1.0"),
    *("--ev-soc", "1.0", "--tank-temp", "60", "--room-temp", "22"),
)
"""A sunny house with nothing left to fill: it feeds 3.2 kW into the grid."""


@pytest.mark.requirement("BUC-11", "PRO-2030.5")
async def test_an_export_limit_holds_the_sun_back_and_lets_it_go(opened: Opener) -> None:
    async with opened(house=NOON) as rig:
        await until(
            rig.home,
            lambda home: (
                home.utility.state == "connected" and home.net_w is not None and home.net_w < -3000
            ),
            20.0,
            "feeding more than 3 kW",
        )
        await subscribed(rig)
        event = await rig.dispatch(limit_export_w=500.0, seconds=20)
        home = await until(
            rig.home, lambda home: (home.net_w or -1e9) >= -500.0, UNDER_WITHIN_S, "500 W at most"
        )
        pv = home.tile("pv")
        assert pv.power_w is not None
        assert -800.0 <= pv.power_w < 0.0
        assert "Peak Saver" in pv.reason
        ends = event.start + event.duration_s
        await asyncio.sleep(max(0.0, ends - time.time()))
        trace = await rig.trace(event.accepted_at + UNDER_WITHIN_S)
        assert all(s.meter_w >= -500.0 for s in trace if s.at < ends)
        await responses(rig, event.id, [1, 2, 3], 10.0)
        await until(rig.home, lambda home: (home.net_w or 0.0) < -3000.0, 30.0, "the sun is back")


@pytest.mark.requirement("PRO-2030.5", "BUC-1")
async def test_a_2023_home_is_told_and_answers_by_mode(opened: Opener) -> None:
    async with opened(edition="2023") as rig:
        await settled(rig)
        await subscribed(rig)
        event = await rig.dispatch(limit_import_w=LIMIT_W, seconds=15)
        await until(rig.home, lambda home: (home.net_w or 1e9) <= LIMIT_W, UNDER_WITHIN_S, "under")
        await responses(rig, event.id, [1, 2, 3], 25.0)


# Superseding is certified in tests/conformance.
@pytest.mark.deep
@pytest.mark.requirement("PRO-2030.5", "BUC-1")
async def test_a_later_lower_limit_takes_over_at_once_and_the_first_is_told_so(
    opened: Opener,
) -> None:
    async with opened() as rig:
        await settled(rig)
        await subscribed(rig)
        first = await rig.dispatch(limit_import_w=4000.0, seconds=60)
        await until(
            rig.home, lambda home: (home.net_w or 1e9) <= 4000.0, UNDER_WITHIN_S, "under 4 kW"
        )
        second = await rig.dispatch(limit_import_w=LIMIT_W, seconds=15)
        await until(
            rig.home, lambda home: (home.net_w or 1e9) <= LIMIT_W, UNDER_WITHIN_S, "under 1.5 kW"
        )
        ends = second.start + second.duration_s
        await asyncio.sleep(max(0.0, ends - time.time()))
        trace = await rig.trace(second.accepted_at)
        assert not over(trace, second.accepted_at + UNDER_WITHIN_S, ends)
        await responses(rig, second.id, [1, 2, 3], 10.0)
        await responses(rig, first.id, [1, 2, 7], 10.0)
