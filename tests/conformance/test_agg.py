"""Aggregator operation: one certificate, four managed devices on two feeders of one system."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from certs.identity import sfdi
from tests.conformance.scenario import CSIP, EVERY, scenario
from tests.interop.grid.notify import notify, watching
from tests.interop.grid.server import Grid, serving
from tests.interop.grid.tree import DEVICES, Device, Programme
from tests.interop.lone import PIN, Lone

pytestmark = pytest.mark.requirement("PRO-2030.5")

CAP, LINK = "opModMaxLimW", "opModConnect"
LFDIS = tuple(f"{n:02X}" * 20 for n in (0xA1, 0xA2, 0xB1, 0xB2))
A, B = (1, 2), (3, 4)
"""Members on feeder A and on feeder B; 0 is the aggregator itself."""


@dataclass
class Fleet:
    """The utility's view: the system programme for all, a feeder's for two of them."""

    grid: Grid
    lone: Lone
    devices: list[Device]
    system: Programme
    feeder: Programme

    async def holds(self, members: tuple[int, ...], mode: str, value: float | bool | None) -> None:
        """Wait until a mode has a value in force for some members."""
        await self.lone.until(lambda: all(self.lone.in_force_of(m, mode) == value for m in members))

    async def answered(self, members: tuple[int, ...], mrid: str, codes: list[int]) -> None:
        """Wait for each member's own responses to an event."""
        for member in members:
            await self.grid.answered(mrid, codes, 12.0, lfdi=LFDIS[member - 1])

    def silent(self, members: tuple[int, ...], mrid: str) -> bool:
        """Whether members did not answer an event at all."""
        return not any(self.grid.codes(mrid, LFDIS[m - 1]) for m in members)


@asynccontextmanager
async def fleet(lone: Lone, context: ssl.SSLContext, **shape: int) -> AsyncIterator[Fleet]:
    """Run an aggregator with its four devices; `shape` of the utility."""
    grid = lone.grid(**shape)
    devices = [grid.add_device(lfdi, sfdi(lfdi), PIN) for lfdi in LFDIS]
    system = grid.add_programme(10, group=devices[0].members[0], description="System")
    for device in devices[1:]:
        device.members[0].members.append(system)
    feeder = grid.add_programme(5, group=devices[0].members[0], description="Feeder A")
    devices[1].members[0].members.append(feeder)
    async with serving(grid, context), lone.client(grid, members=LFDIS):
        yield Fleet(grid, lone, devices, system, feeder)


@scenario("AGG-001", "AGG", "The device list is subscribed to; a device that is added is found")
async def test_the_device_list_is_watched(
    lone: Lone, context: ssl.SSLContext, notifying: ssl.SSLContext
) -> None:
    grid = lone.grid(poll_s=60)
    grid.devices.subscribable = 1
    first, late = LFDIS[:2]
    grid.add_device(first, sfdi(first), PIN)
    async with serving(grid, context), lone.client(grid, members=(first, late)):
        await grid.until(lambda: watching(grid, DEVICES) is not None, 8.0, "subscribed")
        device = grid.add_device(late, sfdi(late), PIN)
        programme = grid.add_programme(group=device.members[0])
        mrid = programme.add(0, 60, opModMaxLimW=5000)
        assert await notify(grid, DEVICES, notifying) < 300
        await lone.until(lambda: lone.in_force_of(2, CAP) == 50.0, 4.0)
        await grid.answered(mrid, [1, 2], lfdi=late)


@scenario("AGG-002", "AGG", "Defaults: each feeder follows its own, the others the system's", CSIP)
async def test_two_defaults(lone: Lone, context: ssl.SSLContext) -> None:
    async with fleet(lone, context) as run:
        run.system.fall_back(opModMaxLimW=8000)
        run.feeder.fall_back(opModMaxLimW=5000)
        await run.holds(A, CAP, 50.0)
        await run.holds(B, CAP, 80.0)


@scenario("AGG-003", "AGG", "A feeder's control: its devices answer, the others do not", CSIP)
async def test_a_feeders_control(lone: Lone, context: ssl.SSLContext) -> None:
    async with fleet(lone, context) as run:
        mrid = run.feeder.add(2, 2, opModMaxLimW=4000)
        await run.holds(A, CAP, 40.0)
        await run.answered(A, mrid, [1, 2, 3])
        assert run.silent(B, mrid)


