"""One device as the cycle sees it, where the world is not as it should be."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from der.commands import Command
from der.errors import RejectedError, TransientError
from der.model import Connection, DeviceSpec, Quality, Reading, Safeguard, Setpoint
from der.service import A, Device, Link
from hems.cem.orders import Order
from hems.cem.station import Station, Written
from tests.hems.cem.plant import BATTERY, CAR, METER, T0


@dataclass
class Hands:
    """A clock set by hand."""

    utc: float = T0
    mono: float = 0.0

    def now(self) -> float:
        return self.utc

    def monotonic(self) -> float:
        return self.mono


@dataclass
class Reporter:
    """A link whose device reports by itself: a read gives what was said last."""

    said: Reading
    fails: str = ""
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    closed: int = 0
    connection: Connection = field(default_factory=lambda: Connection("here"))
    safeguard: Safeguard = field(default_factory=Safeguard)

    def __post_init__(self) -> None:
        self.hold.set()

    async def read(self) -> Reading:
        await self.hold.wait()
        if self.closed and self.fails:
            raise TransientError(self.fails)
        return self.said

    async def write(self, setpoint: Setpoint | None) -> None:
        if self.fails:
            raise TransientError(f"{self.fails} {setpoint}")

    async def ioctl(self, command: Command[A]) -> object:
        raise RejectedError(command)

    async def close(self) -> None:
        self.closed += 1


@dataclass
class Bench:
    """A station on a reporter."""

    spec: DeviceSpec
    link: Reporter
    clock: Hands = field(default_factory=Hands)
    written: list[Written] = field(default_factory=list)
    opened: int = 0

    def __post_init__(self) -> None:
        async def connect() -> Link:
            self.opened += 1
            return self.link

        device = Device(self.spec, connect)
        self.station = Station(device, self.clock, lambda _: None, self.written.append)

    async def read(self, tasks: asyncio.TaskGroup) -> Quality:
        poll = self.station.poll(tasks)
        assert poll is not None
        await poll
        return self.station.state(None).quality


@asynccontextmanager
async def bench(spec: DeviceSpec, power_w: float = 0.0) -> AsyncIterator[Bench]:
    made = Bench(spec, Reporter(Reading(T0, power_w)))
    yield made
    await made.station.release(give_back=False)


@pytest.mark.parametrize(
    ("spec", "power_w", "well"),
    [
        (METER, 60_000.0, True),
        (METER, -60_001.0, False),
        (METER, -1e12, False),
        (METER, float("nan"), False),
        (replace(METER, min_w=0.0, max_w=0.0), 1e6, True),
        (replace(METER, min_w=0.0, max_w=0.0), float("inf"), False),
        (BATTERY, -15_000.0, True),
        (BATTERY, 15_001.0, False),
        (CAR, 22_200.0, True),
        (CAR, 22_201.0, False),
    ],
)
async def test_a_power_that_cannot_be_is_a_failed_read(
    spec: DeviceSpec, power_w: float, *, well: bool
) -> None:
    async with bench(spec, power_w) as made, asyncio.TaskGroup() as tasks:
        quality = await made.read(tasks)
        state = made.station.state(None)
        assert (quality is Quality.GOOD) is well
        if not well:
            assert state.reading is None
            assert state.error == f"{spec.id}: read gave a power of {power_w:g} W, which cannot be"


@pytest.mark.parametrize("step_s", [3600.0, -3600.0])
async def test_a_silent_device_stays_stale_when_the_clock_is_set(step_s: float) -> None:
    async with bench(CAR) as made, asyncio.TaskGroup() as tasks:
        assert await made.read(tasks) is Quality.GOOD
        made.clock.utc += step_s
        assert await made.read(tasks) is Quality.GOOD  # it is as old as it was
        for _ in range(3700):
            made.clock.utc += 1.0
            made.clock.mono += 1.0
            if made.clock.mono > CAR.max_age_s:
                assert await made.read(tasks) is Quality.STALE
        made.link.said = Reading(made.clock.utc, 0.0)
        assert await made.read(tasks) is Quality.GOOD


@pytest.mark.parametrize("step_s", [14_400.0, 2.0, -2.0, -14_400.0])
async def test_what_was_read_just_before_the_clock_was_set_is_as_old_as_it_is(
    step_s: float,
) -> None:
    async with bench(CAR) as made, asyncio.TaskGroup() as tasks:
        assert await made.read(tasks) is Quality.GOOD
        made.clock.mono += 1.0
        made.link.said = Reading(T0 + 1.0, 0.0)
        made.clock.utc = T0 + 1.0 + step_s
        for _ in range(2):  # some return the last again
            assert await made.read(tasks) is Quality.GOOD
            reading = made.station.state(None).reading
            assert reading is not None
            assert reading.at == made.clock.utc
        made.clock.mono += 1.0
        made.clock.utc += 1.0
        made.link.said = Reading(made.clock.utc, 0.0)
        assert await made.read(tasks) is Quality.GOOD
        made.clock.mono += CAR.max_age_s - 0.1
        assert made.station.state(None).quality is Quality.GOOD
        made.clock.mono += 0.2
        assert made.station.state(None).quality is Quality.STALE


async def test_an_old_reading_stays_old_when_the_clock_is_set() -> None:
    async with bench(CAR) as made, asyncio.TaskGroup() as tasks:
        assert await made.read(tasks) is Quality.GOOD
        made.clock.mono += 60.0
        made.link.said = Reading(T0 + 60.0 - CAR.max_age_s - 1.0, 0.0)
        made.clock.utc = T0 + 60.0 + 14_400.0
        assert await made.read(tasks) is Quality.STALE


async def test_a_reading_dated_ahead_of_the_clock_is_not_fresh() -> None:
    async with bench(CAR) as made, asyncio.TaskGroup() as tasks:
        made.link.said = Reading(T0 + 3600, 0.0)
        assert await made.read(tasks) is Quality.STALE
        made.link.said = Reading(T0 + 0.1, 0.0)
        assert await made.read(tasks) is Quality.GOOD


async def test_a_read_on_a_connection_that_was_given_up_is_not_counted_against_the_next() -> None:
    async with bench(CAR) as made, asyncio.TaskGroup() as tasks:
        assert await made.read(tasks) is Quality.GOOD
        made.link.hold.clear()
        made.link.fails = "car: gone"
        poll = made.station.poll(tasks)
        assert poll is not None
        for power_w in (1_000.0, 2_000.0):  # two lost writes: the connection is made anew
            write = made.station.submit(Order(Setpoint(power_w, 60), write=True), T0, tasks)
            assert write is not None
            await write
        assert made.link.closed == 1
        made.link.hold.set()
        await poll
        assert made.station.state(None).error is None
        made.link.fails = ""
        made.clock.mono = 1.1  # the pause after two failures, not after three
        assert await made.read(tasks) is Quality.GOOD
        assert made.opened == 2
