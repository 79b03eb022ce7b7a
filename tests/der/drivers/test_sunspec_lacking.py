"""Controls of inverters that lack points, refuse them, or misbehave while they are written to."""

from collections.abc import Awaitable, Callable, Mapping

import pytest
from pymodbus.constants import ExcCodes

from der.commands import (
    Ability,
    Command,
    Connect,
    DeviceOptions,
    Disconnect,
    HoldReactive,
    Options,
    SelfTest,
    SelfTestReport,
    WriteFunction,
)
from der.curves import Curve, GridFunction
from der.drivers.modbus.connection import ModbusConnection
from der.drivers.sunspec.map import SunSpecMap
from der.drivers.sunspec.writer import PointWriter
from der.errors import DeviceError, PermanentError, RejectedError, TransientError
from der.model import Expiry, Setpoint
from der.service import Handle
from der.sim.faults import FaultKind
from tests.der.drivers.servers import BASE, Points, serve_registers, sunspec_map, where
from tests.der.drivers.sunspec_home import opened, opened_in, simulated
from tests.der.drivers.test_sunspec import BATTERY, INVERTER, PV, STORED, changed, linked

OLD_MEASURED: Points = {
    "W": 2345, "Hz": 5000, "PhVphA": 2301, "WH": 5, "St": 4, "W_SF": 0, "Hz_SF": -2, "V_SF": -1,
    "WH_SF": 0, "A": 1, "AphA": 1, "A_SF": 0,
}  # fmt: skip
IMMEDIATE: Points = {
    "Conn": 1, "Conn_WinTms": 0, "Conn_RvrtTms": 0, "WMaxLimPct": 1000, "WMaxLimPct_WinTms": 0,
    "WMaxLimPct_RvrtTms": 0, "WMaxLimPct_RmpTms": 0, "WMaxLim_Ena": 0, "WMaxLimPct_SF": -1,
    "OutPFSet": 1000, "OutPFSet_RvrtTms": 0, "OutPFSet_Ena": 0, "OutPFSet_SF": -3,
}  # fmt: skip
STORAGE: Points = {
    "WChaMax": 50, "StorCtl_Mod": 0, "OutWRte": 100, "InWRte": 100, "InOutWRte_WinTms": 0,
    "InOutWRte_RvrtTms": 0, "WChaMax_SF": 2, "InOutWRte_SF": 0, "ChaState": 50, "ChaState_SF": 0,
}  # fmt: skip
SETTINGS: Points = {"WMax": 500, "WMax_SF": 1}
OLD: Mapping[int, Points] = {
    1: INVERTER[1], 101: OLD_MEASURED, 121: SETTINGS, 123: IMMEDIATE, 124: STORAGE,
}  # fmt: skip
VAR_704: dict[str, int] = {
    "VarSetEna": 0, "VarSetMod": 0, "VarSetPri": 0, "VarSetPct": 0, "VarSetPctRvrt": 0,
    "VarSetEnaRvrt": 1, "VarSetRvrtTms": 0, "VarSetPct_SF": 0,
}  # fmt: skip
VAR_702: dict[str, int] = {"VarMaxInj": 2000, "VarMaxAbs": 1000, "Var_SF": 0}


async def test_without_a_timer_the_hub_must_guard_and_it_says_so() -> None:
    async with linked(PV, changed(INVERTER, 704, WMaxLimPctRvrtTms=None)) as (link, served):
        guard = link.safeguard
        assert guard.expiry is Expiry.GUARD
        assert "model 704 has no reversion timer" in guard.risk
        report = await link.ioctl(SelfTest())
        assert isinstance(report, SelfTestReport)
        assert not report.passed
        assert "model 704 has no reversion timer for the set-point" in report.findings
        await link.write(Setpoint(-1000, 60))
        assert await served.registers(where(INVERTER, 704, "WMaxLimPct"), 1) == [200]


