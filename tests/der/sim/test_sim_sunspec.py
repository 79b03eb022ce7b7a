"""SunSpec devices on their sockets, read and written by pysunspec2's and pymodbus's clients."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from pymodbus.client import AsyncModbusTcpClient
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from der.sim.errors import RefusedError
from der.sim.options import Options
from der.sim.runner import SimulatedHome
from der.sim.sunspec.ac_controls import LIMIT
from der.sim.sunspec.registers import RegisterMap
from der.sim.sunspec.reversion import TimedFunction

OPTIONS = Options(
    ocpp="",
    fixed_load=1000,
    pv_w=3000,
    tank_temp=60,
    room_temp=22,
    ev_soc=1.0,
    battery_soc=0.5,
    extra_meters=2,
)


@pytest.fixture
async def home() -> AsyncIterator[SimulatedHome]:
    async with SimulatedHome(OPTIONS) as home:
        yield home


def scan(home: SimulatedHome, name: str) -> SunSpecModbusClientDeviceTCP:
    port = home.devices.servers[name].port
    client = SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr="127.0.0.1", ipport=port, timeout=3)
    client.scan()
    return client


async def reading(home: SimulatedHome, name: str) -> dict[int, dict[str, object]]:
    """All models that pysunspec2's own client finds, in engineering units."""

    def read() -> dict[int, dict[str, object]]:
        client = scan(home, name)
        found = {
            model: {point.pdef["name"]: point.cvalue for point in items[0].points.values()}
            for model, items in client.models.items()
            if isinstance(model, int)
        }
        client.close()
        return found

    return await asyncio.to_thread(read)


async def write(home: SimulatedHome, name: str, values: dict[str, float], model: int = 704) -> None:
    """Write points with pysunspec2's own client, in one go."""

    def send() -> None:
        client = scan(home, name)
        target = client.models[model][0]
        for point, value in values.items():
            target.points[point].cvalue = value
        target.write()
        client.close()

    await asyncio.to_thread(send)


@pytest.mark.requirement("PRO-IP")
async def test_pv_shows_its_models_to_the_alliances_client(
    home: SimulatedHome, eventually: Callable[..., Awaitable[None]]
) -> None:
    await eventually(lambda: home.house.now.pv.power_w == -3000)
    models = await reading(home, "pv")
    assert set(models) == {1, 701, 702, 703, 704}
    assert models[1]["SN"] == "SIM-PV-1"
    assert models[701]["W"] == 3000
    assert models[701]["InvSt"] == 3
    assert models[701]["LNV"] == pytest.approx(home.house.now.voltage_v, abs=1)
    assert models[701]["Hz"] == pytest.approx(50, abs=0.1)
    assert models[702]["WMax"] == 4000
    assert models[703]["ES"] == 1
    assert models[704]["WMaxLimPct"] == 100
    assert models[704]["WMaxLimPctEna"] == 0
    assert models[704]["VarSetEna"] is None


async def test_battery_shows_its_charge(home: SimulatedHome) -> None:
    models = await reading(home, "battery")
    assert set(models) == {1, 701, 702, 703, 704, 713}
    assert models[713]["WHRtg"] == 6400
    assert models[713]["SoC"] == pytest.approx(50, abs=0.1)
    assert models[713]["WHAvail"] == pytest.approx(3200, abs=5)
    assert models[702]["WChaRteMaxRtg"] == 5000


async def test_meter_shows_the_sum_import_positive(
    home: SimulatedHome, eventually: Callable[..., Awaitable[None]]
) -> None:
    await eventually(lambda: home.house.now.meter.power_w == -2000)
    models = await reading(home, "meter")
    assert set(models) == {1, 203}
    assert models[203]["W"] == -2000
    home.house.fixed_load_w = 5000
    await eventually(lambda: home.house.now.meter.power_w == 2000)
    models = await reading(home, "meter")
    assert models[203]["W"] == 2000
    assert models[203]["PhVphA"] == pytest.approx(229, abs=2)
    sub = await reading(home, "sub_meter_2")
    assert sub[203]["W"] == pytest.approx(5000 / 3, abs=1)


async def test_meter_counts_energy(eventually: Callable[..., Awaitable[None]]) -> None:
    async with SimulatedHome(OPTIONS.model_copy(update={"speed": 3600.0, "pv_w": 0.0})) as home:
        await eventually(lambda: home.house.now.meter.import_wh > 100)
        before = home.house.now.meter.import_wh
        models = await reading(home, "meter")
        after = home.house.now.meter.import_wh
        counted = models[203]["TotWhImp"]
        assert isinstance(counted, float | int)
        assert before - 1 <= counted <= after + 1


async def test_pv_obeys_its_limit_and_the_limit_reverts(
    home: SimulatedHome, eventually: Callable[..., Awaitable[None]]
) -> None:
    await write(home, "pv", {"WMaxLimPctRvrtTms": 1})
    await write(home, "pv", {"WMaxLimPct": 30, "WMaxLimPctEna": 1})
    await eventually(lambda: home.house.now.pv.power_w == -1200)
    models = await reading(home, "pv")
    assert models[701]["InvSt"] == 4
    assert models[704]["WMaxLimPctEna"] == 1
    assert models[704]["WMaxLimPctRvrtRem"] in {0, 1}
    await eventually(lambda: home.house.now.pv.power_w == -3000)
    models = await reading(home, "pv")
    assert models[704]["WMaxLimPctEna"] == 0
    assert models[704]["WMaxLimPct"] == 100


