"""Every use case on the whole line, one row each: how soon, how exactly, and what it left behind.

A head-end, a simulated house and the hub run as processes and speak over real sockets; the house
is one that is never still wherever the use case does not need it to be. Times run from the instant
at which the trigger was there (the utility had the event on its disk, or its start where that is
later) to the first write that a device accepted, and to 90 % of the response at the true meter.
A second is inside if its mean is; settling is left out. The aims are printed beside the figures,
and each that is missed is named.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import aiohttp

from hems.commands.child import ChildError
from tests.benchmarks import (
    programs_demand,
    programs_frequency,
    programs_island,
    programs_reserve,
    programs_seen,
    programs_slope,
    programs_voltage,
)
from tests.benchmarks.common import Figure, parser, recorded, report
from tests.benchmarks.programs_judge import Row

Measure = Callable[[Path], Awaitable[Row]]

ROWS: Final[Mapping[str, Measure]] = {  # the longest first: others fill the time beside them
    "BUC-9": programs_reserve.day_ahead,
    "BUC-8": programs_reserve.spinning,
    "BUC-1": programs_demand.peak_shaving,
    "BUC-2": programs_slope.slope,
    "BUC-3": programs_frequency.regulation,
    "BUC-4": programs_voltage.volt_var,
    "BUC-5": programs_demand.energy_support,
    "BUC-6": programs_slope.economic,
    "BUC-7": programs_demand.emergency,
    "BUC-11": programs_demand.envelope,
    "BUC-12": programs_voltage.set_points,
    "BUC-13": programs_seen.visibility,
    "BUC-14": programs_island.island,
}
SUB_SECOND: Final = frozenset({"BUC-3", "BUC-7", "BUC-13"})
"""Use cases whose latency class is the lowest."""
INSIDE: Final = 0.99
SECOND_MS: Final = 1000.0


def misses(rows: Mapping[str, Row]) -> list[str]:
    """Return, in words, which aims the rows miss."""
    found = []
    for name, row in rows.items():
        if "failed" in row.more:
            found.append(f"{name}: could not be measured: {row.more['failed']}")
            continue
        if name in SUB_SECOND and (row.first_write_ms is None or row.first_write_ms >= SECOND_MS):
            found.append(f"{name}: first write after {row.first_write_ms} ms, aim under 1000")
        if row.inside_share is not None and row.inside_share < INSIDE:
            found.append(f"{name}: inside {row.inside_share:.3f} of the time, aim {INSIDE}")
        rebound = row.more.get("rebound_of_day", row.rebound_ratio)
        if isinstance(rebound, float) and rebound > 1.0:
            found.append(f"{name}: rebound {rebound:.2f} of the peak before, aim 1")
        if row.comfort_minutes:
            found.append(f"{name}: {row.comfort_minutes:.1f} min out of comfort, aim 0")
    return found


async def measure(names: Sequence[str], at_once: int) -> dict[str, Row]:
    """Run the use cases, each on a home of its own, so many homes at a time."""
    turns = asyncio.Semaphore(at_once)

    async def one(name: str) -> Row:
        async with turns:
            began = time.monotonic()
            with tempfile.TemporaryDirectory(prefix=f"{name.lower()}-") as folder:
                try:
                    row = await ROWS[name](Path(folder))
                except (AssertionError, ChildError, aiohttp.ClientError) as error:
                    row = Row(comfort_minutes=None, more={"failed": str(error).partition("\n")[0]})
            told = ", ".join(f"{k} {v}" for k, v in row.figures().items() if v is not None)
            print(f"{name:<7} {time.monotonic() - began:5.0f} s  {told}", flush=True)
            return row

    return dict(zip(names, await asyncio.gather(*(one(name) for name in names)), strict=True))


def _beside_kept(
    figures: Mapping[str, Figure], missed: Sequence[str]
) -> tuple[dict[str, Figure], list[str]]:
    """Return the rows that were measured now among those that were recorded before."""
    kept = recorded("programs")
    before = kept.pop("missed", ())
    told = before if isinstance(before, Sequence) else ()
    others = [str(each) for each in told if str(each).partition(":")[0] not in figures]
    return {**kept, **figures}, [*others, *missed]


def main() -> None:
    """Measure and print."""
    line = parser(__doc__)
    line.add_argument("--only", help="use cases, comma between; all where it is left out")
    line.add_argument("--at-once", type=int, default=2, metavar="N", help="homes at a time")
    options: argparse.Namespace = line.parse_args()
    names = options.only.split(",") if options.only else list(ROWS)
    unknown = set(names) - ROWS.keys()
    if unknown:
        line.error(f"no such use case: {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    rows = asyncio.run(measure(names, options.at_once))
    missed = misses(rows)
    for each in missed:
        print(f"missed: {each}")
    figures: dict[str, Figure] = {name: row.figures() for name, row in rows.items()}
    if options.only and options.record:
        figures, missed = _beside_kept(figures, missed)
    report(
        "programs",
        {**figures, "missed": missed},
        requirements=[name for name in ROWS if name in figures],
        headline=[],
        record=options.record,
    )


if __name__ == "__main__":
    main()
