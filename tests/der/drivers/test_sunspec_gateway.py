"""Several SunSpec devices behind one gateway, opened through the registry as the hub does."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from der.addresses import ModbusAddress
from der.drivers.modbus.pool import ModbusPool
from der.errors import TransientError
from der.model import DeviceKind
from der.registry import build
from der.service import Mode
from tests.der.described import described
from tests.der.drivers.servers import BASE, sunspec_map
from tests.der.drivers.test_sunspec import INVERTER, METERED, STORED

pytestmark = [pytest.mark.requirement("PRO-IP"), pytest.mark.requirement("SVC-OPEN")]

MAPS = {1: METERED, 2: INVERTER, 3: STORED}
PARTS = {
    1: ("meter", DeviceKind.METER, 0.0, 0.0),
    2: ("pv", DeviceKind.PV, -5000.0, 0.0),
    3: ("battery", DeviceKind.BATTERY, -5000.0, 5000.0),
}


class Door:
    """Counts the connections that a server has."""

    def __init__(self) -> None:
        self.open = 0
        self.ever = 0

    def __call__(self, connected: bool) -> None:
        self.open += 1 if connected else -1
        self.ever += connected


@asynccontextmanager
async def gateway() -> AsyncIterator[tuple[int, Door]]:
    """Run pymodbus's server with three devices; yields its port and its door."""
    units = [
        SimDevice(unit, [SimData(BASE, values=sunspec_map(models), datatype=DataType.REGISTERS)])
        for unit, models in MAPS.items()
    ]
    door = Door()
    server = ModbusTcpServer(units, address=("127.0.0.1", 0), trace_connect=door)
    await server.serve_forever(background=True)
    listener = server.transport
    assert isinstance(listener, asyncio.Server)
    try:
        yield listener.sockets[0].getsockname()[1], door
    finally:
        server.close()


async def test_devices_behind_one_gateway_share_its_connection() -> None:
    async with gateway() as (port, door):
        registry = build(
            (
                described(
                    name, kind, "sunspec", ModbusAddress("127.0.0.1", port, unit), high, min_w=low
                )
                for unit, (name, kind, low, high) in PARTS.items()
            ),
            now=time.time,
        )
        await registry.start()
        assert any(isinstance(service, ModbusPool) for service in registry.services.values())
        modes = [Mode.READ_ONLY, Mode.READ_WRITE, Mode.READ_WRITE]
        handles = await asyncio.gather(
            *(d.open(m) for d, m in zip(registry.devices.values(), modes, strict=True))
        )
        for _ in range(5):
            readings = await asyncio.gather(*(handle.read() for handle in handles))
            assert [reading.power_w for reading in readings] == [-1520, -2345, -2345]
        assert (door.open, door.ever) == (1, 1)
        await handles[0].close()
        assert (await handles[1].read()).power_w == -2345
        await registry.stop()
        with pytest.raises(TransientError, match=r"^battery: measurements at .*stopping"):
            await handles[2].read()


async def test_devices_at_different_places_share_nothing() -> None:
    async with gateway() as (one, first), gateway() as (two, second):
        registry = build(
            (
                described(
                    f"meter{port}", DeviceKind.METER, "sunspec", ModbusAddress("127.0.0.1", port)
                )
                for port in (one, two)
            ),
            now=time.time,
        )
        handles = [await d.open(Mode.READ_ONLY) for d in registry.devices.values()]
        assert [(await handle.read()).power_w for handle in handles] == [-1520, -1520]
        assert (first.ever, second.ever) == (1, 1)
        await registry.stop()
