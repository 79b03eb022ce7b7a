"""A charger and a hub that lose one another: fallback, phases, storms of reconnections."""

import asyncio
import contextlib
import json
import logging
import sys
from pathlib import Path

import aiohttp
import pytest

from der.addresses import StationAddress, Wiring
from der.commands import Connect, Disconnect, Options, SelfTest
from der.drivers.ocpp.link import connect
from der.drivers.ocpp.station import Version
from der.model import Setpoint
from der.sim.faults import FaultKind
from tests.der.drivers.ocpp.bench import EVSE, VERSIONS, central
from tests.der.drivers.ocpp.chargers import calling, url
from tests.der.drivers.ocpp.home import THREE_PHASES, charging
from tests.waiting import until

pytestmark = pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)


@pytest.mark.requirement("SVC-WRITE", "LC-TEST")
async def test_a_charger_that_loses_the_hub_goes_to_its_fallback(version: Version) -> None:
    async with charging(version) as ev:
        await ev.handle.write(Setpoint(5000, 3))
        await ev.draws(4900, 5000)
        await ev.central.stop()
        await ev.draws(1370, 1390)  # its limit lapsed by itself: 6 A
        assert ev.home.devices.charger.offer().power_w == 1380


@pytest.mark.requirement("SVC-WRITE")
async def test_a_three_phase_car_follows_from_three_phases_to_one(version: Version) -> None:
    async with charging(version, THREE_PHASES) as ev:
        await ev.handle.write(Setpoint(11_040, 600))
        await ev.draws(11_000, 11_040)
        await ev.handle.write(Setpoint(2300, 600))
        await ev.draws(0, 0)  # three phases cannot be offered so little, and it has just gone there
        reading = await ev.reads(lambda reading: reading.power_w == 0)
        assert reading.wants_power
        assert ev.home.devices.charger.offer().phases == 3


@pytest.mark.requirement("SVC-WRITE")
async def test_a_three_phase_car_begins_on_one(version: Version) -> None:
    async with charging(version, THREE_PHASES) as ev:
        await ev.handle.write(Setpoint(3680, 600))
        await ev.draws(3670, 3680)
        reading = await ev.reads(lambda reading: abs(reading.power_w - 3680) < 10)
        assert [phase.power_w for phase in reading.phases] == pytest.approx([3680, 0, 0], abs=10)
        assert ev.home.house.now.ev_phases == 1


@pytest.mark.requirement("SVC-IOCTL", "LC-COMMISSION")
async def test_commands_reach_a_simulated_charger(version: Version) -> None:
    async with charging(version) as ev:
        await ev.handle.write(Setpoint(2300, 600))
        await ev.draws(2290, 2310)
        report = await ev.handle.ioctl(SelfTest())
        assert report.passed, report
        assert "keeps to 2300 W, as told" in report.findings[0]
        options = await ev.handle.ioctl(Options())
        assert any("Switch" in detail for detail in options.details), options
        await ev.handle.ioctl(Disconnect())
        await ev.draws(0, 0)
        await ev.reads(lambda reading: reading.connected is False)
        await ev.handle.ioctl(Connect())
        await ev.draws(2290, 2310)


async def test_a_charger_that_has_lost_its_time_keeps_to_its_limit(version: Version) -> None:
    async with charging(version) as ev:
        ev.fault.set(FaultKind.CLOCK)
        await ev.handle.write(Setpoint(5000, 600))
        await ev.draws(4900, 5000)
        report = await ev.handle.ioctl(SelfTest())
        assert not report.passed
        assert any("3600 s off" in finding for finding in report.findings)


async def test_a_storm_of_reconnections(version: Version, caplog: pytest.LogCaptureFixture) -> None:
    """A charger that calls again and again keeps its limit, and one connection stands."""
    caplog.set_level(logging.WARNING)
    async with central(version) as (system, station):
        async with calling(system.port, version.subprotocol) as first:
            link = await connect(EVSE, station)
            await link.write(Setpoint(2300, 600))
            assert first
        async with aiohttp.ClientSession() as http:

            async def call_in() -> None:
                where = url(system.port, "CP1")
                with contextlib.suppress(aiohttp.ClientError, ConnectionError):
                    async with http.ws_connect(where, protocols=(version.subprotocol,)) as socket:
                        await socket.send_str('[2,"1","Heartbeat",{}]')
                        await socket.receive(timeout=5)

            for _ in range(5):
                await asyncio.gather(*(call_in() for _ in range(20)))
        async with calling(system.port, version.subprotocol) as last:
            assert (await last.limit()).periods[0][1] == 10
            await last.plug("Available")
            reading = await link.read()
            assert reading.limit_w == 2300
        warned = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
        assert len(warned) == len(set(warned)) <= 4, warned
        assert len(system._live) <= 1

        async def tasks() -> int:
            return len(station._tasks)

        await until(tasks, lambda count: count == 0, 5.0, "what was under way has ended")


async def test_a_charger_process_of_its_own(version: Version, tmp_path: Path) -> None:
    address = StationAddress("CP1", password="secret", wiring=Wiring(phases=3))
    async with central(version, address) as (system, station):
        ready = tmp_path / "ready.json"
        where = f"ws://127.0.0.1:{system.port}/ocpp/CP1"
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "der.sim", "--ready", str(ready), "--only", "ev"),
            *("--ocpp", where, "--ocpp-version", version.subprotocol.removeprefix("ocpp")),
            *("--ocpp-password", "secret", "--ev-phases", "3", "--ev-max-a", "16"),
            stdout=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(20):
                await station.arrived()
            link = await connect(EVSE, station)
            await link.write(Setpoint(4140, 60))

            async def plugged() -> bool | None:
                return station.record.has_car

            await until(plugged, lambda has_car: has_car is True, 10.0, "a car is plugged in")
            said = json.loads(ready.read_text())
            assert set(said["devices"]) == {"ev"}
            assert said["devices"]["ev"]["protocol"] == version.subprotocol
        finally:
            process.terminate()
            await process.wait()
