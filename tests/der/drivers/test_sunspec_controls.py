"""Each control of each kind of simulated inverter: set, seen to act, and ending by itself."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from der.addresses import ModbusAddress
from der.commands import (
    Ability,
    Command,
    Connect,
    Disconnect,
    HoldReactive,
    Options,
    ReleaseReactive,
    SelfTest,
)
from der.drivers.modbus.connection import ModbusConnection
from der.drivers.sunspec.map import SunSpecMap, want
from der.errors import DeviceError, PermanentError, RejectedError
from der.model import Expiry, Reading, Setpoint
from tests.der.drivers.sunspec_home import Opened, opened, opened_in

STYLES = ("basic", "full", "classic", "classic-float")
FRAMES = (
    ("basic", False),
    ("full", False),
    ("full", True),
    ("classic", False),
    ("classic", True),
    ("classic-float", False),
)
"""Styles, and whether the device refuses frames of several points."""


def about(power_w: float) -> Callable[[Reading], bool]:
    return lambda r: r.power_w == pytest.approx(power_w, abs=1)


def moves(var: float) -> Callable[[Reading], bool]:
    return lambda r: r.reactive_var == pytest.approx(var, abs=1)


def pv(style: str, **options: object) -> AbstractAsyncContextManager[Opened]:
    return opened("pv", pv_style=style, **options)


def battery(style: str, **options: object) -> AbstractAsyncContextManager[Opened]:
    return opened("battery", battery_style=style, **options)


@pytest.mark.requirement("SVC-WRITE")
@pytest.mark.parametrize(("style", "singly"), FRAMES)
async def test_pv_obeys_its_limit_and_ends_it_by_itself(style: str, singly: bool) -> None:
    async with pv(style, single_points=singly) as device:
        await device.reads(about(-3000), "runs free")
        await device.handle.write(Setpoint(-1000, 1.0))
        limited = await device.reads(about(-1000), "limited")
        assert limited.limit_w == pytest.approx(-1000)
        await device.handle.close()
        async with opened_in(device.home, "pv") as again:
            free = await again.reads(about(-3000), "the limit ended with nobody there")
            assert free.limit_w is None
            assert again.handle.safeguard.expiry is Expiry.REVERSION


@pytest.mark.requirement("SVC-WRITE")
@pytest.mark.parametrize(("style", "singly"), FRAMES)
async def test_battery_moves_as_told_and_stands_by_afterwards(style: str, singly: bool) -> None:
    async with battery(style, single_points=singly) as device:
        await device.handle.write(Setpoint(2000, 60))
        charged = await device.reads(about(2000), "charges")
        assert charged.limit_w == pytest.approx(2000)
        await device.handle.write(Setpoint(-1500, 1.0))
        discharged = await device.reads(about(-1500), "discharges")
        assert discharged.limit_w == pytest.approx(-1500)
        await device.handle.close()
        async with opened_in(device.home, "battery") as again:
            free = await again.reads(about(0), "stands by with nobody there")
            assert free.limit_w is None


@pytest.mark.requirement("SVC-WRITE")
@pytest.mark.parametrize("style", STYLES)
async def test_none_gives_the_device_back(style: str) -> None:
    async with pv(style) as device:
        await device.handle.write(Setpoint(0, 60))
        stopped = await device.reads(about(0), "off")
        assert repr(stopped.limit_w) == "0.0"  # and no -0.0, which pages show
        await device.handle.write(None)
        await device.reads(lambda r: about(-3000)(r) and r.limit_w is None, "free")
    async with battery(style) as device:
        await device.handle.write(Setpoint(1000, 60))
        await device.reads(about(1000), "charges")
        await device.handle.write(None)
        await device.reads(lambda r: about(0)(r) and r.limit_w is None, "free")


@pytest.mark.requirement("SVC-WRITE")
@pytest.mark.parametrize("singly", [False, True])
async def test_what_is_given_back_has_nothing_left_to_revert_to(singly: bool) -> None:
    async with pv("full", single_points=singly) as device:
        await device.handle.write(Setpoint(-1000, 900, revert_w=0))
        await device.handle.write(None)
        address = ModbusAddress("127.0.0.1", device.home.devices.servers["pv"].port)
        bus = await ModbusConnection.open("pv", address)
        found = await SunSpecMap.discover(bus, [704])
        (block,) = await found.read([want(found.models[704])], "model 704")
        assert (block.number("WMaxLimPctEna"), block.number("WMaxLimPctEnaRvrt")) == (0, 0)
        bus.close()


@pytest.mark.parametrize("style", ["basic", "full"])
async def test_a_limit_reverts_to_another_one(style: str) -> None:
    async with pv(style) as device:
        await device.handle.write(Setpoint(0, 1, revert_w=-2000))
        await device.reads(about(0), "off")
        await device.reads(about(-2000), "at what it was to revert to")
        assert "revert to" in device.handle.safeguard.safe


async def test_a_device_without_a_second_value_says_so() -> None:
    async with pv("classic") as device:
        guard = device.handle.safeguard
        assert guard.expiry is Expiry.REVERSION
        assert guard.risk == "model 123 can't hold a second value for afterwards"


@pytest.mark.requirement("SVC-IOCTL")
@pytest.mark.parametrize("style", STYLES)
async def test_devices_say_what_they_can(style: str) -> None:
    async with pv(style) as device:
        options = await device.handle.ioctl(Options())
        assert {Ability.POWER, Ability.CONNECT} <= options.abilities
        assert (Ability.REACTIVE in options.abilities) is (style != "basic")
        assert bool(options.functions) is (style == "full")
        assert (await device.handle.ioctl(SelfTest())).passed


@pytest.mark.requirement("SVC-IOCTL", "SVC-CLOSE")
@pytest.mark.parametrize("style", STYLES)
async def test_the_switch(style: str) -> None:
    async with pv(style) as device:
        await device.reads(about(-3000), "runs")
        said = await device.handle.ioctl(Disconnect())
        assert said == "ceased to energise"
        await device.reads(lambda r: r.power_w == 0 and r.connected is False, "off")
        assert await device.handle.ioctl(Connect()) == "service permitted"
        await device.reads(lambda r: about(-3000)(r) and r.connected is True, "on again")


@pytest.mark.requirement("SVC-IOCTL")
async def test_only_the_old_models_switch_has_a_timer() -> None:
    async with pv("classic") as device:
        said = await device.handle.ioctl(Disconnect(lapse_s=1))
        assert said == "ceased to energise; connects again by itself after 1 s"
        await device.reads(lambda r: r.power_w == 0, "off")
        await device.handle.close()
        async with opened_in(device.home, "pv") as again:
            await again.reads(about(-3000), "on by itself")
    async with pv("full") as device:
        said = await device.handle.ioctl(Disconnect(lapse_s=1))
        assert said == "ceased to energise; stays off until it is told otherwise"
        assert "its switch has no timer" in device.handle.safeguard.risk
    async with pv("full", curve_reversion=False) as device:
        risk = device.handle.safeguard.risk
        assert "no reversion timers: frequency-droop, volt-var, volt-watt, watt-var" in risk


REACTIVE = (
    (HoldReactive(60, power_factor=0.95), 3000 * 0.32868),
    (HoldReactive(60, reactive_var=500.0), 500.0),
    (HoldReactive(60, power_factor=-0.9), -3000 * 0.48432),
    (HoldReactive(1.0, reactive_var=-300.0), -300.0),
)


@pytest.mark.requirement("SVC-IOCTL")
@pytest.mark.parametrize(("style", "singly"), FRAMES[1:])
async def test_reactive_power_is_held_and_dropped_by_itself(style: str, singly: bool) -> None:
    async with pv(style, single_points=singly) as device:
        await device.reads(about(-3000), "runs")
        for command, var in REACTIVE:  # the last command counts
            await device.handle.ioctl(command)
            await device.reads(moves(var), f"moves {var:g} var")
        await device.handle.close()
        async with opened_in(device.home, "pv") as again:
            await again.reads(lambda r: r.reactive_var == 0, "dropped by itself")


@pytest.mark.requirement("BUC-12")
async def test_a_battery_holds_one_power_factor_to_give_and_one_to_charge() -> None:
    async with opened("battery", battery_style="full") as device:
        await device.handle.ioctl(HoldReactive(60, power_factor=0.9, charging_factor=-0.95))
        await device.handle.write(Setpoint(2000.0, 60))
        await device.reads(moves(-2000 * 0.32868), "injects while it charges")
        await device.handle.write(Setpoint(-2000.0, 60))
        await device.reads(moves(2000 * 0.48432), "absorbs while it gives")


@pytest.mark.parametrize("style", STYLES[1:3])
async def test_reactive_power_is_given_back(style: str) -> None:
    async with pv(style) as device:
        await device.reads(about(-3000), "runs")
        await device.handle.ioctl(HoldReactive(60, power_factor=0.95))
        await device.reads(moves(986), "absorbs")
        await device.handle.ioctl(ReleaseReactive())
        await device.reads(lambda r: r.reactive_var == 0, "its own again")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (HoldReactive(60), "either a reactive power or a power factor"),
        (HoldReactive(60, 100, 0.9), "either a reactive power or a power factor"),
        (HoldReactive(60, power_factor=0), "a power factor of 0 can't be held"),
        (HoldReactive(60, power_factor=1.2), "a power factor of 1.2 can't be held"),
        (HoldReactive(60, None, 0.9, 0.0), "a power factor of 0 can't be held"),
        (HoldReactive(60, reactive_var=float("inf")), "inf var can't be held"),
        (HoldReactive(0, reactive_var=1), "HoldReactive needs a lapse time above 0 s"),
        (Disconnect(lapse_s=float("nan")), "Disconnect needs a lapse time above 0 s"),
    ],
)
async def test_commands_that_make_no_sense(command: Command[str], says: str) -> None:
    async with pv("full") as device:
        with pytest.raises(RejectedError, match=f"^pv: .*{says}"):
            await device.handle.ioctl(command)
        assert device.home.journal.writes() == []


async def test_more_var_than_the_device_has_is_refused() -> None:
    async with pv("full") as device:
        with pytest.raises(PermanentError, match=r"^pv: model 704 .*exception 3"):
            await device.handle.ioctl(HoldReactive(60, reactive_var=3000))
        assert (await device.handle.read()).reactive_var == 0


async def test_a_basic_inverter_has_no_reactive_power() -> None:
    async with pv("basic") as device:
        for command in (HoldReactive(60, reactive_var=1), ReleaseReactive()):
            with pytest.raises(RejectedError, match="has no command"):
                await device.handle.ioctl(command)


async def test_a_meter_takes_nothing() -> None:
    async with opened("meter") as meter:
        options = await meter.handle.ioctl(Options())
        assert options.abilities == frozenset({Ability.SELF_TEST})
        with pytest.raises(DeviceError):
            await meter.handle.write(Setpoint(0, 60))
        assert meter.handle.safeguard.expiry is Expiry.NOTHING_TO_END
