"""The guard over devices of which one hangs, sleeps, or trips over a fault in its driver."""

import asyncio
import time
from dataclasses import dataclass, field, replace

import pytest

from der.commands import Command
from der.guard import GRACE_S, Guard, Vigil
from der.model import (
    Connection,
    Control,
    DeviceKind,
    DeviceSpec,
    Expiry,
    Reading,
    Safeguard,
    Setpoint,
    Sleep,
)
from der.service import A, Device, Link, unsupported
from tests.waiting import until

pytestmark = pytest.mark.requirement("SVC-WRITE")

SPEC = DeviceSpec("slow", DeviceKind.THERMOSTAT, "Hall", Control.SWITCH, 0, 2_000)
SLEEPER = replace(SPEC, sleep=Sleep(period_s=5.0, awake_s=0.02))
DEADLINE_S = 30.0


@dataclass
class Held:
    """A device that is held off, and may not answer.

    Attributes:
        hangs: Whether a write is never answered.
        sleeps: Whether it takes what it is told only once this is set.
        faults: How many writes end in a fault of the program.
        free: Whether it runs by itself again.
        writes: How many were begun.
        cancelled: How many of them were given up.
    """

    hangs: bool = False
    sleeps: asyncio.Event | None = None
    faults: int = 0
    free: bool = False
    writes: int = 0
    cancelled: int = 0
    connection: Connection = field(default_factory=lambda: Connection("here"))
    safeguard: Safeguard = field(default_factory=lambda: Safeguard(Expiry.GUARD, "on", "power"))

    async def connect(self) -> Link:
        return self

    async def read(self) -> Reading:
        self.free = self.free or (self.sleeps is not None and self.sleeps.is_set())
        return Reading(0.0, 0.0, limit_w=None if self.free else 0.0)

    async def write(self, setpoint: Setpoint | None) -> None:
        assert setpoint is None
        self.writes += 1
        if self.faults:
            self.faults -= 1
            raise ZeroDivisionError
        if self.hangs:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        self.free = self.sleeps is None

    async def ioctl(self, command: Command[A]) -> object:
        raise unsupported("slow", command)

    async def close(self) -> None:
        """Nothing is open."""


async def ready() -> None:
    """Nothing is shared."""


def over(spec: DeviceSpec = SPEC, **links: Held) -> Guard:
    devices = {n: Device(replace(spec, id=n), e.connect, DEADLINE_S) for n, e in links.items()}
    vigil = Vigil({})
    for name in links:
        vigil = vigil.hold(name, time.monotonic() - GRACE_S, opened=False)
    return Guard(devices, vigil, time.monotonic, lambda _: None, ready)


async def freed(link: Held) -> None:
    async def look() -> bool:
        return link.free

    await until(look, bool, 10.0, "it runs by itself")


async def test_one_that_hangs_keeps_no_other_waiting() -> None:
    hung, well = Held(hangs=True), Held()
    running = asyncio.create_task(over(hung=hung, well=well).run())
    await freed(well)
    assert hung.writes == 1
    assert not hung.free
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_hub_that_is_heard_again_is_not_fought() -> None:
    hung = Held(hangs=True)
    guard = over(hung=hung)
    running = asyncio.create_task(guard.run())

    async def begun() -> int:
        return hung.writes

    await until(begun, bool, 10.0, "it is being given back")
    guard.hold("hung", time.monotonic() + 600)

    async def given_up() -> int:
        return hung.cancelled

    await until(given_up, bool, 10.0, "it is left to the hub")
    assert hung.writes == 1
    assert "hung" in guard.vigil.holds
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_fault_in_a_driver_ends_no_vigil(caplog: pytest.LogCaptureFixture) -> None:
    faulty, well = Held(faults=1), Held()
    guard = over(faulty=faulty, well=well)
    guard.left_alone()
    await asyncio.wait_for(guard.run(), 20)
    assert well.free
    assert faulty.free
    said = [r.message for r in caplog.records if "fault in the program" in r.message]
    assert said == ["faulty: cannot be given back for a fault in the program"]


async def test_one_that_sleeps_is_told_until_it_has_woken() -> None:
    sleeper = Held(sleeps=asyncio.Event())
    guard = over(SLEEPER, sleeper=sleeper)
    guard.left_alone()
    running = asyncio.create_task(guard.run())
    done, _ = await asyncio.wait([running], timeout=0.3)
    assert not done, "the guard may not end before a heater knows that it may heat"
    assert "sleeper" in guard.vigil.holds
    assert sleeper.sleeps is not None
    sleeper.sleeps.set()
    await asyncio.wait_for(running, 10)
    assert sleeper.free


async def test_what_was_given_back_by_the_hub_just_now_is_no_concern() -> None:
    link = Held()
    guard = over(slow=link)
    running = asyncio.create_task(guard.run())
    await asyncio.sleep(0)  # its task exists, and has not begun
    guard.free("slow")
    guard.left_alone()
    await asyncio.wait_for(running, 10)
