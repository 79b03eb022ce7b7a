"""A simulated house in a process of its own, a control cycle, and regulation beside it."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from der.addresses import ModbusAddress, Shared
from der.curves import Droop, GridFunction
from der.description import DeviceDescription
from der.model import Control, DeviceKind, DeviceSpec
from der.registry import build
from hems.cem.arbiter import Decision
from hems.cem.cycle import Cycle
from hems.cem.effects import Effect
from hems.cem.policy import AllocatorPolicy
from hems.clock import Clock, SystemClock
from hems.commands.child import Child
from hems.image import Image, ImageRing
from hems.regulation.process import COMMAND
from hems.regulation.regulation import Regulation, RegulationEvents
from hems.regulation.settings import RegulationSettings, Source
from programs.arming import Agreed, By
from programs.performance import Performance
from programs.registry import Policies
from programs.signal import Signal
from tests.waiting import until

STEEP = Droop(GridFunction.FREQUENCY_DROOP, 0.02, 0.02, 0.01, 0.01)
"""All of the capacity half a hertz beyond a dead band of 20 mHz."""


@dataclass
class House:
    """The simulated house.

    Attributes:
        ports: By device.
        door: Its door for tests.
    """

    ports: Mapping[str, int]
    door: str
    http: aiohttp.ClientSession

    async def post(self, path: str, **order: object) -> Mapping[str, float]:
        """Order something at the door."""
        async with self.http.post(f"{self.door}/{path}", json=order) as response:
            assert response.ok, await response.text()
            answer: Mapping[str, float] = await response.json()
            return answer

    async def get(self, path: str) -> object:
        """Ask the door."""
        async with self.http.get(f"{self.door}/{path}") as response:
            answer: object = await response.json()
            return answer

    async def battery_w(self) -> float:
        """Return the battery's true power."""
        state = await self.get("state")
        assert isinstance(state, dict)
        return float(state["house"]["battery"]["power_w"])

    async def meter_w(self) -> float:
        """Return the meter's true power."""
        state = await self.get("state")
        assert isinstance(state, dict)
        return float(state["house"]["meter"]["power_w"])


@asynccontextmanager
async def house(folder: Path, *options: str) -> AsyncIterator[House]:
    """Run a simulated house with a battery of 5 kW and 10 kWh, a constant load and no sun."""
    ready = folder / "house.json"
    child = Child(
        "house",
        (
            *(sys.executable, "-m", "der.sim", "--ready", str(ready), "--fixed-load", "500"),
            *("--pv-w", "0", "--battery-kwh", "10", "--battery-soc", "0.5", *options),
            *("--ev-arrive-hour", "7.4", "--ev-leave-hour", "7.5", "--tank-temp", "60"),
            *("--room-temp", "25"),
        ),
        folder / "house.log",
        ready,
    )
    await child.start()
    try:
        told = await child.wait_ready(60.0)
        devices = json.loads(json.dumps(told["devices"]))
        control = json.loads(json.dumps(told["control"]))
        async with aiohttp.ClientSession() as http:
            yield House(
                {name: at["port"] for name, at in devices.items()},
                f"http://{control['host']}:{control['port']}",
                http,
            )
    finally:
        await child.stop()


def descriptions(at: House) -> tuple[DeviceDescription, ...]:
    """Return meter and battery."""
    meter = DeviceSpec("meter", DeviceKind.METER, "Meter", Control.NONE, 0.0, 0.0)
    battery = DeviceSpec("battery", DeviceKind.BATTERY, "Battery", Control.TARGET, -5000.0, 5000.0)
    return (
        DeviceDescription(meter, "sunspec", ModbusAddress("127.0.0.1", at.ports["meter"])),
        DeviceDescription(battery, "sunspec", ModbusAddress("127.0.0.1", at.ports["battery"])),
    )


@dataclass
class Hub:
    """A control cycle with regulation beside it.

    Attributes:
        ring: The cycle's images.
        signals: What the grid asks; put something in and it counts from the next cycle.
        alarms: What the owner is shown, by source.
        records: What was recorded.
        effects: What was written by the cycle.
        left: Programmes that the owner has left.
        regulation: Under test.
        cycle: The cycle.
    """

    ring: ImageRing = field(default_factory=ImageRing)
    signals: list[Signal] = field(default_factory=list)
    alarms: dict[str, str] = field(default_factory=dict)
    records: list[Performance] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    left: set[str] = field(default_factory=set)
    regulation: Regulation = field(init=False)
    cycle: Cycle = field(init=False)

    def on_image(self, image: Image, decision: Decision) -> None:
        """Take an image."""
        del decision
        self.regulation.take_image(image)

    def on_effect(self, effect: Effect) -> None:
        """Take an effect."""
        self.effects.append(effect)

    def alarm(self, source: str, text: str | None) -> None:
        """Take an alarm."""
        self.alarms.pop(source, None)
        if text is not None:
            self.alarms[source] = text

    async def until(self, regulating: bool = True, within_s: float = 30.0) -> None:
        """Return once the loop regulates, or no longer does."""

        async def look() -> bool:
            return self.regulation.regulating

        await until(look, lambda is_so: is_so is regulating, within_s, "regulating")


def settings(
    *,
    droop: Droop | None = STEEP,
    by: By = By.HUB,
    source: Source | None = None,
    program: str = "",
    capacity_w: float = 2000.0,
    measured_by: str = "",
    stale_s: float = 10.0,
    fade_s: float = 10.0,
) -> RegulationSettings:
    """Return what the owner of the house agreed to."""
    agreed = Agreed("battery", droop, by, source is not None, program)
    return RegulationSettings(
        agreed, capacity_w, measured_by, source=source, stale_s=stale_s, fade_s=fade_s
    )


@asynccontextmanager
async def hub(
    at: House,
    agreed: RegulationSettings,
    *,
    allocator: AllocatorPolicy | None = None,
    policies: Policies | None = None,
    command: Sequence[str] = COMMAND,
    clock: Clock | None = None,
) -> AsyncIterator[Hub]:
    """Run a hub in this process; its regulating process is a real one."""
    clock, made, known = clock or SystemClock(), Hub(), descriptions(at)
    registry = build(known, now=clock.now)
    tell = RegulationEvents(
        lambda: made.signals,
        lambda: made.cycle.allocation.rooms,
        dict,
        lambda _device: (),
        lambda: made.left,
        made.alarm,
        lambda: None,
        made.records.append,
    )
    made.regulation = Regulation(agreed, known, Shared(), clock, tell, command=command)
    made.regulation.attach(registry.devices)
    made.cycle = Cycle(
        registry.devices,
        made.ring,
        clock,
        lambda: made.signals,
        [made],
        policies=lambda: made.regulation.applied(policies or Policies()),
        allocator=allocator,
    )
    await registry.start()
    tasks = [asyncio.create_task(made.cycle.run()), asyncio.create_task(made.regulation.run())]
    try:
        yield made
    finally:
        made.cycle.stop()
        await asyncio.wait(tasks[:1], timeout=10)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await registry.stop()
