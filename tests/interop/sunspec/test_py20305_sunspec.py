"""py20305's SunSpec connector, the one that its 2030.5 client drives DER with, on our devices.

The connector is another team's reading of models 701 to 713, on pysunspec2's client. It reads a
simulated device as its client would (monitoring, nameplate, status) and carries controls out on
it; what the home then does is looked up in the simulated house, not asked of the connector.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from py20305.connectors.sunspec import ConnectorSunSpec

from der.addresses import ModbusAddress
from der.drivers.sunspec import link as sunspec
from der.model import Control, DeviceKind, DeviceSpec, Setpoint
from der.sim.options import Options
from der.sim.runner import SimulatedHome
from der.sim.sunspec.options import Style
from tests.waiting import until

pytestmark = [pytest.mark.requirement("PRO-IP"), pytest.mark.requirement("ROLE-DEM")]

STYLES = [Style.BASIC, Style.FULL]
PV = DeviceSpec("pv", DeviceKind.PV, "Roof", Control.FLOOR, -4000, 0)


@asynccontextmanager
async def home(style: Style, speed: float = 1.0) -> AsyncIterator[SimulatedHome]:
    options = Options(
        ocpp="",
        speed=speed,
        fixed_load=1000,
        pv_w=3000,
        tank_temp=60,
        room_temp=22,
        ev_soc=1.0,
        battery_soc=0.5,
        pv_style=style,
        battery_style=style,
    )
    async with SimulatedHome(options) as home:
        yield home


@asynccontextmanager
async def connector(home: SimulatedHome, name: str) -> AsyncIterator[ConnectorSunSpec]:
    port = home.devices.servers[name].port
    made = await asyncio.to_thread(
        ConnectorSunSpec, host="127.0.0.1", port=port, timeout=3, scan_retries=1
    )
    try:
        yield made
    finally:
        await asyncio.to_thread(made._target.close)


async def produces(home: SimulatedHome, good: Callable[[float], bool], what: str) -> None:
    async def now_w() -> float:
        return -home.house.now.pv.power_w

    await until(now_w, good, 10, what)


async def stores(home: SimulatedHome, good: Callable[[float], bool], what: str) -> None:
    async def now_w() -> float:
        return home.house.now.battery.power_w

    await until(now_w, good, 10, what)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.requirement("SVC-READ")
async def test_it_reads_what_an_inverter_measures_and_is(style: Style) -> None:
    async with home(style) as simulated, connector(simulated, "pv") as theirs:
        await produces(simulated, lambda watts: watts == 3000, "the sun is up")
        measured = await theirs.fetch_monitoring()
        assert measured["W"] == pytest.approx(3000, abs=1)
        assert measured["Hz"] == pytest.approx(50, abs=0.1)
        assert measured["WL1"] == pytest.approx(3000, abs=1)
        assert measured["VL1"] == pytest.approx(simulated.house.now.voltage_v, abs=1)
        assert measured["ACType"] == 0
        rated = await theirs.fetch_nameplate()
        assert rated["WMaxRtg"]["value"] * 10 ** rated["WMaxRtg"]["multiplier"] == 4000
        assert rated["DoeModesSupported"] is not None
        status = await theirs.fetch_status()
        assert status["connectStatus"]["value"] == 1
        assert status["inverterStatus"]["value"] == 3
        assert status["alarmStatus"] == 0
        settings = await theirs.fetch_configuration()
        assert settings["WMax"]["value"] * 10 ** settings["WMax"]["multiplier"] == 4000


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.requirement("SVC-WRITE")
async def test_it_limits_the_inverter_in_percent_and_in_watts(style: Style) -> None:
    async with home(style) as simulated, connector(simulated, "pv") as theirs:
        await produces(simulated, lambda watts: watts == 3000, "the sun is up")
        await theirs.update_p_lim({"p_lim_mode_enable": 1, "p_lim_w": 50.0})
        await produces(simulated, lambda watts: watts == 2000, "half of its rating")
        await theirs.update_gen_lim({"gen_lim_mode_enable": 1, "gen_lim_w": 1000})
        await produces(simulated, lambda watts: watts == 1000, "the lower of the two limits")
        await theirs.update_gen_lim({"gen_lim_mode_enable": 0})
        await produces(simulated, lambda watts: watts == 2000, "the first limit alone")
        await theirs.update_p_lim({"p_lim_mode_enable": 0})
        await produces(simulated, lambda watts: watts == 3000, "no limit")


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.requirement("SVC-WRITE")
async def test_it_moves_the_battery(style: Style) -> None:
    async with home(style) as simulated, connector(simulated, "battery") as theirs:
        assert (await theirs.fetch_monitoring())["WHAvail"] == pytest.approx(3200, abs=10)
        await theirs.update_target_w({"mode_enable": 1, "watts": 1500})
        await stores(simulated, lambda watts: watts == -1500, "discharging")
        await theirs.update_target_w({"mode_enable": 1, "watts": -1000})
        await stores(simulated, lambda watts: watts == 1000, "charging")
        await theirs.update_target_w({"mode_enable": 0, "watts": 0})
        await stores(simulated, lambda watts: watts == 0, "standing by")


@pytest.mark.requirement("SVC-WRITE")
async def test_our_driver_and_theirs_see_each_others_limits() -> None:
    async with home(Style.FULL) as simulated, connector(simulated, "pv") as theirs:
        await produces(simulated, lambda watts: watts == 3000, "the sun is up")
        port = simulated.devices.servers["pv"].port
        ours = await sunspec.connect(PV, ModbusAddress("127.0.0.1", port))
        await theirs.update_p_lim({"p_lim_mode_enable": 1, "p_lim_w": 25.0})
        assert (await ours.read()).limit_w == -1000
        await ours.write(Setpoint(-2000, 60))
        model = await asyncio.to_thread(theirs._get_model, 704)
        assert (model.WMaxLimPct.cvalue, model.WMaxLimPctEna.value) == (50, 1)
        assert model.WMaxLimPctRvrtTms.value == 60
        reading = await ours.read()
        measured = await theirs.fetch_monitoring()
        assert reading.power_w == pytest.approx(-measured["W"], abs=1)
        await ours.close()


@pytest.mark.requirement("ROLE-SM")
async def test_it_learns_the_meters_sign_from_its_energies() -> None:
    async with home(Style.BASIC, speed=3600.0) as simulated:
        port = simulated.devices.servers["meter"].port
        theirs = await asyncio.to_thread(
            ConnectorSunSpec,
            host="127.0.0.1",
            port=port,
            timeout=3,
            scan_retries=1,
            role="site_meter",
        )
        # It gives a power only once several rises of the totals agree on what is import.
        measured = await until(
            theirs.fetch_monitoring,
            lambda said: said["W"] == pytest.approx(-2000, abs=1),
            20,
            "3 kW of sun, 1 kW used",
        )
        assert measured["WhRev"] > 0
        await asyncio.to_thread(theirs._target.close)


@pytest.mark.requirement("SVC-IOCTL")
@pytest.mark.parametrize(
    ("update", "params", "model"),
    [
        (
            "update_qv",
            {
                "qv_mode_enable": 1,
                "qv_curve_v_pts": [92.0, 98.0, 102.0, 108.0],
                "qv_curve_q_pts": [30.0, 0.0, 0.0, -30.0],
                "qv_vref": 100.0,
                "qv_olrt": 5.0,
            },
            705,
        ),
        (
            "update_pv",
            {
                "pv_mode_enable": 1,
                "pv_curve_v_pts": [106.0, 110.0],
                "pv_curve_p_pts": [100.0, 0.0],
                "pv_olrt": 5.0,
            },
            706,
        ),
    ],
)
async def test_it_has_a_curve_adopted(update: str, params: dict[str, object], model: int) -> None:
    async with home(Style.FULL) as simulated, connector(simulated, "pv") as theirs:
        await getattr(theirs, update)(params)
        adopted = await asyncio.to_thread(theirs._get_model, model)
        assert adopted.Ena.value == 1
        first = adopted.Crv[0]
        points = params[f"{'qv' if model == 705 else 'pv'}_curve_v_pts"]
        assert isinstance(points, list)
        assert first.ActPt.value == len(points)
        assert [first.Pt[i].V.cvalue for i in range(len(points))] == points
