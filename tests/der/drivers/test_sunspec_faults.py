"""Each fault of each simulated SunSpec device over each transport: one error, then back again."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from der.addresses import ModbusAddress, TlsFiles, Transport
from der.commands import SelfTest
from der.errors import DeviceError, TransientError
from der.model import DeviceKind, Reading, Setpoint
from der.registry import build
from der.service import Handle, Mode
from der.sim.faults import FaultKind
from der.sim.options import Options
from der.sim.runner import SimulatedHome
from der.sim.sunspec.options import Carrier, Style
from tests.der.described import described
from tests.der.drivers.device_pki import Root
from tests.waiting import until

pytestmark = [pytest.mark.requirement("LC-TEST"), pytest.mark.requirement("PRO-IP")]

TIMEOUT_S = 0.3
BACK_WITHIN_S = 15.0
LONG_S = 60.0
KINDS = {
    "meter": (DeviceKind.METER, 0.0, 0.0),
    "pv": (DeviceKind.PV, -4000.0, 0.0),
    "battery": (DeviceKind.BATTERY, -5000.0, 5000.0),
}
DEVICES = [
    pytest.param("meter", Transport.TCP, Style.BASIC, id="meter-tcp"),
    pytest.param("meter", Transport.RTU_OVER_TCP, Style.BASIC, id="meter-rtu"),
    pytest.param("pv", Transport.RTU_OVER_TCP, Style.FULL, id="pv-rtu"),
    pytest.param("pv", Transport.TCP, Style.CLASSIC, id="old-pv-tcp"),
    pytest.param("battery", Transport.TLS, Style.FULL, id="battery-tls"),
    pytest.param("battery", Transport.TCP, Style.CLASSIC_FLOAT, id="old-battery-tcp"),
]
NOT_ANSWERING = "no answer within"
TROUBLES = {
    FaultKind.SILENCE: NOT_ANSWERING,
    FaultKind.DELAY: NOT_ANSWERING,
    FaultKind.GARBAGE: "bytes that are not Modbus",
    FaultKind.EXCEPTION: "exception 4",
    FaultKind.OFF: "the device closed the connection",
    FaultKind.REBOOT: "the device closed the connection",
}


@dataclass
class Rig:
    """A simulated home and one of its devices, opened as the hub opens it."""

    home: SimulatedHome
    name: str
    address: ModbusAddress
    handle: Handle

    async def reopened(self) -> Handle:
        """Open the device anew as long as that fails, and return a handle that reads."""

        async def attempt() -> Handle | DeviceError:
            try:
                await self.handle.close()
                self.handle = await opened(self.name, self.address)
                await self.handle.read()
            except DeviceError as error:
                return error
            return self.handle

        found = await until(
            attempt, lambda it: isinstance(it, Handle), BACK_WITHIN_S, f"{self.name} is back"
        )
        assert isinstance(found, Handle)
        return found

    def fault(self, kind: FaultKind, seconds: float = LONG_S) -> None:
        """Begin a fault, or end it."""
        self.home.devices.faults[self.name].set(kind, seconds=seconds, delay_s=10 * TIMEOUT_S)


async def opened(name: str, address: ModbusAddress) -> Handle:
    kind, low, high = KINDS[name]
    description = described(name, kind, "sunspec", address, high, min_w=low, deadline_s=10)
    registry = build([description], now=time.time)
    return await registry.devices[name].open(
        Mode.READ_ONLY if kind is DeviceKind.METER else Mode.READ_WRITE
    )


@asynccontextmanager
async def rig(name: str, transport: Transport, style: Style, folder: Path) -> AsyncIterator[Rig]:
    root = Root(folder)
    device, hub = root.issue("127.0.0.1"), root.issue("hub.local")
    options = Options.model_validate(
        {
            "ocpp": "",
            "fixed_load": 1000,
            "pv_w": 3000,
            "ev_soc": 1.0,
            "pv_style": style,
            "battery_style": style,
            f"{name}_carrier": Carrier(transport.value),
            "tls_certificate": device.certificate,
            "tls_key": device.key,
            "tls_trust": root.file,
        }
    )
    async with SimulatedHome(options) as home:
        address = ModbusAddress(
            "127.0.0.1",
            home.devices.servers[name].port,
            timeout_s=TIMEOUT_S,
            transport=transport,
            tls=TlsFiles(root.file, hub.certificate, hub.key)
            if transport is Transport.TLS
            else None,
        )
        made = Rig(home, name, address, await opened(name, address))
        try:
            yield made
        finally:
            await made.handle.close()


@pytest.mark.parametrize("kind", TROUBLES)
@pytest.mark.parametrize(("name", "transport", "style"), DEVICES)
async def test_a_fault_is_one_clear_error_and_passes(
    name: str, transport: Transport, style: Style, kind: FaultKind, tmp_path: Path
) -> None:
    async with rig(name, transport, style, tmp_path) as bench:
        assert (await bench.handle.read()).power_w is not None
        bench.fault(kind)
        with pytest.raises(TransientError) as caught:
            await asyncio.wait_for(_until_lost(bench.handle), 5)
        said = str(caught.value)
        assert said.startswith(f"{name}: measurements at 127.0.0.1:"), said
        assert TROUBLES[kind] in said
        assert "\n" not in said
        with pytest.raises(TransientError, match=f"^{name}: "):
            await bench.handle.read()
        bench.fault(FaultKind.NONE)
        reading = await (await bench.reopened()).read()
        assert reading.at == pytest.approx(time.time(), abs=30)


async def _until_lost(handle: Handle) -> None:
    while True:
        await handle.read()


@pytest.mark.parametrize(
    ("name", "style"),
    [("pv", Style.FULL), ("pv", Style.CLASSIC), ("battery", Style.FULL)],
)
async def test_after_a_reboot_it_has_forgotten_its_set_point(
    name: str, style: Style, tmp_path: Path
) -> None:
    async with rig(name, Transport.TCP, style, tmp_path) as bench:
        await bench.handle.write(Setpoint(-1000, 60))
        assert (await bench.handle.read()).limit_w == pytest.approx(-1000, abs=10)
        bench.fault(FaultKind.REBOOT, seconds=0.5)
        with pytest.raises(TransientError, match="closed the connection"):
            await asyncio.wait_for(_until_lost(bench.handle), 5)
        handle = await bench.reopened()
        assert (await handle.read()).limit_w is None
        await handle.write(Setpoint(-1000, 60))
        assert (await handle.read()).limit_w == pytest.approx(-1000, abs=10)


@pytest.mark.parametrize("style", [Style.FULL, Style.CLASSIC])
async def test_a_wrong_scale_factor_is_found_by_the_self_test(style: Style, tmp_path: Path) -> None:
    async with rig("pv", Transport.TCP, style, tmp_path) as bench:

        async def power_w() -> float:
            return (await bench.handle.read()).power_w

        await until(power_w, lambda watts: watts < -2000, 10, "the sun is up")
        assert (await bench.handle.ioctl(SelfTest())).passed
        bench.fault(FaultKind.SCALE)
        assert await power_w() < -2_000_000, "the driver cannot know; its caller knows the range"
        report = await bench.handle.ioctl(SelfTest())
        assert not report.passed
        assert any("a scale factor is wrong" in said for said in report.findings)


async def test_a_devices_own_clock_is_not_relied_upon(tmp_path: Path) -> None:
    async with rig("pv", Transport.TCP, Style.CLASSIC, tmp_path) as bench:
        bench.fault(FaultKind.CLOCK)
        reading = await bench.handle.read()
        assert isinstance(reading, Reading)
        assert reading.at == pytest.approx(time.time(), abs=30)
