"""A home's MQTT devices opened by the driver, and simulated ones on the same broker."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from der.addresses import MqttAddress, Shared
from der.description import DeviceDescription
from der.errors import DeviceError
from der.model import Comfort, DeviceKind, DeviceSpec, Reading, Sleep
from der.registry import CONTROLS, Registry, build
from der.service import Handle, Mode
from der.sim.faults import Fault
from der.sim.journal import Journal
from der.sim.mqtt.node import MqttDevice, Node
from tests.mqtt.broker import Mosquitto

WITHIN_S = 20.0
METERS = {DeviceKind.METER, DeviceKind.SUBMETER}


def described(
    profile: str,
    topic: str,
    kind: DeviceKind = DeviceKind.PLUG,
    *,
    device: str = "it",
    max_w: float = 2000.0,
    max_age_s: float = 3.0,
    comfort: Comfort | None = None,
    sleep: Sleep | None = None,
) -> DeviceDescription:
    spec = DeviceSpec(
        device,
        kind,
        device.title(),
        CONTROLS[kind],
        -max_w if kind in METERS else 0.0,
        max_w,
        max_age_s=max_age_s,
        comfort=comfort,
        sleep=sleep,
    )
    return DeviceDescription(spec, "mqtt", MqttAddress(profile, topic))


@asynccontextmanager
async def hub(
    broker: Mosquitto, *descriptions: DeviceDescription, now: Callable[[], float] = time.time
) -> AsyncIterator[Registry]:
    """Run the driver's side of a hub."""
    registry = build(descriptions, Shared(broker=broker.settings), now=now)
    await registry.start()
    try:
        yield registry
    finally:
        await registry.stop()


@asynccontextmanager
async def opened(registry: Registry, device: str = "it") -> AsyncIterator[Handle]:
    handle = await until_opened(registry, device)
    try:
        yield handle
    finally:
        await handle.close()


async def until_opened(registry: Registry, device: str = "it") -> Handle:
    spec = registry.devices[device].spec
    mode = Mode.READ_ONLY if spec.kind in METERS else Mode.READ_WRITE
    async with asyncio.timeout(WITHIN_S):
        while True:
            with suppress(DeviceError):
                return await registry.devices[device].open(mode)
            await asyncio.sleep(0.05)


@asynccontextmanager
async def living(broker: Mosquitto, *devices: MqttDevice) -> AsyncIterator[list[Node]]:
    """Run simulated devices on the broker."""
    at = broker.settings
    nodes = [Node(d, Fault(d.name), at.host, at.port, Journal()) for d in devices]
    tasks = [asyncio.create_task(node.run()) for node in nodes]
    try:
        yield nodes
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def reads(handle: Handle, wanted: Callable[[Reading], bool]) -> Reading:
    """Read again and again until it says what is wanted."""
    last: object = None
    try:
        async with asyncio.timeout(WITHIN_S):
            while True:
                try:
                    last = reading = await handle.read()
                    if wanted(reading):
                        return reading
                except DeviceError as error:
                    last = error
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"still {last!r}") from None


async def fails(handle: Handle, words: str) -> str:
    """Read again and again until that fails in words that hold `words`."""
    last = ""
    try:
        async with asyncio.timeout(WITHIN_S):
            while True:
                try:
                    last = repr(await handle.read())
                except DeviceError as error:
                    last = str(error)
                    if words in last:
                        return last
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"still {last}") from None
