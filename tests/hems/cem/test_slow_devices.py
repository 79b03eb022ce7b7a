"""Devices behind slow gateways, whose readings the cycle does not wait for: fresh, and steady."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from der.model import DeviceSpec, Quality
from hems.cem.cycle import Cycle
from hems.image import Image, ImageRing
from programs.signal import Signal, SignalKind
from tests.hems.cem.plant import BATTERY, CAR, HEATER, METER, PV
from tests.hems.cem.virtual import House, in_no_time
from tests.hems.cem.wire import ImageWatch, WallClock

pytestmark = pytest.mark.requirement("ROLE-CEM")

PERIOD_S = 1.0
SETTLED_S = 6
WATCHED_S = 50
LIMIT_W = 3_000.0
PACES = [(0.01, 0.2), (0.01, 0.3), (0.3, 0.01), (0.3, 0.3), (0.01, 0.6), (0.6, 0.3), (0.9, 0.3)]


async def course(
    specs: Mapping[DeviceSpec, float], signals: Sequence[Signal] = (), **wants: float
) -> tuple[House, list[float], list[Image], dict[str, int]]:
    """Let the house's own draw rise by 2 kW; returns what the true meter showed from then on.

    Returns:
        The house, its net power each second, the images, and the writes to each device.
    """
    clock, watch = WallClock(), ImageWatch()
    house = House(clock, 500.0, wants=wants)
    devices = {spec.id: house.device(spec, takes_s) for spec, takes_s in specs.items()}
    cycle = Cycle(devices, ImageRing(), clock, lambda: tuple(signals), [watch], period_s=PERIOD_S)
    running = asyncio.create_task(cycle.run())
    await asyncio.sleep(30.33)
    house.base_w += 2_000.0
    before = {name: len(told) for name, told in house.writes.items()}
    seen = len(watch.images)
    nets: list[float] = []
    for second in range(WATCHED_S):
        await asyncio.sleep(1.0)
        house.base_w += (-1) ** second * 3.0  # no real meter stands still to the last digit
        nets.append(house.net_w)
    wrote = {name: len(told) - before[name] for name, told in house.writes.items()}
    images = watch.images[seen:]
    cycle.stop()
    await running
    return house, nets, images, wrote


def fresh(images: Sequence[Image]) -> None:
    for image in images:
        for name, state in image.devices.items():
            assert state.quality is Quality.GOOD, (name, state.error)
            assert state.reading is not None
            assert image.at - state.reading.at < 1.5 * PERIOD_S, name


@pytest.mark.parametrize(("meter_s", "battery_s"), PACES)
def test_a_battery_evens_out_a_load_and_does_not_swing(meter_s: float, battery_s: float) -> None:
    async def run() -> None:
        _, nets, images, wrote = await course({METER: meter_s, BATTERY: battery_s})
        fresh(images)
        assert max(abs(w) for w in nets[SETTLED_S:]) <= 30.0, nets
        assert wrote["battery"] <= 2 + WATCHED_S / 10, "but for its renewals it is left alone"

    in_no_time(run())


@pytest.mark.parametrize(("meter_s", "car_s"), PACES)
def test_a_car_under_a_limit_gives_way_once(meter_s: float, car_s: float) -> None:
    async def run() -> None:
        limit = Signal("E1", "P", SignalKind.IMPORT_LIMIT, LIMIT_W, 0.0, 1e12, binding=True)
        specs = {METER: meter_s, CAR: car_s, HEATER: 0.01}
        house, nets, images, wrote = await course(specs, (limit,), car=7_000.0)
        fresh(images)
        assert max(nets[SETTLED_S:]) <= LIMIT_W, nets
        assert house.power["car"] == 0.0 or nets[-1] > 0
        assert wrote["car"] <= 4

    in_no_time(run())


@pytest.mark.parametrize(("meter_s", "pv_s"), PACES)
def test_a_roof_under_an_export_limit_is_steady(meter_s: float, pv_s: float) -> None:
    async def run() -> None:
        limit = Signal("E1", "P", SignalKind.EXPORT_LIMIT, 1_000.0, 0.0, 1e12, binding=True)
        specs = {METER: meter_s, PV: pv_s}
        _, nets, images, wrote = await course(specs, (limit,), pv=-4_800.0)
        fresh(images)
        assert min(nets) >= -1_000.0, nets
        assert max(nets[SETTLED_S:]) <= -900.0, "no more is held back than needed"
        assert wrote["pv"] <= 4

    in_no_time(run())
