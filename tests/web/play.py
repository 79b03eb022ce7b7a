"""Serve the page with the scripted home, for work on its looks: `python -m tests.web.play`.

The home moves once a second; Ctrl-C ends it. A port may be given (`python -m tests.web.play 8099`).
"""

import asyncio
import math
import sys
from contextlib import suppress
from dataclasses import replace

from tests.web.outlook import ScriptedOutlook
from tests.web.script import PRICE, SCRIPT_START, TOMORROW, ZONE, event
from tests.web.surface import ScriptedClock, ScriptedHome
from tests.web.visitor import Visitor
from web.server import serving
from web.settings import WebSettings

WOBBLE_W = 60.0


async def play(port: int) -> None:
    """Serve the scripted home on `port` until cancelled; each second every power wobbles."""
    home, clock = ScriptedHome(), ScriptedClock()
    coming = event(
        TOMORROW,
        state="coming",
        program="Evening Calm",
        title="Reduce by 1 kW",
        starts_at=SCRIPT_START + 3 * 3600,
        ends_at=SCRIPT_START + 4 * 3600,
    )
    await home.play(events=(*home.now.events, coming), price=PRICE)
    visitor = Visitor()
    parts = (*ScriptedOutlook().parts(), visitor)
    settings = WebSettings(port=port, time_zone=ZONE)
    async with serving(home, settings, clock, parts, visitor) as address:
        print(f"The scripted home is at {address}")
        for tick in range(sys.maxsize):
            await asyncio.sleep(1)
            clock.at += 1
            wobble = WOBBLE_W * (math.sin(tick / 5) + math.sin(tick * 2.3))
            devices = [
                replace(d, power_w=(d.power_w or 0.0) + wobble) if d.kind == "meter" else d
                for d in home.now.devices
            ]
            await home.play(net_w=1350 + wobble, devices=devices)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(play(int(sys.argv[1]) if len(sys.argv) > 1 else 8099))
