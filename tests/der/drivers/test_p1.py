"""The customer port over real sockets: the simulated meter, each of its faults, and sick ones."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from der.addresses import ModbusAddress, P1Address
from der.commands import FirmwareVersion, Identify, Options, Reset
from der.errors import DeviceError, PermanentError, RejectedError, TransientError
from der.model import DeviceKind, Reading, Safeguard, Setpoint
from der.registry import build
from der.service import Device, Handle, Mode
from der.sim.faults import FaultKind
from der.sim.options import Options as SimOptions
from der.sim.runner import SimulatedHome
from tests.der.described import described
from tests.der.drivers.p1_telegrams import DSMR5, DSMR22
from tests.waiting import until

pytestmark = [pytest.mark.requirement("ROLE-SM"), pytest.mark.requirement("SVC-READ")]

MAX_AGE_S = 1.5


def _meter(port: int, *, inverted: bool = False, deadline_s: float = 2.0) -> Device:
    at = P1Address("127.0.0.1", port)
    description = described("meter", DeviceKind.METER, "p1", at, deadline_s=deadline_s)
    spec = replace(description.spec, max_age_s=MAX_AGE_S)
    description = replace(description, spec=spec, inverted=inverted)
    return build([description], now=time.time).devices["meter"]


@pytest.fixture
async def home() -> AsyncIterator[SimulatedHome]:
    options = SimOptions(
        ocpp="",
        only="pv",
        p1_port=0,
        p1_period=0.2,
        phases="ABC",
        wiring="pv=A,water_heater=B,heat_pump=C",
        fixed_load=900.0,
        pv_w=3000.0,
        ev_soc=1.0,
        tank_temp=60.0,
    )
    async with SimulatedHome(options) as running:
        yield running


def _port(home: SimulatedHome) -> int:
    assert home.devices.p1 is not None
    return home.devices.p1.port


@asynccontextmanager
async def _pushing(*pieces: bytes, hang_up: bool = False) -> AsyncIterator[int]:
    """Serve bytes to whoever connects; then hang up, or stay silent."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0)
        if not hang_up:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_reads_what_the_house_draws_by_phase(home: SimulatedHome) -> None:
    handle = await _meter(_port(home)).open(Mode.READ_ONLY)

    async def settled() -> tuple[float, float, tuple[float | None, ...]]:
        reading = await handle.read()
        return (
            reading.power_w,
            home.house.now.meter.power_w,
            tuple(phase.power_w for phase in reading.phases),
        )

    power_w, _, phases_w = await until(
        settled, lambda seen: abs(seen[0] - seen[1]) <= 1.0, 10.0, "the meter shows the house"
    )
    assert sum(w or 0.0 for w in phases_w) == pytest.approx(power_w, abs=2.0)
    reading = await handle.read()
    assert len(reading.phases) == 3
    assert reading.phases[0].power_w is not None
    assert reading.phases[0].power_w == pytest.approx(300 - 3000, abs=2.0), "PV is on phase A"
    assert reading.voltage_v == pytest.approx(home.house.now.voltage_v, abs=3.0)
    assert reading.energy_import_wh is not None
    assert reading.energy_import_wh >= 4_321_987, "both tariffs are summed"
    assert abs(reading.at - time.time()) < 5
    connection = handle.connection
    assert (connection.manufacturer, connection.serial) == ("SIM", "E0099000012345678")
    assert handle.safeguard == Safeguard()
    await handle.close()


async def test_commands_and_set_points(home: SimulatedHome) -> None:
    handle = await _meter(_port(home)).open(Mode.READ_WRITE)
    assert (await handle.ioctl(Identify())).model == "SIMULATED-P1"
    assert (await handle.ioctl(Options())).details == ("DSMR P1, version 50", "with checksum")
    assert not await handle.ioctl(FirmwareVersion())
    for refused in (handle.ioctl(Reset()), handle.write(Setpoint(0.0, 10.0))):
        with pytest.raises(RejectedError, match="meter"):
            await refused
    await handle.close()
    with pytest.raises(RejectedError):
        await handle.read()


async def test_one_that_counts_the_other_way_round_is_turned(home: SimulatedHome) -> None:
    right = await _meter(_port(home)).open(Mode.READ_ONLY)
    turned = await _meter(_port(home), inverted=True).open(Mode.READ_ONLY)

    async def both() -> tuple[Reading, Reading]:
        return await right.read(), await turned.read()

    def opposite(seen: tuple[Reading, Reading]) -> bool:
        return seen[0].power_w == -seen[1].power_w and seen[0].power_w != 0

    await until(both, opposite, 10.0, "the same telegram, turned")
    await right.close()
    await turned.close()


WAYS = [
    (FaultKind.SILENCE, "no good telegram for more than 1.5 s"),
    (FaultKind.GARBAGE, "no telegram|is cut off|never ends"),
    (FaultKind.EXCEPTION, "the checksum of a telegram is wrong"),
    (FaultKind.OFF, "the connection (was closed|is lost)"),
    (FaultKind.REBOOT, "the connection (was closed|is lost)"),
    (FaultKind.STUCK, "the same telegram comes again and again"),
    (FaultKind.DELAY, "no good telegram for more than 1.5 s"),
]


