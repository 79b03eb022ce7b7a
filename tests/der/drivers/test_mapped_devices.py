"""Descriptions that come with the product, against simulated devices written from other pages."""

from collections.abc import Callable

import pytest

from der.commands import (
    Ability,
    Connect,
    DeviceOptions,
    Disconnect,
    FirmwareVersion,
    Identify,
    Options,
    Reset,
    SelfTest,
    SelfTestReport,
)
from der.drivers.mapped.link import MappedLink
from der.errors import PermanentError, RejectedError
from der.model import Expiry, RunState, Setpoint
from der.sim.mapped.sma import SmaInverter
from der.sim.physics.house import HouseConfig, Snapshot
from tests.der.drivers.mapped import MAPS, Doors, doors

AWAKE = HouseConfig(fixed_load_w=500.0, fixed_pv_w=3000.0, tank_temp_c=45.0, room_temp_c=18.0)


@pytest.mark.requirement("SVC-READ", "ROLE-SM")
async def test_the_meter_reads_what_the_home_draws() -> None:
    async with doors("sdm630") as at:
        link = await at.link("sdm630")
        home, found = at.house.now, await link.read()
        assert found.power_w == pytest.approx(home.meter.power_w, rel=1e-6)
        assert found.voltage_v == pytest.approx(home.voltage_v, rel=1e-6)
        assert found.frequency_hz == pytest.approx(home.frequency_hz, rel=1e-6)
        assert found.energy_import_wh == pytest.approx(home.meter.import_wh, rel=1e-6)
        assert found.phases[0].power_w == pytest.approx(home.meter.power_w)
        assert found.phases[0].voltage_v == pytest.approx(home.voltage_v)
        assert (found.alarms, found.state, found.suspect) == (None, None, frozenset())
        assert link.safeguard.expiry is Expiry.NOTHING_TO_END
        with pytest.raises(PermanentError, match=r"^sdm630: eastron-sdm630 describes no set-point"):
            await link.write(Setpoint(0, 30))
        await link.close()


@pytest.mark.requirement("SVC-WRITE")
async def test_the_inverter_limits_itself_and_falls_back() -> None:
    async with doors("sma") as at:
        link = await at.link("sma")
        found = await link.read()
        assert found.power_w == -3000
        assert (found.connected, found.state) == (True, RunState.RUNNING)
        await link.write(Setpoint(-1010, 900, revert_w=-2000))
        # The fallback goes first, the limit in whole percent, never more production than asked.
        assert at.written == ["41195=60", "41197=5000", "40016=25"]
        at.step()
        assert at.house.now.pv.power_w == -1000
        await feed_for(at, link, 100)
        assert at.house.now.pv.power_w == -1000
        at.wait(61)
        assert at.house.now.pv.power_w == -2000
        await link.write(None)
        at.step()
        assert at.house.now.pv.power_w == -3000
        await link.close()


async def test_a_limit_that_lapses_gives_way_to_what_it_was_to_revert_to() -> None:
    async with doors("sma") as at:
        link = await at.link("sma")
        await link.write(Setpoint(-1000, 30, revert_w=-2000))
        at.wait(31)
        await link.read()
        for seconds in (1, 120):  # by the hub first, then by the inverter's own fallback
            at.wait(seconds)
            assert at.house.now.pv.power_w == -2000
        await link.write(Setpoint(-1000, 30))
        at.wait(31)
        await link.read()
        at.step()
        assert at.house.now.pv.power_w == -3000
        await link.close()


async def test_an_inverter_that_is_given_back_stays_free_when_its_timeout_has_run_out() -> None:
    async with doors("sma") as at:
        link = await at.link("sma")
        await link.write(Setpoint(-1000, 900, revert_w=0))
        await link.write(None)
        await feed_for(at, link, 100)
        assert at.house.now.pv.power_w == -3000
        await link.close()


async def test_an_inverter_that_sleeps_gives_no_power_and_is_not_lost() -> None:
    night = HouseConfig(fixed_load_w=500.0, fixed_pv_w=0.0)
    async with doors("sma", config=night) as at:
        link = await at.link("sma")
        found = await link.read()
        assert (found.power_w, found.connected, found.state) == (0, False, RunState.OFF)
        assert [phase.power_w for phase in found.phases] == [None]
        assert found.phases[0].voltage_v == pytest.approx(at.house.now.voltage_v, abs=0.01)
        await link.close()


async def test_what_must_be_set_by_hand_is_said() -> None:
    async with doors("sma") as at:
        inverter = at.home.devices["sma"]
        assert isinstance(inverter, SmaInverter)
        inverter.mode = 303
        link = await at.link("sma")
        with pytest.raises(PermanentError, match=r"^sma: mode is not as it must be: set the oper"):
            await link.write(Setpoint(-1000, 30))
        assert at.written == []
        report = await link.ioctl(SelfTest())
        assert isinstance(report, SelfTestReport)
        assert not report.passed
        assert report.findings[-1].startswith("set the operating mode of active power limitation")
        inverter.mode = 1079
        await link.write(Setpoint(-1000, 30))
        assert at.written[-1] == "40016=25"
        await link.close()


@pytest.mark.requirement("SVC-WRITE")
@pytest.mark.parametrize("power_w", [1500.0, -2000.0, 0.0])
async def test_the_multi_is_driven_fed_and_lets_go(power_w: float) -> None:
    async with doors("victron") as at:
        link = await at.link("victron")
        assert (await link.read()).limit_w is None
        await link.write(Setpoint(power_w, 120))
        at.step()
        assert at.house.now.battery.power_w == power_w
        await feed_for(at, link, 110)
        found = await link.read()
        assert (found.power_w, found.limit_w, found.state) == (power_w, power_w, RunState.RUNNING)
        at.wait(61)
        assert at.house.now.battery.power_w == 0
        await link.close()


