"""What the hub reads, writes and commands, the same over both versions of OCPP."""

import asyncio
import time
from dataclasses import replace

import pytest

from der.addresses import StationAddress, Wiring
from der.commands import (
    Ability,
    ChargingStep,
    ClearChargingProfile,
    Connect,
    Disconnect,
    FirmwareVersion,
    Identify,
    Options,
    ReleaseReactive,
    Reset,
    SelfTest,
    WriteChargingProfile,
)
from der.drivers.ocpp import link as ocpp_link
from der.drivers.ocpp.station import Version
from der.errors import PermanentError, RejectedError, TransientError
from der.model import Alarm, Expiry, PhaseReading, Setpoint
from tests.der.drivers.ocpp.bench import EVSE, VERSIONS, central, linked, settled
from tests.der.drivers.ocpp.chargers import calling

pytestmark = pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)

THREE = replace(EVSE, max_w=11_040.0, least_on_w=4140.0)


def name(version: Version) -> str:
    return version.subprotocol


SWITCHING = StationAddress("CP1", wiring=Wiring(phases=3, switches_phases=True))


@pytest.mark.requirement("SVC-OPEN")
async def test_a_charger_that_has_not_called_in(version: Version) -> None:
    async with central(version) as (_, station):
        with pytest.raises(TransientError, match=r"^ev: charger has not called in$"):
            await ocpp_link.connect(EVSE, station, wait_s=0.05)


async def test_a_new_charger_is_told_what_rules_without_the_hub(version: Version) -> None:
    async with (
        central(version) as (system, station),
        calling(system.port, version.subprotocol) as ev,
    ):
        assert "has not confirmed" in station.mandate.safeguard.risk
        fallback = await ev.limit()
        assert (fallback.level, fallback.purpose, fallback.kind) == (
            0,
            "TxDefaultProfile",
            "Relative",
        )
        assert (fallback.periods, fallback.duration) == ([(0, 6, 1)], None)
        await settled(ev)
        guard = station.mandate.safeguard
        assert (guard.expiry, guard.safe, guard.risk) == (
            Expiry.FALLBACK,
            "charges with at most 1380 W",
            "",
        )
        assert station.record.connection.manufacturer == "Maker"
        assert station.record.connection.firmware == "9"


async def test_a_charger_that_refuses_the_fallback_gets_it_with_each_limit(
    version: Version, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        central(version) as (system, station),
        calling(system.port, version.subprotocol, boot=False) as ev,
    ):
        ev.answers["SetChargingProfile"] = "Rejected"
        await ev.boot()
        await settled(ev)
        assert "refused the fallback" in station.mandate.safeguard.risk
        said = [r.getMessage() for r in caplog.records if "fallback" in r.getMessage()]
        assert said == ["ev: preparation: fallback limit: the charger says Rejected"]
        del ev.answers["SetChargingProfile"]
        link = await ocpp_link.connect(EVSE, station)
        await link.write(Setpoint(2300, 30))
        limit = await ev.limit()
        assert ([watts[1] for watts in limit.periods], limit.duration) == ([10, 6], None)


@pytest.mark.requirement("SVC-READ")
async def test_reading(version: Version) -> None:
    async with linked(version) as (link, ev, _):
        with pytest.raises(TransientError, match=r"^ev: the charger has not reported"):
            await link.read()
        await ev.start_charging()
        await ev.plug("Charging")
        before = time.time()
        await ev.measure(Power_Active_Import=7100, SoC=61, Voltage=229.5)
        reading = await link.read()
        assert (reading.power_w, reading.soc, reading.voltage_v) == (7100, 0.61, 229.5)
        assert (reading.connected, reading.wants_power) == (True, True)
        assert before <= reading.at <= time.time()
        assert reading.taken == {}
        await ev.plug("SuspendedEV")
        assert (await link.read()).wants_power is False
        await ev.plug("Available")
        reading = await link.read()
        assert (reading.power_w, reading.soc, reading.connected) == (0, None, False)