@pytest.mark.parametrize(("kind", "why"), WAYS, ids=[kind for kind, _ in WAYS])
async def test_a_fault_is_one_clear_error_and_ends_without_a_restart(
    home: SimulatedHome, kind: FaultKind, why: str
) -> None:
    device = _meter(_port(home))
    handle = await device.open(Mode.READ_ONLY)
    before = await handle.read()
    home.devices.faults["p1"].set(kind, delay_s=60.0)

    async def error() -> str:
        try:
            reading = await handle.read()
        except TransientError as failure:
            return str(failure)
        assert reading.at - before.at < 60, "what is old is never dated anew"
        return ""

    said = await until(error, bool, 15.0, "an error")
    assert said.startswith("meter: ")
    assert re.search(why, said), said
    assert "\n" not in said
    home.devices.faults["p1"].set(FaultKind.NONE)
    await handle.close()
    await until(lambda: _works(device), bool, 15.0, "it works again")


async def _works(device: Device) -> bool:
    """Whether it opens and reads, as the control cycle tries again and again."""
    try:
        handle = await device.open(Mode.READ_ONLY)
    except TransientError as error:
        assert str(error).startswith("meter: ")  # noqa: PT017 - until it works
        return False
    reading = await handle.read()
    await handle.close()
    return reading.power_w != 0.0


async def test_a_wrong_scale_is_passed_on_for_the_cycle_to_refuse(home: SimulatedHome) -> None:
    handle = await _meter(_port(home)).open(Mode.READ_ONLY)
    home.devices.faults["p1"].set(FaultKind.SCALE)
    reading = await until(handle.read, lambda r: abs(r.power_w) > 50_000, 10.0, "a thousandfold")
    assert abs(reading.power_w) < 5e7
    await handle.close()


async def test_a_clock_off_by_an_hour_changes_no_reading_s_age(
    home: SimulatedHome, caplog: pytest.LogCaptureFixture
) -> None:
    home.devices.faults["p1"].set(FaultKind.CLOCK)
    handle = await _meter(_port(home)).open(Mode.READ_ONLY)
    for _ in range(5):
        first = await handle.read()
        await until(handle.read, lambda r, at=first.at: r.at != at, 10.0, "the next")  # type: ignore[misc]
        assert abs(first.at - time.time()) < 10
    clocks = [m for m in caplog.messages if "clock" in m]
    assert len(clocks) == 1
    assert "s ahead" in clocks[0]
    await handle.close()


SICK: list[tuple[tuple[bytes, ...], bool, str]] = [
    ((), True, "meter: .*the connection was closed"),
    ((), False, "nothing comes"),
    ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), False, "no telegram"),
    ((DSMR5[:400],), True, "the connection was closed"),
    ((DSMR5[:400] + b"\r\n" + DSMR5[:100],), False, "a telegram is cut off"),
    ((b"/" + b"1" * 100_000,), False, "never ends|is no telegram"),
    ((DSMR5.replace(b"01.000", b"09.000"),), False, "checksum of a telegram is wrong"),
    ((b"\xdb\x08SAGy" + b"\x01" * 400,), False, "encrypted, which is not supported"),
]


@pytest.mark.parametrize(("pieces", "hang_up", "why"), SICK)
async def test_what_is_no_meter_does_not_open(
    pieces: tuple[bytes, ...], hang_up: bool, why: str
) -> None:
    async with _pushing(*pieces, hang_up=hang_up) as port:
        with pytest.raises(TransientError, match=why) as caught:
            await _meter(port, deadline_s=0.6).open(Mode.READ_ONLY)
        assert str(caught.value).startswith("meter: ")
        assert "\n" not in str(caught.value)


async def test_nobody_there(unused_tcp_port: int) -> None:
    with pytest.raises(TransientError, match=r"meter: 127\.0\.0\.1:.* cannot be reached"):
        await _meter(unused_tcp_port).open(Mode.READ_ONLY)


async def test_an_old_meter_without_checksum_is_read() -> None:
    async with _pushing(DSMR22) as port:
        handle = await _meter(port).open(Mode.READ_ONLY)
        assert (await handle.read()).power_w == 1180.0
        await handle.close()


async def test_a_reader_that_is_cancelled_leaves_the_meter_well(home: SimulatedHome) -> None:
    device = _meter(_port(home))
    home.devices.faults["p1"].set(FaultKind.SILENCE)
    opening: asyncio.Task[Handle] = asyncio.create_task(device.open(Mode.READ_ONLY))
    await asyncio.sleep(0.1)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    home.devices.faults["p1"].set(FaultKind.NONE)
    assert await _works(device)


def test_a_meter_elsewhere_is_no_customer_port() -> None:
    wrong = described("meter", DeviceKind.METER, "p1", ModbusAddress("127.0.0.1"))
    with pytest.raises(PermanentError, match="meter"):
        build([wrong], now=time.time)
    with pytest.raises(DeviceError, match="cannot drive"):
        build([described("pv", DeviceKind.PV, "p1", P1Address("127.0.0.1"))], now=time.time)
