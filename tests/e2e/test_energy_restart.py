"""Energy support over a restart: what was saved before counts, and is not asked for again."""

import asyncio

import pytest

from tests.e2e.conftest import Opener
from tests.e2e.test_main_job import responses, settled, subscribed
from tests.waiting import until

pytestmark = [pytest.mark.timeout(180), pytest.mark.deep]

HALF_S = 32.0
"""About half of the event; of it all but the last ten seconds are in the history by then."""


@pytest.mark.requirement("BUC-5")
async def test_energy_saved_before_a_crash_is_not_asked_for_again(opened: Opener) -> None:
    async with opened() as rig:
        await settled(rig)
        await subscribed(rig)
        event = await rig.dispatch(reduce_energy_wh=80.0, seconds=60, program="Energy Support")
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
        # Were the first half not counted, twice the energy would be asked of the second half.
        assert after.limit_import_w is not None
        assert after.limit_import_w > before.limit_import_w - 3500.0
        await responses(rig, event.id, [1, 2, 3], 60.0)
