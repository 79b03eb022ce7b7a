"""Grid support of the simulated inverters: as the alliance's own client sees it, and by itself."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from der.sim.errors import RefusedError
from der.sim.options import Options
from der.sim.runner import SimulatedHome
from der.sim.sunspec import ac_controls
from der.sim.sunspec.grid_support import Grid, GridSupport, Ratings, interpolate
from der.sim.sunspec.parts import obey, shown
from der.sim.sunspec.registers import Key
from der.sim.sunspec.slots import ADOPTION_S, COMPLETED, FAILED, IN_PROGRESS, Adoption, SlotFunction
from der.sim.sunspec.support_shapes import DROOP, VOLT_VAR

Eventually = Callable[..., Awaitable[None]]
STILL = Options(ocpp="", fixed_load=1000, pv_w=3000, tank_temp=60, room_temp=22, ev_soc=1.0)
RATINGS = Ratings.of(4000)


def still(**options: object) -> SimulatedHome:
    return SimulatedHome(Options.model_validate({**STILL.model_dump(), **options}))


def client(home: SimulatedHome, name: str) -> SunSpecModbusClientDeviceTCP:
    device = SunSpecModbusClientDeviceTCP(
        slave_id=1, ipaddr="127.0.0.1", ipport=home.devices.servers[name].port, timeout=5
    )
    device.scan()
    return device


def adopt(model: Any, slot: int) -> int:
    """Ask for a slot and return the result once there is one."""
    model.AdptCrvReq.value = slot
    model.AdptCrvReq.write()
    deadline = time.monotonic() + 10
    model.AdptCrvRslt.read()
    while model.AdptCrvRslt.value == IN_PROGRESS and time.monotonic() < deadline:
        model.AdptCrvRslt.read()
    return int(model.AdptCrvRslt.value)


@pytest.mark.requirement("PRO-IP")
async def test_the_alliances_client_writes_and_adopts_a_curve(eventually: Eventually) -> None:
    def drive() -> tuple[int, list[tuple[float, float]], list[int]]:
        device = client(home, "pv")
        model = device.models[705][0]
        curve = model.Crv[1]
        curve.ActPt.value, curve.DeptRef.value = 2, 1
        for point, (volts, var) in zip(curve.Pt, [(90, 30), (110, -30)], strict=False):
            point.V.cvalue, point.Var.cvalue = volts, var
        curve.write()
        result = adopt(model, 2)
        model.Ena.value = 1
        model.Ena.write()
        model.read()
        points = [(p.V.cvalue, p.Var.cvalue) for p in model.Crv[0].Pt[:2]]
        device.close()
        return result, points, [c.ReadOnly.value for c in model.Crv]

    async with still(pv_style="full") as home:
        home.house.supply.fixed_v = 253.0
        result, points, read_only = await asyncio.to_thread(drive)
        assert (result, points, read_only) == (COMPLETED, [(90, 30), (110, -30)], [1, 0, 0])
        absorbed_var = 0.30 * RATINGS.max_var
        await eventually(lambda: home.house.now.pv.reactive_var == pytest.approx(absorbed_var))
        assert home.house.now.meter.reactive_var == pytest.approx(absorbed_var)


@pytest.mark.requirement("PRO-IP")
@pytest.mark.parametrize(
    ("options", "device", "models"),
    [
        (
            {"pv_style": "full"},
            "pv",
            {1, 701, 702, 703, 704, 705, 706, 707, 708, 709, 710, 711, 712, 714, 715},
        ),
        ({"pv_style": "classic"}, "pv", {1, 101, 120, 121, 122, 123, 160}),
        ({"pv_style": "classic-float"}, "pv", {1, 111, 120, 121, 122, 123, 160}),
        ({"pv_style": "classic", "phases": "ABC"}, "pv", {1, 103, 120, 121, 122, 123, 160}),
        ({"pv_style": "classic-float", "phases": "ABC"}, "pv", {1, 113, 120, 121, 122, 123, 160}),
        ({"battery_style": "classic"}, "battery", {1, 101, 120, 121, 122, 123, 124, 802}),
        ({"meter_model": "201"}, "meter", {1, 201}),
        ({"meter_model": "202"}, "meter", {1, 202}),
        ({"meter_model": "204", "phases": "ABC"}, "meter", {1, 204}),
        ({"meter_model": "213", "phases": "ABC"}, "meter", {1, 213}),
    ],
)
async def test_every_model_reads_in_the_alliances_client(
    options: dict[str, object], device: str, models: set[int], eventually: Eventually
) -> None:
    def read() -> tuple[set[int], float, list[str]]:
        found = client(home, device)
        numbers = {m for m in found.models if isinstance(m, int)}
        measured = next(m for m in numbers if m in {701, 101, 103, 111, 113} or 200 < m < 215)
        errors = [str(m.error_info) for m in found.model_list if m.error_info]
        power_w = float(found.models[measured][0].W.cvalue)
        found.close()
        return numbers, power_w, errors

    async with still(**options) as home:
        await eventually(lambda: home.house.now.meter.power_w == -2000)
        numbers, power_w, errors = await asyncio.to_thread(read)
    assert numbers == models
    assert power_w == {"pv": 3000, "battery": 0, "meter": -2000}[device]
    assert errors == []


async def test_an_inverter_on_three_phases_shows_each(eventually: Eventually) -> None:
    def read() -> list[float]:
        device = client(home, "pv")
        model = device.models[701][0]
        device.close()
        return [model.ACType.value, model.WL1.cvalue, model.WL2.cvalue, model.WL3.cvalue]

    async with still(pv_style="full", phases="ABC") as home:
        await eventually(lambda: home.house.now.pv.power_w == -3000)
        assert await asyncio.to_thread(read) == [2, 1000, 1000, 1000]


async def test_three_phases_tell_who_is_where(eventually: Eventually) -> None:
    def read() -> list[tuple[float, float]]:
        device = client(home, "meter")
        model = device.models[203][0]
        device.close()
        return [(model.WphA.cvalue, model.PhVphA.cvalue), (model.WphB.cvalue, 0),
                (model.WphC.cvalue, 0), (model.W.cvalue, 0)]  # fmt: skip

    async with still(phases="ABC", wiring="pv=B", fixed_load=900.0) as home:
        await eventually(lambda: home.house.now.meter.power_w == -2100)
        seen = [power_w for power_w, _ in await asyncio.to_thread(read)]
        assert seen == [300, -2700, 300, -2100]
    async with still(
        phases="ABC", wiring="pv=B", fixed_load=900.0, meter_order="BAC", meter_inverted="C"
    ) as home:
        await eventually(lambda: home.house.now.meter.power_w == -2100)
        seen = [power_w for power_w, _ in await asyncio.to_thread(read)]
        assert seen == [-2700, 300, -300, -2700]


async def write_one(home: SimulatedHome, name: str, model: int, **values: float) -> None:
    def send() -> None:
        device = client(home, name)
        target = device.models[model][0]
        for point, value in values.items():
            target.points[point].cvalue = value
        target.write()
        device.close()

    await asyncio.to_thread(send)


async def test_old_pv_drops_its_limit_after_its_time(eventually: Eventually) -> None:
    async with still(pv_style="classic") as home:
        await eventually(lambda: home.house.now.pv.power_w == -3000)
        await write_one(home, "pv", 123, WMaxLimPct=25, WMaxLimPct_RvrtTms=1, WMaxLim_Ena=1)
        await eventually(lambda: home.house.now.pv.power_w == -1000)
        await eventually(lambda: home.house.now.pv.power_w == -3000)


async def test_old_battery_is_pinned_between_its_limits(eventually: Eventually) -> None:
    async with still(battery_style="classic", battery_soc=0.5) as home:
        await write_one(
            home, "battery", 124, OutWRte=-40, InWRte=40, InOutWRte_RvrtTms=1, StorCtl_Mod=3
        )
        await eventually(lambda: home.house.now.battery.power_w == 2000)
        await eventually(lambda: home.house.now.battery.power_w == 0)


def points(model: int, **values: float) -> dict[Key, float | None]:
    return {(model, name.replace("__", ".")): value for name, value in values.items()}


def test_slot_one_is_read_only_and_empty_slots_are_not_adopted() -> None:
    part = SlotFunction(VOLT_VAR)
    for values, says in (
        ({"Crv.1.ActPt": 2.0}, "Crv.1.ActPt is not supported"),
        ({"AdptCrvRslt": 1.0}, "is not supported"),
        ({"AdptCrvReq": 4.0}, "outside 1 to 3"),
        ({"AdptCrvReq": 2.0}, "slot is empty"),
        ({"Crv.2.Pt.1.V": 250.0}, "outside 0 to 200"),
        ({"Ena": None}, "outside"),
    ):
        with pytest.raises(RefusedError, match=says):
            obey([part], {(705, name): value for name, value in values.items()}, 0.0)


def adopted(part: SlotFunction, values: dict[Key, float | None], request: str, at: float) -> float:
    """Write a slot, ask for it, and return the result afterwards."""
    obey([part], values, at)
    obey([part], {(part.model, request): 2.0}, at)
    assert shown([part], at)[part.model, request.replace("Req", "Rslt")] == IN_PROGRESS
    result = shown([part], at + ADOPTION_S)[part.model, request.replace("Req", "Rslt")]
    assert isinstance(result, float | int)
    return result


GOOD = points(705, Crv__2__ActPt=1, Crv__2__DeptRef=0, Crv__2__Pt__1__V=95, Crv__2__Pt__1__Var=10)
FALLING = GOOD | points(705, Crv__2__ActPt=2, Crv__2__Pt__2__V=90, Crv__2__Pt__2__Var=10)


@pytest.mark.parametrize(
    ("values", "adoption", "result"),
    [
        (GOOD, Adoption.COMPLETES, COMPLETED),
        (GOOD, Adoption.FAILS, FAILED),
        (GOOD, Adoption.HANGS, IN_PROGRESS),
        (FALLING, Adoption.COMPLETES, FAILED),
        (points(705, Crv__2__ActPt=2, Crv__2__DeptRef=0), Adoption.COMPLETES, FAILED),
    ],
)
def test_only_what_makes_sense_is_adopted(
    values: dict[Key, float | None], adoption: Adoption, result: int
) -> None:
    part = SlotFunction(VOLT_VAR, adoption=adoption)
    assert adopted(part, values, "AdptCrvReq", 5.0) == result


def test_a_curve_reverts_to_the_slot_named_for_it() -> None:
    part = SlotFunction(DROOP)
    own = shown([part], 0.0)[711, "Ctl.1.DbOf"]
    second = {"DbOf": 0.5, "DbUf": 0.5, "KOf": 0.1, "KUf": 0.1, "RspTms": 1.0}
    third = {**second, "DbOf": 2.0}
    for number, slot in ((2, second), (3, third)):
        obey([part], {(711, f"Ctl.{number}.{n}"): v for n, v in slot.items()}, 0.0)
    obey([part], points(711, RvrtTms=10, RvrtCtl=3, AdptCtlReq=2), 0.0)
    assert shown([part], 0.1)[711, "Ctl.1.DbOf"] == own
    assert shown([part], 1.0)[711, "Ctl.1.DbOf"] == 0.5
    assert part.running is None
    obey([part], points(711, Ena=1), 2.0)
    assert shown([part], 4.0)[711, "RvrtRem"] == 8.0
    assert shown([part], 11.9)[711, "Ctl.1.DbOf"] == 0.5
    assert shown([part], 12.0)[711, "Ctl.1.DbOf"] == 2.0
    obey([part], points(711, RvrtTms=1, RvrtCtl=0), 13.0)
    assert shown([part], 14.0)[711, "Ena"] == 0  # slot 0 is "none"
    part.reset()
    assert shown([part], 15.0)[711, "Ctl.1.DbOf"] == own


@pytest.mark.parametrize(
    ("curve", "x", "y"),
    [
        ([(1.0, 5.0)], 0.0, 5.0),
        ([(1.0, 5.0)], 9.0, 5.0),
        ([(0.0, 0.0), (2.0, 4.0)], 0.5, 1.0),
        ([(0.0, 0.0), (1.0, 1.0), (1.0, 3.0), (2.0, 4.0)], 1.0, 3.0),
        ([(0.0, 0.0), (2.0, 4.0)], 2.0, 4.0),
    ],
)
def test_between_its_points_a_curve_is_straight(
    curve: Sequence[tuple[float, float]], x: float, y: float
) -> None:
    assert interpolate(curve, x) == y


@pytest.mark.parametrize(
    ("mode", "percent", "var"),
    [
        (ac_controls.OF_MAX_W, 10.0, 400.0),
        (ac_controls.OF_MAX_VAR, 50.0, RATINGS.max_var / 2),
        (ac_controls.OF_MAX_VA, -10.0, -440.0),
        (ac_controls.OF_AVAILABLE, 100.0, RATINGS.max_var),
    ],
)
def test_vars_in_percent(mode: int, percent: float, var: float) -> None:
    support = GridSupport(RATINGS)
    obey(support.parts, points(704, VarSetEna=1, VarSetMod=mode, VarSetPct=percent), 0.0)
    assert support.reactive_var(Grid(1000.0)) == pytest.approx(var)


def test_no_more_var_than_fits_beside_the_watts() -> None:
    support = GridSupport(RATINGS)
    obey(support.parts, points(704, VarSetEna=1, VarSet=1900), 0.0)
    assert support.reactive_var(Grid(4400.0)) == 0.0
    assert support.reactive_var(Grid(4000.0)) == pytest.approx((4400**2 - 4000**2) ** 0.5)


def test_a_power_factor_while_charging() -> None:
    support = GridSupport(RATINGS)
    obey(support.parts, points(704, PFWAbsEna=1, PFWAbs__PF=0.9, PFWAbs__Ext=0), 0.0)
    assert support.reactive_var(Grid(2000.0)) == 0.0
    assert support.reactive_var(Grid(-2000.0)) == pytest.approx(968.6, abs=0.1)
