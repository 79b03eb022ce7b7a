"""A test move that a grid event overtakes: ended at once, the device back in the event's hands."""

import asyncio

import pytest

from der.description import DeviceDescription
from der.registry import Registry
from hems.bench.workbench import Workbench
from hems.cem.cycle import Cycle
from hems.image import ImageRing
from hems.surface import SurfaceError
from programs.signal import Signal, SignalKind
from tests.hems.cem.plant import CAR, METER
from tests.hems.cem.virtual import House, in_no_time
from tests.hems.cem.wire import WallClock

LIMIT_W = 2_000.0
OBEYED_WITHIN_S = 3.0


@pytest.mark.requirement("LC-COMMISSION")
def test_an_event_ends_a_test_move() -> None:
    async def run() -> None:
        clock, ring = WallClock(), ImageRing()
        signals: list[Signal] = []
        house = House(clock, 500.0, wants={"car": 7_000.0})
        devices = {spec.id: house.device(spec, 0.02) for spec in (METER, CAR)}
        cycle = Cycle(devices, ring, clock, lambda: signals)
        described = [DeviceDescription(spec, "modbus") for spec in (METER, CAR)]
        bench = Workbench(described, Registry(devices), cycle, ring, clock, signals=lambda: signals)
        running = asyncio.create_task(cycle.run())
        await asyncio.sleep(5.0)
        testing = asyncio.create_task(bench.test("car", 60.0))
        await asyncio.sleep(10.0)
        assert bench.testing == "car"
        signals.append(Signal("E1", "P", SignalKind.IMPORT_LIMIT, LIMIT_W, 0.0, 1e12, binding=True))
        await asyncio.sleep(OBEYED_WITHIN_S)
        assert house.net_w <= LIMIT_W
        assert bench.testing is None
        with pytest.raises(SurfaceError, match="a grid event has come"):
            await testing
        cycle.stop()
        await running

    in_no_time(run())
