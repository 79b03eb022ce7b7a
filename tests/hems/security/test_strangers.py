"""Who is none of the home's devices, or behaves as none: on real sockets, up to what is noted."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import ClientError, ClientSession, WSServerHandshakeError

from der.addresses import CentralSettings, ModbusAddress, Shared, StationAddress, TlsFiles
from der.description import DeviceDescription
from der.drivers.ocpp import central
from der.drivers.ocpp.central import CentralSystem
from der.drivers.ocpp.forbearance import MOST_BROKEN, MOST_USELESS, Forbearance
from der.drivers.ocpp.frame import MAX_FRAME
from der.errors import DeviceError
from der.model import Control, DeviceKind, DeviceSpec, Setpoint
from der.patience import Patience
from der.registry import Registry, build
from der.service import Mode
from der.sim.mqtt.node import Relay
from der.sim.mqtt.plugs import TasmotaPlug
from hems.security.oddities import noting
from hems.security_event import EventKind, SecurityEvent
from tests.der.drivers.ocpp.bench import EVSE
from tests.der.drivers.ocpp.chargers import calling, url
from tests.der.drivers.servers import serve_bytes, serve_registers
from tests.mqtt.broker import mosquitto
from tests.mqtt.certificate import self_signed
from tests.mqtt.house import described, hub, living, opened, reads
from tests.waiting import until

pytestmark = [pytest.mark.requirement("L2-EVENTS"), pytest.mark.timeout(90)]

METER = DeviceSpec("meter", DeviceKind.METER, "Grid meter", Control.NONE, 0, 0)
Notes = list[SecurityEvent]


def kinds(notes: Notes) -> list[tuple[EventKind, str, str]]:
    return [(each.kind, each.about, each.source) for each in notes]


async def noted(notes: Notes, kind: EventKind) -> SecurityEvent:
    async def look() -> SecurityEvent | None:
        return next((each for each in notes if each.kind is kind), None)

    found = await until(look, lambda each: each is not None, 30.0, kind.value)
    assert found is not None
    return found


@asynccontextmanager
async def chargers(
    settings: CentralSettings, password: str = ""
) -> AsyncIterator[tuple[CentralSystem, Notes]]:
    """Run a home's door for chargers, with one that it knows."""
    at = StationAddress("CP1", password=password)
    registry = build(
        [DeviceDescription(EVSE, "ocpp16", at)], Shared(central=settings), now=time.time
    )
    notes: Notes = []
    noting(registry, notes.append)
    await registry.start()
    try:
        (system,) = registry.services.values()
        assert isinstance(system, CentralSystem)
        yield system, notes
    finally:
        await registry.stop()


async def refused(port: int, identity: str = "CP1", password: str = "") -> int:
    """Return the status with which a caller is sent away."""
    with pytest.raises(WSServerHandshakeError) as sent:
        async with calling(port, "ocpp1.6", identity, password=password, boot=False):
            pass
    return sent.value.status


ANY_PORT = CentralSettings(port=0)


async def test_a_charger_that_cannot_prove_itself_is_noted_each_time() -> None:
    async with chargers(ANY_PORT, "right") as (system, notes):
        assert [await refused(system.port, password=p) for p in ("wrong", "", "wrong")] == [401] * 3
        assert kinds(notes) == [(EventKind.DEVICE_REFUSED, "ev", "127.0.0.1")] * 3
        assert [each.text for each in notes[:2]] == [
            "Somebody who said to be Charger was not let in: a wrong password.",
            "Somebody who said to be Charger was not let in: no password.",
        ]
        async with calling(system.port, "ocpp1.6", password="right"):
            pass
        assert len(notes) == 3


async def test_a_charger_of_nobody_is_noted_once() -> None:
    async with chargers(ANY_PORT) as (system, notes):
        assert [await refused(system.port, "CP7") for _ in range(3)] == [404] * 3
        assert kinds(notes) == [(EventKind.DEVICE_STRANGER, "CP7", "127.0.0.1")]


