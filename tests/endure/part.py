"""One process of the simulated week: `python -m tests.endure.part FOLDER NUMBER DAYS SEED CYCLE`.

It takes the files up as they are, lets the hub, its utility and its devices live from its begin to
its end, and writes down what was measured. What the devices themselves hold goes on with the next.
"""

import asyncio
import dataclasses
import gc
import json
import logging
import random
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web_app

from certs.keys.opening import key_store
from certs.pki import init_pki, open_pki
from hems.cem.policy import AllocatorPolicy
from hems.cem.sentry import NO_SENTRY
from hems.commands.store_start import opened_store
from hems.home import Home
from hems.means import Means
from hems.planning.occasion import Pace
from hems.scenarios.hub_side import hub_config
from hems.scenarios.parts import Ill
from hems.scenarios.premises import Premises
from hems.scenarios.script import Script
from hems.scenarios.utility_side import UtilitySide
from hems.scenarios.virtual_time import VirtualClock, VirtualLoop, run_at_once
from tests.endure.desk import FarDesk
from tests.endure.disk import Disk
from tests.endure.former import first_version, version_before
from tests.endure.gauge import (
    Durations,
    Lines,
    counted_responses,
    sample,
    stored_bytes,
    stored_minutes,
    timed_cycles,
)
from tests.endure.handover import hand_over, take_over
from tests.endure.home import ZONE, home
from tests.endure.limits import Limits
from tests.endure.measured import Measured
from tests.endure.plan import Fault, Order, Plan, Trouble, parts, planned

SAMPLED_S: Final = 900.0
_RESTART_S: Final = 20.0
_STEPPED_S: Final = 40.0
_REPLACED_S: Final = 45.0
"""How long the replacing of the software takes, during which devices are on their own."""
_ANSWERED: Final = 2
"""Within so many cycles a step that nobody foresees is answered (docs/operate.md, Slope)."""
_STATE: Final = "devices.pickle"
_DEAF: Final = frozenset({Ill.OFF, Ill.SILENT, Ill.STUCK})
"""A device that is ill so does nothing that it is told."""


