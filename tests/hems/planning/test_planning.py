"""Planning with a real store and real planner processes, good ones and bad ones."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hems.cem.memory import Memory
from hems.cem.planner.problem import Prices
from hems.cem.slots import Slots
from hems.clock import Clock, SystemClock
from hems.image import ImageRing
from hems.planning.desk import COMMAND, Desk
from hems.planning.gather import Known, Wanted, roles
from hems.planning.limits import Agreed
from hems.planning.occasion import Pace
from hems.planning.planning import GOOD_S, Planning, Site, Sources
from hems.store.store import open_store
from programs.economy import Use
from programs.signal import Signal, SignalKind
from tests.hems.planning.home import SPECS, image
from tests.waiting import until

CLOCK = SystemClock()
QUICK = Pace(least_s=0.1)


@dataclass
class World:
    """What the planning rests on, and what it tells."""

    ring: ImageRing = field(default_factory=ImageRing)
    asked: list[Signal] = field(default_factory=list)
    near_price: float = 0.1
    version: int = 0
    alarms: list[str | None] = field(default_factory=list)
    told: int = 0
    clock: Clock = CLOCK

    def prices(self, slots: Slots) -> Prices:
        """Cheap or dear for the first two slots."""
        near = [self.near_price] * 2
        return Prices((*near, *(0.3,) * (slots.count - 2)), (0.05,) * slots.count)

    def tell(self) -> None:
        self.told += 1

    def live(self) -> None:
        self.ring.swap(image(self.clock.now(), pv_w=0.0, battery_w=0.0, load_w=1_000.0))


@asynccontextmanager
async def planning(
    world: World,
    folder: Path,
    command: tuple[str, ...] = COMMAND,
    *,
    pace: Pace = QUICK,
) -> AsyncIterator[Planning]:
    store = await open_store(folder / "hems.db", world.clock)
    made = Planning(
        Site(
            ZoneInfo("Europe/Berlin"),
            14_490.0,
            Agreed(),
            Known(roles(SPECS, [], [])),
            {spec.id: spec for spec in SPECS},
        ),
        Sources(
            lambda _now: world.asked,
            Memory,
            world.prices,
            lambda _image: Wanted(),
            lambda: None,
            lambda: world.version,
        ),
        store,
        world.ring,
        world.clock,
        tell=world.tell,
        alarm=world.alarms.append,
        desk=Desk(command, answer_s=30.0),
        pace=pace,
    )
    world.live()

    async def cycles() -> None:
        while (image := world.ring.present) is not None:
            made.take_image(image)
            await asyncio.sleep(0.1)

    running = [asyncio.create_task(each) for each in (made.run(), cycles())]
    try:
        yield made
    finally:
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        assert made.pid is None, "the planner has ended with its hub"
        await store.close()


async def seen(look: Callable[[], bool], what: str) -> None:
    async def found() -> bool:
        return look()

    watch: Callable[[], Awaitable[bool]] = found
    await until(watch, bool, 30.0, what)


@pytest.mark.requirement("ROLE-CEM")
async def test_a_plan_comes_and_follows_what_it_rests_on(tmp_path: Path) -> None:
    world = World()
    async with planning(world, tmp_path) as made:
        await seen(lambda: made.plan is not None, "a plan")
        assert made.plan is not None
        question, _ = made.plan
        step = made.policy.steps["battery"][0]
        assert step.use is Use.CHARGE, "what is cheap for half an hour is bought in it"
        assert made.policy.good_until == question.at + GOOD_S
        assert world.told >= 1
        assert world.alarms[-1] is None

        world.near_price, world.version = 0.6, 1
        await seen(
            lambda: made.policy.steps["battery"][0].use is not Use.CHARGE, "another price's plan"
        )
        now = CLOCK.now()
        world.asked = [
            Signal("E", "P", SignalKind.IMPORT_LIMIT, 500.0, now + 3_600, now + 7_200, True)
        ]
        await seen(
            lambda: made.plan is not None and min(made.plan[0].limits.import_w) == 500.0,
            "a plan that knows the event",
        )


@pytest.mark.requirement("ROLE-CEM")
@pytest.mark.parametrize(
    "body", ["raise SystemExit(3)", "print('{}')", "import time; time.sleep(99)"]
)
async def test_without_a_planner_the_owner_is_told_and_nothing_is_planned(
    tmp_path: Path, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    monkeypatch.setattr("hems.planning.planning._FIRST_PAUSE_S", 0.1)
    async with planning(world, tmp_path, (sys.executable, "-c", body)) as made:
        if "sleep" in body:
            made._desk._answer_s = 0.5
        await seen(lambda: bool(world.alarms), "an alarm")
        assert str(world.alarms[0]).startswith("The home runs without a new plan: ")
        assert made.policy.steps == {}
        assert made.plan is None