async def test_battery_follows_its_set_point_and_falls_back_to_standing_by(
    home: SimulatedHome, eventually: Callable[..., Awaitable[None]]
) -> None:
    # Positive is discharge on the wire, negative inside.
    await write(home, "battery", {"WSetMod": 1, "WSet": 2500, "WSetRvrtTms": 1, "WSetEna": 1})
    await eventually(lambda: home.house.now.battery.power_w == -2500)
    await eventually(lambda: home.house.now.battery.power_w == 0)
    await write(home, "battery", {"WSetMod": 0, "WSetPct": -40, "WSetRvrtTms": 0, "WSetEna": 1})
    await eventually(lambda: home.house.now.battery.power_w == 2000)
    assert any("WSetPct=-40" in write.values for write in home.journal.writes())


async def test_inverter_out_of_service_moves_nothing(
    home: SimulatedHome, eventually: Callable[..., Awaitable[None]]
) -> None:
    await write(home, "pv", {"ES": 0}, model=703)
    await eventually(lambda: home.house.now.pv.power_w == 0)
    models = await reading(home, "pv")
    assert models[701]["ConnSt"] == 0
    await write(home, "pv", {"ES": 1}, model=703)
    await eventually(lambda: home.house.now.pv.power_w == -3000)


@pytest.mark.parametrize(
    ("device", "point", "registers", "code"),
    [
        ("pv", (704, "WMaxLimPct"), [10001], 3),  # above 100 %
        ("pv", (704, "WMaxLimPctEna"), [2], 3),
        ("pv", (704, "WSetEna"), [1], 2),  # a PV inverter has no set-point
        ("pv", (702, "WMax"), [1], 2),
        ("pv", (701, "W"), [1], 2),  # read only
        ("pv", (704, "WMaxLimPctRvrtTms"), [0], 2),  # half a point
        ("battery", (704, "WSet"), [0, 5001], 3),
        ("battery", (704, "WSetEna"), [0xFFFF], 3),  # "not implemented" is no value
        ("meter", (203, "W"), [1], 2),
    ],
)
async def test_nonsense_is_refused_and_changes_nothing(
    home: SimulatedHome, device: str, point: tuple[int, str], registers: list[int], code: int
) -> None:
    server = home.devices.servers[device]
    models = {"pv": (1, 701, 702, 703, 704), "battery": (1, 701, 702, 703, 704, 713)}
    address = RegisterMap(models.get(device, (1, 203)), {}).points[point].address
    async with AsyncModbusTcpClient("127.0.0.1", port=server.port, retries=0) as client:
        before = (await client.read_holding_registers(address, count=1)).registers
        answer = await client.write_registers(address, registers)
        assert answer.isError()
        assert answer.exception_code == code
        after = (await client.read_holding_registers(address, count=1)).registers
    assert point[1] == "W" or before == after
    assert home.journal.writes() == []


async def test_reading_past_the_map_is_refused(home: SimulatedHome) -> None:
    port = home.devices.servers["meter"].port
    async with AsyncModbusTcpClient("127.0.0.1", port=port, retries=0) as client:
        assert (await client.read_holding_registers(40170, count=20)).exception_code == 2
        assert (await client.read_input_registers(40000, count=2)).exception_code == 2
        assert (await client.read_coils(0, count=1)).exception_code == 2
        assert (await client.read_holding_registers(40000, count=2)).registers == [0x5375, 0x6E53]


def test_reversion_counts_in_the_device_alone() -> None:
    values = {
        "WMaxLimPctEna": 0.0,
        "WMaxLimPct": 100.0,
        "WMaxLimPctRvrt": 80.0,
        "WMaxLimPctEnaRvrt": 1.0,
        "WMaxLimPctRvrtTms": 0.0,
    }
    function = TimedFunction(LIMIT, values)
    function.write({"WMaxLimPctEna": 1, "WMaxLimPct": 20, "WMaxLimPctRvrtTms": 10}, now=0)
    function.tick(9.9)
    assert (function.enabled, function.values["WMaxLimPct"]) == (True, 20)
    assert function.points(4)["WMaxLimPctRvrtRem"] == 6
    function.write({"WMaxLimPct": 25}, now=5)  # each write begins the time anew
    function.tick(14.9)
    assert function.values["WMaxLimPct"] == 25
    function.tick(15)
    assert (function.enabled, function.values["WMaxLimPct"]) == (True, 80)
    assert function.points(16)["WMaxLimPctRvrtRem"] == 0
    with pytest.raises(RefusedError, match="WMaxLimPct 101 is outside 0 to 100"):
        function.check({"WMaxLimPct": 101})


def test_numbers_beyond_a_register_are_held_at_its_edge() -> None:
    registers = RegisterMap((1, 203), {(203, "W_SF"): 0})
    power = registers.points[203, "W"]
    place = power.address - 40000
    assert registers.image({(203, "W"): 99_999.0})[place] == 32767
    assert registers.image({(203, "W"): -99_999.0})[place] == 0x8001
    assert registers.image({})[place] == 0x8000
    with pytest.raises(KeyError, match="NoSuch"):
        registers.image({(203, "NoSuch"): 1.0})
