"""The one connection to the broker: who is let in, and what becomes of it when it goes."""

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from der.addresses import BrokerSettings, TlsFiles
from der.drivers.mqtt.broker import Broker
from der.errors import PermanentError, TransientError
from der.model import Setpoint
from der.sim.faults import FaultKind
from der.sim.mqtt.node import Relay
from der.sim.mqtt.plugs import ShellyPlug, TasmotaPlug
from tests.mqtt.broker import free_port, mosquitto
from tests.mqtt.house import described, fails, hub, living, opened, reads
from tests.waiting import until

PLUG = described("tasmota", "kitchen")


async def up(broker: Broker) -> None:
    await broker.until_up("it", 20)


async def down(broker: Broker) -> str:
    """Return why the broker is away, once it is."""

    async def look() -> str:
        try:
            broker.check("it")
        except TransientError as error:
            return str(error)
        return ""

    return await until(look, lambda why: bool(why) and "not connected yet" not in why, 20, "away")


@pytest.mark.requirement("SVC-OPEN")
@pytest.mark.parametrize(("password", "tls"), [("", False), ("secret", False), ("secret", True)])
async def test_plain_with_a_password_and_with_tls(tmp_path: Path, password: str, tls: bool) -> None:
    async with mosquitto(tmp_path, password=password, tls=tls) as running:
        broker = Broker(running.settings, lambda: 0.0)
        await broker.start()
        await broker.start()
        try:
            await up(broker)
        finally:
            await broker.stop()
            await broker.stop()
        assert not broker.connected


async def test_a_wrong_password_is_one_clear_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with mosquitto(tmp_path, password="secret") as running:
        broker = Broker(replace(running.settings, password="wrong"), lambda: 0.0)
        await broker.start()
        try:
            why = await down(broker)
            assert "Not authorized" in why
            await asyncio.sleep(1)  # several attempts more
        finally:
            await broker.stop()
    said = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert len(said) == 1
    assert str(running.port) in said[0].getMessage()
    assert "wrong" not in caplog.text
    assert "secret" not in caplog.text


# The library leaves the socket of a failed handshake to the collector, which says so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_broker_with_a_foreign_certificate_is_not_spoken_to(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    async with (
        mosquitto(tmp_path / "one", tls=True) as one,
        mosquitto(tmp_path / "two", tls=True) as two,
    ):
        broker = Broker(replace(one.settings, tls=two.settings.tls), lambda: 0.0)
        await broker.start()
        try:
            assert "certificate verify failed" in await down(broker)
        finally:
            await broker.stop()


async def test_tls_files_that_are_not_there_end_the_start(tmp_path: Path) -> None:
    nowhere = TlsFiles(tmp_path / "nowhere.pem")
    broker = Broker(BrokerSettings(port=free_port(), tls=nowhere), lambda: 0.0)
    with pytest.raises(PermanentError, match=r"^MQTT broker at 127.0.0.1:\d+: its TLS files"):
        await broker.start()


async def test_no_broker_is_one_clear_error_and_no_wait(caplog: pytest.LogCaptureFixture) -> None:
    settings = BrokerSettings(port=free_port())
    broker = Broker(settings, lambda: 0.0)
    await broker.start()
    try:
        why = await down(broker)
        assert why.startswith(f"it: MQTT broker at 127.0.0.1:{settings.port} is away: ")
        await asyncio.sleep(0.7)
    finally:
        await broker.stop()
    assert len([r for r in caplog.records if r.levelno >= logging.WARNING]) == 1


async def test_a_broker_that_hangs_is_left_again() -> None:
    talking: set[asyncio.StreamWriter] = set()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talking.add(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readexactly(1 << 20)

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    broker = Broker(BrokerSettings(port=server.sockets[0].getsockname()[1]), lambda: 0.0)
    await broker.start()
    try:
        assert "timed out" in await down(broker)
    finally:
        await broker.stop()
        server.close()
        for writer in talking:
            writer.close()


@pytest.mark.requirement("SVC-READ", "SVC-WRITE")
async def test_killed_and_started_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "der.drivers.mqtt")
    relay = Relay(800.0)
    async with mosquitto(tmp_path) as running:
        plug = TasmotaPlug("plug", "kitchen", relay)
        async with (
            living(running, plug),
            hub(running, PLUG) as registry,
            opened(registry) as handle,
        ):
            await reads(handle, lambda r: r.power_w == 800)
            await running.kill()
            away = await fails(handle, "is away")
            assert away.startswith(f"it: MQTT broker at 127.0.0.1:{running.port} is away: ")
            with pytest.raises(TransientError, match=r"^it: MQTT broker at .* is away"):
                await handle.write(Setpoint(0, 30))
            await running.start()
            at = time.time()
            await reads(handle, lambda r: r.power_w == 800 and r.at > at)
            await handle.write(Setpoint(0, 30))
            assert relay.on is False
    said = [r.getMessage() for r in caplog.records if "MQTT broker" in r.getMessage()]
    assert len([s for s in said if "is away" in s]) <= 2  # lost, then refused
    assert [s for s in said if s.endswith("is back")]


async def test_a_write_that_is_under_way_ends_when_the_broker_goes(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as running:
        plug = ShellyPlug("plug", "kitchen", Relay(800.0))
        description = replace(described("shelly", "kitchen"), deadline_s=25.0)
        async with (
            living(running, plug) as (node,),
            hub(running, description) as registry,
            opened(registry) as handle,
        ):
            await reads(handle, lambda r: r.power_w == 800)
            node.fault.set(FaultKind.SILENCE)
            writing = asyncio.create_task(handle.write(Setpoint(0, 30)))
            await asyncio.sleep(0.3)
            assert not writing.done()
            await running.kill()
            async with asyncio.timeout(5):
                with pytest.raises(TransientError, match="is away"):
                    await writing