@pytest.mark.requirement("SVC-READ")
async def test_each_value_says_how_old_it_is(version: Version) -> None:
    async with linked(version) as (link, ev, _):
        await ev.plug("Charging")
        await ev.measure(Power_Active_Import=7100, SoC=61, Energy_Active_Import_Register=5000)
        first = await link.read()
        await asyncio.sleep(0.01)
        await ev.measure(
            Power_Active_Import__L1=1000, Power_Active_Import__L3=500, Voltage__L1_N=231
        )
        second = await link.read()
        assert (second.power_w, second.soc, second.energy_import_wh) == (1500, 0.61, 5000)
        assert second.taken == {"soc": first.at, "energy_import_wh": first.at}
        assert second.at > first.at
        assert second.phases == (PhaseReading(1000, 231), PhaseReading(), PhaseReading(500))


@pytest.mark.requirement("SVC-READ", "LC-TEST")
@pytest.mark.parametrize("power_w", [-300.0, 7_360_000.0, 1e15])
async def test_a_power_that_cannot_be_is_no_reading(version: Version, power_w: float) -> None:
    async with linked(version) as (link, ev, _):
        await ev.plug("Charging")
        await ev.measure(Power_Active_Import=100)
        await ev.measure(Power_Active_Import=power_w, Voltage=12)
        message = r"^ev: Power.Active.Import: not what a charger of 7360 W can draw$"
        with pytest.raises(TransientError, match=message):
            await link.read()
        await ev.measure(Power_Active_Import=200)
        reading = await link.read()
        assert (reading.power_w, reading.voltage_v) == (200, None)
        assert reading.suspect == {"voltage_v"}


async def test_old_meter_values_are_asked_for_and_not_waited_for(version: Version) -> None:
    async with linked(version) as (link, ev, _):
        await ev.plug("Available")
        ev.mute.add("TriggerMessage")
        await link.read()
        asked = await ev.next("TriggerMessage")
        assert asked["requested_message"] in {"MeterValues", "TransactionEvent"}


@pytest.mark.requirement("SVC-WRITE")
async def test_a_limit_is_a_profile_that_ends(version: Version) -> None:
    async with linked(version) as (link, ev, _):
        await ev.plug("Charging")
        await ev.measure(Power_Active_Import=7000)
        await link.write(Setpoint(2300, 30))
        limit = await ev.limit()
        assert limit.level > 0
        assert (limit.unit, limit.periods, limit.kind) == ("A", [(0, 10, 1)], "Absolute")
        assert limit.start is not None
        assert limit.duration is not None
        assert 27 < limit.start + limit.duration - time.time() <= 30
        assert (await link.read()).limit_w == 2300
        await link.write(None)
        cleared = await ev.next("ClearChargingProfile")
        assert set(cleared.values()) == {1001}
        assert (await link.read()).limit_w is None


@pytest.mark.requirement("SVC-WRITE")
async def test_a_refused_limit_says_why_in_the_same_words_for_any_power(version: Version) -> None:
    async with linked(version) as (link, ev, _):
        ev.answers["SetChargingProfile"] = "Rejected"
        errors = []
        for power_w in (1000, 2000):
            with pytest.raises(PermanentError) as caught:
                await link.write(Setpoint(power_w, 30))
            errors.append(str(caught.value))
        assert errors == ["ev: limit of its power: the charger says Rejected"] * 2
        await ev.plug("Available")
        assert (await link.read()).limit_w is None


async def test_a_charger_that_takes_limits_for_a_transaction_only(version: Version) -> None:
    async with linked(version) as (link, ev, _):
        ev.answers["TxDefaultProfile"] = "Rejected"
        transaction, _ = await ev.start_charging()
        await link.write(Setpoint(2300, 30))
        assert (await ev.limit()).purpose == "TxDefaultProfile"
        limit = await ev.limit()
        assert (limit.purpose, str(limit.transaction)) == ("TxProfile", transaction)
        await link.write(Setpoint(1840, 30))
        assert (await ev.limit()).purpose == "TxProfile"
        await ev.stop_charging(transaction)
        with pytest.raises(PermanentError, match="the charger says Rejected"):
            await link.write(Setpoint(1840, 30))


