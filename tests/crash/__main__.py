"""Kills a hub at random instants, cuts the power of its disk, and sees what it still knows.

`python -m tests.crash --points 200 --seed 1`. A real hub on a disk of its own, with a utility on a
TLS socket and simulated devices, is ended by SIGKILL at random instants of its start and of its
work: while events are listed and taken away, and while the owner wishes things. At half of them the
disk's power goes with it: what the kernel had not written is lost. Each time the store, and copies
of it that are cut at random places, are looked through; then the hub is started again.

It must always start, without a word of a damaged store. What it told the utility that it received,
each response that it gave, each wish and each setting that it confirmed must stand; no response may
come twice. Where none of these came about nothing is shown, and that is a failure, too.
The last line of the output is JSON.
"""

import argparse
import asyncio
import json
import random
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from certs.pki import init_pki
from hems.commands.child import ChildError
from tests.block_disk import DiskError, block_disk
from tests.crash.cuts import try_cuts
from tests.crash.home import KilledHome, killed_home
from tests.crash.verdict import Found, look, settle

SETTLED_EVERY: Final = 10
"""After so many points it is waited until all that is owed is said."""
ANEW_EVERY: Final = 20
"""After so many the home is a new one: its first start is cut, too."""
START_S: Final = 3.5
"""A start takes about so long; three of ten cuts fall in it."""
WORK_S: Final = 2.5
DEEDS: Final = 3
"""What happens, at most, before a cut."""


async def run(folder: Path, points: int, seed: int) -> Found:
    """Run the whole of it.

    Args:
        folder: For all files.
        points: How often the hub is killed.
        seed: Of what is drawn.
    """
    rng, found = random.Random(seed), Found()  # noqa: S311 - draws, not secrets
    pki = await asyncio.to_thread(init_pki, folder / "pki")
    beside = folder / "beside"
    await asyncio.to_thread(beside.mkdir)
    with ExitStack() as stack:
        try:
            disk = stack.enter_context(block_disk(folder / "disk", 48))
        except DiskError as error:
            disk = None
            print(f"no power is cut, the hub is killed only: {error}", file=sys.stderr)
        async with killed_home(beside, pki, disk) as home:
            for point in range(1, points + 1):
                power, before = disk is not None and rng.random() < 0.5, len(found.wrong)
                await _point(home, rng, found, power=power, scratch=folder / "copy")
                settled = point % SETTLED_EVERY == 0 or point == points
                if settled:
                    await settle(home, found)
                for each in found.wrong[before:]:
                    print(f"{point}: {each}", file=sys.stderr, flush=True)
                if settled:
                    print(f"{point} of {points}: {found.line()}", file=sys.stderr, flush=True)
                if point % ANEW_EVERY == 0:
                    home.furnish()
            found.log(home)
    return found


async def _point(
    home: KilledHome, rng: random.Random, found: Found, *, power: bool, scratch: Path
) -> None:
    """Start the hub, kill it, and look at what is left."""
    found.points += 1
    found.powerless += power
    begun, deeds = time.monotonic(), list[asyncio.Task[None]]()
    await home.start()
    if rng.random() < 0.3:
        found.starts += 1
        await asyncio.sleep(rng.uniform(0.0, START_S))
    else:
        try:
            await home.ready()
        except ChildError as error:
            found.unstarted.append(str(error))
            await home.die(power=False)
            return
        found.ready_s.append(time.monotonic() - begun)
        found.check_page(await home.snapshot())
        life_s = rng.uniform(0.0, WORK_S)
        deeds = [
            asyncio.create_task(_deed(home, rng.randrange(5), rng.uniform(0.0, life_s), found))
            for _ in range(rng.randint(1, DEEDS))
        ]
        await asyncio.sleep(life_s)
    await home.die(power=power)
    await asyncio.gather(*deeds)
    look(home, found, scratch)
    await try_cuts(home.store, rng, scratch, found.cuts)


async def _deed(home: KilledHome, which: int, after_s: float, found: Found) -> None:
    await asyncio.sleep(after_s)
    if which == 0:
        home.withdraw()
    elif which == 1:
        home.order()
    elif which == 2:
        found.settings += 1
        await home.set_limit(float(20_000 + found.settings))
    else:
        found.wishes += 1
        await home.wish(float(100 + found.wishes))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it and print; returns 0 where all is well."""
    line = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    line.add_argument("--points", type=int, default=200, help="how often the hub is killed")
    line.add_argument("--seed", type=int, default=1, help="of what is drawn")
    line.add_argument("--folder", type=Path, help="for all files; kept then")
    options = line.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that nothing is left running
    with tempfile.TemporaryDirectory(prefix="crash-", ignore_cleanup_errors=True) as name:
        folder = options.folder or Path(name)
        found = asyncio.run(run(folder, options.points, options.seed))
    if options.points >= SETTLED_EVERY:
        found.check_shown()
    print(json.dumps(found.figures()))
    return 0 if found.well else 1


if __name__ == "__main__":
    sys.exit(main())
