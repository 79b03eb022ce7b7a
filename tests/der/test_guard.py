"""The guard's vigil as a table and against an oracle, and the guard over devices that fail."""

import asyncio
import time
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.commands import Command, Connect
from der.errors import TransientError
from der.guard import GIVE_UP_S, GRACE_S, Guard, Vigil
from der.model import (
    Connection,
    Control,
    DeviceKind,
    DeviceSpec,
    Expiry,
    Reading,
    Safeguard,
    Setpoint,
)
from der.service import A, Device, Link, unsupported

HEATER = DeviceSpec("heater", DeviceKind.WATER_HEATER, "Tank", Control.SWITCH, 0, 2_000)
EMPTY = Vigil({})


def test_a_set_point_is_due_once_its_lapse_and_a_little_more_have_passed() -> None:
    vigil = EMPTY.hold("heater", 100.0, opened=False)
    assert vigil.due(100.0 + GRACE_S - 0.1) == ()
    assert vigil.due(100.0 + GRACE_S) == ("heater",)
    assert vigil.next_at() == 100.0 + GRACE_S
    assert EMPTY.next_at() is None


def test_who_renews_in_time_is_never_due() -> None:
    vigil = EMPTY
    for at in range(0, 900, 10):
        assert vigil.due(float(at)) == ()
        vigil = vigil.hold("heater", at + 30.0, opened=False)


def test_a_switch_stays_noted_as_open_until_the_device_is_given_back() -> None:
    vigil = EMPTY.hold("pv", 100.0, opened=True).hold("pv", 200.0, opened=False)
    assert vigil.holds["pv"].opened
    assert not vigil.free("pv").hold("pv", 300.0, opened=False).holds["pv"].opened


def test_what_cannot_be_given_back_is_tried_less_and_less_often_and_once_no_more() -> None:
    vigil, now = EMPTY.hold("heater", 0.0, opened=False), GRACE_S
    tries = []
    while vigil.waits:
        assert vigil.due(now) == ("heater",)
        tries.append(now)
        vigil = vigil.failed("heater", now)
        now = vigil.next_at() or 0.0
    pauses = [b - a for a, b in pairwise(tries)]
    assert pauses[:6] == [1, 2, 4, 8, 16, 30]
    assert set(pauses[6:]) == {30}
    assert tries[-1] > GIVE_UP_S
    assert vigil.holds  # it stays written down for the next start


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 50), st.booleans(), st.integers(1, 20)),
        max_size=40,
    )
)
def test_due_is_who_was_told_and_neither_renewed_nor_freed(
    said: list[tuple[str, int, bool, int]],
) -> None:
    vigil, now = EMPTY, 0.0
    ends: dict[str, float] = {}
    for device, lapse_s, freed, pause_s in said:
        if freed:
            vigil = vigil.free(device)
            ends.pop(device, None)
        else:
            vigil = vigil.hold(device, now + lapse_s, opened=False)
            ends[device] = now + lapse_s + GRACE_S
        now += pause_s
        assert set(vigil.due(now)) == {d for d, at in ends.items() if now >= at}


@dataclass
class Relay:
    """A device that nothing but a write moves.

    Attributes:
        told: What it was told.
        fails: How many calls fail before one goes well.
    """

    told: list[str] = field(default_factory=list)
    fails: int = 0
    connection: Connection = field(default_factory=lambda: Connection("here"))
    safeguard: Safeguard = field(default_factory=lambda: Safeguard(Expiry.GUARD, "on", "power"))
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def connect(self) -> Link:
        if self.fails:
            self.fails -= 1
            raise TransientError("heater: no answer")
        return self

    async def read(self) -> Reading:
        return Reading(0.0, 0.0)

    async def write(self, setpoint: Setpoint | None) -> None:
        self.told.append("free" if setpoint is None else f"{setpoint.power_w:g}")
        self.done.set()

    async def ioctl(self, command: Command[A]) -> object:
        if not isinstance(command, Connect):
            raise unsupported("heater", command)
        self.told.append("connect")
        return "done"

    async def close(self) -> None:
        """Nothing is open."""


async def ready() -> None:
    """Nothing is shared."""


def over(relay: Relay, vigil: Vigil = EMPTY) -> tuple[Guard, list[Vigil]]:
    kept: list[Vigil] = []
    devices = {"heater": Device(HEATER, relay.connect)}
    return Guard(devices, vigil, time.monotonic, kept.append, ready), kept


async def test_it_gives_back_what_lapses_and_ends_when_left_alone() -> None:
    relay = Relay()
    guard, kept = over(relay)
    running = asyncio.create_task(guard.run())
    guard.hold("heater", time.monotonic() - GRACE_S, opened=True)
    await asyncio.wait_for(relay.done.wait(), 10)
    assert relay.told == ["connect", "free"]
    await asyncio.sleep(0)
    assert not running.done()  # the hub lives, and may have more to say
    guard.left_alone()
    await asyncio.wait_for(running, 10)
    assert kept[-1] == EMPTY


async def test_a_hub_that_is_gone_ends_nothing_before_its_time() -> None:
    relay = Relay()
    guard, _ = over(relay)
    guard.hold("heater", time.monotonic() + 3_600)
    guard.left_alone()
    running = asyncio.create_task(guard.run())
    done, _ = await asyncio.wait([running], timeout=0.2)
    assert not done
    assert relay.told == []
    guard.free("heater")
    await asyncio.wait_for(running, 10)
    assert relay.told == []


async def test_a_device_that_does_not_answer_is_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    relay = Relay(fails=2)
    guard, _ = over(relay, Vigil({}).hold("heater", time.monotonic() - 60, opened=False))
    guard.left_alone()
    await asyncio.wait_for(guard.run(), 30)
    assert relay.told == ["free"]
    said = [r.message for r in caplog.records if "cannot be given back" in r.message]
    assert said == ["heater lapsed and cannot be given back: heater: no answer"]


async def test_a_device_that_is_no_longer_configured_is_let_go() -> None:
    guard, _ = over(Relay(), Vigil({}).hold("old", time.monotonic() - 60, opened=False))
    guard.left_alone()
    await asyncio.wait_for(guard.run(), 10)
    assert not guard.vigil.holds