async def test_a_charger_without_smart_charging(version: Version) -> None:
    async with linked(version) as (link, ev, _):
        del ev.route_map["SetChargingProfile"]
        with pytest.raises(PermanentError, match=r"ev: limit .* does not support it"):
            await link.write(Setpoint(1000, 30))


@pytest.mark.requirement("SVC-WRITE")
async def test_phases_are_switched_by_the_power_and_not_to_and_fro(version: Version) -> None:
    clock = [time.time()]
    async with linked(version, SWITCHING, THREE, now=lambda: clock[0]) as (link, ev, station):
        await link.write(Setpoint(11_040, 900))
        assert (await ev.limit()).periods == [(0, 16, 3)]
        await link.write(Setpoint(2300, 900))
        assert (await ev.limit()).periods == [(0, 0, 3)]  # it waits, and draws nothing meanwhile
        clock[0] += 301
        station.review()  # its timer runs on the loop's clock, not on ours
        assert (await ev.limit()).periods == [(0, 10, 1)]
        await link.write(Setpoint(11_040, 900))
        assert (await ev.limit()).periods == [(0, 16, 1)]
        assert station.mandate.again_at is not None


@pytest.mark.requirement("SVC-IOCTL")
async def test_steps_take_the_limits_place(version: Version) -> None:
    async with linked(version) as (link, ev, _):
        steps = (ChargingStep(0, 2300), ChargingStep(60, 1840, 1), ChargingStep(90, 0))
        assert await link.ioctl(WriteChargingProfile(steps, 600)) == "Accepted"
        profile = await ev.limit()
        assert profile.periods == [(0, 10, 1), (120, 8, 1), (150, 0, 1)]
        assert profile.duration == 660
        assert await link.ioctl(ClearChargingProfile()) == "Accepted"
        assert set((await ev.next("ClearChargingProfile")).values()) == {1001}
        late = (ChargingStep(5, 2300),)
        with pytest.raises(RejectedError, match=r"^ev: charging profile: the steps must begin"):
            await link.ioctl(WriteChargingProfile(late, 600))


async def test_a_charger_that_leaves_during_a_call_is_known_at_once(version: Version) -> None:
    async with linked(version) as (link, ev, _):
        ev.mute.add("SetChargingProfile")
        write = asyncio.create_task(link.write(Setpoint(1000, 30)))
        await ev.next("SetChargingProfile")
        await ev.socket.close()
        async with asyncio.timeout(1):
            with pytest.raises(TransientError, match=r"ev: limit .*the charger has gone"):
                await write
        with pytest.raises(TransientError, match=r"ev: the charger is not connected"):
            await link.read()
        with pytest.raises(TransientError, match=r"ev: limit .*not connected"):
            await link.write(Setpoint(1000, 30))


async def test_a_charger_that_comes_back_finds_its_limit(version: Version) -> None:
    async with central(version) as (system, station), calling(system.port, name(version)) as first:
        link = await ocpp_link.connect(EVSE, station)
        await settled(first)
        await link.write(Setpoint(1840, 60))
        async with calling(system.port, name(version), boot=False) as second:
            assert (await second.limit()).periods[0][1] == 8
            await settled(second)
            await second.plug("Available")
            assert (await link.read()).limit_w == 1840
            await link.write(Setpoint(0, 60))
            assert (await second.limit()).periods[0][1] == 0


async def test_a_charger_that_comes_back_is_not_sent_an_old_limit_after_a_newer_one(
    version: Version,
) -> None:
    async with central(version) as (system, station), calling(system.port, name(version)) as first:
        link = await ocpp_link.connect(EVSE, station)
        await settled(first)
        await link.write(Setpoint(1840, 60))
        async with calling(system.port, name(version), boot=False) as second:
            await second.plug("Charging")
            second.gate.clear()
            newer = asyncio.create_task(link.write(Setpoint(0, 60)))
            await second.next("SetChargingProfile")
            await asyncio.wait_for(station.arrived(), 5)
            second.gate.set()
            await newer
            assert (await second.limit()).periods[0][1] == 0
            await settled(second)


