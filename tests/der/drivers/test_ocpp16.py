"""The OCPP driver and central system against the `ocpp` library's charge point."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from ocpp.v16 import call

from der.addresses import StationAddress
from der.commands import Connect, Disconnect, Identify, Reset
from der.drivers.ocpp import link16 as ocpp16
from der.drivers.ocpp.central import SUBPROTOCOL, CentralSystem
from der.drivers.ocpp.station import Station
from der.errors import PermanentError, TransientError
from der.model import Control, DeviceKind, DeviceSpec, Setpoint
from tests.der.drivers.charger import Charger, charger, url

EVSE = DeviceSpec("ev", DeviceKind.EVSE, "Charger", Control.CEILING, 0, 7360, least_on_w=1380)


@asynccontextmanager
async def central(*configs: StationAddress) -> AsyncIterator[tuple[CentralSystem, Station]]:
    system = CentralSystem()
    stations = [system.add(config) for config in configs or (StationAddress("CP1"),)]
    await system.start()
    try:
        yield system, stations[0]
    finally:
        await system.stop()


@asynccontextmanager
async def linked() -> AsyncIterator[tuple[ocpp16.OcppLink, Charger]]:
    async with central() as (system, station), charger(system.port, "CP1") as ev:
        link = await ocpp16.connect(EVSE, station)
        await settled(ev)
        yield link, ev
        await link.close()


async def settled(ev: Charger) -> None:
    """Wait until the hub has told a new charger all it tells it."""
    await ev.next("TriggerMessage")


@pytest.mark.requirement("SVC-OPEN")
async def test_a_charger_that_has_not_called_in() -> None:
    async with central() as (_, station):
        with pytest.raises(TransientError, match=r"^ev: charger has not called in$"):
            await ocpp16.connect(EVSE, station, wait_s=0.05)


async def test_a_new_charger_is_told_what_rules_without_the_hub() -> None:
    async with central() as (system, station), charger(system.port, "CP1") as ev:
        profile = await ev.next("SetChargingProfile")
        assert profile["connector_id"] == 1
        fallback = profile["cs_charging_profiles"]
        assert isinstance(fallback, dict)
        assert (fallback["stack_level"], fallback["charging_profile_purpose"]) == (
            0,
            "TxDefaultProfile",
        )
        schedule = fallback["charging_schedule"]
        assert "duration" not in schedule
        assert schedule["charging_schedule_period"] == [
            {"start_period": 0, "limit": 6, "number_phases": 1}
        ]
        assert await ev.next("ChangeConfiguration") == {
            "key": "MeterValueSampleInterval",
            "value": "1",
        }
        await settled(ev)
        assert station.connection.manufacturer == "Maker"
        assert station.connection.firmware == "9"


@pytest.mark.requirement("SVC-READ")
async def test_reading() -> None:
    async with linked() as (link, ev):
        with pytest.raises(TransientError, match=r"^ev: the charger has not reported"):
            await link.read()
        await ev.status("Charging")
        before = datetime.now(UTC).timestamp()
        await ev.measure(Power_Active_Import="7100", SoC="61", Voltage="229.5")
        reading = await link.read()
        assert (reading.power_w, reading.soc, reading.voltage_v) == (7100, 0.61, 229.5)
        assert (reading.connected, reading.wants_power) == (True, True)
        assert before <= reading.at <= datetime.now(UTC).timestamp()
        await ev.status("SuspendedEV")
        assert (await link.read()).wants_power is False
        await ev.status("Available")
        reading = await link.read()
        assert (reading.power_w, reading.soc, reading.connected) == (0, None, False)


async def test_old_meter_values_are_asked_for_and_not_waited_for() -> None:
    async with linked() as (link, ev):
        await ev.status("Available")
        ev.mute.add("TriggerMessage")
        await link.read()
        asked = await ev.next("TriggerMessage")
        assert asked["requested_message"] == "MeterValues"


@pytest.mark.requirement("SVC-WRITE")
async def test_limit_is_a_profile_that_ends() -> None:
    async with linked() as (link, ev):
        await ev.status("Charging")
        await ev.measure(Power_Active_Import="7000")
        await link.write(Setpoint(2300, 30))
        profile = (await ev.next("SetChargingProfile"))["cs_charging_profiles"]
        assert isinstance(profile, dict)
        assert profile["stack_level"] > 0
        schedule = profile["charging_schedule"]
        assert schedule["charging_rate_unit"] == "A"
        assert schedule["charging_schedule_period"][0]["limit"] == 10
        start = datetime.fromisoformat(schedule["start_schedule"])
        left = start + timedelta(seconds=schedule["duration"]) - datetime.now(UTC)
        assert 27 < left.total_seconds() <= 30
        assert (await link.read()).limit_w == 2300
        await link.write(None)
        assert await ev.next("ClearChargingProfile") == {"id": 1001}
        assert (await link.read()).limit_w is None


@pytest.mark.requirement("SVC-WRITE")
async def test_a_refused_limit_says_why() -> None:
    async with linked() as (link, ev):
        ev.answers["SetChargingProfile"] = "Rejected"
        with pytest.raises(PermanentError, match=r"CP1: limit of 1000 W: the charger says Rejec"):
            await link.write(Setpoint(1000, 30))
        await ev.status("Available")
        assert (await link.read()).limit_w is None


async def test_a_charger_without_smart_charging() -> None:
    async with linked() as (link, ev):
        del ev.route_map["SetChargingProfile"]
        with pytest.raises(PermanentError, match=r"CP1: limit .* does not support it"):
            await link.write(Setpoint(1000, 30))


async def test_a_charger_that_leaves_during_a_call_is_known_at_once() -> None:
    async with linked() as (link, ev):
        ev.mute.add("SetChargingProfile")
        write = asyncio.create_task(link.write(Setpoint(1000, 30)))
        await ev.next("SetChargingProfile")
        await ev.socket.close()
        async with asyncio.timeout(1):
            with pytest.raises(TransientError, match=r"CP1: limit .*the charger has gone"):
                await write
        with pytest.raises(TransientError, match=r"ev: the charger is not connected"):
            await link.read()
        with pytest.raises(TransientError, match=r"CP1: limit .*not connected"):
            await link.write(Setpoint(1000, 30))


async def test_a_charger_that_comes_back_finds_its_limit() -> None:
    async with central() as (system, station), charger(system.port, "CP1") as first:
        link = await ocpp16.connect(EVSE, station)
        await settled(first)
        await link.write(Setpoint(1840, 60))
        async with charger(system.port, "CP1", boot=False) as second:
            profile = (await second.next("SetChargingProfile"))["cs_charging_profiles"]
            assert isinstance(profile, dict)
            periods = profile["charging_schedule"]["charging_schedule_period"]
            assert periods[0]["limit"] == 8
            await settled(second)
            await second.status("Available")
            assert (await link.read()).limit_w == 1840
            await link.write(Setpoint(0, 60))
            await second.next("SetChargingProfile")


async def test_a_charger_that_comes_back_is_not_sent_an_old_limit_after_a_newer_one() -> None:
    async with central() as (system, station), charger(system.port, "CP1") as first:
        link = await ocpp16.connect(EVSE, station)
        await settled(first)
        await link.write(Setpoint(1840, 60))
        async with charger(system.port, "CP1", boot=False) as second:
            await second.status("Charging")
            second.gate.clear()
            newer = asyncio.create_task(link.write(Setpoint(0, 60)))
            await second.next("SetChargingProfile")
            await asyncio.wait_for(station.arrived(), 5)
            second.gate.set()
            await newer
            profile = (await second.next("SetChargingProfile"))["cs_charging_profiles"]
            assert isinstance(profile, dict)
            assert profile["charging_schedule"]["charging_schedule_period"][0]["limit"] == 0
            await settled(second)


@pytest.mark.requirement("SVC-IOCTL")
async def test_ioctl() -> None:
    async with linked() as (link, ev):
        started = await ev.call(_start("card"))
        assert await link.ioctl(Disconnect()) == "Accepted"
        stopped = await ev.next("RemoteStopTransaction")
        assert stopped == {"transaction_id": started.transaction_id}
        assert (await ev.next("ChangeAvailability"))["type"] == "Inoperative"
        ev.answers["ChangeAvailability"] = "Scheduled"
        assert await link.ioctl(Connect()) == "Scheduled"
        assert await link.ioctl(Identify()) is link.connection
        assert link.connection.model == "Model E"
        with pytest.raises(PermanentError, match=r"CP1: restart: the charger does not support"):
            await link.ioctl(Reset())


async def test_only_known_cards_may_charge() -> None:
    config = StationAddress("CP1", id_tags=frozenset({"mine"}))
    async with central(config) as (system, station), charger(system.port, "CP1") as ev:
        accepted = await ev.call(_start("mine"))
        refused = await ev.call(_start("theirs"))
        assert accepted.id_tag_info["status"] == "Accepted"
        assert refused.id_tag_info["status"] == "Invalid"
        assert accepted.transaction_id != refused.transaction_id
        assert station.transaction == accepted.transaction_id
        await ev.call(_stop(accepted.transaction_id))
        assert station.transaction is None


def _start(tag: str) -> object:
    return call.StartTransaction(1, tag, 0, datetime.now(UTC).isoformat())


def _stop(transaction: int) -> object:
    return call.StopTransaction(9, datetime.now(UTC).isoformat(), transaction)


@pytest.mark.requirement("LC-TEST")
@pytest.mark.parametrize(
    "frame",
    [
        "not json",
        "{}",
        "[]",
        "[2]",
        '[2,"1",{"a":1},{}]',
        '[2,7,"Heartbeat",{}]',
        '[2,"1","Heartbeat",[]]',
        '[2,"1","MeterValues",{"connectorId":"x"}]',
        '[2,"1","NoSuchAction",{}]',
        '[2,"1","BootNotification",{"chargePointVendor":1}]',
        '[3,"unasked",{}]',
        '[4,"unasked","InternalError","",{}]',
        '[9,"1","x",{}]',
        "[" * 5000 + "]" * 5000,
        '[2,"1","Heartbeat",' + '{"a":' * 60 + "1" + "}" * 61 + "]",
    ],
)
async def test_garbage_costs_one_log_line(frame: str, caplog: pytest.LogCaptureFixture) -> None:
    async with linked() as (link, ev):
        await ev.status("Available")
        with caplog.at_level(logging.WARNING, "der.drivers"):
            await ev.socket.send_str(frame)
            await ev.status("Charging")
        assert len([r for r in caplog.records if r.name.startswith("der.drivers")]) == 1
        assert all(not r.exc_info for r in caplog.records if r.name.startswith("der."))
        await ev.measure(Power_Active_Import="5")
        assert (await link.read()).power_w == 5


async def test_values_that_are_no_numbers_are_left_out() -> None:
    async with linked() as (link, ev):
        await ev.status("Charging")
        await ev.measure(Power_Active_Import="100", SoC="50")
        await ev.measure(Power_Active_Import="NaN", SoC="?")
        reading = await link.read()
        assert (reading.power_w, reading.soc) == (100, 0.5)


@pytest.mark.requirement("L1-AUTH")
@pytest.mark.parametrize(
    ("identity", "password", "status"),
    [("CP9", "", 404), ("CP1", "", 401), ("CP1", "wrong", 401)],
)
async def test_strangers_are_refused(
    identity: str, password: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with central(StationAddress("CP1", password="right")) as (system, station):
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            async with charger(system.port, identity, password=password):
                pass
        assert caught.value.status == status
        assert len([r for r in caplog.records if r.levelno >= logging.WARNING]) == 1
        async with charger(system.port, "CP1", password="right"):
            await station.arrived()


async def test_another_subprotocol_is_closed() -> None:
    async with (
        central() as (system, station),
        aiohttp.ClientSession() as http,
        http.ws_connect(url(system.port, "CP1"), protocols=("ocpp2.0.1",)) as socket,
    ):
        message = await socket.receive(timeout=2)
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert not station.online


async def test_an_oversized_frame_ends_the_connection_only() -> None:
    async with central() as (system, station):
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(url(system.port, "CP1"), protocols=(SUBPROTOCOL,)) as socket,
        ):
            await socket.send_str("x" * 100_000)
            message = await socket.receive(timeout=2)
            assert message.type is aiohttp.WSMsgType.CLOSE
        async with charger(system.port, "CP1"):
            await station.arrived()


async def test_a_port_in_use_is_one_clear_error() -> None:
    async with central() as (system, _):
        other = CentralSystem(port=system.port)
        with pytest.raises(
            PermanentError,
            match=rf"cannot listen on 127\.0\.0\.1:{system.port}: Address already in use$",
        ):
            await other.start()
        await other.stop()


def test_two_chargers_of_one_identity() -> None:
    system = CentralSystem()
    system.add(StationAddress("CP1"))
    with pytest.raises(PermanentError, match=r"'CP1'"):
        system.add(StationAddress("CP1"))
    assert "secret" not in repr(StationAddress("CP2", password="secret"))
