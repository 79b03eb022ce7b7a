"""Readings out of every model that devices measure by, of the old kind and of the new."""

from collections.abc import Mapping
from typing import TypeVar, cast

import pytest

from der.commands import Ability, Command, FirmwareVersion, Options, SelfTest
from der.drivers.sunspec.link import SunSpecLink
from der.errors import TransientError
from der.model import Alarm, DeviceSpec, PhaseReading, Reading, RunState
from tests.der.drivers.servers import Points, where
from tests.der.drivers.test_sunspec import (
    BATTERY,
    COMMON,
    INVERTER,
    METER,
    METERED,
    PV,
    STORED,
    changed,
    linked,
)

A = TypeVar("A")

pytestmark = [pytest.mark.requirement("SVC-READ")]

OLD: Points = {
    "W": 234, "W_SF": 1, "VAr": -12, "VAr_SF": 1, "PhVphA": 2301, "V_SF": -1, "Hz": 4999,
    "Hz_SF": -2, "WH": 7_000_123, "WH_SF": 0, "TmpCab": 412, "Tmp_SF": -1, "St": 5, "Evt1": 0,
}  # fmt: skip
OLD_FLOAT: Points = {
    "W": 2340.5, "VAr": -120.25, "PhVphA": 230.125, "Hz": 49.984375, "WH": 7000128.0,
    "TmpCab": 41.25, "St": 4, "Evt1": 0,
}  # fmt: skip
THREE: Points = {"PhVphB": 2310, "PhVphC": 2320}
NAMEPLATE: Points = {"WRtg": 500, "WRtg_SF": 1, "WHRtg": 96, "WHRtg_SF": 2, "DERTyp": 82}
STATUS: Points = {"PVConn": 7, "StorConn": 7, "ECPConn": 1}
BASIC_STORAGE: Points = {
    "WChaMax": 5000, "WChaMax_SF": 0, "ChaState": 6150, "ChaState_SF": -2, "StorCtl_Mod": 0,
    "InOutWRte_SF": -2,
}  # fmt: skip
BANK: Points = {
    "SoC": 612, "SoC_SF": -1, "WHRtg": 10, "WHRtg_SF": 3, "Evt1": 0, "LocRemCtl": 0,
}  # fmt: skip
MODULES: Points = {
    "N": 2, "DCW_SF": 0, "DCV_SF": -1, "DCA_SF": -2,
    "module[1].IDStr": "East", "module[1].DCW": 1200, "module[1].DCV": 4105,
    "module[2].DCW": 900, "module[2].DCV": 3990,
}  # fmt: skip
METER_POINTS: Points = {
    "W": -152, "WphA": -50, "WphB": -102, "PhV": 2305, "PhVphA": 2300, "PhVphB": 2310, "VAR": 31,
    "Hz": 5001, "TotWhImp": 123, "TotWhExp": 456, "W_SF": 1, "VAR_SF": 1, "V_SF": -1,
    "Hz_SF": -2, "TotWh_SF": 3, "Evt": 0,
}  # fmt: skip
METER_FLOATS: Points = {
    "W": -1520.0, "WphA": -500.0, "WphB": -1020.0, "PhV": 230.5, "PhVphA": 230.0,
    "PhVphB": 231.0, "VAR": 310.0, "Hz": 50.0, "TotWhImp": 123_000.0, "TotWhExp": 456_000.0,
    "Evt": 0,
}  # fmt: skip


async def read(spec: DeviceSpec, models: Mapping[int, Points]) -> Reading:
    async with linked(spec, models) as (link, _):
        return await link.read()


async def answer(link: SunSpecLink, command: Command[A]) -> A:
    said = await link.ioctl(command)
    assert isinstance(said, command.answer)
    return cast("A", said)


@pytest.mark.parametrize("model", [101, 102, 103])
async def test_an_old_inverter(model: int) -> None:
    phases = {} if model == 101 else THREE
    reading = await read(PV, {1: COMMON, model: {**OLD, **phases}, 122: STATUS})
    assert (reading.power_w, reading.reactive_var) == (-2340, 120)
    assert (reading.voltage_v, reading.frequency_hz) == (230.1, 49.99)
    assert (reading.energy_export_wh, reading.energy_import_wh) == (7_000_123, None)
    assert (reading.temp_c, reading.state) == (41.2, RunState.THROTTLED)
    assert reading.alarms == frozenset()
    assert reading.connected is True
    volts = [230.1] if model == 101 else [230.1, 231.0, 232.0]
    assert reading.phases == tuple(PhaseReading(None, volt) for volt in volts)


