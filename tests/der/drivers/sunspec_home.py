"""The simulated home's SunSpec devices on real sockets, opened through the driver."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from der.addresses import ModbusAddress
from der.commands import Command
from der.model import Control, DeviceKind, DeviceSpec, Reading
from der.registry import build
from der.service import Handle, Mode
from der.sim.options import Options
from der.sim.runner import SimulatedHome
from tests.der.described import described
from tests.waiting import until

KINDS = {
    "pv": (DeviceKind.PV, -4000.0, 0.0),
    "battery": (DeviceKind.BATTERY, -5000.0, 5000.0),
    "meter": (DeviceKind.METER, 0.0, 0.0),
}
STILL: dict[str, object] = {
    "ocpp": "",
    "only": "pv,battery,meter",
    "fixed_load": 1000.0,
    "pv_w": 3000.0,
    "tank_temp": 60.0,
    "room_temp": 22.0,
    "ev_soc": 1.0,
    "battery_soc": 0.5,
}
"""A home in which nothing moves but what is told to."""


def spec(name: str) -> DeviceSpec:
    """Return a device as commissioned."""
    kind, low, high = KINDS[name]
    control = {DeviceKind.PV: Control.FLOOR, DeviceKind.BATTERY: Control.TARGET}
    return DeviceSpec(name, kind, name.title(), control.get(kind, Control.NONE), low, high)


@dataclass(frozen=True, slots=True)
class Opened:
    """An open device of a simulated home."""

    home: SimulatedHome
    handle: Handle

    async def reads(self, good: Callable[[Reading], bool], what: str) -> Reading:
        """Read until a reading is good, and return it."""
        return await until(self.handle.read, good, 10.0, what)

    async def asks(
        self, command: Command[object], good: Callable[[object], bool], what: str
    ) -> object:
        """Ask until an answer is good, and return it."""

        async def ask() -> object:
            return await self.handle.ioctl(command)

        return await until(ask, good, 10.0, what)

    async def gone(self) -> None:
        """Return once the device has left the network."""
        await until(self._listens, lambda listens: not listens, 10.0, "it leaves the network")

    async def back(self) -> None:
        """Return once the device is on the network."""
        await until(self._listens, lambda listens: listens, 10.0, "it is on the network")

    async def reopened(self, call: Callable[[Handle], Awaitable[object]]) -> None:
        """Do something over a new connection, as the hub does after an error."""
        await self.handle.close()
        async with opened_in(self.home, self.handle.spec.id) as again:
            await call(again.handle)

    async def _listens(self) -> bool:
        port = self.home.devices.servers[self.handle.spec.id].port
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            return False
        writer.close()
        return True


@asynccontextmanager
async def simulated(**options: object) -> AsyncIterator[SimulatedHome]:
    """Run a still home with some options."""
    async with SimulatedHome(Options.model_validate({**STILL, **options})) as home:
        yield home


@asynccontextmanager
async def opened_in(
    home: SimulatedHome, name: str, timeout_s: float = 5.0
) -> AsyncIterator[Opened]:
    """Open a device of a home for reading and, but for a meter, writing."""
    kind, low, high = KINDS[name]
    address = ModbusAddress("127.0.0.1", home.devices.servers[name].port, timeout_s=timeout_s)
    registry = build(
        [described(name, kind, "sunspec", address, high, min_w=low, deadline_s=20)], now=time.time
    )
    await registry.start()
    mode = Mode.READ_ONLY if kind is DeviceKind.METER else Mode.READ_WRITE
    handle = await registry.devices[name].open(mode)
    try:
        yield Opened(home, handle)
    finally:
        await handle.close()
        await registry.stop()


@asynccontextmanager
async def opened(name: str, **options: object) -> AsyncIterator[Opened]:
    """Open a device of a still home of its own."""
    async with simulated(**options) as home, opened_in(home, name) as device:
        yield device
