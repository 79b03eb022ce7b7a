"""A simulated home's charger and the hub's driver for it, on a real socket."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from der.addresses import CentralSettings, Shared, StationAddress, Wiring
from der.description import DeviceDescription
from der.drivers.ocpp.central import CentralSystem
from der.drivers.ocpp.station import Version
from der.errors import DeviceError, TransientError
from der.model import Control, DeviceKind, DeviceSpec, Reading
from der.registry import build
from der.service import Device, Handle, Mode
from der.sim.faults import Fault
from der.sim.options import Options
from der.sim.runner import SimulatedHome
from tests.waiting import until

DRIVERS = {"ocpp1.6": "ocpp16", "ocpp2.0.1": "ocpp201"}
THREE_PHASES = Wiring(phases=3, switches_phases=True)


@dataclass
class Ev:
    """A charger, seen from the hub, and the home that it stands in."""

    handle: Handle
    home: SimulatedHome
    central: CentralSystem

    @property
    def fault(self) -> Fault:
        return self.home.devices.faults["ev"]

    @property
    def power_w(self) -> float:
        """What the car truly draws."""
        return self.home.house.now.ev.power_w

    async def reads(self, wanted: Callable[[Reading], bool], within_s: float = 15.0) -> Reading:
        """Read until the reading is as wanted; errors meanwhile are looked over."""
        seen: object = None
        try:
            async with asyncio.timeout(within_s):
                while True:
                    try:
                        seen = reading = await self.handle.read()
                        if wanted(reading):
                            return reading
                    except DeviceError as error:
                        seen = error
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pytest.fail(f"it still says {seen}")

    async def fails(self, *words: str, within_s: float = 15.0) -> str:
        """Read until that fails with an error in which one of the words occurs."""
        seen: object = None
        try:
            async with asyncio.timeout(within_s):
                while True:
                    try:
                        seen = await self.handle.read()
                    except DeviceError as error:
                        seen = error
                        if any(word in str(error) for word in words):
                            return str(error)
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pytest.fail(f"it still says {seen}")

    async def draws(self, low_w: float, high_w: float, within_s: float = 15.0) -> None:
        """Wait until the car draws a power in a range."""

        async def look() -> float:
            return self.power_w

        def good(power_w: float) -> bool:
            return low_w <= power_w <= high_w

        await until(look, good, within_s, f"it draws {low_w:g} to {high_w:g} W")


@asynccontextmanager
async def charging(
    version: Version,
    wiring: Wiring | None = None,
    settings: CentralSettings | None = None,
    options: Sequence[tuple[str, object]] = (),
    password: str = "",
) -> AsyncIterator[Ev]:
    """Run a home whose car is charging, and a hub that sees it."""
    wired = wiring or Wiring()
    spec = DeviceSpec(
        "ev",
        DeviceKind.EVSE,
        "Car",
        Control.CEILING,
        0,
        16 * 230 * 3 if wired.phases > 1 else 7360,
    )
    address = StationAddress("ev", password, wiring=wired)
    described = DeviceDescription(spec, DRIVERS[version.subprotocol], address)
    registry = build([described], Shared(central=settings or CentralSettings()), now=time.time)
    (central,) = registry.services.values()
    assert isinstance(central, CentralSystem)
    await registry.start()
    scheme = "ws" if settings is None or settings.tls is None else "wss"
    try:
        chosen = Options.model_validate(
            {
                "ocpp": f"{scheme}://127.0.0.1:{central.port}/ocpp/ev",
                "ocpp_version": version.subprotocol.removeprefix("ocpp"),
                "ocpp_password": password,
                "fixed_load": 500,
                "pv_w": 0,
                "ev_phases": str(wired.phases),
                "ev_switches": wired.switches_phases,
                "ev_max_a": 16 if wired.phases > 1 else 32,
                **dict(options),
            }
        )
        async with SimulatedHome(chosen) as home:
            handle = await _opened(registry.devices["ev"])
            ev = Ev(handle, home, central)
            await ev.reads(lambda reading: reading.power_w > 1000)
            yield ev
            await handle.close()
    finally:
        await registry.stop()


async def _opened(device: Device, within_s: float = 15.0) -> Handle:
    """Open the charger as a hub does: again, where a busy machine has not let it call in yet."""
    async with asyncio.timeout(within_s):
        while True:
            try:
                return await device.open(Mode.READ_WRITE)
            except TransientError:
                await asyncio.sleep(0.05)
