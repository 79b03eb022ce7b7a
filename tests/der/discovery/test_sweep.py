"""The sweep on real loopback sockets: SunSpec devices, other Modbus, the silent and the sick."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from der.addresses import ModbusAddress
from der.discovery.found import Found
from der.discovery.sunspec import Probe, ask, kind_of, listening
from der.discovery.sweep import MODBUS_TLS, Pace, places, secured, sweep
from der.model import DeviceKind
from der.registry import Driver
from der.sim.faults import FaultKind
from der.sim.options import Options
from der.sim.runner import SimulatedHome

QUICK = Pace(per_s=500, probe=Probe(connect_s=2.0, answer_s=0.3))
Talk = Callable[[bytes], bytes]


@asynccontextmanager
async def home(**options: int) -> AsyncIterator[SimulatedHome]:
    async with SimulatedHome(Options(ocpp="", **options)) as running:
        yield running


def ports(running: SimulatedHome) -> dict[str, int]:
    return {name: server.port for name, server in running.devices.servers.items()}


@asynccontextmanager
async def server(answer: Talk | None) -> AsyncIterator[int]:
    """Run a server that answers what is given, or nothing at all; yields its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1000):
                if answer is not None:
                    writer.write(answer(data))
        except ConnectionError:
            return
        finally:
            writer.close()

    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with running:
        yield running.sockets[0].getsockname()[1]


async def swept(*given: int, pace: Pace = QUICK) -> list[Found]:
    async with asyncio.timeout(60):
        return [f async for f in sweep([("127.0.0.1", port) for port in given], pace)]


async def test_devices_tell_who_they_are_and_what_they_can() -> None:
    async with home() as running:
        at = ports(running)
        found = {f.serial: f for f in await swept(at["meter"], at["pv"], at["battery"])}
    assert {serial: f.kind for serial, f in found.items()} == {
        "SIM-METER-1": DeviceKind.METER,
        "SIM-PV-1": DeviceKind.PV,
        "SIM-BAT-1": DeviceKind.BATTERY,
    }
    battery = found["SIM-BAT-1"]
    assert battery.at == ModbusAddress("127.0.0.1", at["battery"], 1)
    assert battery.driver is Driver.SUNSPEC
    assert (battery.min_w, battery.max_w) == (-5000.0, 5000.0)
    assert (found["SIM-PV-1"].min_w, found["SIM-PV-1"].max_w) == (-4000.0, 0.0)


async def test_modbus_without_sunspec_is_told_to_need_a_map() -> None:
    async with home() as running:
        port = ports(running)["water_heater"]
        (found,) = await swept(port)
    assert found.driver is None
    assert "--map" in found.note
    assert found.at == ModbusAddress("127.0.0.1", port), "or it would be added at another place"


@pytest.mark.requirement("LC-TEST")
async def test_the_sick_hide_nobody() -> None:
    async with (
        home() as running,
        server(None) as silent,
        server(lambda data: data) as echo,
        server(lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n") as web,
        server(lambda _: b"\xff" * 300) as noise,
    ):
        at = ports(running)
        running.devices.faults["pv"].set(FaultKind.GARBAGE, 60.0, 0.0)
        found = await swept(1, silent, echo, web, noise, at["pv"], at["meter"])
    assert [f.serial for f in found if f.driver is not None] == ["SIM-METER-1"]


async def test_how_far_it_is_and_how_many_at_once() -> None:
    told: list[int] = []
    async with home(extra_meters=4) as running:
        targets = [("127.0.0.1", port) for port in ports(running).values()]
        pace = Pace(at_once=2, per_s=1000, probe=QUICK.probe)
        async with asyncio.timeout(60):
            found = [f async for f in sweep(targets, pace, told.append)]
    assert told == list(range(1, len(targets) + 1))
    assert sum(f.driver is not None for f in found) == 7


async def test_it_can_be_left_early() -> None:
    async with home() as running, server(None) as silent:
        targets = [("127.0.0.1", port) for port in (ports(running)["meter"], *[silent] * 50)]
        sweeping = sweep(targets, Pace(probe=Probe(answer_s=30)))
        async with asyncio.timeout(20):
            assert (await anext(sweeping)).serial == "SIM-METER-1"
            await sweeping.aclose()


async def test_an_address_that_nobody_has() -> None:
    assert not await listening("127.0.0.1", 1, 1.0)
    assert await ask("127.0.0.1", 1, QUICK.probe) == []


def test_the_port_of_modbus_over_tls_is_only_seen() -> None:
    assert places(["192.168.1.2", "192.168.1.3"]) == (
        ("192.168.1.2", 502),
        ("192.168.1.3", 502),
        ("192.168.1.2", 802),
        ("192.168.1.3", 802),
    )
    found = secured("192.168.1.2", MODBUS_TLS)
    assert found.driver is None
    assert "certificates" in found.note


@pytest.mark.parametrize(
    ("models", "kind"),
    [
        ([1, 203], DeviceKind.METER),
        ([1, 213], DeviceKind.METER),
        ([1, 103, 120, 123], DeviceKind.PV),
        ([1, 111, 160], DeviceKind.PV),
        ([1, 701, 702, 704], DeviceKind.PV),
        ([1, 103, 120, 124], DeviceKind.BATTERY),
        ([1, 701, 713], DeviceKind.BATTERY),
        ([1, 802], DeviceKind.BATTERY),
        ([1, 103, 203], DeviceKind.PV),
        ([1, 64001], None),
        ([], None),
    ],
)
def test_models_tell_the_kind(models: list[int], kind: DeviceKind | None) -> None:
    assert kind_of(models) is kind
