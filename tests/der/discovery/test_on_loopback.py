"""Real announcements, a real broker and a real charger on the loopback interface."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from zeroconf import ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from der.addresses import BrokerSettings, CentralSettings, MqttAddress, StationAddress
from der.discovery.callins import hearing
from der.discovery.finders import Network, announcing, behind_broker
from der.discovery.found import Found
from der.discovery.scan import Finder, scan
from der.discovery.subnet import Interface
from der.discovery.sunspec import Probe
from der.discovery.sweep import Pace
from der.model import DeviceKind
from der.registry import Driver
from der.sim.options import Options
from der.sim.runner import SimulatedHome
from tests.der.discovery.test_payloads import TASMOTA
from tests.mqtt.broker import free_port, mosquitto

LOOPBACK = Network(
    (Interface("lo", "127.0.0.1", 8),), Pace(probe=Probe(2.0, 2.0)), multicast_on=("127.0.0.1",)
)


async def first(finder: Finder, wanted: int) -> list[Found]:
    """Return what a finder finds first, however long it would go on."""
    found: list[Found] = []
    async with asyncio.timeout(30):
        finding = finder.find(lambda _: None)
        async for each in finding:
            found.append(each)
            if len(found) == wanted:
                break
        await finding.aclose()
    return found


@asynccontextmanager
async def announced(*services: tuple[str, str, int, dict[str, str]]) -> AsyncIterator[None]:
    """Announce services of this machine on loopback."""
    announcer = AsyncZeroconf(interfaces=["127.0.0.1"])
    try:
        for kind, name, port, txt in services:
            info = ServiceInfo(
                kind,
                f"{name}.{kind}",
                port=port,
                addresses=[socket.inet_aton("127.0.0.1")],
                properties=txt,
                server=f"{name}.local.",
            )
            await (await announcer.async_register_service(info))
        yield
    finally:
        await announcer.async_unregister_all_services()
        await announcer.async_close()


@pytest.mark.usefixtures("multicast_dns")
async def test_announcements_and_who_is_behind_them() -> None:
    async with SimulatedHome(Options(ocpp="")) as home:
        port = home.devices.servers["battery"].port
        async with announced(
            ("_sunspec._tcp.local.", "Cellar", port, {"mn": "not who answers"}),
            ("_shelly._tcp.local.", "shellyplusplugs-a8032ab12345", 80, {"gen": "2"}),
            ("_http._tcp.local.", "printer", 80, {}),
        ):
            found = await first(announcing(LOOPBACK), 2)
    by_maker = {f.maker: f for f in found}
    battery = by_maker["Simulated Home"]
    assert (battery.kind, battery.name, battery.max_w) == (DeviceKind.BATTERY, "Cellar", 5000.0)
    assert by_maker["Shelly"].at == MqttAddress("shelly", "shellyplusplugs-a8032ab12345")


@pytest.mark.usefixtures("multicast_dns")
async def test_one_that_announces_sunspec_and_does_not_speak_it() -> None:
    async with announced(("_sunspec._tcp.local.", "Liar", 1, {})):
        (found,) = await first(announcing(LOOPBACK), 1)
    assert (found.driver, found.at) == (None, None)
    assert "does not answer" in found.note


async def test_what_is_behind_a_real_broker(tmp_path: Path) -> None:
    async with mosquitto(tmp_path, password="secret") as broker:
        topic = "tasmota/discovery/A4CF12AB34CD/config"
        await broker.say(topic, json.dumps(TASMOTA), retain=True)
        await broker.say("tasmota/discovery/BAD/config", b"\xff\xff", retain=True)

        async def shelly() -> None:
            """Announce as a first-generation Shelly does when it is asked to."""
            async with broker.client() as client:
                await client.subscribe("shellies/command")
                listening.set()
                async for message in client.messages:
                    assert message.payload == b"announce"
                    said = {"id": "shelly1pm-AABBCC", "mac": "E868E7AABBCC", "model": "SHSW-PM"}
                    await client.publish("shellies/announce", json.dumps(said))

        listening = asyncio.Event()
        device = asyncio.create_task(shelly())
        await listening.wait()
        found = await first(behind_broker(broker.settings), 2)
        device.cancel()
    assert {f.at for f in found} == {
        MqttAddress("tasmota", "freezer"),
        MqttAddress("shelly-gen1", "shelly1pm-AABBCC"),
    }


@pytest.mark.requirement("LC-TEST")
async def test_a_broker_that_is_not_there_or_lets_nobody_in(tmp_path: Path) -> None:
    nobody = BrokerSettings("127.0.0.1", free_port())
    report = await scan([behind_broker(nobody, 20.0)], within_s=20.0)
    assert len(report.troubles) == 1
    assert report.troubles[0].startswith(f"MQTT: MQTT broker 127.0.0.1:{nobody.port}: ")
    async with mosquitto(tmp_path, password="secret") as broker:
        stranger = BrokerSettings("127.0.0.1", broker.port)
        report = await scan([behind_broker(stranger, 20.0)], within_s=20.0)
    assert len(report.troubles) == 1


async def test_a_charger_that_calls_in() -> None:
    port = free_port()
    url = f"ws://127.0.0.1:{port}/ocpp/garage"
    async with SimulatedHome(Options(ocpp=url)):
        (found,) = await first(hearing(CentralSettings("127.0.0.1", port), 30.0), 1)
    assert (found.kind, found.driver) == (DeviceKind.EVSE, Driver.OCPP16)
    assert found.at == StationAddress("garage")
    assert found.where == "garage from 127.0.0.1"


async def test_callers_are_only_noted_and_never_let_in() -> None:
    port = free_port()
    statuses: list[int] = []

    async def call() -> None:
        async with aiohttp.ClientSession() as session:
            while True:
                try:
                    await session.ws_connect(
                        f"http://127.0.0.1:{port}/ocpp/x", protocols=("ocpp9",)
                    )
                except aiohttp.WSServerHandshakeError as error:
                    statuses.append(error.status)
                except aiohttp.ClientConnectorError:
                    pass  # it does not listen yet
                await asyncio.sleep(0.1)

    calling = asyncio.create_task(call())
    (found,) = await first(hearing(CentralSettings("127.0.0.1", port), 30.0), 1)
    calling.cancel()
    assert (found.driver, found.at) == (None, None)
    assert "no version of OCPP" in found.note
    assert set(statuses) <= {404}


@pytest.mark.requirement("LC-TEST")
async def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        report = await scan([hearing(CentralSettings("127.0.0.1", port), 5.0)], within_s=5.0)
    (trouble,) = report.troubles
    assert trouble.startswith("OCPP call-ins: OCPP central system: cannot listen on")
