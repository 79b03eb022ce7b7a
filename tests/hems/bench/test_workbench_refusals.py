"""A test move in the running hub: it gives way to the grid, at the start and in the middle."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import cast

import pytest

from der.addresses import ModbusAddress
from der.description import DeviceDescription
from der.model import Control, DeviceKind, DeviceSpec
from der.registry import Registry
from der.service import Handle
from hems.bench import workbench
from hems.bench.workbench import Workbench
from hems.cem.cycle import Cycle
from hems.clock import SystemClock
from hems.device_surface import MoveOutcome
from hems.image import ImageRing
from hems.surface import SurfaceError
from programs.signal import Signal
from tests.waiting import until

CAR = DeviceSpec("car", DeviceKind.EVSE, "Car", Control.CEILING, 0, 7_000)


class Lender:
    """The part of a cycle that a test move needs.

    Attributes:
        lent: Whether the device is lent now.
    """

    def __init__(self) -> None:
        self.lent = False

    async def react(self) -> None:
        """Nothing else is there to come to rest."""

    def handle(self, _device: str) -> None:
        """No meter."""

    @asynccontextmanager
    async def lend(self, _device: str) -> AsyncIterator[Handle]:
        self.lent = True
        try:
            yield cast("Handle", None)
        finally:
            self.lent = False


def bench(lender: Lender, asked: list[Sequence[Signal] | None]) -> Workbench:
    return Workbench(
        [DeviceDescription(CAR, "sunspec", ModbusAddress("h"))],
        cast("Registry", None),
        cast("Cycle", lender),
        cast("ImageRing", None),
        SystemClock(),
        signals=lambda: asked[-1],
    )


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace the move by one that never ends; says how it did."""
    how: list[str] = []

    async def moved(*_: object, **__: object) -> MoveOutcome:
        how.append("begun")
        try:
            await asyncio.Event().wait()
        finally:
            how.append("given back")
        raise AssertionError

    monkeypatch.setattr(workbench, "moved", moved)
    return how


@pytest.mark.requirement("LC-TEST")
@pytest.mark.parametrize(
    ("asked", "why"), [(None, "not known yet"), ((cast("Signal", object()),), "a grid event is")]
)
async def test_no_move_where_the_grid_may_ask_something(
    asked: Sequence[Signal] | None, why: str, ended: list[str]
) -> None:
    lender = Lender()
    with pytest.raises(SurfaceError, match=why):
        await bench(lender, [asked]).test("car", 1)
    assert ended == []


@pytest.mark.requirement("LC-TEST")
async def test_an_event_breaks_a_move_off(ended: list[str]) -> None:
    lender, asked = Lender(), list[Sequence[Signal] | None]([()])
    testing = asyncio.create_task(bench(lender, asked).test("car", 1))

    async def look() -> list[str]:
        return ended

    await until(look, lambda how: how == ["begun"], 10, "begun")
    assert lender.lent
    asked.append((cast("Signal", object()),))
    with pytest.raises(SurfaceError, match="a grid event has come"):
        await asyncio.wait_for(testing, 10)
    assert ended == ["begun", "given back"]
    assert not lender.lent
