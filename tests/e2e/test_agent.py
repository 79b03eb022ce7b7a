"""The software agent over the whole line: a hub that was tampered with still controls its home."""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from hems.cli import main
from hems.commands.scene import Scene
from hems.commands.stage import Stage
from tests.certs.agent.installed import copied, flip
from tests.e2e.conftest import EVENING, POLLED
from tests.e2e.rig import Rig
from tests.e2e.test_main_job import LIMIT_W, UNDER_WITHIN_S, settled, subscribed
from tests.waiting import until

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.requirement("L1-AGENT"),
    pytest.mark.requirement("L1-TAMPER"),
]

NOTICED_WITHIN_S = 60.0
SILENT_WITHIN_S = 50.0
LEFT_OUT = "The home takes part in no programme until this is put right."
RULES = "programs/slope.py"


@pytest.fixture
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    """Return the whole line, run from a copy of the software that tests may harm."""
    installation = copied(tmp_path / "software")
    monkeypatch.chdir(installation.root)  # what is started here runs from here
    scene = Scene(page_port=0, battery="hold", house=EVENING, headend=POLLED, agent=True)
    async with Rig(Stage(tmp_path / "stage", scene, installation)) as running:
        yield running


async def agent(rig: Rig) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await rig.get_page("/api/agent"))
    return found


async def well(rig: Rig) -> dict[str, Any]:
    return await until(
        lambda: agent(rig),
        lambda seen: seen["checked"] and not seen["troubles"],
        NOTICED_WITHIN_S,
        "all is as it was signed",
    )


def process(rig: Rig) -> psutil.Process:
    """Return the agent that the hub has started."""
    children = psutil.Process(rig.stage.hub.pid).children()
    return next(child for child in children if "certs.agent" in child.cmdline())


async def test_a_changed_byte_ends_taking_part_until_it_is_put_right(
    rig: Rig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await settled(rig)
    await subscribed(rig)
    found = await well(rig)
    assert found["publisher"] == "Example Energy"
    assert process(rig).cwd() == str(tmp_path / "software")
    event = await rig.dispatch(limit_import_w=LIMIT_W, seconds=240)
    await until(rig.home, lambda home: (home.net_w or 1e9) <= LIMIT_W, UNDER_WITHIN_S, "in it")

    flip(tmp_path / "software" / RULES)
    home = await until(
        rig.home,
        lambda home: any(LEFT_OUT in alarm for alarm in home.alarms),
        NOTICED_WITHIN_S,
        "the owner is told",
    )
    (said,) = [alarm for alarm in home.alarms if LEFT_OUT in alarm]
    assert said.startswith(f"This hub's software is not what Example Energy signed: {RULES} was")
    await until(
        rig.home,
        lambda home: (card := home.card(event.id)) is not None and card.opted_out,
        10.0,
        "the event is left",
    )
    await until(rig.home, lambda home: (home.net_w or 0.0) > LIMIT_W, 15.0, "out of it")
    codes = await until(
        lambda: rig.statuses(event.id), lambda codes: {4, 8} & set(codes) != set(), 10.0, "told"
    )
    assert codes[:2] == [1, 2]
    told = json.loads(await rig.get_page("/api/programmes"))["programmes"]
    standing = {each["id"]: each for each in told}
    assert not standing["peak-shaving"]["joined"]
    assert standing["self-consumption"]["joined"], "what the home does for itself goes on"

    # What binds is obeyed all the same, and the cycle goes on.
    before = await settled(rig)
    must = await rig.dispatch(shed_w=2000.0, seconds=60)
    wanted_w = (before.net_w or 0.0) - 1950.0
    after = await until(
        rig.home, lambda home: (home.net_w or 1e9) <= wanted_w, UNDER_WITHIN_S, "it binds"
    )
    assert not {4, 8} & set(await rig.statuses(must.id))
    await rig.cancel(must.id)
    assert after.seq > before.seq

    flip(tmp_path / "software" / RULES)  # the same bit back
    await well(rig)
    await until(rig.home, lambda home: (home.net_w or 1e9) <= LIMIT_W, 15.0, "in it again")
    await until(
        lambda: rig.statuses(event.id), lambda codes: {5, 9} & set(codes) != set(), 10.0, "told"
    )
    assert not [alarm for alarm in (await rig.home()).alarms if LEFT_OUT in alarm]

    ask = ["agent", "inventory", "--url", rig.stage.page]
    assert await asyncio.to_thread(main, ask) == 0
    shown = capsys.readouterr().out
    assert "software  hems " in shown
    assert "Solar" in shown


@pytest.mark.deep
async def test_an_agent_that_is_stopped_is_missed_and_started_again(rig: Rig) -> None:
    await settled(rig)
    await well(rig)
    first = process(rig)
    before = (await rig.home()).seq
    os.kill(first.pid, signal.SIGSTOP)
    await until(
        rig.home,
        lambda home: any("does not answer" in alarm for alarm in home.alarms),
        SILENT_WITHIN_S,
        "it is missed",
    )
    assert (await agent(rig))["excluded"]
    await well(rig)
    again = process(rig)
    assert again.pid != first.pid
    os.kill(again.pid, signal.SIGKILL)
    began = time.monotonic()
    await until(
        lambda: agent(rig),
        lambda seen: seen["heard_at"] > time.time() - 3.0 and process_there(rig, again.pid),
        SILENT_WITHIN_S,
        "another one speaks",
    )
    assert time.monotonic() - began < SILENT_WITHIN_S
    assert (await rig.home()).seq > before
    last = process(rig)
    await rig.stage.hub.stop()
    gone, _ = psutil.wait_procs([last], timeout=10.0)
    assert gone, "the agent ends with its hub"


def process_there(rig: Rig, but: int) -> bool:
    try:
        return process(rig).pid != but
    except (StopIteration, psutil.NoSuchProcess):
        return False
