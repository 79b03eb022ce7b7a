"""The hub's store over ten years: how fast it writes, tells of a year, and what it costs a card.

- Writes: samples of ten devices by the store's own code (encrypted, with the sums over them), and
  the same rows put into a bare SQLite file, batch by batch in turn; and likewise single
  transactions that must be on the disk.
- Year: its energy by months, and its chart, from a store that has ten years in it.
- Size: what each kind of row adds to that file, once as much is kept of it as ever is.
- Clearing: how long a durable write of an event takes while forty days too much are cleared away.
- Day: octets written to a disk of its own by a day of ten devices, and by a real hub.

All are on a disk of their own where the machine carries one: ext4 on a loop device, of which the
kernel counts the sectors written, journal included. Where it does not, the day has no figure.
"""

import asyncio
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks import store_day, store_speed, store_years
from tests.benchmarks.common import Figure, parser, report
from tests.block_disk import BlockDisk, DiskError, block_disk

DISK_MB = 2000


async def measure(
    folder: Path, disk: BlockDisk | None, *, years: int, rounds: int, hours: float, hub_s: float
) -> dict[str, Figure]:
    """Measure all parts.

    Args:
        folder: For all files.
        disk: On which what is counted is written; None where there is none.
        years: That the store has in it.
        rounds: Of writes and queries.
        hours: Of the day.
        hub_s: For how long a real hub is watched; 0 for not at all.
    """
    place = folder if disk is None else disk.at
    figures = await store_speed.measure(place, rounds)
    figures |= await store_years.measure(place, years, rounds)
    if disk is not None:
        figures |= await store_day.measure(disk, hours)
        if hub_s:
            figures |= await store_day.measure_hub(folder, disk, hub_s)
    return figures


def main() -> None:
    """Measure and print."""
    line = parser(__doc__)
    line.add_argument("--years", type=int, default=10, help="that the store has in it")
    line.add_argument("--rounds", type=int, default=9, help="of writes and queries")
    line.add_argument("--hours", type=float, default=24.0, help="of the day that is written")
    line.add_argument("--hub", type=float, default=600.0, help="s that a real hub is watched")
    options = line.parse_args()
    with tempfile.TemporaryDirectory(prefix="store-") as name, ExitStack() as stack:
        folder = Path(name)
        disk: BlockDisk | None = None
        try:
            disk = stack.enter_context(block_disk(folder / "disk", DISK_MB))
        except DiskError as error:
            print(f"octets of a day are not counted: {error}", file=sys.stderr)
        figures = asyncio.run(
            measure(
                folder,
                disk,
                years=options.years,
                rounds=options.rounds,
                hours=options.hours,
                hub_s=options.hub,
            )
        )
    report(
        "store",
        figures,
        requirements=["PRV-INTEGRITY"],
        headline=["writes_per_s", "year_query_ms", "mb_per_day", "sqlite_plain_writes_per_s"],
        record=options.record,
    )


if __name__ == "__main__":
    main()