async def test_a_timer_that_does_not_run_is_found_out() -> None:
    async with linked(PV, INVERTER) as (link, served):
        timer = where(INVERTER, 704, "WMaxLimPctRvrtTms")
        first = where(INVERTER, 704, "WMaxLimPctEna")
        served.refuse[16, first] = ExcCodes.ILLEGAL_ADDRESS
        served.refuse[16, timer] = ExcCodes.ILLEGAL_VALUE
        with pytest.raises(PermanentError, match=r"^pv: model 704 WMaxLimPctRvrtTms at"):
            await link.write(Setpoint(-1000, 60))
        # Nothing was put in force without its end.
        assert await served.registers(first, 1) == [0]


async def test_a_limit_does_not_grow_with_a_maximum_that_is_set_anew() -> None:
    async with linked(PV, INVERTER) as (link, served):
        await link.read()
        await served.put(where(INVERTER, 702, "WMax"), [2500])
        assert (await link.read()).limit_w is None
        await link.write(Setpoint(-1000, 60))
        assert await served.registers(where(INVERTER, 704, "WMaxLimPct"), 1) == [400]
        assert (await link.read()).limit_w == -1000


@pytest.mark.parametrize("left_s", [0, 61])
async def test_a_timer_that_reads_none_of_its_time_is_found_out(left_s: int) -> None:
    async with serve_registers(BASE, sunspec_map(INVERTER)) as served:
        bus = await ModbusConnection.open("pv", served.address)
        device = await SunSpecMap.discover(bus, [704])
        writer = PointWriter(device, device.models[704])
        present = await writer.read()
        values = {"WMaxLimPctRvrtTms": 60, "WMaxLimPctEna": 1}
        await writer.write(values, present)
        await writer.verify_timed(values, "WMaxLimPctRvrtTms", present)
        await served.put(where(INVERTER, 704, "WMaxLimPctRvrtTms"), [0, 59])
        await writer.verify_timed(values, "WMaxLimPctRvrtTms", present)  # it counts down
        await served.put(where(INVERTER, 704, "WMaxLimPctRvrtTms"), [0, left_s])
        with pytest.raises(TransientError, match=f"WMaxLimPctRvrtTms reads {left_s} after"):
            await writer.verify_timed(values, "WMaxLimPctRvrtTms", present)
        bus.close()


async def test_old_inverters_take_over_where_the_new_model_lacks_the_limit() -> None:
    models = {**changed(INVERTER, 704, WMaxLimPct=None), 121: SETTINGS, 123: IMMEDIATE}
    async with linked(PV, models) as (link, served):
        await link.write(Setpoint(-1250, 60))
        ours = where(models, 123, "WMaxLimPct")
        # Percent, window, timer, ramp and the enable in one frame.
        assert [(frame.address, frame.values) for frame in served.writes] == [
            (ours, [250, 0, 60, 0, 1])
        ]
        assert (await link.read()).limit_w == -1250


async def test_a_lapse_longer_than_the_timer_ends_sooner() -> None:
    async with linked(PV, OLD) as (link, served):
        await link.write(Setpoint(-1250, 100_000))
        (frame,) = served.writes
        assert frame.values == [250, 0, 65534, 0, 1]


@pytest.mark.parametrize(
    ("power_w", "charge", "discharge"), [(2500, 50, -50), (-1000, -20, 20), (-1049, -20, 20)]
)
async def test_an_old_battery_is_pinned(power_w: float, charge: int, discharge: int) -> None:
    async with linked(BATTERY, OLD) as (link, served):
        await link.write(Setpoint(power_w, 30))
        rates, mode = served.writes
        assert (rates.address, mode.address) == (
            where(OLD, 124, "OutWRte"),
            where(OLD, 124, "StorCtl_Mod"),
        )
        assert rates.values == [discharge & 0xFFFF, charge & 0xFFFF, 0, 30]
        assert mode.values == [3]
        assert (await link.read()).limit_w == 50 * charge
        await link.write(None)
        assert (await link.read()).limit_w is None


