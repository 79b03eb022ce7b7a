"""A device that sleeps, on a station: heard at its wakes, told at its wakes, lost after them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from der.commands import Command
from der.errors import RejectedError, TransientError
from der.model import Connection, Quality, Reading, Safeguard, Setpoint, Sleep
from der.service import A, Device, Link
from hems.cem.orders import Order
from hems.cem.station import Station, Written
from tests.hems.cem.plant import HEATER, T0

SLEEPER = replace(HEATER, sleep=Sleep(period_s=60, awake_s=2), max_age_s=5)

pytestmark = pytest.mark.requirement("L1-PRIVILEGE")


@dataclass
class Hands:
    """A clock set by hand."""

    mono: float = 0.0

    def now(self) -> float:
        return T0 + self.mono

    def monotonic(self) -> float:
        return self.mono


@dataclass
class Dozer:
    """A link whose device answers while it is awake, and is not there else."""

    clock: Hands
    awake: bool = True
    told: list[float | None] = field(default_factory=list)
    connection: Connection = field(default_factory=lambda: Connection("here"))
    safeguard: Safeguard = field(default_factory=Safeguard)

    async def read(self) -> Reading:
        self._answer()
        return Reading(self.clock.now(), 0.0)

    async def write(self, setpoint: Setpoint | None) -> None:
        self._answer()
        self.told.append(None if setpoint is None else setpoint.power_w)

    async def ioctl(self, command: Command[A]) -> object:
        raise RejectedError(f"has no {command}")

    async def close(self) -> None:
        """Nothing is open."""

    def _answer(self) -> None:
        if not self.awake:
            raise TransientError("heater: sleeps")


@dataclass
class Room:
    """A station on a sleeping device."""

    clock: Hands
    link: Dozer
    station: Station
    written: list[Written]

    async def live(self, seconds: float, tasks: asyncio.TaskGroup) -> None:
        """Let time pass as the cycle does, a second at a time."""
        for _ in range(round(seconds)):
            self.clock.mono += 1.0
            poll = self.station.poll(tasks)
            if poll is not None:
                await poll
            await asyncio.sleep(0)

    def quality(self) -> Quality:
        return self.station.state(None).quality


@asynccontextmanager
async def room() -> AsyncIterator[Room]:
    clock = Hands()
    link, written = Dozer(clock), list[Written]()

    async def connect() -> Link:
        link._answer()
        return link

    station = Station(Device(SLEEPER, connect), clock, lambda _: None, written.append)
    yield Room(clock, link, station, written)
    await station.release(give_back=False)


async def test_it_is_asleep_between_its_wakes_and_lost_after_a_missed_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with room() as made, asyncio.TaskGroup() as tasks:
        assert made.quality() is Quality.LOST  # not heard yet
        await made.live(1, tasks)
        assert made.quality() is Quality.ASLEEP
        made.link.awake = False
        await made.live(66, tasks)
        assert made.quality() is Quality.ASLEEP
        assert made.station.state(None).error is None
        assert not caplog.records  # to sleep is no failure
        await made.live(2, tasks)
        assert made.quality() is Quality.LOST
        assert [r.message for r in caplog.records] == [
            "heater: nothing new from it for more than 67 s"
        ]
        made.link.awake = True
        await made.live(2, tasks)
        assert made.quality() is Quality.ASLEEP


async def test_what_it_is_told_waits_for_its_wake_and_the_latest_counts() -> None:
    async with room() as made, asyncio.TaskGroup() as tasks:
        await made.live(1, tasks)
        made.link.awake = False
        await made.live(10, tasks)
        for power_w in (2_000.0, 0.0):
            order = Order(Setpoint(power_w, 300), write=True)
            assert made.station.submit(order, T0, tasks) is None
        await made.live(10, tasks)
        assert made.link.told == []
        assert made.written == []
        made.link.awake = True
        await made.live(2, tasks)
        assert made.link.told == [0.0]
        assert [w.error for w in made.written] == [None]


async def test_it_is_told_at_once_while_it_listens() -> None:
    async with room() as made, asyncio.TaskGroup() as tasks:
        await made.live(1, tasks)
        write = made.station.submit(Order(Setpoint(0.0, 300), write=True), T0, tasks)
        assert write is not None
        await write
        assert made.link.told == [0.0]


async def test_no_wake_is_missed_by_waiting_long_for_the_next_attempt() -> None:
    async with room() as made, asyncio.TaskGroup() as tasks:
        await made.live(1, tasks)
        for _ in range(5):
            made.link.awake = False
            await made.live(58, tasks)
            heard = made.station.state(None).reading
            made.link.awake = True
            await made.live(2, tasks)
            assert made.station.state(None).reading != heard


def test_nobody_waits_for_it_in_a_cycle() -> None:
    async def connect() -> Link:
        raise TransientError("heater: sleeps")

    station = Station(Device(SLEEPER, connect), Hands(), lambda _: None, lambda _: None)
    assert not station.prompt
