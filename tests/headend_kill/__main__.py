"""Kills workers, the database and the broker while events are dispatched to many homes.

`python -m tests.headend_kill --times 30 --homes 1000 --seed 1`. Each time some orders are given by
the operator's door, by the enterprise's door and by the broker, and at a random instant of that one
of them is ended by SIGKILL, and started again. Then it is waited until nothing more is to come.

Every acknowledged order must be at every home, once, as one event; no order may be two events,
none that was refused for good may be one; each home's three answers must be kept once; and the
enterprise's trail must tell what became of each message. The last line of the output is JSON.
"""

import argparse
import asyncio
import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

import asyncpg

from certs.pki import init_pki
from tests.headend_kill.orders import Desk, Order
from tests.headend_kill.rig import Rig
from tests.headend_kill.verdict import Verdict, facts, judge, settled

FAULTS: Final = ("worker", "database", "broker")
WAYS: Final = ("operator", "operator", "operator", "http", "http", "nats", "nats")
"""By which the orders of one time go."""
SPREAD_S: Final = 5.0
"""In which the orders are given, and something is killed."""
AWAY_S: Final = 3.0
"""How long what is killed is away, at most."""
EVENT_S: Final = 30
"""A home that cannot ask while an event is there will not know it; so they last."""
REST_S: Final = 180.0
"""How long it may take, behind the last event, until nothing more is to come."""
LOOK_S: Final = 1.0
_FIRST_W: Final = 1000


@dataclass(slots=True)
class Run:
    """What happened so far.

    Attributes:
        orders: All that were given.
        faults: What was killed, one after the other.
        took_s: How long it took each time until nothing more was to come, from the first order.
        homes: What the homes say.
        verdict: What is wrong.
        stuck: Times at which it never came to rest.
    """

    orders: list[Order] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    took_s: list[float] = field(default_factory=list)
    homes: dict[str, Any] = field(default_factory=dict)
    verdict: Verdict = field(default_factory=Verdict)
    stuck: list[int] = field(default_factory=list)

    @property
    def well(self) -> bool:
        """Whether nothing is wrong."""
        return bool(self.verdict) and not self.stuck and not self.homes.get("wrong")


