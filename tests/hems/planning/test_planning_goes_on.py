"""Planning goes on: planners that die, stores that fail, clocks that are set, plans that age."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from hems.planning.occasion import Pace
from hems.planning.planning import GOOD_S, Planning
from hems.store.errors import StoreError
from hems.store.history import Sample
from tests.hems.planning.home import image
from tests.hems.planning.test_planning import CLOCK, World, planning, seen

SELDOM = Pace(every_s=3_600.0, least_s=0.1)
"""Without an occasion there is no second plan within the test."""

ANSWERS = """
import json, os, sys
{first}
for line in sys.stdin:
    asked = json.loads(line)
    row = [0.0] * asked["slots"]["count"]
    plan = dict(made_at=asked["at"], slots=asked["slots"], devices={{}}, load_w=row, sun_w=row,
        net_w=row, cost=0.0, objective=0.0, notes=["told of " + str(len(asked["past"]))])
    print(json.dumps({{"number": asked["number"], "plan": plan}}), flush=True)
    {then}
"""


def planner(first: str = "", then: str = "pass") -> tuple[str, ...]:
    """Return a planner that foretells nothing, and notes how much it was told of the past."""
    return (sys.executable, "-c", ANSWERS.format(first=first, then=then))


@dataclass
class SetClock:
    """The machine's clock, which somebody sets."""

    ahead_s: float = 0.0

    def now(self) -> float:
        return time.time() + self.ahead_s

    def monotonic(self) -> float:
        return time.monotonic()


def made_after(made: Planning, number: int) -> Callable[[], bool]:
    return lambda: made.plan is not None and made.plan[0].number > number


def notes(made: Planning) -> tuple[str, ...]:
    return () if made.plan is None else made.plan[1].notes


@pytest.mark.requirement("ROLE-CEM")
async def test_a_planner_that_died_between_questions_is_told_the_past_again(tmp_path: Path) -> None:
    world = World()
    async with planning(world, tmp_path, planner(then="break"), pace=SELDOM) as made:
        at = CLOCK.now() - 7_200.0
        await made._store.history.append([Sample(at, "meter", 800.0)])
        await seen(made_after(made, 0), "a plan")
        assert notes(made) == ("told of 1",)
        await seen(lambda: made.pid is None, "the planner's end")
        world.version = 1
        await seen(made_after(made, 1), "another plan")
        assert notes(made) == ("told of 1",)
        assert set(world.alarms) == {None}


@pytest.mark.requirement("ROLE-CEM")
async def test_what_failed_is_tried_again_soon_and_not_at_the_next_regular_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hems.planning.planning._FIRST_PAUSE_S", 0.1)
    tried = tmp_path / "tried"
    fails = f"if not os.path.exists({str(tried)!r}): os.mkdir({str(tried)!r}); sys.exit(1)"
    world = World()
    async with planning(world, tmp_path, planner(first=fails), pace=SELDOM) as made:
        await seen(made_after(made, 0), "a plan at the second try")
        assert len(world.alarms) == 2
        assert world.alarms[-1] is None


@pytest.mark.requirement("ROLE-CEM")
@pytest.mark.parametrize("fails", ["_chronicle.since", "_stays.save"])
async def test_a_store_that_cannot_be_used_costs_no_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    async def full(*_: object) -> None:
        raise StoreError("the disk is full")

    world = World()
    async with planning(world, tmp_path, planner(), pace=SELDOM) as made:
        part, name = fails.split(".")
        with monkeypatch.context() as patch:
            patch.setattr(getattr(made, part), name, full)
            await seen(made_after(made, 0), "a plan all the same")
            assert str(world.alarms[-1]).endswith("the disk is full")
        world.version = 1
        await seen(made_after(made, 1), "another plan")
        assert world.alarms[-1] is None


@pytest.mark.requirement("ROLE-CEM")
@pytest.mark.parametrize("step_s", [-3_600.0, 3_600.0])
async def test_when_the_clock_is_set_it_is_planned_anew(tmp_path: Path, step_s: float) -> None:
    clock = SetClock()
    world = World(clock=clock)
    async with planning(world, tmp_path, planner(), pace=SELDOM) as made:
        await seen(made_after(made, 0), "a plan")
        before = made.policy.good_until
        clock.ahead_s = step_s
        world.live()
        made.take_image(image(clock.now()))
        assert made.policy.good_until <= clock.now() + GOOD_S
        await seen(made_after(made, 1), "a plan by the new time")
        assert made.policy.good_until == pytest.approx(before + step_s, abs=60.0)


async def test_a_clock_that_is_put_right_by_little_is_no_occasion(tmp_path: Path) -> None:
    clock = SetClock()
    async with planning(World(clock=clock), tmp_path, planner(), pace=SELDOM) as made:
        await seen(made_after(made, 0), "a plan")
        clock.ahead_s = -2.0
        made.take_image(image(clock.now()))
        assert made._occasion.asked_at is not None


async def test_a_plan_that_is_no_longer_followed_is_no_longer_shown(tmp_path: Path) -> None:
    clock = SetClock()
    async with planning(World(clock=clock), tmp_path, planner(), pace=SELDOM) as made:
        await seen(made_after(made, 0), "a plan")
        clock.ahead_s = GOOD_S + 60.0
        assert made.plan is None


async def test_what_cannot_be_planned_is_said_with_the_plan(tmp_path: Path) -> None:
    world = World()
    async with planning(world, tmp_path, planner(), pace=SELDOM) as made:
        world.ring.swap(image(CLOCK.now(), soc=None))
        await seen(made_after(made, 0), "a plan")
        assert "Battery does not tell its charge or capacity" in notes(made)
