"""All drivers on the simulated home's own sockets: what is asked is what the house then does."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest

from der.addresses import Address, MappedAddress, ModbusAddress, StationAddress
from der.commands import Connect, Disconnect, Identify
from der.drivers.ocpp.central import CentralSystem
from der.model import DeviceKind, Reading, Setpoint
from der.registry import build
from der.service import Handle, Mode
from der.sim.options import Options
from der.sim.runner import SimulatedHome
from tests.der.described import described

KINDS = {
    "meter": (DeviceKind.METER, "sunspec", 0, 0),
    "pv": (DeviceKind.PV, "sunspec", -4000, 0),
    "battery": (DeviceKind.BATTERY, "sunspec", -5000, 5000),
    "water_heater": (DeviceKind.WATER_HEATER, "modbus", 0, 2000),
    "heat_pump": (DeviceKind.HEAT_PUMP, "modbus", 0, 2000),
}
EV = described("ev", DeviceKind.EVSE, "ocpp16", StationAddress("ev"), 7360, deadline_s=5)


@dataclass(frozen=True, slots=True)
class Home:
    handles: dict[str, Handle]

    async def reads(self, name: str, wanted: Callable[[Reading], bool]) -> Reading:
        """Read a device again and again until it says what is wanted."""
        seen: Reading | None = None
        try:
            async with asyncio.timeout(5):
                while True:
                    seen = await self.handles[name].read()
                    if wanted(seen):
                        return seen
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pytest.fail(f"{name} still says {seen}")


def address(driver: str, bus: ModbusAddress) -> Address:
    return MappedAddress(bus, "relay-board") if driver == "modbus" else bus


@asynccontextmanager
async def home() -> AsyncIterator[Home]:
    async with AsyncExitStack() as stack:
        # The charger calls the hub, so the hub's port must be known before the home starts.
        chargers = build([EV], now=time.time)
        await chargers.start()
        stack.push_async_callback(chargers.stop)
        (central,) = chargers.services.values()
        assert isinstance(central, CentralSystem)
        options = Options(
            ocpp=f"ws://127.0.0.1:{central.port}/ocpp/ev",
            start_hour=18,
            pv_w=3000,
            fixed_load=500,
        )
        simulated = await stack.enter_async_context(SimulatedHome(options))
        at = simulated.addresses()
        registry = build(
            (
                described(
                    name,
                    kind,
                    driver,
                    address(driver, ModbusAddress(at[name].host, at[name].port)),
                    high,
                    min_w=low,
                )
                for name, (kind, driver, low, high) in KINDS.items()
            ),
            now=time.time,
        )
        handles = {}
        for name, device in [*registry.devices.items(), *chargers.devices.items()]:
            mode = Mode.READ_ONLY if name == "meter" else Mode.READ_WRITE
            handles[name] = await device.open(mode)
            stack.push_async_callback(handles[name].close)
        yield Home(handles)


@pytest.mark.requirement("SVC-OPEN", "SVC-READ", "SVC-WRITE")
async def test_the_house_does_what_its_devices_are_told() -> None:
    async with home() as at:
        await at.reads("pv", lambda r: r.power_w == -3000)
        await at.handles["pv"].write(Setpoint(-1000, 30))
        await at.reads("pv", lambda r: r.power_w == pytest.approx(-1000, abs=5))
        await at.handles["battery"].write(Setpoint(1500, 30))
        charging = await at.reads("battery", lambda r: r.power_w == pytest.approx(1500, abs=50))
        assert charging.limit_w == 1500
        assert charging.soc is not None
        await at.handles["battery"].write(Setpoint(-2000, 30))
        await at.reads("battery", lambda r: r.power_w == pytest.approx(-2000, abs=50))
        await at.handles["ev"].write(Setpoint(2300, 30))
        await at.reads("ev", lambda r: r.power_w == pytest.approx(2300, rel=0.05))
        await at.handles["ev"].write(Setpoint(0, 30))
        await at.reads("ev", lambda r: r.power_w == 0)
        await at.reads("water_heater", lambda r: r.power_w > 1000)
        await at.handles["water_heater"].write(Setpoint(0, 30))
        off = await at.reads("water_heater", lambda r: r.power_w == 0)
        assert (off.wants_power, off.limit_w) == (True, 0)
        meter = await at.handles["meter"].read()
        parts = [(await handle.read()).power_w for n, handle in at.handles.items() if n != "meter"]
        assert meter.power_w == pytest.approx(sum(parts) + 500, abs=60)


@pytest.mark.requirement("SVC-WRITE")
async def test_a_silent_hub_gives_the_devices_back() -> None:
    async with home() as at:
        await at.handles["pv"].write(Setpoint(0, 1))
        await at.handles["battery"].write(Setpoint(-3000, 1))
        await at.handles["water_heater"].write(Setpoint(0, 1))
        await at.handles["ev"].write(Setpoint(0, 1))
        await at.reads("pv", lambda r: r.limit_w is None and r.power_w == -3000)
        await at.reads("battery", lambda r: r.limit_w is None and r.power_w == 0)
        await at.reads("water_heater", lambda r: r.limit_w is None and r.power_w > 1000)
        # The charger falls back to 6 A of 230 V, and says so only by what it draws.
        await at.reads("ev", lambda r: r.power_w == pytest.approx(1380, rel=0.05))


@pytest.mark.requirement("SVC-IOCTL")
async def test_devices_can_be_taken_off_and_put_back() -> None:
    async with home() as at:
        for name in ("pv", "ev", "heat_pump"):
            await at.handles[name].ioctl(Disconnect())
            await at.reads(name, lambda r: r.power_w == 0 and r.connected is False)
        await at.handles["pv"].ioctl(Connect())
        await at.reads("pv", lambda r: r.power_w == -3000)
        who = await at.handles["battery"].ioctl(Identify())
        assert who.manufacturer == "Simulated Home"
