"""Somebody sets the clock in mid-event: nothing lapses, and nobody dead looks alive."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest

from der.model import Quality, Setpoint
from der.steps import StepWatch
from hems.cem.base import Base
from hems.cem.cycle import Cycle
from hems.cem.memory import DeviceMemory, Given, Memory, Sample
from hems.cem.orders import Order, due
from hems.cem.policy import AllocatorPolicy
from hems.image import Image, ImageRing
from programs.proposal import Bounds
from programs.signal import Signal, SignalKind
from tests.hems.cem.plant import BATTERY, HEATER, METER, T0, Loop, Plant, limit
from tests.hems.cem.wire import ImageWatch, WallClock, WireDevice

STEPS = [3600.0, -3600.0]
PERIOD_S = 0.1
LAPSE_S = 1.2


@dataclass
class Hands:
    """A clock whose two faces are set by hand."""

    utc: float = T0
    mono: float = 50.0

    def now(self) -> float:
        return self.utc

    def monotonic(self) -> float:
        return self.mono


@pytest.mark.parametrize(
    ("utc_s", "mono_s", "step_s"),
    [(1, 1, 0), (1.0004, 1, 0), (0.6, 1, 0), (3601, 1, 3600), (-3599, 1, -3600), (0, 0.6, -0.6)],
)
def test_a_step_is_what_utc_runs_away_from_the_monotonic_clock(
    utc_s: float, mono_s: float, step_s: float
) -> None:
    clock = Hands()
    watch = StepWatch(clock.now, clock.monotonic)
    clock.utc += utc_s
    clock.mono += mono_s
    assert watch.step_s() == pytest.approx(step_s, abs=1e-6)
    assert watch.step_s() == 0.0


def test_slewing_adds_up_to_no_step() -> None:
    clock = Hands()
    watch = StepWatch(clock.now, clock.monotonic)
    for _ in range(100_000):
        clock.utc += 1.0005
        clock.mono += 1.0
        assert watch.step_s() == 0.0


def test_all_times_in_the_memory_move_and_nothing_else_does() -> None:
    device = DeviceMemory(500.0, -200.0, T0, True, T0 - 5, reach_until=T0 + 9, recent=((T0, 7.0),))
    memory = Memory(
        {"car": device},
        {"car": Given(Setpoint(500, 60), T0)},
        base=Base(300.0, Bounds(300.0, 300.0)),
        base_at=T0,
        returned_at=T0 - 3,
        probe_after=T0 + 2,
        past=(Sample(T0, 300.0, -5.0),),
    )
    back = memory.shifted(-3600)
    assert back.devices["car"] == replace(
        device,
        changed_at=T0 - 3600,
        running_since=T0 - 3605,
        reach_until=T0 - 3591,
        recent=((T0 - 3600, 7.0),),
    )
    assert back.given["car"] == Given(Setpoint(500, 60), T0 - 3600)
    assert (back.base_at, back.returned_at, back.probe_after) == (T0 - 3600, T0 - 3603, T0 - 3598)
    assert back.past == (Sample(T0 - 3600, 300.0, -5.0),)
    assert back.shifted(3600).given["car"].doubtful  # a step forwards may have been a sleep
    assert Memory().shifted(60).base_at == -math.inf


@pytest.mark.parametrize("step_s", STEPS)
@pytest.mark.requirement("ROLE-CEM")
def test_refreshes_go_on_after_a_step_as_if_nothing_had_been(step_s: float) -> None:
    plant = Plant(specs=(METER, BATTERY, HEATER), base_w=8_000, wants={"heater": 2_000})
    loop = Loop(plant)
    wish = limit(4_000, ends_at=T0 + 7_200)
    loop.run(100, wish)
    loop.memory = loop.memory.shifted(step_s)
    plant.at += step_s
    wish = replace(wish, expires_at=wish.expires_at + step_s)
    written: dict[str, list[float]] = {"battery": [], "heater": []}
    for _ in range(2_000):
        made = loop.decide(wish)
        for device, order in made.orders.items():
            if order.write:
                assert order.setpoint is not None
                written[device].append(plant.at)
        plant.step()
    for device, lapse_s in (("battery", 30), ("heater", 900)):
        gaps = [b - a for a, b in pairwise(written[device])]
        assert gaps
        assert max(gaps) <= lapse_s / 2
    assert plant.power["heater"] == 0.0
    assert plant.net_w <= 4_000


@dataclass
class Stage:
    """A battery driven in an event by a running cycle, on real sockets."""

    clock: WallClock = field(default_factory=WallClock)
    watch: ImageWatch = field(default_factory=ImageWatch)
    far: dict[str, WireDevice] = field(
        default_factory=lambda: {
            "meter": WireDevice(replace(METER, max_age_s=0.5), power_w=3_000.0),
            "battery": WireDevice(BATTERY, soc=0.8),
        }
    )

    def signals(self) -> tuple[Signal, ...]:
        """Return a limit that runs for long, whatever the clock shows."""
        now = self.clock.now()
        return (
            Signal("E1", "Peak", SignalKind.IMPORT_LIMIT, 1_500, now - 9, now + 99, binding=True),
        )

    async def images(self, count: int) -> list[Image]:
        """Return the next images."""
        return await self.watch.next(count)


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    made = Stage()
    cycle = Cycle(
        {n: d.device(made.clock, deadline_s=0.3) for n, d in made.far.items()},
        ImageRing(),
        made.clock,
        made.signals,
        [made.watch],
        allocator=AllocatorPolicy(drive_lapse_s=LAPSE_S),
        period_s=PERIOD_S,
    )
    async with contextlib.AsyncExitStack() as stack:
        for device in made.far.values():
            await device.start()
            stack.push_async_callback(device.stop)
        running = asyncio.create_task(cycle.run())
        try:
            yield made
        finally:
            cycle.stop()
            await asyncio.wait_for(running, 10)


@pytest.mark.parametrize("step_s", STEPS)
@pytest.mark.requirement("ROLE-CEM")
async def test_the_cycle_keeps_driving_a_battery_over_a_step(step_s: float) -> None:
    async with stage() as home:
        await home.images(3)
        home.clock.set_s = step_s
        await home.images(3)  # after a step forwards it is told once more at once
        begun = len(home.far["battery"].writes)
        seen = await home.images(round(3 * LAPSE_S / PERIOD_S))
        assert len(home.far["battery"].writes) - begun >= 4
        assert None not in home.far["battery"].writes
        qualities = {s.quality for i in seen for s in i.devices.values()}
        assert qualities == {Quality.GOOD}


@pytest.mark.parametrize("step_s", STEPS)
@pytest.mark.requirement("ROLE-CEM")
async def test_a_dead_device_does_not_look_alive_after_a_step(step_s: float) -> None:
    async with stage() as home:
        await home.images(3)
        await home.far["meter"].stop()
        home.clock.set_s = step_s
        seen = await home.images(round(1.5 / PERIOD_S))
        assert all(i.devices["meter"].quality is Quality.LOST for i in seen[-5:])
        assert seen[-1].net_w is None


@pytest.mark.parametrize(("age_s", "write"), [(0.0, False), (9.9, False), (10.0, True), (-1, True)])
def test_what_was_confirmed_in_the_future_is_told_again(age_s: float, *, write: bool) -> None:
    setpoint = Setpoint(500, 30)
    made = due(Order(setpoint, write=False), Given(setpoint, T0 - age_s), T0)
    assert (made.write, made.refresh) == (write, write)
