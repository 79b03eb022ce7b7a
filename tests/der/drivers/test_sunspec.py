"""The SunSpec driver against pymodbus's server, and beside pysunspec2's own client."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
from pymodbus.constants import ExcCodes
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from der.addresses import ModbusAddress
from der.commands import Connect, Disconnect, Identify, Reset
from der.drivers.sunspec import link as sunspec
from der.errors import PermanentError, RejectedError, TransientError
from der.model import Connection, Control, DeviceKind, DeviceSpec, Setpoint
from tests.der.drivers.servers import (
    BASE,
    Conversation,
    Points,
    Served,
    garbage,
    hang,
    hang_up,
    serve_bytes,
    serve_registers,
    sunspec_map,
    where,
)

METER = DeviceSpec("meter", DeviceKind.METER, "Meter", Control.NONE, 0, 0)
SUBMETER = DeviceSpec("circuit", DeviceKind.SUBMETER, "Circuit", Control.NONE, 0, 0)
PV = DeviceSpec("pv", DeviceKind.PV, "Roof", Control.FLOOR, -5000, 0)
BATTERY = DeviceSpec("bat", DeviceKind.BATTERY, "Battery", Control.TARGET, -5000, 5000)

COMMON: Points = {"Mn": "Maker", "Md": "Model 5", "Vr": "1.2", "SN": "S-77", "DA": 1}
MEASURED: Points = {
    "W": 2345, "Var": -120, "LNV": 2301, "Hz": 49987, "TotWhInj": 7_000_000_123, "TotWhAbs": 55,
    "ConnSt": 1, "W_SF": 0, "Var_SF": 0, "V_SF": -1, "Hz_SF": -3, "TotWh_SF": 0,
}  # fmt: skip
CONTROL: Points = {
    "WMaxLimPctEna": 0, "WMaxLimPct": 1000, "WMaxLimPctRvrt": 1000, "WMaxLimPctEnaRvrt": 0,
    "WMaxLimPctRvrtTms": 0, "WSetEna": 0, "WSetMod": 0, "WSet": 0, "WSetRvrt": 0,
    "WSetEnaRvrt": 0, "WSetRvrtTms": 0, "WMaxLimPct_SF": -1, "WSet_SF": 1,
}  # fmt: skip
CAPACITY: Points = {"WMaxRtg": 6000, "WMax": 5000, "W_SF": 0}
INVERTER: Mapping[int, Points] = {
    1: COMMON, 701: MEASURED, 702: CAPACITY, 703: {"ES": 1, "V_SF": -1, "Hz_SF": -2}, 704: CONTROL,
}  # fmt: skip
STORAGE: Points = {"WHRtg": 100, "SoC": 5725, "WH_SF": 2, "Pct_SF": -2}
STORED: Mapping[int, Points] = {**INVERTER, 713: STORAGE}
METERED: Mapping[int, Points] = {
    1: COMMON,
    203: {
        "W": -152, "VAR": 31, "PhV": 2312, "Hz": 5001, "TotWhImp": 123_456, "TotWhExp": 0,
        "W_SF": 1, "VAR_SF": 1, "V_SF": -1, "Hz_SF": -2, "TotWh_SF": 1,
    },
}  # fmt: skip


def changed(models: Mapping[int, Points], model: int, **points: int | None) -> dict[int, Points]:
    """Return models with other points; None for "not implemented"."""
    values = {**models[model], **points}
    return {**models, model: {n: v for n, v in values.items() if v is not None}}


@asynccontextmanager
async def linked(
    spec: DeviceSpec, models: Mapping[int, Points], *, inverted: bool = False
) -> AsyncIterator[tuple[sunspec.SunSpecLink, Served]]:
    async with serve_registers(BASE, sunspec_map(models)) as served:
        link = await sunspec.connect(spec, served.address, inverted=inverted, now=lambda: 1e9)
        served.frames.clear()
        try:
            yield link, served
        finally:
            await link.close()


@pytest.mark.requirement("SVC-READ")
async def test_pv_counts_production_negative() -> None:
    async with linked(PV, INVERTER) as (link, served):
        reading = await link.read()
        assert len(served.frames) == 2
    assert reading.at == 1e9
    assert (reading.power_w, reading.reactive_var) == (-2345, 120)
    assert (reading.voltage_v, reading.frequency_hz) == (230.1, 49.987)
    assert (reading.energy_export_wh, reading.energy_import_wh) == (7_000_000_123, 55)
    assert (reading.connected, reading.soc, reading.limit_w) == (True, None, None)
    assert link.connection.manufacturer == "Maker"
    assert link.connection.serial == "S-77"


@pytest.mark.requirement("SVC-READ")
async def test_battery_says_its_charge() -> None:
    async with linked(BATTERY, STORED) as (link, served):
        reading = await link.read()
        assert len(served.frames) == 2
    assert (reading.power_w, reading.soc, reading.capacity_wh) == (-2345, 0.5725, 10_000)


@pytest.mark.requirement("ROLE-SM", "SVC-READ")
@pytest.mark.parametrize("meter", [METER, SUBMETER], ids=lambda spec: spec.id)
async def test_meter_counts_import_positive(meter: DeviceSpec) -> None:
    async with linked(meter, METERED) as (link, served):
        reading = await link.read()
        assert len(served.frames) == 1
    assert (reading.power_w, reading.reactive_var) == (-1520, 310)
    assert (reading.voltage_v, reading.frequency_hz) == (231.2, 50.01)
    # A counter that a meter must have and that reads zero is new, not missing.
    assert (reading.energy_import_wh, reading.energy_export_wh) == (1_234_560, 0)


async def test_an_inverted_meter_is_turned() -> None:
    async with linked(METER, METERED, inverted=True) as (link, _):
        reading = await link.read()
    assert (reading.power_w, reading.reactive_var) == (1520, -310)
    assert (reading.energy_import_wh, reading.energy_export_wh) == (0, 1_234_560)


@pytest.mark.requirement("SVC-READ")
async def test_pysunspec2_agrees() -> None:
    async with linked(BATTERY, STORED) as (link, served):
        ours = await link.read()
        await link.write(Setpoint(1500, 60))
        limit = (await link.read()).limit_w

        def theirs() -> dict[str, float]:
            device = SunSpecModbusClientDeviceTCP(
                slave_id=1, ipaddr="127.0.0.1", ipport=served.address.port, timeout=5
            )
            device.scan()
            try:
                measured, control = device.models[701][0], device.models[704][0]
                return {
                    "W": measured.W.cvalue,
                    "V": measured.LNV.cvalue,
                    "Hz": measured.Hz.cvalue,
                    "Wh": measured.TotWhInj.cvalue,
                    "SoC": device.models[713][0].SoC.cvalue,
                    "WSet": control.WSet.cvalue,
                    "WSetEna": control.WSetEna.value,
                    "WSetMod": control.WSetMod.value,
                    "Rvrt": control.WSetRvrtTms.value,
                }
            finally:
                device.close()

        said = await asyncio.to_thread(theirs)
    assert limit == 1500
    assert (said["WSet"], said["WSetEna"], said["WSetMod"], said["Rvrt"]) == (-1500, 1, 1, 60)
    assert said["W"] == -ours.power_w
    assert ours.soc is not None
    assert said["V"] == pytest.approx(ours.voltage_v)
    assert said["Hz"] == pytest.approx(ours.frequency_hz)
    assert said["Wh"] == ours.energy_export_wh
    assert said["SoC"] == pytest.approx(100 * ours.soc)


@pytest.mark.requirement("SVC-WRITE")
async def test_pv_limit_goes_out_in_one_frame_with_its_end() -> None:
    async with linked(PV, INVERTER) as (link, served):
        await link.write(Setpoint(-1234, 30.2))
        (frame,) = served.writes
        # enable, 24.6 % of 5000 W (rounded to less), reverts to 100 % and disabled after 31 s
        assert frame.address == where(INVERTER, 704, "WMaxLimPctEna")
        assert frame.values == [1, 246, 1000, 0, 0, 31]
        assert (await link.read()).limit_w == pytest.approx(-1230)


@pytest.mark.requirement("SVC-WRITE")
async def test_pv_limit_can_revert_to_another_limit() -> None:
    async with linked(PV, INVERTER) as (link, served):
        await link.write(Setpoint(0, 30, revert_w=-2500))
        assert served.writes[0].values == [1, 0, 500, 1, 0, 30]


@pytest.mark.requirement("SVC-WRITE")
@pytest.mark.parametrize(("power_w", "raw"), [(1500, -150), (-2000, 200), (-1999, 199), (0, 0)])
async def test_battery_set_point(power_w: float, raw: int) -> None:
    async with linked(BATTERY, STORED) as (link, served):
        await link.write(Setpoint(power_w, 60))
        (frame,) = served.writes
        assert frame.values is not None
        high, low = (raw & 0xFFFFFFFF) >> 16, raw & 0xFFFF
        # enable, watts, set-point, reverts to 0 W; the percentages between go back as they were
        assert frame.values[:6] == [1, 1, high, low, 0, 0]
        assert frame.values[6:8] == [0x8000, 0x8000]
        assert frame.values[8:] == [0, 0, 60]
        assert (await link.read()).limit_w == -10 * raw


@pytest.mark.requirement("SVC-WRITE")
async def test_points_go_singly_where_a_frame_is_refused() -> None:
    async with linked(PV, INVERTER) as (link, served):
        first = where(INVERTER, 704, "WMaxLimPctEna")
        served.refuse[16, first] = ExcCodes.ILLEGAL_ADDRESS
        with pytest.raises(PermanentError, match=r"pv: model 704 WMaxLimPctEna at .*exception 2"):
            await link.write(Setpoint(-1000, 60))
        assert [frame.address - first for frame in served.writes[1:]] == [3, 2, 4, 1, 0]


@pytest.mark.requirement("SVC-WRITE")
@pytest.mark.parametrize(
    ("spec", "models", "enable"),
    [(PV, INVERTER, "WMaxLimPctEna"), (BATTERY, STORED, "WSetEna")],
)
async def test_none_gives_the_inverter_back(
    spec: DeviceSpec, models: Mapping[int, Points], enable: str
) -> None:
    async with linked(spec, models) as (link, served):
        await link.write(Setpoint(-1000, 60))
        await link.write(None)
        assert await served.registers(where(models, 704, enable), 1) == [0]
        assert (await link.read()).limit_w is None


async def test_a_device_that_confirms_and_does_nothing_is_found_out() -> None:
    async with linked(PV, INVERTER) as (link, served):
        served.keep = True
        with pytest.raises(TransientError, match=r"pv: model 704 WMaxLimPct reads 100"):
            await link.write(Setpoint(-1000, 60))


@pytest.mark.parametrize(
    ("models", "says"),
    [
        (changed(INVERTER, 704, WMaxLimPct=None), "no model 704 point WMaxLimPct"),
        (changed(INVERTER, 704, WMaxLimPct_SF=None), "no model 704 point WMaxLimPct"),
        (changed(INVERTER, 702, WMax=None, WMaxRtg=None), "no SunSpec model 704 with a rating"),
        ({1: COMMON, 701: MEASURED}, "no SunSpec model 704 with a rating"),
    ],
)
async def test_an_inverter_that_cannot_be_controlled(
    models: Mapping[int, Points], says: str
) -> None:
    async with linked(PV, models) as (link, _):
        assert (await link.read()).power_w == -2345
        with pytest.raises(PermanentError, match=f"^pv: .*{says}"):
            await link.write(Setpoint(-1000, 60))


async def test_the_rating_stands_in_for_a_setting_that_is_missing() -> None:
    async with linked(PV, changed(INVERTER, 702, WMax=None)) as (link, served):
        await link.write(Setpoint(-3000, 60))
        assert served.writes[0].values == [1, 500, 1000, 0, 0, 60]


@pytest.mark.requirement("SVC-IOCTL")
async def test_ioctl_connects_disconnects_and_names() -> None:
    async with linked(PV, changed(INVERTER, 701, ConnSt=None)) as (link, served):
        permission = where(INVERTER, 703, "ES")
        assert await link.ioctl(Disconnect()) == "ceased to energise"
        assert await served.registers(permission, 1) == [0]
        assert (await link.read()).connected is False
        assert await link.ioctl(Connect()) == "service permitted"
        assert (await link.read()).connected is True
        known = link.connection
        who = Connection(known.address, "Maker", "Model 5", "S-77", "1.2", host="127.0.0.1")
        assert await link.ioctl(Identify()) == who
        with pytest.raises(RejectedError, match=r"pv: has no command Reset"):
            await link.ioctl(Reset())


@pytest.mark.parametrize("model_point", [{"W": None}, {"W_SF": None}, {"W_SF": 77}])
async def test_power_without_a_value_is_an_error_not_zero(
    model_point: Mapping[str, int | None],
) -> None:
    async with linked(PV, changed(INVERTER, 701, **model_point)) as (link, _):
        with pytest.raises(TransientError, match=r"^pv: model 701 point W at .* has no value"):
            await link.read()


async def test_other_points_without_a_value_are_none() -> None:
    models = changed(STORED, 701, Var=None, LNV=None, Hz=None, TotWhInj=None, ConnSt=None)
    models = changed(models, 713, SoC=None)
    async with linked(BATTERY, changed(models, 703, ES=None)) as (link, _):
        reading = await link.read()
    assert reading.power_w == -2345
    assert (reading.reactive_var, reading.voltage_v, reading.frequency_hz) == (None, None, None)
    assert (reading.energy_export_wh, reading.soc, reading.connected) == (None, None, None)


async def test_a_charge_beyond_full_is_suspect() -> None:
    async with linked(BATTERY, changed(STORED, 713, SoC=30000)) as (link, _):
        reading = await link.read()
    assert (reading.power_w, reading.soc) == (-2345, None)
    assert reading.suspect == {"soc"}


@pytest.mark.parametrize(
    ("point", "raw", "name"),
    [
        ("Hz", 600_000_000, "frequency_hz"),
        ("LNV", 65_000, "voltage_v"),
        ("TmpCab", 32_000, "temp_c"),
    ],
)
async def test_what_cannot_be_is_suspect_and_has_no_value(point: str, raw: int, name: str) -> None:
    async with linked(BATTERY, changed(STORED, 701, **{"Tmp_SF": 0, point: raw})) as (link, _):
        reading = await link.read()
    assert reading.power_w == -2345
    assert getattr(reading, name) is None
    assert reading.suspect == {name}


async def test_a_model_shorter_than_its_definition() -> None:
    registers = sunspec_map(METERED, {203: 21})  # ends with W_SF
    async with serve_registers(BASE, registers) as served:
        link = await sunspec.connect(METER, served.address)
        reading = await link.read()
        await link.close()
    assert (reading.power_w, reading.energy_import_wh) == (-1520, None)


@pytest.mark.parametrize("base", [0, 50000])
async def test_the_map_may_begin_elsewhere(base: int) -> None:
    async with serve_registers(base, sunspec_map(METERED)) as served:
        link = await sunspec.connect(METER, served.address)
        assert (await link.read()).power_w == -1520
        await link.close()


@pytest.mark.parametrize(
    ("spec", "registers", "says"),
    [
        (METER, [0] * 200, "meter: no SunSpec map"),
        (METER, sunspec_map(INVERTER), "meter: .* none of the SunSpec models 201, .*, of which"),
        (PV, sunspec_map(METERED), "pv: .* none of the SunSpec models 101, .*, of which"),
        (BATTERY, sunspec_map(INVERTER), "bat: .* none of the SunSpec models 124, 713, 802,"),
        (METER, [0x5375, 0x6E53] + [7, 0] * 150, "meter: .*does not end"),
    ],
)
async def test_devices_of_another_kind(spec: DeviceSpec, registers: list[int], says: str) -> None:
    async with serve_registers(BASE, registers) as served:
        with pytest.raises(PermanentError, match=f"^{says}"):
            await sunspec.connect(spec, served.address)


async def test_a_kind_that_sunspec_does_not_know() -> None:
    heater = DeviceSpec("tank", DeviceKind.WATER_HEATER, "Tank", Control.SWITCH, 0, 2000)
    async with serve_registers(BASE, sunspec_map(METERED)) as served:
        with pytest.raises(PermanentError, match=r"tank: a water_heater is no SunSpec device"):
            await sunspec.connect(heater, served.address)


@pytest.mark.parametrize("talk", [hang, garbage, hang_up])
async def test_sick_devices_do_not_open(talk: Conversation) -> None:
    async with serve_bytes(talk) as address:
        with pytest.raises(TransientError, match=r"^pv: SunSpec marker at 127.0.0.1:"):
            await sunspec.connect(PV, address)


async def test_a_device_that_is_off() -> None:
    async with serve_bytes(hang) as address:
        pass
    with pytest.raises(TransientError, match=r"^pv: no Modbus connection to"):
        await sunspec.connect(PV, ModbusAddress(address.host, address.port))


async def test_a_busy_device_is_heard_again() -> None:
    async with linked(METER, METERED) as (link, served):
        first = where(METERED, 203, "PhV")
        served.refuse[3, first] = ExcCodes.DEVICE_BUSY
        with pytest.raises(TransientError, match=r"^meter: measurements at .* busy"):
            await link.read()
        served.refuse.clear()
        assert (await link.read()).power_w == -1520
