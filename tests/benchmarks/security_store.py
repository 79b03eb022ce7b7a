"""What encryption at rest costs: one day's writes of a home with ten devices, plain and encrypted.

The writes are those of the running hub, by the store's own code and in its own batches: a sample
of each device every second, a minute's worth in one transaction; accounts and what is seen of
the grid every five minutes; events, responses, effects and the trail, each durable before the next;
old samples cleared every six hours, a day of which is there at the beginning.

The day goes by in rounds of two hours, of which each is written into a plain file and into an
encrypted one, the one and the other first in turn, so that what else the machine does meanwhile
falls on both. The cost is the median of the rounds' quotients, less one: of the time that passed,
and of processor time alone, which the disk and other programs do not bear on. Both files are on
the disk of the temporary folder.
"""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from certs.keys.store import KeyStore
from hems.clock import SystemClock
from hems.recorder import FLUSH_EVERY_S
from hems.sep2.book.ledger import EventRow, ResponseRow
from hems.store.accounts import AccountRow
from hems.store.cipher import StoreKey
from hems.store.database import Database
from hems.store.effects import Effect
from hems.store.migrate import make
from hems.store.opening import make_ready
from hems.store.store import Store, store_of
from hems.store.visibility import Interval
from tests.benchmarks.common import Figure
from tests.benchmarks.store_rows import DEVICES, samples

DAY_S: Final = 86_400
ROUND_S: Final = 7200
BOOKED_S: Final = 300
PRUNED_S: Final = 21_600
EVENT_EVERY_S: Final = 3600
LFDI: Final = "3E" * 20
START: Final = 1_800_057_600
"""A midnight."""
PAST_STEP_S: Final = 10
"""Of the day that is there at the beginning; the days after are by the second."""


@dataclass(frozen=True, slots=True)
class Took:
    """How long a round took.

    Attributes:
        wall_s: Until it was done.
        cpu_s: Of that on a processor, in all threads.
    """

    wall_s: float
    cpu_s: float


def measure(rounds: int = DAY_S // ROUND_S) -> dict[str, Figure]:
    """Write a day twice and compare.

    Args:
        rounds: How many rounds of the day are written; fewer for a quick look.
    """
    return asyncio.run(_measure(rounds))


async def _measure(rounds: int) -> dict[str, Figure]:
    took: dict[str, list[Took]] = {"plain": [], "encrypted": []}
    sizes: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="store-") as name:
        folder = Path(name)
        stores = {"plain": _plain(folder / "plain.db"), "encrypted": _sealed(folder / "sealed.db")}
        try:
            for store in stores.values():
                await _past(store)
            for number in range(rounds):
                for kind in sorted(stores, reverse=bool(number % 2)):
                    took[kind].append(await _round(stores[kind], START + number * ROUND_S))
        finally:
            for store in stores.values():
                await store.close()
        for kind, store in stores.items():
            sizes[kind] = (await store.file()).path.stat().st_size
    return _figures(took, sizes)


def _figures(took: Mapping[str, list[Took]], sizes: Mapping[str, int]) -> dict[str, Figure]:
    both = list(zip(took["encrypted"], took["plain"], strict=True))
    costs = [sealed.wall_s / plain.wall_s - 1.0 for sealed, plain in both]
    return {
        "encryption_cost": round(statistics.median(costs), 3),
        "encryption_cost_cpu": round(
            statistics.median(sealed.cpu_s / plain.cpu_s - 1.0 for sealed, plain in both), 3
        ),
        "encryption_cost_each": [round(each, 3) for each in costs],
        "store_plain_day_s": round(sum(each.wall_s for each in took["plain"]), 2),
        "store_encrypted_day_s": round(sum(each.wall_s for each in took["encrypted"]), 2),
        "store_plain_cpu_s": round(sum(each.cpu_s for each in took["plain"]), 2),
        "store_encrypted_cpu_s": round(sum(each.cpu_s for each in took["encrypted"]), 2),
        "store_rounds": len(costs),
        "store_samples": len(costs) * ROUND_S * DEVICES,
        "store_plain_mb": round(sizes["plain"] / 1e6, 1),
        "store_encrypted_mb": round(sizes["encrypted"] / 1e6, 1),
    }


def _plain(path: Path) -> Store:
    def ready() -> StoreKey | None:
        make(path, None)
        return None

    return store_of(Database(path, ready), SystemClock())


def _sealed(path: Path) -> Store:
    return store_of(Database(path, lambda: make_ready(path, KeyStore())), SystemClock())


async def _past(store: Store) -> None:
    """Have the day before be there."""
    for begins in range(START - DAY_S, START, BOOKED_S):
        at = range(begins, begins + BOOKED_S, PAST_STEP_S)
        await store.history.append(samples(at))


async def _round(store: Store, start: int) -> Took:
    """Write a round; returns how long it took."""
    begun, worked = time.perf_counter(), time.process_time()
    step = round(FLUSH_EVERY_S)
    for at in range(start, start + ROUND_S, step):
        seconds = range(at, at + step)
        await store.history.append(samples(seconds))
        if at % BOOKED_S == 0:
            await book(store, at)
        if at % EVENT_EVERY_S == 0:
            await event(store, at)
        if at % PRUNED_S == 0:
            await store.history.prune(at - DAY_S, minutes_before=at - 35 * DAY_S)
    return Took(time.perf_counter() - begun, time.process_time() - worked)


async def book(store: Store, at: int) -> None:
    """Write what the hub does each five minutes: an account, the prices, three intervals."""
    quarter = at - at % 900
    minutes = {at - 60 * back: json.dumps({"import_wh": 12.5, "price": 0.3}) for back in range(5)}
    row = replace(_ROW, start=quarter)
    await store.accounts.put([row], "{}", minutes, settled=quarter, end=at + 60)
    await store.visibility.add([Interval(at, BOOKED_S, phase, 500.0) for phase in "ABC"], [])


async def event(store: Store, at: int) -> None:
    """One event an hour: received, started, ended, with what each device did."""
    mrid = f"{at:032X}"
    row = EventRow(
        mrid, "utility", "DERControl", "P", "Peak", 1, True, bytes(900), 0, 0, 0, "received"
    )
    for status, phase in enumerate(("received", "started", "ended"), start=1):
        response = ResponseRow(
            mrid, LFDI, status, "", at, "/rsp", "DERControlResponse", server="utility"
        )
        await store.ledger.save([replace(row, phase=phase)], [response])
    for device in range(DEVICES):
        await store.effects.note(
            [Effect(mrid, "import-limit", f"device-{device}", 1500.0, -3.0, written_at=at)]
        )


_ROW: Final = AccountRow(
    start=0,
    import_wh=250.0,
    export_wh=0.0,
    sun_wh=0.0,
    self_wh=0.0,
    used_wh=250.0,
    own_wh=0.0,
    cost=0.075,
    revenue=0.0,
    charges=0.01,
    carbon_kg=0.1,
    cost_no_control=0.08,
    cost_greedy=0.08,
    measured=1.0,
    registers=False,
    currency="EUR",
)
