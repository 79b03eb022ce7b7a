"""A hub that knows nothing becomes one that its utility commands, by one code and one command."""

import time
from pathlib import Path

import aiohttp
import pytest

from hems.commands.stage import HouseReady
from tests.e2e.conftest import Opener
from tests.e2e.rig import Home, Rig
from tests.e2e.test_first_start import hems, new_hub
from tests.waiting import until

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.requirement("L1-AUTH", "L1-AGENT", "LC-COMMISSION", "PRO-2030.5"),
]

WITHIN_S = 60.0


async def state(session: aiohttp.ClientSession) -> Home:
    async with session.get("/api/home") as answer:
        return Home.model_validate_json(await answer.read())


async def test_one_code_makes_a_hub_that_answers_its_utility(
    opened: Opener, tmp_path: Path
) -> None:
    async with opened() as rig:
        await rig.stage.hub.stop()
        operator = ("--operator", str(rig.stage.folder / "headend" / "operator.json"))
        async with new_hub(tmp_path) as (_, url), aiohttp.ClientSession(url) as session:
            await with_devices(rig, tmp_path / "home" / "hems.toml")
            before = await state(session)
            assert before.utility.state != "connected"
            began = time.monotonic()
            code, *_ = (await hems("headend", "enrol-code", *operator)).splitlines()
            said = await hems("enrol", code, "--home", str(tmp_path / "home"))
            await until(
                lambda: state(session),
                lambda home: home.utility.state == "connected",
                WITHIN_S,
                "it is connected",
            )
            took_s = time.monotonic() - began
            print(f"from the code to a connected hub: {took_s:.1f} s")
            assert took_s < WITHIN_S
            listed = await hems("headend", "enrolments", *operator)
            own = said.partition("LFDI ")[2][:40]
            assert f"issued  {own}" in listed
            event = await rig.dispatch(limit_import_w=1500.0, seconds=30)
            await until(
                lambda: rig.statuses(event.id), lambda found: 2 in found, 30.0, "it is obeyed"
            )


async def with_devices(rig: Rig, config: Path) -> None:
    """Have the hub take up a meter and a battery of the simulated house."""
    ready = HouseReady.model_validate_json(rig.stage.house.ready.read_text())
    sunspec = ("--driver", "sunspec", "--host", "127.0.0.1", "--config", str(config))
    for name in ("meter", "battery"):
        port = str(ready.ports()[name])
        await hems("device", "add", name, "--kind", name, *sunspec, "--port", port)