async def test_a_caller_that_does_not_speak_tls_well_is_noted(tmp_path: Path) -> None:
    made = self_signed(tmp_path, "localhost", timedelta(days=1))
    own = TlsFiles(made.certificate, made.certificate, made.key)
    async with chargers(CentralSettings(port=0, tls=own)) as (system, notes):
        with suppress(ConnectionError):
            reader, writer = await asyncio.open_connection("127.0.0.1", system.port)
            writer.write(b"GET /ocpp/CP1 HTTP/1.1\r\n\r\n")
            await reader.read()
            writer.close()
        event = await noted(notes, EventKind.PEER_REFUSED)
    assert "handshake" in event.text


async def test_who_is_kept_out_is_not_asked_who_it_is() -> None:
    async with chargers(ANY_PORT, "right") as (system, notes):
        out: set[str] = set()
        system.keep_out_by(out.__contains__)
        async with calling(system.port, "ocpp1.6", password="right"):
            pass
        out.add("127.0.0.1")
        assert await refused(system.port, "CP7") == 429
        async with calling(system.port, "ocpp1.6", password="right"):
            pass  # it proved who it is at this address before: others there do not end its charging
        out.clear()
        assert await refused(system.port, "CP7") == 404
    assert kinds(notes) == [(EventKind.DEVICE_STRANGER, "CP7", "127.0.0.1")]


async def test_a_charger_that_goes_on_with_nonsense_is_hostile() -> None:
    async with chargers(ANY_PORT) as (system, notes), calling(system.port, "ocpp1.6") as charger:
        socket = charger._connection
        for _ in range(MOST_USELESS - 1):
            await socket.send("nonsense")
        await asyncio.sleep(0)
        assert notes == []
        await socket.send("nonsense")
        event = await noted(notes, EventKind.DEVICE_HOSTILE)
    assert (event.about, event.source) == ("ev", "127.0.0.1")
    assert event.text.startswith("Charger does what no such device does: it goes on sending")


async def test_messages_without_end_are_hostile() -> None:
    async with chargers(ANY_PORT) as (system, notes):
        for _ in range(10):
            with suppress(ClientError, ConnectionError):
                async with calling(system.port, "ocpp1.6", boot=False) as charger:
                    await charger._connection.send("x" * (MAX_FRAME + 1))
                    with suppress(Exception):  # whatever its library makes of the end
                        await asyncio.wait_for(charger._connection.recv(), 5)
        event = await noted(notes, EventKind.DEVICE_HOSTILE)
    assert "too long, or broken" in event.text


async def test_a_charger_on_a_poor_line_is_not_hostile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(central, "_PING_S", 0.05)
    async with chargers(ANY_PORT) as (system, notes), ClientSession() as http:
        for _ in range(MOST_BROKEN):
            where = url(system.port, "CP1")
            async with http.ws_connect(where, protocols=("ocpp1.6",), autoping=False) as socket:
                async for _ in socket:
                    pass  # nor is a ping answered

            async def live() -> int:
                return len(system._live)

            await until(live, lambda count: count == 0, 30.0, "the hub has given it up")
        assert notes == []


def test_patience_ends_once_in_its_time_and_begins_anew_after_it() -> None:
    at = 0.0
    patience = Patience(3, 10.0, lambda: at)
    assert [patience.ends() for _ in range(7)] == [False, False, True, *[False] * 4]
    at = 10.0
    assert [patience.ends() for _ in range(3)] == [False, False, True]
    at = -100.0  # the clock was set
    assert [patience.ends() for _ in range(3)] == [False, False, True]


def test_a_charger_that_says_little_nonsense_has_a_fault_and_no_more() -> None:
    at, said = [0.0], list[str]()
    forbearance = Forbearance(lambda: at[0], said.append)
    for second in range(3600):
        at[0] = float(second)
        forbearance.frame(usable=False)
    assert said == []


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await writer.drain()


async def read_often(registry: Registry, device: str, times: int) -> None:
    for _ in range(times):
        with suppress(DeviceError):
            await registry.devices[device].open(Mode.READ_ONLY)