async def test_a_set_point_that_is_not_renewed_is_taken_back() -> None:
    async with doors("victron") as at:
        link = await at.link("victron")
        await link.write(Setpoint(-3000, 30))
        at.wait(29)
        await link.read()
        assert at.house.now.battery.power_w == -3000
        at.wait(2)
        await link.read()
        at.step()
        assert at.house.now.battery.power_w == 0
        assert at.written[-1] == "37=0"
        await link.close()


@pytest.mark.requirement("SVC-WRITE")
async def test_the_hybrid_counts_the_minutes_itself() -> None:
    async with doors("luna2000") as at:
        link = await at.link("luna2000")
        assert link.connection.serial == "SIM-LUNA-1"
        assert link.safeguard.expiry is Expiry.REVERSION
        for power_w, command in ((-1999.6, ["47249=1999", "47100=2"]), (800, ["47100=1"])):
            await link.write(Setpoint(power_w, 61))
            assert at.written[-len(command) :] == command
            at.step()
            assert at.house.now.battery.power_w == int(power_w)
            assert (await link.read()).limit_w == int(power_w)
        assert "47083=2" in at.written
        at.wait(119)
        assert at.house.now.battery.power_w == 800
        at.wait(2)
        found = await link.read()
        assert (found.power_w, found.limit_w) == (0, None)
        with pytest.raises(RejectedError, match=r"^luna2000: period takes 60 to 86400, not 90000$"):
            await link.write(Setpoint(100, 90_000))
        await link.close()


@pytest.mark.requirement("SVC-WRITE")
async def test_the_wallbox_falls_back_when_nobody_asks() -> None:
    async with doors("heidelberg") as at:
        link = await at.link("heidelberg")
        assert link.safeguard.expiry is Expiry.FALLBACK
        await link.write(Setpoint(2400, 900))
        # Before the first set-point the failsafe: 6 A here; the watchdog has its 15 s already.
        assert at.written == ["262=60", "258=4", "261=104"]
        at.step(3)
        assert at.house.now.ev.power_w == pytest.approx(10.4 * 230)
        await link.write(Setpoint(1379, 900))
        at.step(3)
        assert (await link.read()).power_w == 0
        assert (await link.read()).limit_w == 0
        await link.write(Setpoint(3680, 900))
        for _ in range(4):
            at.wait(14)
            found = await link.read()
        assert found.power_w == pytest.approx(3680)
        at.wait(16)
        at.step(3)
        assert at.house.now.ev.power_w == pytest.approx(1380)
        await link.close()


@pytest.mark.requirement("SVC-WRITE")
async def test_the_heat_pump_is_blocked_and_never_ordered() -> None:
    async with doors("sg_ready", config=AWAKE) as at:
        link = await at.link("sg_ready")
        at.step()
        assert at.house.now.heat_pump.power_w == 2000
        assert (await link.read()).power_w == 2000
        await link.write(Setpoint(1999, 300))
        assert at.written == ["0=0", "1=0", "0=1"][1:]
        at.step()
        found = await link.read()
        assert (found.power_w, found.limit_w, found.connected) == (0, 0, False)
        assert at.house.now.heat_pump.power_w == 0
        assert link.safeguard.expiry is Expiry.GUARD
        assert "two hours" in link.safeguard.risk
        at.wait(301)
        await link.read()  # the link ends it while the hub lives
        at.step()
        assert at.house.now.heat_pump.power_w == 2000
        await link.close()


@pytest.mark.requirement("SVC-IOCTL")
@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("sma", lambda home: home.pv.power_w),
        ("heidelberg", lambda home: home.ev.power_w),
        ("sg_ready", lambda home: home.heat_pump.power_w),
        ("relay_board", lambda home: home.water_heater.power_w),
    ],
)
async def test_devices_are_taken_off_and_put_back(
    name: str, part: Callable[[Snapshot], float]
) -> None:
    async with doors(name, config=AWAKE) as at:
        link = await at.link(name)
        at.step(3)
        assert part(at.house.now) != 0
        assert await link.ioctl(Disconnect()) == "off"
        at.step(3)
        assert part(at.house.now) == 0
        for _ in range(2):
            at.wait(70)  # nobody reads it, and no watchdog brings it back
            at.step(3)
            assert part(at.house.now) == 0
        lapse = "for 600 s" if name == "relay_board" else "until it is told otherwise"
        assert await link.ioctl(Disconnect(600)) == f"off {lapse}"
        assert await link.ioctl(Connect()) == "allowed to run"
        at.step(3)
        assert part(at.house.now) != 0
        options = await link.ioctl(Options())
        assert isinstance(options, DeviceOptions)
        assert options.abilities == {Ability.POWER, Ability.CONNECT, Ability.SELF_TEST}
        assert options.safeguard == link.safeguard
        with pytest.raises(RejectedError, match=rf"^{name}: has no command Reset"):
            await link.ioctl(Reset())
        await link.close()


@pytest.mark.requirement("SVC-IOCTL", "LC-TEST")
@pytest.mark.parametrize("name", MAPS)
async def test_each_tests_itself_and_moves_nothing(name: str) -> None:
    async with doors(name) as at:
        link = await at.link(name)
        report = await link.ioctl(SelfTest())
        assert isinstance(report, SelfTestReport)
        assert report.passed, report
        assert await link.ioctl(Identify()) == link.connection
        assert await link.ioctl(FirmwareVersion()) == ""
        assert at.written == []
        await link.close()


async def feed_for(at: Doors, link: MappedLink, seconds: int) -> None:
    """Let a hub read its device every five seconds."""
    for _ in range(seconds // 5):
        at.wait(5)
        await link.read()
