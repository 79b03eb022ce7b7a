"""Devices come and go while an event runs: the limit holds, and nothing is lost or said twice."""

import asyncio
import sys
import time

import pytest

from hems.commands.stage import HouseReady
from tests.e2e.conftest import Opener
from tests.e2e.rig import Rig
from tests.e2e.test_main_job import LIMIT_W, UNDER_WITHIN_S, over, responses, settled, subscribed
from tests.waiting import until

pytestmark = [pytest.mark.timeout(150)]


async def device(rig: Rig, *arguments: str) -> str:
    """Run `hems device ...` for the stage's hub; returns what it prints."""
    config = rig.stage.folder / "hub" / "hems.toml"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hems", "device", *arguments, "--config", str(config)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()


@pytest.mark.deep
@pytest.mark.requirement("BUC-1", "PRO-2030.5", "LC-COMMISSION")
async def test_a_device_joins_and_leaves_within_an_event(opened: Opener) -> None:
    async with opened() as rig:
        await settled(rig)
        await subscribed(rig)
        page = rig.stage.page
        event = await rig.dispatch(limit_import_w=LIMIT_W, seconds=60)
        await until(rig.home, lambda home: (home.net_w or 1e9) <= LIMIT_W, UNDER_WITHIN_S, "under")
        await responses(rig, event.id, [1, 2], 5.0)

        ready = HouseReady.model_validate_json(rig.stage.house.ready.read_text())
        port = ready.ports()["meter"]
        sunspec = ("--driver", "sunspec", "--host", "127.0.0.1", "--port", str(port))
        await device(rig, "add", "Cellar", "--kind", "submeter", *sunspec)
        home = await until(
            rig.home,
            lambda home: any(d.id == "cellar" and d.quality == "good" for d in home.devices),
            20.0,
            "the home has the new device",
        )
        card = home.card(event.id)
        assert card is not None
        assert card.state == "running", "the event is known from the ledger"
        await device(rig, "remove", "cellar", "--yes")
        await until(
            rig.home,
            lambda home: len(home.devices) == 6 and all(d.quality == "good" for d in home.devices),
            20.0,
            "the home is as it was",
        )
        assert rig.stage.page == page

        ends = event.start + event.duration_s
        await asyncio.sleep(max(0.0, ends - time.time()))
        above = over(await rig.trace(event.accepted_at), event.accepted_at, ends, LIMIT_W)
        late = [s for s in above if s.at > event.accepted_at + UNDER_WITHIN_S]
        assert not late, f"above the limit at {[round(s.at - event.start, 1) for s in late]} s"
        await responses(rig, event.id, [1, 2, 3], 15.0)
        assert await rig.statuses(event.id) == [1, 2, 3], "each once"
        await until(rig.home, lambda home: (home.net_w or 0.0) > 3000.0, 60.0, "loads come back")