@pytest.mark.parametrize(
    ("models", "says"),
    [
        (changed(OLD, 124, WChaMax=None), "no model 124 point WChaMax to count percentages of"),
        (changed(OLD, 124, InWRte=None), "no model 124 point InWRte"),
        (changed(OLD, 124, InOutWRte_SF=None), "no model 124 point InWRte"),
        (changed(STORED, 704, WSet=None), "no model 704 point WSet"),
    ],
)
async def test_batteries_that_cannot_be_set(models: Mapping[int, Points], says: str) -> None:
    async with linked(BATTERY, models) as (link, served):
        options, report = await link.ioctl(Options()), await link.ioctl(SelfTest())
        assert isinstance(options, DeviceOptions)
        assert isinstance(report, SelfTestReport)
        assert Ability.POWER not in options.abilities
        assert says in " ".join(report.findings)
        with pytest.raises(PermanentError, match=f"^bat: .*{says}"):
            await link.write(Setpoint(1000, 60))
        assert served.writes == []


@pytest.mark.parametrize(("var", "percent"), [(500, -50), (-500, 25), (-510, 25)])
async def test_vars_in_percent_of_what_is_rated_each_way(var: float, percent: int) -> None:
    models = changed(changed(INVERTER, 704, **VAR_704), 702, **VAR_702)
    async with linked(PV, models) as (link, served):
        await link.ioctl(HoldReactive(60, reactive_var=var))
        for name, value in (("VarSetPct", percent), ("VarSetMod", 1), ("VarSetEna", 1)):
            assert await served.registers(where(models, 704, name), 1) == [value & 0xFFFF]
        # Whatever others have left to be in force afterwards, is not.
        assert await served.registers(where(models, 704, "VarSetEnaRvrt"), 1) == [0]
        assert await served.registers(where(models, 704, "VarSetRvrtTms"), 2) == [0, 60]


async def test_a_power_factor_is_there_before_it_is_switched_on() -> None:
    factor = {
        "PFWInjEna": 0, "PFWInjEnaRvrt": 1, "PFWInjRvrtTms": 0, "PFWInj.PF": 1000,
        "PFWInj.Ext": 0, "PF_SF": -3,
    }  # fmt: skip
    models = changed(INVERTER, 704, **factor)
    async with linked(PV, models) as (link, served):
        await link.ioctl(HoldReactive(60, power_factor=0.95))
        value, control = served.writes
        assert (value.address, value.values) == (where(models, 704, "PFWInj.PF"), [950, 1])
        assert (control.address, control.values) == (
            where(models, 704, "PFWInjEna"),
            [1, 0, 0, 60],
        )


@pytest.mark.parametrize(
    ("models", "command", "says"),
    [
        (
            changed(changed(INVERTER, 704, **VAR_704), 702, **{**VAR_702, "VarMaxAbs": None}),
            HoldReactive(60, reactive_var=500),
            "pv: no rating to count model 704 VarSetPct by",
        ),
        (
            changed(changed(INVERTER, 704, **{**VAR_704, "VarSetRvrtTms": None}), 702, **VAR_702),
            HoldReactive(60, reactive_var=500),
            "pv: the inverter has no model 704 VarSetRvrtTms",
        ),
        (
            changed(changed(INVERTER, 704, **VAR_704), 702, **VAR_702),
            HoldReactive(60, power_factor=0.9),
            "pv: the inverter has no model 704 PFWInj.PF",
        ),
        (
            OLD,
            HoldReactive(60, reactive_var=500),
            "pv: the inverter has no model 123 VArWMaxPct",
        ),
    ],
)
async def test_what_is_missing_for_reactive_power_is_named(
    models: Mapping[int, Points], command: HoldReactive, says: str
) -> None:
    async with linked(PV, models) as (link, served):
        with pytest.raises(PermanentError, match=f"^{says}"):
            await link.ioctl(command)
        assert served.writes == []


@pytest.mark.parametrize(("factor", "raw"), [(0.9505, -951), (-0.9501, 951), (1.0, -1000)])
async def test_a_power_factor_of_an_old_inverter(factor: float, raw: int) -> None:
    async with linked(PV, OLD) as (link, served):
        await link.ioctl(HoldReactive(60, power_factor=factor))
        assert await served.registers(where(OLD, 123, "OutPFSet"), 1) == [raw & 0xFFFF]


