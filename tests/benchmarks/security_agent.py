"""What the software agent costs beside a hub: processor and memory, at its real pace.

The whole stage runs; the agent watches over the software of this checkout with all that is
installed beside it, which is several times what a hub has. `agent_cpu_share` is its processor time
over more than a minute once all files were read, by the time that passed; what it does once an
hour (checking the manifest in a process of its own, reading all files anew) is measured apart, and
shared out over that hour. `agent_rss_mb` is its memory at the end.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import psutil

from certs.agent.measuring import CHECK_AGAIN_S
from certs.agent.tree import FULL_S
from certs.manifest.installation import Installation
from hems.commands.scene import PROVIDERS, Scene
from hems.commands.stage import Stage
from tests.benchmarks.common import Figure
from tests.e2e.rig import Rig
from tests.waiting import until

WINDOW_S: Final = 90.0
"""Two looks at all that is installed."""
READ_WITHIN_S: Final = 300.0
MB: Final = 1e6


def measure() -> dict[str, Figure]:
    """Return the figures."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measured(Path(folder)))


async def _measured(folder: Path) -> dict[str, Figure]:
    here = Installation.present()
    async with Rig(Stage(folder, Scene(page_port=0, agent=True), here)) as rig:
        await until(
            lambda: rig.get_page("/api/agent"),
            lambda text: bool(json.loads(text)["checked"]),
            READ_WITHIN_S,
            "all files were read",
        )
        agent = _agent(rig)
        read_s = _cpu_s(agent)
        checking_s = await asyncio.to_thread(_checking_s, folder / "hub", here)
        before_s, began = _cpu_s(agent), time.monotonic()
        await asyncio.sleep(WINDOW_S)
        share = (_cpu_s(agent) - before_s) / (time.monotonic() - began)
        hourly = read_s / FULL_S + checking_s / CHECK_AGAIN_S
        return {
            "agent_cpu_share": round(share + hourly, 5),
            "agent_cpu_share_hourly": round(hourly, 5),
            "agent_rss_mb": round(agent.memory_info().rss / MB, 1),
        }


def _agent(rig: Rig) -> psutil.Process:
    children = psutil.Process(rig.stage.hub.pid).children()
    return next(child for child in children if "certs.agent" in child.cmdline())


def _cpu_s(process: psutil.Process) -> float:
    """Return the processor time of a process alone, without that of processes that it started."""
    times = process.cpu_times()
    return float(times.user + times.system)


def _checking_s(hub: Path, here: Installation) -> float:
    """Return the processor time that checking the manifest takes."""
    question = {
        "manifest": str(hub / "hems.manifest"),
        "roots": str(hub / PROVIDERS),
        "root": str(here.root),
        "sites": [str(site) for site in here.sites],
    }
    before = os.times()
    subprocess.run(
        [sys.executable, "-m", "certs.agent.examine"],
        input=json.dumps(question).encode(),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    after = os.times()
    return (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )


if __name__ == "__main__":
    print(json.dumps(measure()))
