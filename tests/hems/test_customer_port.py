"""The home's meter by its customer port, from the configuration to the page, through its faults."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from der.registry import build
from der.sim.faults import FaultKind
from der.sim.options import Options
from der.sim.runner import SimulatedHome
from hems import wiring
from hems.clock import SystemClock
from hems.home import Home
from hems.settings.config import Config
from hems.store.store import open_store
from hems.surface import DeviceView
from tests.waiting import until

pytestmark = [pytest.mark.requirement("ROLE-SM"), pytest.mark.requirement("ROLE-SMG")]

WITHIN_S = 30.0


@asynccontextmanager
async def _living(house: SimulatedHome, folder: Path) -> AsyncIterator[Home]:
    assert house.devices.p1 is not None
    meter = {"id": "meter", "kind": "meter", "name": "Smart meter", "driver": "p1"}
    meter |= {"port": str(house.devices.p1.port), "max_age": "1.5 s"}
    config = Config.model_validate({"device": [meter], "store": {"path": folder / "home.sqlite"}})
    store = await open_store(folder / "home.sqlite", SystemClock())
    registry = build(wiring.descriptions(config), wiring.shared(config), now=time.time)
    home = Home(config, SystemClock(), store, registry)
    task = asyncio.create_task(home.run())
    try:
        yield home
        assert not task.done(), "the home died"
    finally:
        home.stop()
        await asyncio.gather(task)
        await store.close()


async def _wait(home: Home, good: Callable[[DeviceView], bool], what: str) -> DeviceView:
    async def look() -> DeviceView | None:
        return next((d for d in home.front.snapshot().devices if d.id == "meter"), None)

    seen = await until(look, lambda d: d is not None and good(d), WITHIN_S, what)
    assert seen is not None
    return seen


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (FaultKind.SILENCE, "no good telegram for more than 1.5 s"),
        pytest.param(
            FaultKind.EXCEPTION, "the checksum of a telegram is wrong", marks=pytest.mark.deep
        ),
        pytest.param(
            FaultKind.STUCK, "the same telegram comes again and again", marks=pytest.mark.deep
        ),
        pytest.param(FaultKind.REBOOT, "127.0.0.1", marks=pytest.mark.deep),
    ],
)
async def test_each_fault_shows_with_its_reason_and_ends_without_a_restart(
    tmp_path: Path, kind: FaultKind, why: str
) -> None:
    options = Options(
        ocpp="", only="pv", p1_port=0, p1_period=0.2, fixed_load=700.0, pv_w=0.0, tank_temp=60.0
    )
    async with SimulatedHome(options) as house, _living(house, tmp_path) as home:
        seen = await _wait(home, lambda d: d.quality == "good", "the first telegram")
        assert seen.power_w is not None
        fault = house.devices.faults["p1"]
        fault.set(kind)
        lost = await _wait(home, lambda d: d.quality != "good", f"{kind} is seen")
        assert lost.power_w is not None, "the last is kept, and never zero by itself"
        assert lost.error is not None
        assert lost.error.startswith("meter: "), lost.error
        await _wait(home, lambda d: why in (d.error or ""), f"{kind}: {why}")
        fault.set(FaultKind.NONE)
        await _wait(home, lambda d: d.quality == "good", f"{kind} is over")
