"""Energy support over a restart: what was saved before counts, and is not asked for again."""

import asyncio
import time

import pytest

from tests.e2e.conftest import Opener
from tests.e2e.test_main_job import responses, settled, subscribed
from tests.waiting import until

pytestmark = [pytest.mark.timeout(180), pytest.mark.deep]

LASTS_S = 60
ASKED_WH = 80.0
RATE_W = ASKED_WH * 3600.0 / LASTS_S
HALF_S = 32.0
"""About half of the event; of it all but the last ten seconds are in the history by then."""
FORGOTTEN_WH = ASKED_WH - RATE_W * (HALF_S - 10.0) / 3600.0
"""What is left to be saved at most."""


@pytest.mark.requirement("BUC-5")
async def test_energy_saved_before_a_crash_is_not_asked_for_again(opened: Opener) -> None:
    async with opened() as rig:
        await settled(rig)
        await subscribed(rig)
        event = await rig.dispatch(
            reduce_energy_wh=ASKED_WH, seconds=LASTS_S, program="Energy Support"
        )
        await asyncio.sleep(HALF_S)
        before = await rig.home()
        assert before.limit_import_w is not None
        await rig.stage.hub.kill()
        await rig.stage.start_hub()
        after = await until(
            rig.home, lambda home: home.limit_import_w is not None, 10.0, "pressed again"
        )
        first = after.seq
        after = await until(rig.home, lambda home: home.seq >= first + 3, 10.0, "three more cycles")
        assert after.limit_import_w is not None
        asked_w = RATE_W + before.limit_import_w - after.limit_import_w
        left_s = event.start + LASTS_S - time.time()
        # Were the first half not counted, all of it would be asked of what is left of the time.
        assert asked_w < (ASKED_WH + FORGOTTEN_WH) / 2.0 * 3600.0 / left_s
        await responses(rig, event.id, [1, 2, 3], 60.0)
