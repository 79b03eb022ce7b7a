"""How long a hub takes from the factory to operating.

The whole stage runs, with a utility at its default pace. A hub in an empty folder has its
manufacturer's certificate; the clock starts with the one command that enrols it, the utility
approves by the hub's PIN as soon as it sees that the hub waits, and the clock ends when the hub
has carried out its first DERControl and the utility has the answer.
"""

import asyncio
import json
import tempfile
import time
from pathlib import Path

import aiohttp

from certs.pki import init_pki
from hems.commands.stage import Stage
from hems.headend.est.settings import EstSettings
from tests.benchmarks.common import Figure
from tests.e2e.enrolling import Life, scene, with_devices
from tests.e2e.rig import Rig
from tests.e2e.test_first_start import new_hub


def measure() -> dict[str, Figure]:
    """Return the figures."""
    with tempfile.TemporaryDirectory(prefix="enrol-") as folder:
        return asyncio.run(_measured(Path(folder)))


async def _measured(folder: Path) -> dict[str, Figure]:
    maker = init_pki(folder / "maker", label="Maker")
    again_s = int(EstSettings.model_fields["again_s"].default)
    async with Rig(Stage(folder / "stage", scene(maker, again_s=again_s))) as rig:
        await rig.stage.hub.stop()
        async with new_hub(folder) as (_, url), aiohttp.ClientSession(url) as page:
            life = Life(rig, folder / "home", page)
            await with_devices(rig, life.home / "hems.toml")
            began = time.monotonic()
            await life.enrolled_by_its_maker(maker)
            certified_s = time.monotonic() - began
            await life.connected()
            await life.dispatched(seconds=60)
            return {
                "enrol_s": round(time.monotonic() - began, 1),
                "enrol_certificate_s": round(certified_s, 1),
            }


if __name__ == "__main__":
    print(json.dumps(measure()))
