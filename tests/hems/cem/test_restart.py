"""A hub that starts in mid-event undoes nothing that it finds."""

import asyncio
import contextlib
from dataclasses import dataclass, replace

import pytest

from der.model import DeviceState, Quality, Reading, Setpoint
from hems.cem.allocator import allocate
from hems.cem.arbiter import arbitrate
from hems.cem.cycle import Cycle
from hems.cem.memory import Memory
from hems.cem.orders import Allocation
from hems.cem.policy import AllocatorPolicy
from hems.image import Image, ImageRing
from programs.inputs import Inputs
from programs.registry import Policies, propose_all
from programs.signal import Signal, SignalKind
from tests.hems.cem.plant import HEATER, METER, PV, T0
from tests.hems.cem.wire import ImageWatch, WallClock, WireDevice


def _signal(kind: SignalKind, value: float) -> Signal:
    return Signal("E1", "Peak", kind, value, T0 - 60, T0 + 600, binding=True)


@dataclass
class Restarted:
    """A hub that has just started, with the meter off and a roof held at 1.5 kW."""

    memory: Memory
    at: float = T0

    def decide(self, *signals: Signal, held_w: float | None = -1_500.0) -> Allocation:
        roof = Reading(self.at, -1_500.0, connected=True, limit_w=held_w)
        states = {
            "meter": DeviceState(METER, None, Quality.LOST),
            "pv": DeviceState(PV, roof, Quality.GOOD, setpoint=self.memory.setpoint("pv", self.at)),
        }
        inputs = Inputs(signals, states, None, self.at)
        decision = arbitrate(propose_all(inputs, Policies()), self.at)
        image = Image(self.at, 1, states)
        made = allocate(image, decision, self.at, self.memory, AllocatorPolicy())
        self.memory = made.memory
        order = made.orders["pv"]
        if order.write:
            self.memory = self.memory.confirmed("pv", order.setpoint, self.at)
        self.at += 1.0
        return made


@pytest.mark.requirement("BUC-11")
@pytest.mark.parametrize(
    ("signals", "floor_w"),
    [
        ((_signal(SignalKind.EXPORT_LIMIT, 1_500),), -1_450.0),
        ((_signal(SignalKind.GENERATION_LIMIT, 1_500),), -1_450.0),
        ((_signal(SignalKind.EXPORT_LIMIT, 3_000),), -1_500.0),
        ((), -1_500.0),
    ],
    ids=["export", "generation", "looser", "nothing asked"],
)
def test_a_limit_found_on_the_roof_stands_while_the_meter_is_off(
    signals: tuple[Signal, ...], floor_w: float
) -> None:
    hub = Restarted(Memory())
    for _ in range(1_000):
        if hub.at >= T0 + 590:
            break
        order = hub.decide(*signals).orders["pv"]
        assert order.setpoint is not None
        assert order.setpoint.power_w == floor_w


@pytest.mark.requirement("BUC-11")
@pytest.mark.parametrize("kind", [SignalKind.EXPORT_LIMIT, SignalKind.GENERATION_LIMIT])
def test_a_limit_on_export_or_generation_needs_no_meter(kind: SignalKind) -> None:
    made = Restarted(Memory()).decide(_signal(kind, 1_000), held_w=None)
    order = made.orders["pv"]
    assert order.write
    assert order.setpoint == Setpoint(-950.0, 610.0)


@pytest.mark.requirement("BUC-11")
async def test_nothing_is_decided_before_it_is_known_what_the_grid_asks() -> None:
    clock, watch = WallClock(), ImageWatch()
    asked: list[tuple[Signal, ...] | None] = [None]
    far = {
        "meter": WireDevice(METER, power_w=500.0),
        "pv": WireDevice(PV, power_w=-1_500.0, limit_w=-1_500.0),
        "heater": WireDevice(replace(HEATER, min_off_s=0), limit_w=0.0),
    }
    cycle = Cycle(
        {n: d.device(clock, deadline_s=0.6) for n, d in far.items()},
        ImageRing(),
        clock,
        lambda: asked[0],
        [watch],
        period_s=0.1,
    )
    async with contextlib.AsyncExitStack() as stack:
        for device in far.values():
            await device.start()
            stack.push_async_callback(device.stop)
        running = asyncio.create_task(cycle.run())
        await watch.next(5)
        assert await cycle.react()
        assert not any(device.writes for device in far.values())
        now = clock.now()
        limit = _signal(SignalKind.EXPORT_LIMIT, 1_500)
        asked[0] = (replace(limit, starts_at=now - 60, ends_at=now + 600),)
        await asyncio.wait_for(far["pv"].written.wait(), 5)
        cycle.stop(give_back=False)
        await asyncio.wait_for(running, 10)
    assert None not in far["pv"].writes