async def test_a_switch_without_a_timer_stays_off() -> None:
    models = changed(OLD, 123, Conn_RvrtTms=None)
    async with linked(PV, models) as (link, served):
        said = await link.ioctl(Disconnect(lapse_s=60))
        assert said == "ceased to energise; stays off until it is told otherwise"
        assert await served.registers(where(models, 123, "Conn"), 1) == [0]
        await link.ioctl(Connect())
        assert await served.registers(where(models, 123, "Conn"), 1) == [1]


async def test_both_switches_are_used_as_they_can() -> None:
    models = {**INVERTER, 121: SETTINGS, 123: IMMEDIATE}
    async with linked(PV, models) as (link, served):
        es, conn = where(models, 703, "ES"), where(models, 123, "Conn")
        assert "after 60 s" in str(await link.ioctl(Disconnect(lapse_s=60)))
        assert await served.registers(es, 1) + await served.registers(conn, 1) == [1, 0]
        await link.ioctl(Connect())
        assert await link.ioctl(Disconnect()) == "ceased to energise"
        assert await served.registers(es, 1) + await served.registers(conn, 1) == [0, 1]
        await link.ioctl(Connect())
        assert await served.registers(es, 1) + await served.registers(conn, 1) == [1, 1]


async def test_a_switch_that_does_not_move_is_found_out() -> None:
    async with linked(PV, INVERTER) as (link, served):
        served.keep = True
        with pytest.raises(TransientError, match=r"^pv: model 703 ES reads 1 after a confirmed"):
            await link.ioctl(Disconnect())


VOLT_VAR = Curve(GridFunction.VOLT_VAR, ((0.9, -0.1), (1.1, 0.1)))
Call = Callable[[Handle], Awaitable[object]]


def asks(command: Command[object]) -> Call:
    return lambda handle: handle.ioctl(command)


CALLS: Mapping[str, Call] = {
    "set-point": lambda handle: handle.write(Setpoint(-1000, 60)),
    "reactive": asks(HoldReactive(60, reactive_var=100)),
    "curve": asks(WriteFunction(VOLT_VAR, 60)),
    "switch": asks(Disconnect()),
}
SAYS: Mapping[FaultKind, str] = {
    FaultKind.SILENCE: r"model 70[345]\D.*no answer within",
    FaultKind.GARBAGE: r"model 70[345]\D.*not Modbus",
    FaultKind.EXCEPTION: r"model 70[345]\D.*exception 4",
    FaultKind.STUCK: r"model 70[345] \S+ reads .* after a confirmed write",
    FaultKind.OFF: r"model 70[345]\D|no Modbus connection",
    FaultKind.DELAY: r"model 70[345]\D.*no answer within",
}


@pytest.mark.requirement("SVC-WRITE", "SVC-IOCTL")
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", SAYS)
async def test_a_fault_while_writing_is_one_clear_error(kind: FaultKind, call: str) -> None:
    async with simulated(pv_style="full") as home, opened_in(home, "pv", 0.5) as device:
        await device.handle.read()
        device.home.devices.faults["pv"].set(kind)
        if kind is FaultKind.OFF:
            await device.gone()
        with pytest.raises(TransientError, match=f"^pv: .*({SAYS[kind]})"):
            await CALLS[call](device.handle)
        device.home.devices.faults["pv"].set(FaultKind.NONE)
        await device.back()
        await device.reopened(CALLS[call])


async def test_after_a_reboot_nothing_is_in_force_and_it_can_be_told_again() -> None:
    async with opened("pv", pv_style="full") as device:
        await device.handle.write(Setpoint(-1000, 60))
        await device.handle.ioctl(WriteFunction(VOLT_VAR))
        device.home.devices.faults["pv"].set(FaultKind.REBOOT, seconds=0.3)
        await device.gone()
        await device.back()
        with pytest.raises(DeviceError):
            await device.handle.read()

        async def tell(handle: Handle) -> None:
            assert (await handle.read()).limit_w is None
            await handle.write(Setpoint(-1000, 60))
            assert (await handle.read()).limit_w == pytest.approx(-1000)

        await device.reopened(tell)


async def test_a_command_that_nobody_knows() -> None:
    async with linked(PV, INVERTER) as (link, _):
        with pytest.raises(RejectedError, match="pv: has no command WriteFunction"):
            await link.ioctl(WriteFunction(VOLT_VAR))
