"""Connections: garbage, oversized frames, late answers, ports, and what each version alone has."""

import asyncio
import json
import logging
import os
from typing import Any

import aiohttp
import pytest
from ocpp.v16 import call as call16
from ocpp.v16 import call_result as result16
from ocpp.v201 import call as call201
from ocpp.v201 import call_result as result201

from der.addresses import CentralSettings, StationAddress
from der.commands import Reset
from der.drivers.ocpp.central import CentralSystem
from der.drivers.ocpp.link16 import V16
from der.drivers.ocpp.link201 import V201
from der.drivers.ocpp.station import Station, Version
from der.drivers.ocpp.words import Plug
from der.errors import PermanentError, TransientError
from der.model import Alarm, Setpoint
from tests.der.drivers.ocpp.bench import EVSE, VERSIONS, central, linked, settled
from tests.der.drivers.ocpp.chargers import TRANSACTION, Charger16, calling, stamp, url

of_each_version = pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)


def said(caplog: pytest.LogCaptureFixture, level: int = logging.WARNING) -> list[str]:
    return [
        r.getMessage() for r in caplog.records if r.levelno >= level and r.name.startswith("der.")
    ]


def plug(station: Station) -> Plug | None:
    return station.record.plug


def running(station: Station) -> str | None:
    return station.record.transaction


@pytest.mark.requirement("LC-TEST")
@of_each_version
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
        '[2,"1","SetChargingProfile",{}]',
        '[2,"1","BootNotification",{"chargePointVendor":1}]',
        '[2,"1","Heartbeat",{"a":1e999}]',
        '[3,"unasked",{}]',
        '[4,"unasked","InternalError","",{}]',
        '[9,"1","x",{}]',
        "[" * 5000 + "]" * 5000,
        '[2,"1","Heartbeat",' + '{"a":' * 60 + "1" + "}" * 61 + "]",
    ],
)
async def test_garbage_costs_one_log_line(
    version: Version, frame: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with linked(version) as (link, ev, _):
        await ev.plug("Available")
        caplog.clear()
        with caplog.at_level(logging.WARNING, "der.drivers"):
            for _ in range(3):
                await ev.socket.send_str(frame)
                await ev.plug("Charging")
        (line,) = said(caplog)
        assert line.startswith("ev: ignored a frame from the charger: ")
        assert len(line) < 200
        assert all(not r.exc_info for r in caplog.records if r.name.startswith("der."))
        await ev.measure(Power_Active_Import=5)
        assert (await link.read()).power_w == 5


@of_each_version
async def test_a_late_answer_is_no_news_and_a_strange_one_is(
    version: Version, caplog: pytest.LogCaptureFixture
) -> None:
    async with linked(version) as (link, ev, _):
        ev.late["SetChargingProfile"] = 1.7
        for power_w in (2300, 2400):
            with pytest.raises(TransientError) as caught:
                await link.write(Setpoint(power_w, 60))
            assert str(caught.value) == "ev: limit of its power: no answer within 1.5 s"
        ev.late.clear()
        await asyncio.sleep(0.3)
        await ev.plug("Available")
        assert said(caplog) == []
        await ev.socket.send_str('[3,"strange",{}]')
        await ev.plug("Available")
        assert len(said(caplog)) == 1


@of_each_version
async def test_a_write_that_waits_for_another_call_ends_in_the_same_words(
    version: Version,
) -> None:
    async with linked(version) as (link, ev, _):
        ev.mute.add("SetChargingProfile")
        results = await asyncio.gather(
            *(link.write(Setpoint(power_w, 60)) for power_w in (2000, 2100)),
            return_exceptions=True,
        )
        assert {str(result) for result in results} == {
            "ev: limit of its power: no answer within 1.5 s"
        }


@of_each_version
async def test_what_was_wanted_last_is_told_again_even_if_it_was_not_taken(
    version: Version,
) -> None:
    async with central(version) as (system, station):
        async with calling(system.port, version.subprotocol) as first:
            await settled(first)
            await station.mandate.limit(Setpoint(7000, 600))
            first.answers["SetChargingProfile"] = "Rejected"
            with pytest.raises(PermanentError):
                await station.mandate.limit(Setpoint(2300, 600))
        async with calling(system.port, version.subprotocol, boot=False) as second:
            assert (await second.limit()).periods[0][1] == 10


@of_each_version
async def test_an_oversized_frame_ends_the_connection_only(
    version: Version, caplog: pytest.LogCaptureFixture
) -> None:
    async with central(version) as (system, station):
        for _ in range(2):
            async with (
                aiohttp.ClientSession() as http,
                http.ws_connect(
                    url(system.port, "CP1"), protocols=(version.subprotocol,)
                ) as socket,
            ):
                await socket.send_str("x" * 100_000)
                message = await socket.receive(timeout=2)
                assert message.type is aiohttp.WSMsgType.CLOSE
        async with calling(system.port, version.subprotocol):
            await station.arrived()
    assert said(caplog) == ["ev: ended the charger's connection: a message of over 65536 bytes"]


@of_each_version
async def test_what_is_no_websocket_s_message_ends_the_connection_only(
    version: Version, caplog: pytest.LogCaptureFixture
) -> None:
    async with central(version) as (system, station):
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(url(system.port, "CP1"), protocols=(version.subprotocol,)) as socket,
        ):
            transport = socket.get_extra_info("socket")
            os.write(
                transport.fileno(), b"\xff\xff\xff\xff"
            )  # bits that nobody has given a meaning
            message = await socket.receive(timeout=2)
            assert message.type is aiohttp.WSMsgType.CLOSE
        async with calling(system.port, version.subprotocol):
            await station.arrived()
    assert said(caplog) == [
        "ev: ended the charger's connection: what it sent is no message of a WebSocket"
    ]


