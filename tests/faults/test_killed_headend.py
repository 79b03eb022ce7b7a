"""The utility's server is killed while its event runs, and comes back."""

import time
from pathlib import Path

import pytest

from certs.pki import Pki
from hems.commands.scene import Scene
from hems.commands.stage import Stage, free_port
from tests.e2e.rig import Home, Rig
from tests.faults.bench import copy_pki
from tests.faults.conftest import EVENING
from tests.waiting import until

pytestmark = [
    pytest.mark.requirement("LC-TEST"),
    pytest.mark.requirement("PRO-2030.5"),
    pytest.mark.requirement("BUC-1"),
]

LIMIT_W = 2000.0
LASTS_S = 15
GRACE_S = 5.0


async def test_an_event_is_held_to_its_end_and_answered_when_the_server_is_back(
    pki: Pki, tmp_path: Path
) -> None:
    copy_pki(pki, tmp_path / "pki")
    ports = (f"port = {free_port()}", f"operator_port = {free_port()}")
    quick = ("list_poll_s = 2", "time_poll_s = 2", "dcap_poll_s = 2", "post_rate_s = 5")
    scene = Scene(
        page_port=0,
        battery="hold",
        house=EVENING,
        headend=(*ports, *quick),
        utility=('poll_least = "1 s"',),
    )
    async with Rig(Stage(tmp_path, scene)) as rig:
        await until(rig.home, settled, 20.0, "connected, and all devices answer")
        event = await rig.dispatch(limit_import_w=LIMIT_W, seconds=LASTS_S)
        ends = event.start + event.duration_s
        await until(rig.home, kept, GRACE_S, "under the limit")
        under_at = event.accepted_at + GRACE_S
        await until(
            lambda: rig.statuses(event.id), lambda codes: codes == [1, 2], 5.0, "answered so far"
        )

        await rig.stage.headend.kill()
        killed_at = time.time()
        home = await until(
            rig.home, lambda home: home.utility.state == "unreachable", 10.0, "it is said"
        )
        assert "no connection: Connection refused" in home.utility.detail
        assert home.limit_import_w == LIMIT_W
        home = await until(
            rig.home,
            lambda home: home.limit_import_w is None,
            ends - time.time() + GRACE_S,
            "the event ends by itself",
        )
        assert abs(time.time() - ends) < GRACE_S
        card = home.card(event.id)
        assert card is not None
        assert card.state == "completed"
        over = [s for s in await rig.trace(under_at) if s.at < ends and s.meter_w > LIMIT_W]
        assert not over, f"{len(over)} samples of 100 ms above the limit"
        log = rig.stage.hub.log.read_text(encoding="utf-8").splitlines()
        assert len([line for line in log if "WARNING" in line and "refused" in line]) <= 2

        await rig.stage.headend.start()
        await rig.stage.headend.wait_ready(20.0)
        await until(
            lambda: rig.statuses(event.id), lambda codes: codes == [1, 2, 3], 60.0, "all answered"
        )
        await until(rig.home, settled, 30.0, "connected again")
        await until(
            lambda: rig.readings("Net active power"),
            lambda readings: any(killed_at < r.start < ends for r in readings),
            20.0,
            "readings of the outage",
        )


def settled(home: Home) -> bool:
    """Whether the utility answers, and all devices."""
    answer = all(tile.quality == "good" for tile in home.devices)
    return home.utility.state == "connected" and answer


def kept(home: Home) -> bool:
    """Whether the limit is in force and kept."""
    return home.limit_import_w == LIMIT_W and (home.net_w or 1e9) <= LIMIT_W
