"""A hub in a house of simulated devices, and what is watched while a part of it misbehaves."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.e2e.rig import Home
from tests.faults.bench import Bench, Hub
from tests.faults.scripted import LyingUtility, control
from tests.waiting import until

WELL_WITHIN_S = 25.0
LOOK_EVERY_S = 0.2


@dataclass
class Running:
    """A hub in a house whose readings grow old quickly."""

    bench: Bench
    hub: Hub
    utility: LyingUtility


def bad(home: Home) -> set[str]:
    """Return the devices whose reading is not good."""
    return {tile.id for tile in home.devices if tile.quality != "good"}


async def all_well(hub: Hub) -> Home:
    """Wait until every device answers."""
    return await until(hub.home, lambda home: not bad(home), WELL_WITHIN_S, "all devices answer")


@dataclass
class Watch:
    """What was seen of a home while something was wrong with a part of it."""

    hub: Hub
    faulty: frozenset[str]
    seen: list[Home] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    async def look(self) -> Home:
        """Look once; the other devices must be as they were, and nothing may read as zero."""
        home = await self.hub.home()
        self.seen.append(home)
        assert bad(home) <= self.faulty, [t for t in home.devices if t.quality != "good"]
        return home

    async def look_for(self, seconds: float) -> None:
        """Keep looking for a while."""
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    def went_on(self) -> None:
        """Check that the control cycle kept its pace of one a second."""
        cycles = self.seen[-1].seq - self.seen[0].seq
        assert cycles >= int(time.monotonic() - self.began) - 1
        assert max(b.at - a.at for a, b in zip(self.seen, self.seen[1:], strict=False)) < 2.0

    def never_zero(self, before: Home) -> None:
        """Check that the last reading of a device that is gone stands, or none: never zero."""
        for device in self.faulty:
            was = before.tile(device).power_w
            for home in self.seen:
                tile = home.tile(device)
                if tile.quality == "good":  # a heat pump that is warm enough has ended by itself
                    was = tile.power_w
                assert tile.power_w is None or tile.power_w != 0.0 or not was, device


LIMIT_W = 2000.0
OBEYED_WITHIN_S = 5.0
ANEW_WITHIN_S = 3.0
"""A battery that idles because the meter is lost is made up for by the loads."""


@asynccontextmanager
async def limited(running: Running, mrid: str) -> AsyncIterator[float]:
    """Have the import limited to 2 kW while the context lasts; gives when that began."""
    begun = time.time()
    running.utility.list_controls(control(mrid, duration=600))
    try:
        yield begun
    finally:
        running.utility.list_controls()
        await until(
            running.hub.home, lambda home: home.limit_import_w is None, 10.0, "no limit any more"
        )


def mrid(prefix: str, *words: str) -> str:
    """Return an mRID of its own for a case."""
    return prefix + hashlib.sha256(" ".join(words).encode()).hexdigest()[:30].upper()


async def under(running: Running) -> Home:
    """Wait until the home keeps to the limit."""
    return await until(
        running.hub.home,
        lambda home: home.limit_import_w == LIMIT_W and (home.net_w or 1e9) <= LIMIT_W,
        2 * OBEYED_WITHIN_S,
        "under the limit",
    )


async def kept(running: Running, since: float, but_s: float = 0.0) -> None:
    """Check on the true meter that the limit was kept since a UTC time, but for so many seconds."""
    trace = await running.bench.trace(since)
    over = [sample for sample in trace if sample.meter_w > LIMIT_W]
    assert trace
    assert len(over) <= 10 * but_s, f"{len(over)} samples of 100 ms above it: {over[:5]}"