@pytest.mark.requirement("SVC-IOCTL")
async def test_commands(version: Version) -> None:
    async with linked(version) as (link, ev, station):
        transaction, _ = await ev.start_charging()
        assert await link.ioctl(Disconnect()) == "Accepted"
        stopped = await ev.next("RemoteStop")
        assert [str(value) for value in stopped.values()] == [transaction]
        assert "Inoperative" in (await ev.next("ChangeAvailability")).values()
        await ev.stop_charging(transaction)
        ev.answers["ChangeAvailability"] = "Scheduled"
        assert await link.ioctl(Connect()) == "Scheduled"
        assert "Operative" in (await ev.next("ChangeAvailability")).values()
        await ev.next("RemoteStart")  # the session that the hub had ended
        assert await link.ioctl(Identify()) is link.connection
        assert await link.ioctl(FirmwareVersion()) == "9"
        assert link.connection.model == "Model E"
        with pytest.raises(PermanentError, match=r"ev: restart: the charger does not support"):
            await link.ioctl(Reset())
        with pytest.raises(RejectedError, match=r"ev: has no command ReleaseReactive"):
            await link.ioctl(ReleaseReactive())
        options = await link.ioctl(Options())
        assert Ability.CHARGING_PROFILE in options.abilities  # type: ignore[attr-defined]
        assert options.details[0] == version.name  # type: ignore[attr-defined]
        assert len(options.details) > 1  # type: ignore[attr-defined]
        assert station.record.facts


async def test_a_session_that_will_not_end_still_gets_no_other(version: Version) -> None:
    async with linked(version) as (link, ev, _):
        await ev.start_charging()
        ev.answers["RemoteStop"] = "Rejected"
        with pytest.raises(PermanentError, match="ev: stop of charging: the charger says Rej"):
            await link.ioctl(Disconnect())
        assert "Inoperative" in (await ev.next("ChangeAvailability")).values()


@pytest.mark.requirement("SVC-IOCTL", "LC-COMMISSION")
async def test_self_test(version: Version) -> None:
    async with linked(version) as (link, ev, _):
        await ev.plug("Charging")
        await ev.measure(Power_Active_Import=1000)
        await link.write(Setpoint(2300, 30))
        ev.schedule = [{"startPeriod": 0, "limit": 10.0, "numberPhases": 1}]
        report = await link.ioctl(SelfTest())
        assert report.passed, report  # type: ignore[attr-defined]
        ev.schedule = [{"startPeriod": 0, "limit": 32.0}]
        report = await link.ioctl(SelfTest())
        assert not report.passed  # type: ignore[attr-defined]
        assert "7360 W, though told 2300 W" in report.findings[0]  # type: ignore[attr-defined]
        ev.ahead_s = 3600
        for _ in range(2):  # once might be a slip
            await ev.plug("Charging")
        ev.schedule = [{"startPeriod": 0, "limit": 10.0}]
        report = await link.ioctl(SelfTest())
        assert not report.passed  # type: ignore[attr-defined]
        assert "clock: +3600 s off" in report.findings[1]  # type: ignore[attr-defined]


async def test_a_charger_whose_clock_is_off_is_told_limits_by_its_own(
    version: Version, caplog: pytest.LogCaptureFixture
) -> None:
    async with linked(version) as (link, ev, _):
        await link.write(Setpoint(2300, 30))
        await ev.limit()
        ev.ahead_s = -3600
        await ev.plug("Charging")
        again = await ev.limit()  # by itself, as soon as that is known
        for _ in range(3):
            await ev.measure(Power_Active_Import=2300)
        assert again.start == pytest.approx(time.time() - 3660, abs=5)
        assert (await link.read()).at == pytest.approx(time.time(), abs=2)
        said = [r.getMessage() for r in caplog.records if "clock" in r.getMessage()]
        assert said == ["ev: clock: the charger's is 60 min behind; it is told its limits by that"]