@of_each_version
async def test_a_binary_frame_is_ignored(
    version: Version, caplog: pytest.LogCaptureFixture
) -> None:
    async with linked(version) as (_, ev, station):
        for _ in range(3):
            await ev.socket.send_bytes(b"\x00")
        await ev.plug("Available")
        assert said(caplog) == ["ev: ignored a frame from the charger: not text"]
        assert station.online


async def test_a_port_in_use_is_one_clear_error() -> None:
    async with central(V16) as (system, _):
        other = CentralSystem(CentralSettings(port=system.port))
        with pytest.raises(
            PermanentError,
            match=rf"cannot listen on 127\.0\.0\.1:{system.port}: Address already in use$",
        ):
            await other.start()
        await other.stop()


def test_two_chargers_of_one_identity() -> None:
    system = CentralSystem()
    system.add(StationAddress("CP1"), V16, EVSE)
    with pytest.raises(PermanentError, match=r"'CP1'"):
        system.add(StationAddress("CP1"), V201, EVSE)
    assert "secret" not in repr(StationAddress("CP2", password="secret"))


async def test_what_only_1_6_tells(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with linked(V16) as (_, ev, station):
        assert isinstance(ev, Charger16)
        answer = await ev.call(call16.DataTransfer("Maker", data="x" * 500))
        assert answer.status == "UnknownVendorId"
        await ev.call(call16.FirmwareStatusNotification("Installed"))
        await ev.call(call16.DiagnosticsStatusNotification("Uploaded"))
        answer = await ev.call(call16.Authorize("card"))
        assert answer.id_tag_info == {"status": "Accepted"}
        await ev.plug("Charging", error="OverVoltage")
        assert station.record.alarms == frozenset({Alarm.OVER_VOLTAGE})
        await ev.plug("Charging", error="GroundFailure")
        assert station.record.alarms == frozenset({Alarm.FAULT})
        await ev.plug("Available", connector=2)  # another's
        assert plug(station) is Plug.CHARGING
        lines = said(caplog, logging.INFO)
        assert "ev: firmware update: Installed" in lines
        assert "ev: upload of diagnostics: Uploaded" in lines
        assert "ev: DataTransfer: the hub has no use for data of 'Maker'" in lines


async def test_a_transaction_of_a_hub_that_restarted_is_found_in_its_meter_values() -> None:
    async with linked(V16) as (_, ev, station):
        message = {
            "timestamp": stamp(),
            "sampledValue": [{"value": "7", "measurand": "Power.Active.Import"}],
        }
        await ev.call(call16.MeterValues(1, [message], transaction_id=77))
        assert station.record.transaction == "77"


def event(kind: str, state: str | None = None, **more: Any) -> call201.TransactionEvent:
    info = {"transactionId": TRANSACTION} | ({"chargingState": state} if state else {})
    return call201.TransactionEvent(kind, stamp(), "Trigger", 1, info, **more)


async def test_what_a_transaction_event_of_2_0_1_tells() -> None:
    async with linked(V201) as (link, ev, station):
        await ev.plug("Occupied")
        assert plug(station) is Plug.PLUGGED
        await ev.call(event("Started", "Charging"))  # without an EVSE it is ours
        assert running(station) == TRANSACTION
        power = {
            "value": 7.1,
            "measurand": "Power.Active.Import",
            "unitOfMeasure": {"unit": "W", "multiplier": 3},
        }
        value = {"timestamp": stamp(), "sampledValue": [power]}
        await ev.call(event("Updated", meter_value=[value]))
        assert (await link.read()).power_w == pytest.approx(7100)
        await ev.plug("Occupied")  # says less than is known
        assert plug(station) is Plug.CHARGING
        await ev.call(event("Updated", "SuspendedEV", offline=True))  # what was, not what is
        assert plug(station) is Plug.CHARGING
        await ev.call(event("Updated", "SuspendedEV", evse={"id": 2}))  # another's
        assert plug(station) is Plug.CHARGING
        await ev.call(event("Ended", "Idle"))
        assert plug(station) is Plug.FINISHING
        assert running(station) is None


def notified(variable: str, value: str, trigger: str = "Delta") -> call201.NotifyEvent:
    data = {
        "eventId": 1,
        "timestamp": stamp(),
        "trigger": trigger,
        "actualValue": value,
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": "Connector", "evse": {"id": 1, "connectorId": 1}},
        "variable": {"name": variable},
    }
    return call201.NotifyEvent(stamp(), 0, [data])


async def test_what_events_and_reports_of_2_0_1_tell(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with linked(V201) as (_, ev, station):
        await ev.call(notified("AvailabilityState", "Occupied"))
        assert plug(station) is Plug.PLUGGED
        await ev.call(notified("Problem", "true", "Alerting"))
        assert station.record.alarms == frozenset({Alarm.FAULT})
        await ev.call(notified("Problem", "false"))
        assert station.record.alarms == frozenset()
        assert "ev: alert: Connector.Problem is true" in said(caplog)
        reports = [
            {
                "component": {"name": "SmartChargingCtrlr"},
                "variable": {"name": f"Entries{number}"},
                "variableAttribute": [{"value": "7"}, {"type": "Target"}],
            }
            for number in range(100)
        ]
        await ev.call(call201.NotifyReport(1, stamp(), 0, reports))
        assert station.record.facts["SmartChargingCtrlr.Entries0"] == "7"
        assert len(station.record.facts) == 64
        await ev.call(call201.LogStatusNotification("Uploaded"))
        await ev.call(call201.FirmwareStatusNotification("Installed"))
        answer = await ev.call(call201.DataTransfer("Maker"))
        assert answer.status == "UnknownVendorId"
        lines = said(caplog, logging.INFO)
        assert "ev: upload of its log: Uploaded" in lines


async def test_settings_that_a_station_of_2_0_1_has_fixed_are_noted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    address = StationAddress("CP1", id_tags=frozenset({"mine"}), sample_s=5)
    async with (
        central(V201, address) as (system, _),
        calling(system.port, V201.subprotocol, boot=False) as ev,
    ):
        ev.answers["SetVariables"] = "Rejected"
        await ev.boot()
        asked = await ev.next("SetVariables")
        told = {one["variable"]["name"]: one["attribute_value"] for one in asked["data"]}
        assert told["TxUpdatedInterval"] == "5"
        assert told["OfflineTxForUnknownIdEnabled"] == "false"
        await settled(ev)
        lines = said(caplog, logging.INFO)
        note = "ev: setting: SampledDataCtrlr.TxUpdatedInterval: the charger says Rejected"
        assert note in lines
        assert not [line for line in said(caplog) if "setting" in line]


@of_each_version
@pytest.mark.parametrize("hard", [False, True])
async def test_a_restart_waits_or_does_not(version: Version, *, hard: bool) -> None:
    asked: list[dict[str, Any]] = []
    async with linked(version) as (link, ev, _):

        def reset(**payload: Any) -> Any:
            asked.append(payload)
            return (result16 if version is V16 else result201).Reset("Accepted")

        ev.route_map["Reset"] = {"_on_action": reset, "_skip_schema_validation": False}
        assert await link.ioctl(Reset(hard)) == "Accepted"
        kinds = {V16: ("Soft", "Hard"), V201: ("OnIdle", "Immediate")}
        assert asked == [{"type": kinds[version][hard]}]


@of_each_version
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ('[3,"$ID",{}]', ""),
        ('[3,"$ID",{"status":7}]', ""),
        ('[3,"$ID",{"status":"Maybe"}]', ""),
        ('[3,"$ID",{"status":"Accepted","more":1}]', ""),
        ('[4,"$ID","NoSuchCode","",{}]', "an error without a known code"),
        ('[4,"$ID","InternalError",""]', "InternalError"),
        ('[4,"$ID","GenericError","out\\nof order",{}]', "out of order"),
    ],
)
async def test_an_answer_that_makes_no_sense_is_one_error(
    version: Version, answer: str, error: str
) -> None:
    """Raw answers, past the library's own checks on the charger's side."""
    async with central(version) as (system, station), aiohttp.ClientSession() as http:
        where = url(system.port, "CP1")
        async with http.ws_connect(where, protocols=(version.subprotocol,)) as socket:

            async def reply() -> None:
                async for message in socket:
                    frame = json.loads(message.data)
                    await socket.send_str(answer.replace("$ID", frame[1]))

            replying = asyncio.create_task(reply())
            await station.arrived()
            with pytest.raises(TransientError, match=f"^ev: limit of its power: .*{error}"):
                await station.mandate.limit(Setpoint(2300, 60))
            replying.cancel()


@pytest.mark.requirement("TIME-SERVER")
@of_each_version
async def test_a_charger_is_told_the_home_s_time_and_not_the_machine_s(version: Version) -> None:
    """A machine that has lost its clock must not set a charger's, which dates what is billed."""
    beat = call16.Heartbeat() if version is V16 else call201.Heartbeat()
    async with (
        central(version, now=lambda: 2_000_000_000.0) as (system, _),
        calling(system.port, version.subprotocol, boot=False) as ev,
    ):
        for answer in (await ev.boot(), await ev.call(beat)):
            assert answer.current_time == "2033-05-18T03:33:20Z"