@scenario("AGG-004", "AGG", "A feeder's default, control, default again", CSIP)
@pytest.mark.deep
async def test_default_control_default(lone: Lone, context: ssl.SSLContext) -> None:
    async with fleet(lone, context) as run:
        run.feeder.fall_back(opModMaxLimW=7000)
        await run.holds(A, CAP, 70.0)
        mrid = run.feeder.add(1, 2, opModMaxLimW=4000)
        await run.holds(A, CAP, 40.0)
        await run.holds(A, CAP, 70.0)
        await run.answered(A, mrid, [1, 2, 3])
        assert run.silent(B, mrid)


@scenario("AGG-005", "AGG", "A feeder's two controls in a row, the default between them", CSIP)
@pytest.mark.deep
async def test_two_in_a_row(lone: Lone, context: ssl.SSLContext) -> None:
    async with fleet(lone, context) as run:
        run.feeder.fall_back(opModMaxLimW=7000)
        first = run.feeder.add(2, 2, opModMaxLimW=4000)
        second = run.feeder.add(6, 2, opModMaxLimW=3000)
        for value in (40.0, 70.0, 30.0, 70.0):
            await run.holds(A, CAP, value)
        await run.answered(A, first, [1, 2, 3])
        await run.answered(A, second, [1, 2, 3])
        assert run.silent(B, first)


@scenario("AGG-006", "AGG", "The feeder's control, then the system's: each for its own", CSIP)
@pytest.mark.deep
async def test_feeder_then_system(lone: Lone, context: ssl.SSLContext) -> None:
    async with fleet(lone, context) as run:
        run.system.fall_back(opModMaxLimW=8000)
        run.feeder.fall_back(opModMaxLimW=7000)
        first = run.feeder.add(2, 2, opModMaxLimW=4000)
        second = run.system.add(6, 2, opModMaxLimW=3000)
        await run.holds(A, CAP, 40.0)
        await run.holds(B, CAP, 80.0)
        await run.holds((*A, *B), CAP, 30.0)
        await run.answered(A, first, [1, 2, 3])
        await run.answered((*A, *B), second, [1, 2, 3])
        assert run.silent(B, first)


def _superseded_early(codes: list[int | None]) -> bool:
    """Whether an event was superseded before it began, by another programme (14, or 7)."""
    return codes in ([1, 7], [1, 14])


@scenario("AGG-007", "AGG", "The feeder's control supersedes the system's before it begins", CSIP)
async def test_feeder_supersedes_before(lone: Lone, context: ssl.SSLContext) -> None:
    async with fleet(lone, context) as run:
        weak = run.system.add(3, 4, created=run.grid.now() - 60, opModMaxLimW=8000)
        strong = run.feeder.add(3, 3, opModMaxLimW=4000)
        await run.holds(A, CAP, 40.0)
        await run.holds(B, CAP, 80.0)
        await run.answered(A, strong, [1, 2, 3])
        await run.answered(B, weak, [1, 2, 3])
        assert all(_superseded_early(run.grid.codes(weak, LFDIS[m - 1])) for m in A)


@scenario(
    "AGG-008", "AGG", "The feeder's control runs; the system's that follows is superseded", CSIP
)
@pytest.mark.deep
async def test_system_comes_too_late(lone: Lone, context: ssl.SSLContext) -> None:
    async with fleet(lone, context) as run:
        run.feeder.fall_back(opModMaxLimW=7000)
        strong = run.feeder.add(2, 3, opModMaxLimW=4000)
        weak = run.system.add(3, 4, created=run.grid.now() - 60, opModMaxLimW=8000)
        await run.holds(A, CAP, 40.0)
        await run.holds(B, CAP, 80.0)
        await run.holds(A, CAP, 70.0)  # and not what was superseded
        await run.answered(A, strong, [1, 2, 3])
        await run.answered(B, weak, [1, 2, 3])
        assert all(_superseded_early(run.grid.codes(weak, LFDIS[m - 1])) for m in A)


