"""What a day costs an SD card: sectors that the kernel writes to a disk of the store's own.

The day is written in minutes by the store's own code, as the hub does: ten devices each second, a
minute's samples in one transaction, accounts and what is seen of the grid each five minutes, an
event an hour, old samples cleared every six hours. A day goes by in some minutes here, and pages
that wait in memory would be written once where a real day writes them again and again; so all that
waits is written after each minute, which the kernel does twice in it.

The real hub is watched for some minutes at its own pace, and scaled to a day: it shows what else a
hub writes. It clears nothing away in that time.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hems.clock import SystemClock
from hems.commands.scene import Scene
from hems.commands.stage import Stage
from hems.recorder import FLUSH_EVERY_S
from hems.store.store import Store, open_store
from tests.benchmarks.common import Figure
from tests.benchmarks.footprint import ECONOMY, EXTRA_METERS, TABLES
from tests.benchmarks.security_store import BOOKED_S, EVENT_EVERY_S, PRUNED_S, START, book, event
from tests.benchmarks.store_rows import samples
from tests.block_disk import BlockDisk
from tests.e2e.rig import Rig
from tests.waiting import until

DAY_S: Final = 86_400
HOUR_S: Final = 3600
SETTLED_S: Final = 90.0
"""Of a real hub: what its start writes is on the disk by then."""


async def measure(disk: BlockDisk, hours: float) -> dict[str, Figure]:
    """Write so many hours; returns octets of a day by what they are for, MB."""
    store = await open_store(disk.at / "day.db", SystemClock())
    try:
        await _past(store)
        disk.sync()
        before = disk.written
        by_kind = await _hours(store, disk, round(hours * HOUR_S))
        written = disk.written - before
    finally:
        await store.close()
    scale = DAY_S / (hours * HOUR_S) / 1e6
    return {
        "mb_per_day": round(written * scale, 1),
        **{f"mb_per_day_{kind}": round(each * scale, 1) for kind, each in by_kind.items()},
        "day_hours": hours,
    }


async def measure_hub(folder: Path, disk: BlockDisk, seconds: float) -> dict[str, Figure]:
    """Watch a real hub with ten devices whose store is on the disk; scaled to a day, MB."""
    scene = Scene(
        page_port=0,
        extra_meters=EXTRA_METERS,
        economy=(*ECONOMY, "[store]", f'path = "{disk.at / "hub.db"}"'),
        tables=TABLES,
    )
    async with Rig(Stage(folder / "stage", scene)) as rig:
        await until(rig.home, lambda home: home.utility.state == "connected", 60.0, "connected")
        await asyncio.sleep(SETTLED_S)
        disk.sync()
        before = disk.written
        await asyncio.sleep(seconds)
        disk.sync()
        written = disk.written - before
    return {
        "hub_mb_per_day": round(written / seconds * DAY_S / 1e6, 1),
        "hub_watched_s": seconds,
    }


async def _hours(store: Store, disk: BlockDisk, length_s: int) -> Mapping[str, int]:
    by_kind = dict.fromkeys(("samples", "accounts", "events", "clearing"), 0)
    seen = disk.written

    def add(kind: str) -> None:
        nonlocal seen
        disk.sync()
        now = disk.written
        by_kind[kind] += now - seen
        seen = now

    step = round(FLUSH_EVERY_S)
    for at in range(START, START + length_s, step):
        await store.history.append(samples(range(at, at + step)))
        add("samples")
        if at % BOOKED_S == 0:
            await book(store, at)
            add("accounts")
        if at % EVENT_EVERY_S == 0:
            await event(store, at)
            add("events")
        if at % PRUNED_S == 0:
            await store.history.prune(at - DAY_S, minutes_before=at - 35 * DAY_S)
            add("clearing")
    return by_kind


async def _past(store: Store) -> None:
    """Have the day before be there, each second of it."""
    for at in range(START - DAY_S, START, HOUR_S // 6):
        await store.history.append(samples(range(at, at + HOUR_S // 6)))