class Part:
    """One process's share of a run.

    Args:
        folder: Where all files are.
        number: Which share, from 0.
        plan: The whole run.
        script: The home.
        lines: Counts what is logged.
        trace: Whether to say where memory grows.
    """

    def __init__(
        self, folder: Path, number: int, plan: Plan, script: Script, lines: Lines, *, trace: bool
    ) -> None:
        self._folder = folder
        self._number = number
        self._plan = plan
        self._script = script
        self._trace = trace
        begins, ends = parts(plan)[number]
        self._first = number == 0
        self.measured = Measured(begins, ends, "")
        self._known: dict[str, str] = {}
        self._limits = Limits(_ANSWERED * script.step)
        self._home: Home | None = None
        self._reign: asyncio.Task[None] | None = None
        self._disk = Disk()
        self._desk = FarDesk()
        self._durations = Durations()
        self._lines = lines
        self._begun = time.perf_counter()

    async def live(self) -> None:
        """Live from its begin to its end."""
        loop = asyncio.get_running_loop()
        if not isinstance(loop, VirtualLoop):
            raise TypeError("a week is lived on virtual time")
        measured = self.measured
        self._clock = VirtualClock(loop, measured.begins_at)
        self._true = VirtualClock(loop, measured.begins_at)
        before = self._folder / "orders.json"
        self._known = json.loads(before.read_text("utf-8")) if before.exists() else {}
        side = self._utility_side()
        await side.start()
        self._utility = side
        (self._folder / "port").write_text(side.server.addresses.base_url.rpartition(":")[2])
        self._config = hub_config(self._script, self._folder, side.section())
        self._former()
        self._premises = Premises(self._script, self._config, self._clock, self._script.seed)
        take_over(self._folder / _STATE, self._premises)
        try:
            with timed_cycles(self._durations), counted_responses(measured.came):
                async with self._passing():
                    await self._through()
            if not side.up:
                await side.start()
            for mrid in self._known.values():
                measured.answers[mrid] = [each.status for each in await side.answers(mrid)]
        finally:
            await side.stop()
            self._disk.close()
        measured.minutes = stored_minutes(self._config.store.path, self._plan.begins_at)
        before.write_text(json.dumps(self._known), encoding="utf-8")
        hand_over(self._folder / _STATE, self._premises, self._true.monotonic())

    def write(self) -> None:
        """Write down what was measured so far, for who judges it or looks on."""
        measured, limits = self.measured, self._limits
        measured.took_s = time.perf_counter() - self._begun
        measured.cycles = self._durations.counts
        measured.longest_s = self._durations.longest_s
        measured.kept_s, measured.answered_s = limits.kept_s, limits.answered_s
        measured.broken_s, measured.helpless_s = limits.broken_s, limits.helpless_s
        measured.breaches = [each.told(self._plan.begins_at) for each in limits.breaches]
        measured.lines, measured.faults = dict(self._lines.said), dict(self._lines.faults)
        measured.store_bytes = stored_bytes(self._folder / "hems.db")
        found = json.dumps(dataclasses.asdict(measured))
        (self._folder / f"part-{self._number}.json").write_text(found, encoding="utf-8")

    def _utility_side(self) -> UtilitySide:
        folder = self._folder / "pki"
        pki = init_pki(folder) if self._first else open_pki(folder)
        port = self._folder / "port"
        over = dict(self._script.utility or {})
        if port.exists():
            over["port"] = int(port.read_text())
        return UtilitySide(over, self._folder, pki, self._true)

    def _former(self) -> None:
        path = self._config.store.path
        if self._first:
            first_version(path, self._clock.now())
            self.measured.from_revision = "0001"
        else:
            self.measured.from_revision = version_before(path)

    @asynccontextmanager
    async def _passing(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            beside = [tasks.create_task(each) for each in (self._physics(), self._sampling())]
            if not self._first:
                await asyncio.sleep(_REPLACED_S)
            self._reign = tasks.create_task(self._reigning())
            yield
            for task in beside:
                task.cancel()
            await self._end_hub()

    # The home and its devices.

    async def _physics(self) -> None:
        step_s = self._script.step
        due = self._true.monotonic() + step_s / 2
        while True:
            await asyncio.sleep(due - self._true.monotonic())
            net_w = self._premises.step(step_s).meter.power_w
            if self._home is not None:
                now = self._true.now()
                self._limits.see(now, net_w, step_s, self._told, least_w=self._least_w())
            due += step_s

    def _least_w(self) -> float:
        """Return the least that anybody could have the home import now, W.

        What nobody controls, what cannot be reached or does not do what it is told, and all that
        the battery can give, of which a part is the owner's.
        """
        home, parts = self._premises.now, self._premises.parts
        flexible = {
            "car": home.ev.power_w,
            "water_heater": home.water_heater.power_w,
            "heat_pump": home.heat_pump.power_w,
        }
        stays_w = sum(power_w for name, power_w in flexible.items() if parts[name].ill in _DEAF)
        if parts["battery"].ill in _DEAF:
            battery_w = home.battery.power_w
        else:
            rated_w = abs(parts["battery"].spec.min_w)
            battery_w = -rated_w if home.soc > AllocatorPolicy().reserve_soc else 0.0
        return home.base.power_w + home.pv.power_w + stays_w + battery_w

    def _told(self) -> str:
        """Return what each device does, what it is told and what is wrong with it."""
        home = self._premises.now
        power = {
            "base": home.base.power_w,
            "pv": home.pv.power_w,
            "battery": home.battery.power_w,
            "car": home.ev.power_w,
            "water_heater": home.water_heater.power_w,
            "heat_pump": home.heat_pump.power_w,
        }
        words = [f"battery at {home.soc:.0%}"]
        for name, power_w in power.items():
            part = self._premises.parts.get(name)
            asked_w = None if part is None else part.asked_w()
            told = "" if asked_w is None else f" told {asked_w:.0f}"
            words.append(f"{name} {power_w:.0f} W{told}")
        ill = [f"{name} is {part.ill}" for name, part in self._premises.parts.items() if part.ill]
        return ", ".join((*words, *ill))

    # The hub.

    async def _reigning(self) -> None:
        config = self._config
        opened = await opened_store(config.store.path, self._clock, key_store(config.keys.settings))
        store = opened.store
        seed = f"{self._script.seed}/draws/{self.measured.begins_at}"
        chance = random.Random(seed)  # noqa: S311 - no secret
        pace = Pace(every_s=self._script.planner_every, least_s=300.0, calm_s=1800.0)
        means = Means(chance, self._desk, pace, NO_SENTRY)
        try:
            home = Home(config, self._clock, store, self._premises.registry(), means)
            home.alarms.lasting("store", opened.trouble)
            self._home = home
            await home.run()
        finally:
            self._home = None
            await store.close()

    async def _end_hub(self) -> None:
        if self._home is not None:
            self.measured.alarms = list(self._home.front.snapshot().alarms)
            self._home.stop()
        if self._reign is not None:
            await self._reign
        self._reign = None
        gc.collect()  # as the end of a process leaves nothing of it

    async def _sampling(self) -> None:
        first: tracemalloc.Snapshot | None = None
        warm = self.measured.begins_at + (self.measured.ends_at - self.measured.begins_at) * 0.3
        while True:
            await asyncio.sleep(SAMPLED_S)
            now = self._true.now()
            whole = self._home is not None and self._utility.up
            took = sample(now, asyncio.all_tasks(), whole=whole)
            with (self._folder / f"samples-{self._number}.jsonl").open("a") as file:
                # Kept in here, they would be what grows.
                file.write(json.dumps(dataclasses.asdict(took)) + "\n")
            if self._trace and now >= warm:
                snapshot = tracemalloc.take_snapshot()
                if first is None:
                    first = snapshot
                self.measured.grown = [
                    str(each) for each in snapshot.compare_to(first, "lineno")[:25]
                ]
            self.write()

    # What happens.

    async def _through(self) -> None:
        measured = self.measured
        acts = [act for act in self._acts() if measured.begins_at <= act[0] < measured.ends_at]
        for at, do in sorted(acts, key=lambda act: act[0]):
            await asyncio.sleep(max(at - self._true.now(), 0.0))
            await do()
        await asyncio.sleep(measured.ends_at - self._true.now())

    def _acts(self) -> list[tuple[float, Callable[[], Awaitable[Any]]]]:
        acts: list[tuple[float, Callable[[], Awaitable[Any]]]] = []
        for order in self._plan.orders:
            acts.append((order.told_at, partial(self._dispatch, order)))
            if order.cancelled_at is not None:
                acts.append((order.cancelled_at, partial(self._cancel, order)))
        for trouble in self._plan.troubles:
            acts.append((trouble.begins_at, partial(self._trouble, trouble, begins=True)))
            acts.append((trouble.ends_at, partial(self._trouble, trouble, begins=False)))
        acts += [(at, partial(self._prices, at)) for at in self._plan.prices_at]
        return acts

    async def _dispatch(self, order: Order) -> None:
        body = {
            **order.asks,
            "program": order.program,
            "seconds": order.lasts_s,
            "start": order.starts_at,
            "randomize_start_s": order.random_s,
            "randomize_duration_s": order.random_s,
        }
        if order.program == "Reserve":
            await self._grant()
        made = await self._utility.ask("POST", "/events", body)
        self._known[order.name] = self.measured.orders[order.name] = made["id"]
        limit_w = order.asks.get("limit_import_w")
        if limit_w is not None and not order.random_s:
            self._limits.hold(order, limit_w)

    async def _stop_utility(self) -> None:
        """Have the utility end as a process does, of which nothing is left.

        aiohttp remembers the last thousand handlers that it has wrapped, and with them the whole
        server, which would look like memory that the hub does not give back.
        """
        await self._utility.stop()
        name = "_cached_build_middleware"  # it has no other way
        getattr(web_app, name).cache_clear()
        gc.collect()

    async def _grant(self) -> None:
        known = await self._utility.ask("GET", "/reservations", {})
        wanted = [
            each["id"]
            for each in known["reservations"]
            if each["state"] == "open" and each["start"] > self._true.now()
        ]
        if wanted:
            await self._utility.ask("POST", f"/reservations/{wanted[0]}/grant", {})

    async def _cancel(self, order: Order) -> None:
        await self._utility.cancel(self._known[order.name], randomized=False)

    async def _prices(self, at: float) -> None:
        begin = at // 3600 * 3600
        prices = [
            {
                "start": datetime.fromtimestamp(begin + 3600 * hour, UTC).isoformat(),
                "minutes": 60,
                "price": round(0.2 + 0.1 * (hour % 12 > 7), 3),
            }
            for hour in range(24)
        ]
        told = {"tariff": "Day ahead", "currency": "EUR", "prices": prices}
        await self._utility.ask("PUT", "/prices", told)

    async def _trouble(self, trouble: Trouble, *, begins: bool) -> None:
        match trouble.fault:
            case Fault.UTILITY:
                await (self._stop_utility() if begins else self._utility.start())
            case Fault.RESTART:
                if begins:
                    await self._end_hub()
                    await asyncio.sleep(_RESTART_S)
                    self._reign = self._tasks.create_task(self._reigning())
            case Fault.CLOCK:
                self._clock.set_by(_STEPPED_S if begins else -_STEPPED_S)
            case Fault.DISK:
                self._disk.full = begins
            case _:
                ill = Ill(trouble.fault.value) if begins else None
                self._premises.parts[trouble.device].fall_ill(ill)


def main(folder: Path, number: int, *, days: float, seed: int, cycle_s: float, trace: bool) -> None:
    """Live one part of a run and write down what was measured."""
    lines = Lines()
    logging.basicConfig(level=logging.INFO, handlers=[lines])
    plan = planned(days, seed)
    wall = datetime.fromtimestamp(plan.begins_at, ZoneInfo(ZONE)).replace(tzinfo=None)
    script = home(wall.isoformat(), cycle_s=cycle_s, seed=seed)
    part = Part(folder, number, plan, script, lines, trace=trace)
    if trace:
        tracemalloc.start(8)
    run_at_once(part.live())
    part.write()


if __name__ == "__main__":
    where, which, days, seed, cycle, *more = sys.argv[1:]
    main(
        Path(where),
        int(which),
        days=float(days),
        seed=int(seed),
        cycle_s=float(cycle),
        trace=bool(more),
    )
