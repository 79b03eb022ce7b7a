"""What the hub costs while nothing happens: memory, processor, and time to its first cycle.

The whole stage runs, with ten devices on real sockets, the utility connected and the home planned;
the hub and whatever processes it starts are measured over a minute of one-second cycles in which
nobody asks anything. Plans are made every five minutes, so that minute as a rule holds none: what
the last one took, shared out over the time between two, is added to `cpu_share`. `first_cycle_s`
is the time from starting the process to its ready file, which it writes once the first control
cycle has decided on a whole image; the file is looked for every 20 ms. The slowest of several
starts counts, the first of all among them, which also makes the store.

`wakeups_per_s` counts how often the main process's threads had to wait, and were woken, and
`children_wakeups_per_s` the same of the processes that it has started.

Memory is taken at the end of the minute, in the process of that first start.
"""

import argparse
import asyncio
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from hems.commands.scene import Scene
from hems.commands.stage import Stage
from hems.planning.occasion import Pace
from tests.benchmarks.common import Figure, parser, report
from tests.e2e.rig import Part, Rig
from tests.waiting import until

DEVICES: Final = 10
EXTRA_METERS: Final = 4
ECONOMY: Final = (
    "[tariff]",
    'currency = "EUR"',
    "[tariff.import]",
    'price = "0.30/kWh"',
    "[[tariff.import.window]]",
    'price = "0.20/kWh"',
    'begins = "22:00"',
    'ends = "06:00"',
)
TABLES: Final = {"ev": ("[device.car]", 'ready_by = "07:00"', 'energy = "12 kWh"')}
"""What there is to plan for."""
SETTLE_S: Final = 10.0
"""After the hub is connected: what it does once at its start is over by then."""
MB: Final = 1e6
NS: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Usage:
    """Processor time of a process tree since each process began, in s.

    Attributes:
        ticks_s: User and system time, as the kernel counts it by ticks.
        exact_s: Time on a processor, as the scheduler counts it in nanoseconds; short bursts
            that begin with a tick escape the other count.
    """

    ticks_s: float
    exact_s: float


def tree(pid: int) -> Iterator[psutil.Process]:
    """Yield a process and all that descend from it."""
    root = psutil.Process(pid)
    yield root
    yield from root.children(recursive=True)


def usage(pid: int) -> Usage:
    """Return what a tree has used so far."""
    ticks_s = exact_s = 0.0
    for process in tree(pid):
        times = process.cpu_times()
        ticks_s += times.user + times.system
        for thread in Path(f"/proc/{process.pid}/task").iterdir():
            exact_s += int((thread / "schedstat").read_text().split()[0]) * NS
    return Usage(ticks_s, exact_s)


def wakeups(pid: int) -> int:
    """Return how often the threads of one process have waited for something so far.

    Each wait ends by a timer, a packet, a pipe or a disk: what wakes the processor.
    """
    waited = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        status = (thread / "status").read_text(encoding="ascii")
        found = re.search(r"^voluntary_ctxt_switches:\s+(\d+)$", status, re.MULTILINE)
        waited += int(found[1]) if found else 0
    return waited


def pss_mb(pid: int) -> float:
    """Return a tree's proportional set size in MB."""
    total_kb = 0
    for process in tree(pid):
        text = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii")
        found = re.search(r"^Pss:\s+(\d+) kB$", text, re.MULTILINE)
        total_kb += int(found[1]) if found else 0
    return total_kb * 1024 / MB


async def first_cycle_s(stage: Stage, starts: int) -> list[float]:
    """Stop and start the hub a few times; returns each time to its first cycle, in s.

    The first of these starts finds no store, as in a new home.
    """
    taken: list[float] = []
    for number in range(starts):
        await stage.hub.stop()
        if number == 0:
            for file in (stage.folder / "hub").glob("hems.db*"):
                file.unlink()
        begun = time.monotonic()
        await stage.start_hub()
        taken.append(time.monotonic() - begun)
    return taken


class Plan(Part):
    """The plan, as far as this looks at it."""

    took_s: float


async def planned(rig: Rig) -> Plan | None:
    """Return the plan; None while there is none."""
    answer = await rig.get_page("/api/plan")
    return Plan.model_validate_json(answer) if answer else None


async def idle(rig: Rig, seconds: float) -> dict[str, Figure]:
    """Watch the hub while nothing happens."""
    home = await until(
        rig.home,
        lambda home: (
            home.utility.state == "connected"
            and all(tile.quality == "good" for tile in home.devices)
        ),
        30.0,
        "connected, all devices good",
    )
    plan = await until(lambda: planned(rig), lambda plan: plan is not None, 60.0, "a plan")
    await asyncio.sleep(SETTLE_S)
    pid = rig.stage.hub.pid
    first = await rig.home()
    begun, before = time.monotonic(), usage(pid)
    woken = {process.pid: wakeups(process.pid) for process in tree(pid)}
    await asyncio.sleep(seconds)
    wall_s, after = time.monotonic() - begun, usage(pid)
    woken = {process: wakeups(process) - count for process, count in woken.items()}
    last = await rig.home()
    main = psutil.Process(pid)
    exact = (after.exact_s - before.exact_s) / wall_s
    ticks = (after.ticks_s - before.ticks_s) / wall_s
    cycles = last.seq - first.seq
    planning = 0.0 if plan is None else plan.took_s / Pace().every_s
    return {
        "rss_mb": round(main.memory_info().rss / MB, 1),
        "tree_pss_mb": round(pss_mb(pid), 1),
        "cpu_share": round(max(exact, ticks) + planning, 4),
        "plan_s": None if plan is None else round(plan.took_s, 3),
        "devices": len(home.devices),
        "cpu_share_exact": round(exact, 4),
        "cpu_share_ticks": round(ticks, 4),
        "cpu_ms_per_cycle": round(1000.0 * exact * wall_s / cycles, 2),
        "wakeups_per_s": round(woken.pop(pid) / wall_s, 1),
        "children_wakeups_per_s": round(sum(woken.values()) / wall_s, 1),
        "cycles": cycles,
        "seconds": round(wall_s, 1),
        "processes": len(list(tree(pid))),
        "threads": main.num_threads(),
    }


async def figures(options: argparse.Namespace) -> Mapping[str, Figure]:
    """Measure everything."""
    scene = Scene(page_port=0, extra_meters=EXTRA_METERS, economy=ECONOMY, tables=TABLES)
    with tempfile.TemporaryDirectory(prefix="footprint-") as folder:
        async with Rig(Stage(Path(folder), scene)) as rig:
            at_rest = await idle(rig, options.seconds)
            starts_s = await first_cycle_s(rig.stage, options.starts)
    return at_rest | {
        "first_cycle_s": round(max(starts_s), 2),
        "first_cycle_each_s": [round(s, 2) for s in starts_s],
    }


def main() -> None:
    """Measure and print."""
    line = parser(__doc__)
    line.add_argument("--seconds", type=float, default=60.0, help="how long it is watched, s")
    line.add_argument("--starts", type=int, default=5, help="starts that are timed")
    options = line.parse_args()
    report(
        "footprint",
        asyncio.run(figures(options)),
        requirements=["L2-HEMS"],
        headline=["rss_mb", "tree_pss_mb", "cpu_share", "first_cycle_s", "devices"],
        record=options.record,
    )


if __name__ == "__main__":
    main()