async def run(
    folder: Path,
    times: int,
    homes: int,
    seed: int,
    *,
    at_once: int = 1,
    lead_s: int | None = None,
) -> Run:
    """Run the whole of it.

    Args:
        folder: For all files.
        times: How often something is killed.
        homes: How many homes there are.
        seed: Of what is drawn.
        at_once: How many kills fall into one dispatch.
        lead_s: From the first order until the first event starts; None for what as many homes
            take to come back to a busy machine.
    """
    lead_s = lead_s or round(20 + 0.05 * homes)
    rng, made = random.Random(seed), Run()  # noqa: S311 - draws, not secrets
    pki = await asyncio.to_thread(init_pki, folder / "pki")
    rig = Rig(folder, pki, homes)
    await asyncio.to_thread(rig.__enter__)
    try:
        desk = Desk(rig)
        await desk.enter()
        await asyncio.to_thread(rig.begin)
        turns = -(-times // len(FAULTS))
        faults = [fault for _ in range(turns) for fault in rng.sample(FAULTS, len(FAULTS))][:times]
        for first in range(0, times, at_once):
            part = faults[first : first + at_once]
            await _time(rig, desk, rng, made, faults=part, lead_s=lead_s)
            print(f"{len(made.faults)} of {times}: {_line(made)}", file=sys.stderr, flush=True)
        made.homes = await asyncio.to_thread(rig.homes.report)
        made.verdict = judge(made.orders, await facts(rig.database), made.homes, homes)
    finally:
        await asyncio.to_thread(rig.__exit__)
    return made


async def _time(
    rig: Rig, desk: Desk, rng: random.Random, made: Run, *, faults: Sequence[str], lead_s: int
) -> None:
    """Give orders, kill something, and wait until nothing more is to come."""
    begun, start = time.monotonic(), int(time.time()) + lead_s
    made.faults += faults
    first = _FIRST_W + len(made.orders)
    orders = [Order(way, first + n, start + n, EVENT_S) for n, way in enumerate(WAYS)]
    made.orders += orders
    async with asyncio.TaskGroup() as tasks:
        for order in orders:
            tasks.create_task(_give(desk, order, rng.uniform(0.0, SPREAD_S)))
        for fault in faults:
            after_s, away_s = rng.uniform(0.0, SPREAD_S), rng.uniform(0.1, AWAY_S)
            tasks.create_task(_break(rig, fault, rng.randrange(100), after_s, away_s))
    until = begun + lead_s + EVENT_S + REST_S
    while True:
        homes = await asyncio.to_thread(rig.homes.report)
        try:
            known = await facts(rig.database)
        except (OSError, asyncpg.PostgresError, TimeoutError):
            known = None  # it is coming back
        if known is not None and settled(made.orders, known, homes, rig.count):
            break
        if time.monotonic() > until:
            why = judge(made.orders, known, homes, rig.count) if known else "no database"
            long = f"seconds without a poll that was answered, by home: {dict(homes['long'])}"
            print(f"it does not come to rest: {why}; {long}", file=sys.stderr, flush=True)
            made.stuck.append(len(made.faults))
            break
        await asyncio.sleep(LOOK_S)
    made.took_s.append(time.monotonic() - begun)
    made.homes = homes


async def _give(desk: Desk, order: Order, after_s: float) -> None:
    await asyncio.sleep(after_s)
    await desk.give(order)


async def _break(rig: Rig, what: str, which: int, after_s: float, away_s: float) -> None:
    """Kill something, and start it again."""
    await asyncio.sleep(after_s)
    if what == "worker":
        worker = rig.workers[which % len(rig.workers)]
        await asyncio.to_thread(worker.kill)
        await asyncio.sleep(away_s)
        await asyncio.to_thread(worker.back)
        return
    server = rig.postgres if what == "database" else rig.nats
    await asyncio.to_thread(server.kill)
    await asyncio.sleep(away_s)
    await asyncio.to_thread(server.start)


def _line(made: Run) -> str:
    states = Counter(f"{order.way} {order.state}" for order in made.orders[-len(WAYS) :])
    shown = ", ".join(f"{count} {name}" for name, count in sorted(states.items()))
    return f"{made.faults[-1]} killed last; {shown}; at rest after {made.took_s[-1]:.1f} s"


def figures(made: Run, homes: int) -> dict[str, object]:
    """Return what is to be told."""
    states = Counter(f"{order.way}_{order.state}" for order in made.orders)
    return {
        "well": made.well,
        "times": len(made.faults),
        "homes": homes,
        "killed": dict(Counter(made.faults)),
        "orders": dict(sorted(states.items())),
        "events": len(made.homes["held"]),
        "answers": sum(made.homes["answered"].values()),
        "notified": made.homes["notified"],
        "sessions": made.homes["sessions"],
        "rest_p50_s": round(median(made.took_s), 1),
        "rest_max_s": round(max(made.took_s), 1),
        "stuck": made.stuck,
        "wrong_answers": dict(made.homes["wrong"]),
        "lost": made.verdict.lost,
        "doubled": made.verdict.doubled,
        "ghosts": made.verdict.ghosts,
        "responses": made.verdict.answers,
        "trail": made.verdict.trail,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it and print; returns 0 where all is well."""
    line = argparse.ArgumentParser(prog="python -m tests.headend_kill", description=__doc__)
    line.add_argument("--times", type=int, default=30, help="how often something is killed")
    line.add_argument("--homes", type=int, default=1000, help="how many homes there are")
    line.add_argument("--seed", type=int, default=1, help="of what is drawn")
    line.add_argument("--at-once", type=int, default=1, help="how many kills fall in one dispatch")
    line.add_argument("--lead", type=int, help="s from the first order until the first event")
    line.add_argument("--folder", type=Path, help="for all files; kept then")
    options = line.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that nothing is left running
    with tempfile.TemporaryDirectory(prefix="headend-kill-", ignore_cleanup_errors=True) as name:
        folder = options.folder or Path(name)
        made = asyncio.run(
            run(
                folder,
                options.times,
                options.homes,
                options.seed,
                at_once=options.at_once,
                lead_s=options.lead,
            )
        )
    print(json.dumps(figures(made, options.homes)))
    return 0 if made.well else 1


if __name__ == "__main__":
    sys.exit(main())