@pytest.mark.parametrize("model", [111, 112, 113])
async def test_an_old_inverter_that_speaks_floats(model: int) -> None:
    reading = await read(PV, {1: COMMON, model: OLD_FLOAT})
    assert (reading.power_w, reading.reactive_var) == (-2340.5, 120.25)
    assert (reading.voltage_v, reading.frequency_hz) == (230.125, 49.984375)
    assert (reading.energy_export_wh, reading.temp_c) == (7_000_128, 41.25)
    assert (reading.state, reading.connected) == (RunState.RUNNING, None)


async def test_a_float_that_is_no_number_is_no_reading() -> None:
    nan = {n: v for n, v in OLD_FLOAT.items() if n != "VAr"}
    assert (await read(PV, {1: COMMON, 113: nan})).reactive_var is None
    with pytest.raises(TransientError, match=r"^pv: model 113 point W at .* has no value"):
        await read(PV, {1: COMMON, 113: {**OLD_FLOAT, "W": float("inf")}})


async def test_the_new_model_is_preferred_to_the_old() -> None:
    models = {1: COMMON, 103: {**OLD, "W": 1}, 701: INVERTER[701]}
    assert (await read(PV, models)).power_w == -2345


@pytest.mark.parametrize("model", [201, 202, 203, 204])
@pytest.mark.requirement("ROLE-SM")
async def test_a_meter_of_integers(model: int) -> None:
    reading = await read(METER, {1: COMMON, model: METER_POINTS})
    assert (reading.power_w, reading.reactive_var) == (-1520, 310)
    assert (reading.voltage_v, reading.frequency_hz) == (230.5, 50.01)
    assert (reading.energy_import_wh, reading.energy_export_wh) == (123_000, 456_000)
    assert reading.phases == (PhaseReading(-500.0, 230.0), PhaseReading(-1020.0, 231.0))
    assert reading.alarms == frozenset()


@pytest.mark.parametrize("model", [211, 212, 213, 214])
@pytest.mark.requirement("ROLE-SM")
async def test_a_meter_of_floats(model: int) -> None:
    reading = await read(METER, {1: COMMON, model: METER_FLOATS})
    assert (reading.power_w, reading.reactive_var) == (-1520, 310)
    assert (reading.voltage_v, reading.frequency_hz) == (230.5, 50.0)
    assert (reading.energy_import_wh, reading.energy_export_wh) == (123_000, 456_000)
    assert reading.phases == (PhaseReading(-500.0, 230.0), PhaseReading(-1020.0, 231.0))


async def test_the_richest_meter_model_counts() -> None:
    models = {1: COMMON, 201: {**METER_POINTS, "W": 1}, 213: METER_FLOATS}
    assert (await read(METER, models)).power_w == -1520


async def test_what_a_meter_complains_of() -> None:
    said = 1 << 3 | 1 << 4 | 1 << 7 | 1 << 20
    reading = await read(METER, changed({1: COMMON, 203: METER_POINTS}, 203, Evt=said))
    assert reading.alarms == frozenset({Alarm.UNDER_VOLTAGE, Alarm.FAULT})


async def test_phases_of_the_new_model() -> None:
    three = {"WL1": 1000, "WL2": 800, "WL3": 545, "VL1": 2300, "VL2": 2310, "VL3": 2320}
    async with linked(PV, changed(INVERTER, 701, **three)) as (link, served):
        reading = await link.read()
        assert len(served.frames) == 2
    assert reading.phases == (
        PhaseReading(-1000.0, 230.0),
        PhaseReading(-800.0, 231.0),
        PhaseReading(-545.0, 232.0),
    )


# Batteries


async def test_an_old_battery_inverter() -> None:
    models = {
        1: COMMON, 103: {**OLD, **THREE}, 120: NAMEPLATE, 122: STATUS, 124: BASIC_STORAGE,
    }  # fmt: skip
    reading = await read(BATTERY, models)
    assert (reading.power_w, reading.soc, reading.capacity_wh) == (-2340, 0.615, 9600)
    # The battery's own model knows better than the inverter's.
    reading = await read(BATTERY, {**models, 802: BANK})
    assert (reading.soc, reading.capacity_wh) == (0.612, 10_000)


async def test_a_new_inverter_with_a_battery_bank() -> None:
    reading = await read(BATTERY, {**INVERTER, 802: {**BANK, "Evt1": 1 << 23 | 1 << 2}})
    assert (reading.power_w, reading.soc) == (-2345, 0.612)
    assert reading.alarms == frozenset({Alarm.OPENED}), "a warning is none"


async def test_an_error_of_the_storage_is_an_alarm() -> None:
    assert (await read(BATTERY, changed(STORED, 713, Sta=1))).alarms is None
    assert (await read(BATTERY, changed(STORED, 713, Sta=2))).alarms == frozenset({Alarm.FAULT})


