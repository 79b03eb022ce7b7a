"""The regulating loop against devices that misbehave: they cost it neither its pace nor the log."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from der.commands import Command
from der.errors import TransientError
from der.model import (
    Connection,
    Control,
    DeviceKind,
    DeviceSpec,
    Reading,
    Safeguard,
    Setpoint,
)
from der.service import Device
from hems.regulation.letters import Answer, Base, Done, LoopSettings, Report, Take
from hems.regulation.loop import Loop
from tests.hems.regulation.rig import STEEP
from tests.waiting import until

pytestmark = pytest.mark.requirement("BUC-3")
FAULTY_S = 2.5


@dataclass
class Bad:
    """A device that does what it is told to do wrong.

    Attributes:
        opens: Times of each attempt to open it.
        asked: Times of each set-point that it was given.
    """

    reads: bool = True
    takes: bool = True
    open_s: float = 0.0
    opens: list[float] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    connection: Connection = field(default_factory=lambda: Connection("here"))
    safeguard: Safeguard = field(default_factory=Safeguard)

    async def connect(self) -> "Bad":
        """Open it."""
        self.opens.append(time.monotonic())
        await asyncio.sleep(self.open_s)
        if self.open_s:
            raise TransientError("nobody answers")
        return self

    async def read(self) -> Reading:
        """Read it."""
        if not self.reads:
            raise TransientError("no answer")
        return Reading(time.time(), 0.0, frequency_hz=49.5)

    async def write(self, setpoint: Setpoint | None) -> None:
        """Refuse a set-point."""
        assert setpoint is not None
        self.asked.append(time.monotonic())
        if not self.takes:
            raise TransientError("battery: it is under local control")

    async def ioctl(self, command: Command[object]) -> object:
        """Do nothing."""
        return command

    async def close(self) -> None:
        """Do nothing."""

    def device(self, name: str, kind: DeviceKind, deadline_s: float = 2.0) -> Device:
        """Return it as a device."""
        spec = DeviceSpec(name, kind, name, Control.TARGET, -5e3, 5e3)
        return Device(spec, self.connect, deadline_s)


@asynccontextmanager
async def running(
    battery: Bad, meter: Bad | None = None
) -> AsyncIterator[tuple[Loop, list[Answer]]]:
    """Run a loop that has the battery, at a base of 100 W."""
    devices = {"battery": battery.device("battery", DeviceKind.BATTERY)}
    if meter is not None:
        devices["meter"] = meter.device("meter", DeviceKind.METER, 60.0)
    settings = LoopSettings("battery", "battery" if meter is None else "meter", 2_000.0, STEEP)
    answers: list[Answer] = []
    loop = Loop(devices, settings, answers.append, lambda _left_s: None)
    loop.say(Take())
    loop.say(Base(1, 100.0, 30.0, None, -5_000.0, 5_000.0))
    task = asyncio.create_task(loop.run())
    try:
        yield loop, answers
    finally:
        loop.end()
        async with asyncio.timeout(5.0):
            await task


async def test_a_battery_that_refuses_is_said_once_and_not_pressed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    battery = Bad(takes=False)
    with caplog.at_level(logging.WARNING):
        async with running(battery) as (_, answers):
            await asyncio.sleep(FAULTY_S)
            assert Done(1, "battery: it is under local control") in answers
            assert 2 <= len(battery.asked) <= FAULTY_S + 3, "no more than about each second"
            battery.takes = True
            asked = len(battery.asked)

            async def taken() -> bool:
                return len(battery.asked) > asked and isinstance(answers[-1], Report)

            await until(taken, bool, 10.0, "the swing after all")
    assert [r.message for r in caplog.records].count("battery: it is under local control") == 1


async def test_a_battery_that_opens_and_never_answers_is_left_more_time_each_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    battery = Bad(reads=False)
    with caplog.at_level(logging.WARNING):
        async with running(battery):
            await asyncio.sleep(FAULTY_S)
    assert 2 <= len(battery.opens) <= 4
    assert len(caplog.records) == 1


async def test_a_meter_that_cannot_be_opened_does_not_hold_up_the_battery() -> None:
    """What the hub says is carried out meanwhile: else it would take the loop for dead."""
    battery, meter = Bad(), Bad(open_s=30.0)
    async with running(battery, meter) as (loop, answers):
        await asyncio.sleep(0.5)
        loop.say(Base(2, 200.0, 30.0, None, -5_000.0, 5_000.0))

        async def answered() -> bool:
            return Done(2) in answers

        await until(answered, bool, 5.0, "the answer to the hub")
        assert len(meter.opens) == 1
        reports = [a for a in answers if isinstance(a, Report)]
        assert len(reports) >= 3
        assert reports[-1].trouble == "no frequency is measured"