@pytest.mark.requirement("TIME-STAMP")
@pytest.mark.parametrize("step_s", [14_400.0, -14_400.0])
async def test_a_charger_keeps_to_its_limit_while_the_hub_s_clock_is_set(
    version: Version, step_s: float
) -> None:
    ahead_s = [0.0]
    async with linked(version, now=lambda: time.time() + ahead_s[0], monotonic=time.monotonic) as (
        link,
        ev,
        _,
    ):
        await ev.plug("Charging")
        await ev.measure(Power_Active_Import=2300)
        await link.write(Setpoint(2300, 60))
        await ev.limit()

        ahead_s[0] = step_s  # the hub's, the charger's not yet
        await ev.measure(Power_Active_Import=2200)
        reading = await link.read()
        assert reading.power_w == 2200
        assert reading.at == pytest.approx(time.time() + step_s, abs=2)
        assert reading.limit_w == 2300
        asked = await ev.next("TriggerMessage")
        assert asked["requested_message"] == "Heartbeat"
        asked = await ev.next("TriggerMessage")  # which says what it has made of it
        assert asked["requested_message"] in {"MeterValues", "TransactionEvent"}
        await link.write(Setpoint(2000, 60))
        told = await ev.limit()
        assert told.start == pytest.approx(time.time() - 60, abs=5)  # by its own clock

        ev.ahead_s = step_s  # it has taken the time
        await ev.measure(Power_Active_Import=2000)
        told = await ev.limit()  # by itself, at once
        assert told.start == pytest.approx(time.time() + step_s - 60, abs=5)
        assert (await link.read()).at == pytest.approx(time.time() + step_s, abs=2)
        assert (await link.read()).limit_w == 2000


@pytest.mark.parametrize("step_s", [14_400.0, -14_400.0])
async def test_steps_go_on_while_the_hub_s_clock_is_set(version: Version, step_s: float) -> None:
    ahead_s = [0.0]
    async with linked(version, now=lambda: time.time() + ahead_s[0], monotonic=time.monotonic) as (
        link,
        ev,
        station,
    ):
        await ev.plug("Charging")
        await ev.measure(Power_Active_Import=2300)
        await link.ioctl(WriteChargingProfile((ChargingStep(0, 2300),), 600))
        told = await ev.limit()
        ahead_s[0] = step_s
        await link.read()
        ev.ahead_s = step_s
        await ev.measure(Power_Active_Import=2300)
        again = await ev.limit()
        assert told.start is not None
        assert again.start == pytest.approx(told.start + step_s, abs=2)
        assert again.duration == told.duration
        assert station.mandate.expected() is not None


async def test_only_known_cards_may_charge(version: Version) -> None:
    address = StationAddress("CP1", id_tags=frozenset({"mine"}))
    async with linked(version, address) as (_, ev, station):
        transaction, status = await ev.start_charging("mine")
        assert status == "Accepted"
        assert station.record.transaction == transaction
        await ev.stop_charging(transaction)
        assert station.record.transaction is None
        _, status = await ev.start_charging("theirs")
        assert status == "Invalid"
        assert station.record.transaction is None


async def test_a_fault_is_an_alarm(version: Version) -> None:
    async with linked(version) as (link, ev, _):
        await ev.plug("Available")
        assert (await link.read()).alarms == frozenset()
        await ev.plug("Faulted")
        await ev.measure(Power_Active_Import=0)
        reading = await link.read()
        assert reading.alarms == frozenset({Alarm.FAULT})
        assert reading.connected is None


async def test_a_security_event_is_an_alarm_line(
    version: Version, caplog: pytest.LogCaptureFixture
) -> None:
    async with linked(version) as (_, ev, _station):
        for _ in range(3):
            await ev.warn("TamperDetectionActivated", "lid\nopen")
        said = [r.getMessage() for r in caplog.records if "ALARM" in r.getMessage()]
        assert said == ["ev: ALARM, a security event: TamperDetectionActivated lid open"]


async def test_a_charger_that_does_not_keep_to_its_limit_is_told_of_once(
    version: Version, caplog: pytest.LogCaptureFixture
) -> None:
    began = time.time()
    passed_s = [0.0]
    async with linked(version, now=lambda: began + passed_s[0]) as (link, ev, _):
        await ev.plug("Charging")
        await link.write(Setpoint(2300, 600))
        for passed_s[0] in (1, 5, 12, 13, 14):  # it may take a while to obey
            ev.ahead_s = passed_s[0]
            await ev.measure(Power_Active_Import=7000)
            await link.read()
        said = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
        assert said == ["ev: Power.Active.Import: more than the limit that the charger accepted"]