@pytest.mark.parametrize(
    ("models", "connected"),
    [
        ({122: {**STATUS, "ECPConn": 0}, 123: {"Conn": 1}}, False),
        ({122: {"PVConn": 7}, 123: {"Conn": 1}}, True),
        ({123: {"Conn": 0}}, False),
        ({}, None),
    ],
)
async def test_whether_an_old_inverter_is_connected(
    models: Mapping[int, Points], connected: bool | None
) -> None:
    assert (await read(PV, {1: COMMON, 103: OLD, **models})).connected is connected


# Options and self-test


@pytest.mark.requirement("SVC-IOCTL")
async def test_a_device_says_what_it_has() -> None:
    inverter = {**INVERTER, 160: MODULES}
    async with linked(PV, inverter) as (link, _):
        options = await answer(link, Options())
        assert await answer(link, FirmwareVersion()) == "1.2"
    assert options.abilities >= {Ability.POWER, Ability.CONNECT, Ability.SELF_TEST}
    assert options.safeguard == link.safeguard
    assert options.details == (
        "SunSpec models 1 701 702 703 704 160",
        "DC input 1 'East': 1200 W, 410.5 V",
        "DC input 2: 900 W, 399 V",
    )


async def test_dc_ports_of_the_new_model() -> None:
    ports: Points = {
        "NPrt": 2, "DCW_SF": 1, "DCV_SF": 0,
        "Prt[1].IDStr": "Roof", "Prt[1].DCW": 120, "Prt[1].DCV": 411, "Prt[2].DCW": -90,
    }  # fmt: skip
    async with linked(PV, {**INVERTER, 714: ports}) as (link, _):
        options = await answer(link, Options())
    assert options.details[1:] == ("DC input 1 'Roof': 1200 W, 411 V", "DC input 2: -900 W, no V")


@pytest.mark.requirement("SVC-IOCTL", "LC-TEST")
async def test_a_sound_device_passes_its_self_test() -> None:
    async with linked(METER, {1: COMMON, 203: METER_POINTS}) as (link, served):
        report = await answer(link, SelfTest())
        assert served.writes == []
    assert report.passed
    assert any("model 203 does without A, " in said for said in report.findings)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ((701, {"W_SF": 3}), "model 701 says 2.345e+06 W, model 702 WMax"),
        ((701, {"Hz_SF": 77}), "model 701 Hz has a value and no scale factor that can be"),
        ((701, {"V_SF": None}), "model 701 LNV has a value and no scale factor"),
        ((701, {"W": None}), "model 701 W is not implemented"),
        ((715, {"LocRemCtl": 1}), "model 715: it is in local control"),
    ],
)
async def test_what_a_self_test_finds(
    change: tuple[int, Mapping[str, int | None]], says: str
) -> None:
    models = {**INVERTER, 715: {"LocRemCtl": 0}}
    async with linked(PV, changed(models, change[0], **change[1])) as (link, served):
        report = await answer(link, SelfTest())
        assert served.writes == []
    assert not report.passed
    assert any(said.startswith(says) for said in report.findings), report


async def test_registers_that_a_device_does_not_show_are_a_finding() -> None:
    models = {**INVERTER, 715: {"LocRemCtl": 0}}
    async with linked(PV, models) as (link, served):
        # It shows what a reading needs, and keeps the end of its map to itself.
        served.borders = frozenset({where(models, 715, "ID"), where(models, 715, "OpCtl")})
        report = await answer(link, SelfTest())
        assert (await link.read()).power_w == -2345
    assert not report.passed
    assert any(said.startswith("it refuses to show some of its") for said in report.findings)


# Scale factors


async def test_scale_factors_may_change_at_any_time() -> None:
    models = {1: COMMON, 103: OLD}
    async with linked(PV, models) as (link, served):
        assert (await link.read()).power_w == -2340
        await served.put(where(models, 103, "W"), [2340, 0])
        assert (await link.read()).power_w == -2340
        await served.put(where(models, 103, "W_SF"), [0x8000])
        with pytest.raises(TransientError, match=r"^pv: model 103 point W at .* has no value"):
            await link.read()
        await served.put(where(models, 103, "W_SF"), [0xFFFF])
        assert (await link.read()).power_w == -234


@pytest.mark.parametrize("point", ["VAR", "PhV", "Hz", "TotWhImp"])
@pytest.mark.parametrize("scale", [None, 11, -11, 300])
async def test_a_scale_factor_that_cannot_be_takes_its_points_out(
    point: str, scale: int | None
) -> None:
    scales = {"VAR": "VAR_SF", "PhV": "V_SF", "Hz": "Hz_SF", "TotWhImp": "TotWh_SF"}
    reading = await read(METER, changed(METERED, 203, **{scales[point]: scale}))
    assert reading.power_w == -1520
    values = {
        "VAR": reading.reactive_var,
        "PhV": reading.voltage_v,
        "Hz": reading.frequency_hz,
        "TotWhImp": reading.energy_import_wh,
    }
    assert values.pop(point) is None
    assert None not in values.values()
