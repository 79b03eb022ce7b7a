"""Modbus over TLS and RTU over TCP of the simulated devices, with pymodbus's clients and ours."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pymodbus import FramerType
from pymodbus.client import AsyncModbusTcpClient
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from der.addresses import ModbusAddress, TlsFiles, Transport
from der.drivers.sunspec.link import connect
from der.model import Control, DeviceKind, DeviceSpec, Setpoint
from der.sim.errors import OptionError
from der.sim.modbus.framing import crc
from der.sim.options import Options, parse
from der.sim.runner import SimulatedHome
from der.sim.sunspec.options import Carrier
from tests.der.drivers.device_pki import Root

PV = DeviceSpec("pv", DeviceKind.PV, "Roof", Control.FLOOR, -4000, 0)
MARKER = [0x5375, 0x6E53]
READ_MARKER = bytes([1, 3, 0x9C, 0x40, 0, 2])


@asynccontextmanager
async def home(carrier: Carrier, root: Root | None = None) -> AsyncIterator[SimulatedHome]:
    files: dict[str, Path] = {}
    if root is not None:
        device = root.issue("127.0.0.1")
        files = {
            "tls_certificate": device.certificate,
            "tls_key": device.key,
            "tls_trust": root.file,
        }
    options = Options.model_validate(
        {"ocpp": "", "pv_w": 3000.0, "only": "pv", "pv_carrier": carrier, **files}
    )
    async with SimulatedHome(options) as made:
        yield made


def port(made: SimulatedHome) -> int:
    return made.devices.servers["pv"].port


@pytest.mark.requirement("PRO-IP")
async def test_pymodbus_reads_rtu_frames_over_tcp() -> None:
    async with home(Carrier.RTU_OVER_TCP) as made:
        client = AsyncModbusTcpClient(
            "127.0.0.1", port=port(made), framer=FramerType.RTU, retries=0
        )
        async with client:
            answer = await client.read_holding_registers(40000, count=2)
            assert answer.registers == MARKER
            refused = await client.write_registers(40002, [1])
            assert refused.exception_code == 2


@pytest.mark.requirement("PRO-IP")
async def test_the_alliances_client_reads_over_tls(tmp_path: Path) -> None:
    root = Root(tmp_path)
    ours = root.issue("hub")

    def read() -> list[int]:
        device = SunSpecModbusClientDeviceTCP(
            slave_id=1,
            ipaddr="127.0.0.1",
            ipport=port(made),
            timeout=5,
            tls=True,
            cafile=str(root.file),
            certfile=str(ours.certificate),
            keyfile=str(ours.key),
        )
        device.scan()
        device.close()
        return [model for model in device.models if isinstance(model, int)]

    async with home(Carrier.TLS, root) as made:
        assert await asyncio.to_thread(read) == [1, 701, 702, 703, 704]


async def first_byte(at: int, context: ssl.SSLContext) -> bytes:
    """Connect and wait for a byte: under TLS 1.3 a refusal arrives with the first read."""
    reader, writer = await asyncio.open_connection("127.0.0.1", at, ssl=context)
    try:
        async with asyncio.timeout(5):
            return await reader.readexactly(1)
    finally:
        writer.close()


async def test_tls_devices_turn_strangers_away(tmp_path: Path) -> None:
    root = Root(tmp_path)
    stranger = ssl.create_default_context(cafile=str(root.file))
    async with home(Carrier.TLS, root) as made:
        with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
            await first_byte(port(made), stranger)


@pytest.mark.requirement("SVC-READ", "SVC-WRITE")
@pytest.mark.parametrize("carrier", list(Carrier))
async def test_our_driver_reads_and_writes_over_each(carrier: Carrier, tmp_path: Path) -> None:
    root = Root(tmp_path)
    ours = root.issue("hub")
    async with home(carrier, root) as made:
        address = ModbusAddress(
            "127.0.0.1",
            port(made),
            timeout_s=5,
            transport=Transport(carrier.value),
            tls=TlsFiles(root.file, ours.certificate, ours.key),
        )
        link = await connect(PV, address)
        try:
            await link.write(Setpoint(-1200, 60))
            assert (await link.read()).limit_w == -1200
        finally:
            await link.close()


@pytest.mark.parametrize(
    "request_bytes",
    [
        READ_MARKER + b"\0\0",  # a wrong CRC
        bytes([1, 43]) + crc(bytes([1, 43])),  # a function whose length is not known
    ],
)
async def test_rtu_frames_that_make_no_sense_end_the_connection(request_bytes: bytes) -> None:
    async with home(Carrier.RTU_OVER_TCP) as made:
        reader, writer = await asyncio.open_connection("127.0.0.1", port(made))
        writer.write(request_bytes)
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()


def test_the_crc_of_the_serial_specification() -> None:
    # The well-known request for register 0 of unit 1: 01 03 00 00 00 01 84 0a.
    assert crc(bytes([1, 3, 0, 0, 0, 1])) == bytes([0x84, 0x0A])


def test_tls_without_its_files_is_said_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="TLS needs --tls-certificate"):
        SimulatedHome(Options(ocpp="", pv_carrier=Carrier.TLS))
    missing = tmp_path / "none.pem"
    options = Options(
        ocpp="", pv_carrier=Carrier.TLS, tls_certificate=missing, tls_key=missing,
        tls_trust=missing,
    )  # fmt: skip
    with pytest.raises(OptionError, match=r"TLS files .*none\.pem"):
        SimulatedHome(options)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--wiring", "roof=A"], "--wiring roof=A: .*must read PART=PHASES"),
        (["--pv-style", "fancy"], "--pv-style fancy: "),
        (["--meter-model", "701"], "--meter-model 701: "),
        (["--curve-slots", "0"], "--curve-slots 0: "),
        (["--meter-order", "ABD"], "--meter-order ABD: "),
    ],
)
def test_options_that_make_no_sense_are_named(arguments: list[str], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        parse(arguments)


def test_options_from_the_command_line() -> None:
    said = {
        "pv-style": "full",
        "battery-style": "classic",
        "phases": "ABC",
        "wiring": "pv=B,ev=BC",
        "curve-reversion": "false",
        "single-points": "true",
        "only": "pv,meter",
    }
    options = parse([word for name, value in said.items() for word in (f"--{name}", value)])
    assert options.parts() == {"pv": "B", "ev": "BC"}
    assert (options.curve_reversion, options.single_points) == (False, True)
    assert options.serves("meter")
    assert not options.serves("battery")