@scenario(
    "AGG-009", "AGG", "A feeder's control that comes later takes over from the system's", CSIP
)
async def test_feeder_takes_over(lone: Lone, context: ssl.SSLContext) -> None:
    async with fleet(lone, context) as run:
        weak = run.system.add(1, 7, opModMaxLimW=8000)
        await run.holds((*A, *B), CAP, 80.0)
        strong = run.feeder.add(1, 2, opModMaxLimW=4000)
        await run.holds(A, CAP, 40.0)
        await run.holds(B, CAP, 80.0)
        await run.answered(A, strong, [1, 2, 3])
        await run.answered(B, weak, [1, 2, 3])
        assert all(run.grid.codes(weak, LFDIS[m - 1]) in ([1, 2, 7], [1, 2, 14]) for m in A)


@scenario("AGG-010", "AGG", "Independent controls, the system's first: both run on feeder A", CSIP)
@pytest.mark.deep
async def test_independent_system_first(lone: Lone, context: ssl.SSLContext) -> None:
    async with fleet(lone, context) as run:
        first = run.system.add(2, 5, opModConnect=False)
        second = run.feeder.add(4, 2, opModMaxLimW=4000)
        await run.holds((*A, *B), LINK, value=False)
        await run.holds(A, CAP, 40.0)
        await run.holds(B, CAP, None)
        await run.answered((*A, *B), first, [1, 2, 3])
        await run.answered(A, second, [1, 2, 3])
        assert run.silent(B, second)


@scenario("AGG-011", "AGG", "Independent controls, the feeder's first: both run on feeder A", CSIP)
@pytest.mark.deep
async def test_independent_feeder_first(lone: Lone, context: ssl.SSLContext) -> None:
    async with fleet(lone, context) as run:
        first = run.feeder.add(2, 4, opModMaxLimW=4000)
        second = run.system.add(4, 4, opModConnect=False)
        await run.holds(A, CAP, 40.0)
        await run.holds((*A, *B), LINK, value=False)
        await run.answered(A, first, [1, 2, 3])
        await run.answered((*A, *B), second, [1, 2, 3])


@scenario("AGG-012", "AGG", "An independent control that comes later supersedes nothing", CSIP)
async def test_independent_and_later(lone: Lone, context: ssl.SSLContext) -> None:
    async with fleet(lone, context) as run:
        first = run.system.add(1, 6, opModConnect=False)
        await run.holds((*A, *B), LINK, value=False)
        second = run.feeder.add(1, 2, opModMaxLimW=4000)
        await run.holds(A, CAP, 40.0)
        assert all(run.lone.in_force_of(m, LINK) == 0 for m in A)
        await run.answered(A, second, [1, 2, 3])
        await run.answered((*A, *B), first, [1, 2, 3])


@scenario("MUL-01", "MUL", "Each device is looked for, and its own PIN checked", EVERY)
async def test_each_device_has_its_pin(lone: Lone, context: ssl.SSLContext) -> None:
    async with fleet(lone, context) as run:
        await run.grid.until(
            lambda: all(run.grid.asked("GET", f"{d.href}/pin") for d in run.devices), 8.0, "PINs"
        )


@scenario("MUL-02", "MUL", "One device with another PIN takes no other with it", EVERY)
async def test_one_wrong_pin(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    devices = [grid.add_device(lfdi, sfdi(lfdi), PIN) for lfdi in LFDIS]
    devices[1].pin = 123455
    programme = grid.add_programme(group=devices[0].members[0])
    for device in devices[1:]:
        device.members[0].members.append(programme)
    async with serving(grid, context), lone.client(grid, members=LFDIS):
        mrid = programme.add(0, 60, opModMaxLimW=5000)
        for lfdi in (LFDIS[0], LFDIS[2], LFDIS[3]):
            await grid.answered(mrid, [1, 2], lfdi=lfdi)
        assert grid.codes(mrid, LFDIS[1]) == []
        assert any("PIN" in alarm for alarm in lone.alarms)


@scenario("MUL-03", "MUL", "Four devices, one cancelled control: each says so for itself", EVERY)
async def test_a_cancel_for_all(lone: Lone, context: ssl.SSLContext) -> None:
    async with fleet(lone, context) as run:
        mrid = run.system.add(0, 60, opModMaxLimW=5000)
        await run.answered((*A, *B), mrid, [1, 2])
        run.system.restate(mrid, 2)
        await run.answered((*A, *B), mrid, [1, 2, 6])
        await run.holds((*A, *B), CAP, None)