@pytest.mark.parametrize(
    ("times", "expected"), [(9, []), (10, [(EventKind.DEVICE_HOSTILE, "meter", "127.0.0.1")])]
)
async def test_a_modbus_device_that_goes_on_with_garbage_is_hostile(
    times: int, expected: Sequence[object]
) -> None:
    async with serve_bytes(garbage, 5.0) as address:
        notes: Notes = []
        registry = build([DeviceDescription(METER, "sunspec", address)], now=time.time)
        noting(registry, notes.append)
        await read_often(registry, "meter", times)
        await registry.stop()
    assert kinds(notes) == expected


async def test_another_device_at_the_address_of_one_is_a_stranger() -> None:
    async with serve_registers(40000, [0] * 100) as served:
        notes: Notes = []
        address: ModbusAddress = served.address
        registry = build([DeviceDescription(METER, "sunspec", address)], now=time.time)
        noting(registry, notes.append)
        await read_often(registry, "meter", 2)
        await registry.stop()
    assert {each.kind for each in notes} == {EventKind.DEVICE_STRANGER}
    assert len(notes) == 2
    assert notes[0].about == "meter"
    assert notes[0].text.startswith("At the address of Grid meter another answers: ")
    assert "no 'SunS' marker" in notes[0].text


# MQTT, with a real broker.


async def test_a_broker_that_does_not_let_the_hub_in_is_noted(tmp_path: Path) -> None:
    async with mosquitto(tmp_path, password="secret") as running:
        wrong = replace(running, settings=replace(running.settings, password="wrong"))
        async with hub(wrong, described("tasmota", "kitchen")) as registry:
            notes: Notes = []
            noting(registry, notes.append)
            event = await noted(notes, EventKind.ACCESS_REFUSED)
    assert (event.about, event.source) == ("broker", "127.0.0.1")
    assert "Not authorized" in event.text
    assert "wrong" not in event.text


# The library leaves the socket of a failed handshake to the collector, which says so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_broker_that_is_another_is_noted(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    async with (
        mosquitto(tmp_path / "one", tls=True) as one,
        mosquitto(tmp_path / "two", tls=True) as two,
    ):
        false = replace(one, settings=replace(one.settings, tls=two.settings.tls))
        async with hub(false, described("tasmota", "kitchen")) as registry:
            notes: Notes = []
            noting(registry, notes.append)
            event = await noted(notes, EventKind.SERVER_REFUSED)
    assert "certificate verify failed" in event.text


async def test_who_writes_what_the_hub_keeps_is_noted_and_not_believed(tmp_path: Path) -> None:
    relay = Relay(800.0)
    async with (
        mosquitto(tmp_path) as broker,
        living(broker, TasmotaPlug("plug", "kitchen", relay)),
        hub(broker, described("tasmota", "kitchen")) as registry,
    ):
        notes: Notes = []
        noting(registry, notes.append)
        async with opened(registry) as handle:
            await reads(handle, lambda r: r.power_w == 800)
            await handle.write(Setpoint(0, 60))
            assert relay.on is False
            lie = json.dumps({"on": False, "ends_at": None})
            await broker.say("hems/kept/it", lie, retain=True)
            event = await noted(notes, EventKind.DEVICE_MEDDLED)
            assert event.about == "it"
            await handle.write(None)
            assert relay.on is True, "it goes back to what its owner had set"
            await reads(handle, lambda r: r.power_w == 800)
        assert len(notes) == 1, "what the hub writes itself is no news"


async def test_nonsense_on_a_device_s_topic_is_hostile_once_it_goes_on(tmp_path: Path) -> None:
    async with (
        mosquitto(tmp_path) as broker,
        living(broker, TasmotaPlug("plug", "kitchen", Relay(800.0))),
        hub(broker, described("tasmota", "kitchen")) as registry,
    ):
        notes: Notes = []
        noting(registry, notes.append)
        async with opened(registry) as handle:
            await reads(handle, lambda r: r.power_w == 800)
            async with broker.client() as somebody:
                for _ in range(100):
                    await somebody.publish("tele/kitchen/SENSOR", b"\xff nonsense", qos=1)
            event = await noted(notes, EventKind.DEVICE_HOSTILE)
    assert event.about == "it"
