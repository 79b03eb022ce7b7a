"""What is wanted of devices, in the configuration: read, and every mistake named by its place."""

from datetime import time
from pathlib import Path

import pytest

from hems.cem.needs import CarMode, HeatStore
from hems.needs.habits import CarHabit, RunHabit
from hems.settings import devices_file
from hems.settings.config import load
from hems.settings.habits import habits
from hems.settings.toml_file import ConfigError

GOOD = """
[[device]]
id = "ev"
kind = "evse"
name = "Car"
driver = "ocpp16"
station = "garage"
max = "11 kW"
[device.car]
mode = "solar"
ready_by = "07:15"
days = ["mon", "weekends"]
energy = "12 kWh"
power = "7.4 kW"

[[device]]
id = "washer"
kind = "plug"
name = "Washing machine"
driver = "mqtt"
profile = "tasmota"
topic = "washer"
max = "2.2 kW"
[device.run]
power = "800 W"
duration = "90 min"

[[device]]
id = "dishwasher"
kind = "plug"
name = "Dishwasher"
driver = "mqtt"
profile = "tasmota"
topic = "dishwasher"
max = "2.2 kW"
[device.run]
profile = ["2 kW", "0 W", "2 kW"]
step = "15 min"
ready_by = "18:00"

[[device]]
id = "tank"
kind = "water_heater"
name = "Tank"
driver = "modbus"
map = "relay-board"
port = 502
max = "2 kW"
comfort_low = 45.0
comfort_high = 60.0
[device.heat]
volume = "200 l"
loss = "2 W"
cop = 3.0
surroundings = 18.0
draw = "5 kWh"

[[device]]
id = "cooler"
kind = "thermostat"
name = "Bedroom"
driver = "mqtt"
profile = "zigbee2mqtt"
topic = "bedroom"
max = "1 kW"
comfort_low = 18.0
comfort_high = 24.0
cools = true
[device.heat]
per_kelvin = "900 Wh"
loss = "35 W"
cop = 2.5

[[device]]
id = "battery"
kind = "battery"
name = "Battery"
driver = "sunspec"
port = 502
min = "-5 kW"
max = "5 kW"
[device.storage]
capacity = "10 kWh"
wear = "0.03/kWh"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "hems.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_tables_are_read(tmp_path: Path) -> None:
    config = load(write(tmp_path, GOOD))
    found = habits(config.device)
    days = frozenset({0, 5, 6})
    assert found.cars == (CarHabit("ev", CarMode.SOLAR, time(7, 15), days, 12_000, 7_400),)
    assert found.runs == (
        RunHabit("washer", (800.0,), 5_400.0),
        RunHabit("dishwasher", (2_000.0, 0.0, 2_000.0), 900.0, time(18)),
    )
    assert [habit.length_s for habit in found.runs] == [5_400, 2_700]
    assert found.heats == (
        HeatStore("tank", 200 * 1.163, 2.0, 18.0, 3.0, 45.0, 60.0, 5_000.0),
        HeatStore("cooler", 900.0, 35.0, None, -2.5, 18.0, 24.0),
    )
    storage = config.device[-1].storage
    assert storage is not None
    assert (storage.capacity, storage.charge_efficiency, storage.wear) == (10_000, 0.95, 0.03)


def test_a_device_without_a_table_has_no_habit(tmp_path: Path) -> None:
    plain, _, _ = GOOD.partition("[device.car]")
    assert habits(load(write(tmp_path, plain)).device).cars == ()


@pytest.mark.requirement("LC-TEST")
@pytest.mark.parametrize(
    ("change", "place", "reason"),
    [
        (('mode = "solar"', 'mode = "fast"'), "device[0].car.mode", "'cheapest'"),
        (('"07:15"', '"7:15"'), "device[0].car.ready_by", "write it like '07:00'"),
        (('"07:15"', '"24:00"'), "device[0].car.ready_by", "not a time of the day"),
        (('"07:15"', "715"), "device[0].car.ready_by", "not a time of the day"),
        (('["mon", "weekends"]', '["moon"]'), "device[0].car.days", "no day"),
        (('"12 kWh"', '"12 kW"'), "device[0].car.energy", "of the kind power, not energy"),
        (('"12 kWh"', '"0 kWh"'), "device[0].car.energy", "greater than 0"),
        (('"7.4 kW"', '"22 kW"'), "device[0]", "above max 11000 W"),
        (("mode = ", "speed = 1\nmode = "), "device[0].car.speed", "unknown key"),
        (('duration = "90 min"', ""), "device[1].run", "power and duration belong together"),
        (('power = "800 W"\nduration = "90 min"', ""), "device[1].run", "needs either"),
        (('"90 min"', '"25 h"'), "device[1].run.duration", "86400"),
        (('"90 min"', '"1 s"'), "device[1].run", "between a minute and a day"),
        (('step = "15 min"', ""), "device[2].run", "profile and step belong together"),
        (('step = "15 min"', 'step = "15 min"\npower = "1 W"\nduration = "1 h"'),
         "device[2].run", "either profile and step, or power and duration"),
        (('["2 kW", "0 W", "2 kW"]', '["0 W"]'), "device[2].run", "draws nothing"),
        (('step = "15 min"', 'step = "9 h"'), "device[2].run", "between a minute and a day"),
        (('volume = "200 l"', 'volume = "200 W"'), "device[3].heat.volume", "not volume"),
        (('volume = "200 l"', ""), "device[3].heat", "either volume or per_kelvin"),
        (('volume = "200 l"', 'volume = "1 l"\nper_kelvin = "1 Wh"'), "device[3].heat", "either"),
        (('loss = "2 W"', ""), "device[3].heat.loss", "is missing"),
        (("comfort_low = 45.0\ncomfort_high = 60.0", ""), "device[3]", "needs bounds"),
        (("cop = 3.0", "cop = 0"), "device[3].heat.cop", "greater than 0"),
        (("[device.storage]", "[device.car]"), "device[5].car.capacity", "unknown key"),
        (('[device.storage]\ncapacity = "10 kWh"\nwear = "0.03/kWh"', "[device.car]"),
         "device[5]", "a battery has no table 'car'"),
        (('"0.03/kWh"', '"-0.03/kWh"'), "device[5].storage.wear", "greater than or equal to 0"),
        (('"0.03/kWh"', "0.03"), "device[5].storage.wear", "0.31/kWh"),
        (('capacity = "10 kWh"', "charge_efficiency = 1.1"),
         "device[5].storage.charge_efficiency", "less than or equal to 1"),
    ],
)  # fmt: skip
def test_every_mistake_is_named(
    tmp_path: Path, change: tuple[str, str], place: str, reason: str
) -> None:
    assert change[0] in GOOD
    path = write(tmp_path, GOOD.replace(change[0], change[1], 1))
    with pytest.raises(ConfigError) as caught:
        load(path)
    named = [line for line in str(caught.value).splitlines() if f"{path}: {place}: " in line]
    assert named, str(caught.value)
    assert any(reason in line for line in named), named


def test_an_appliance_that_runs_when_asked_to_has_no_comfort(tmp_path: Path) -> None:
    warm = GOOD.replace('topic = "washer"', 'topic = "washer"\ncomfort_low = 1\ncomfort_high = 2')
    with pytest.raises(ConfigError, match="has no comfort"):
        load(write(tmp_path, warm))


def test_the_devices_file_keeps_the_tables(tmp_path: Path) -> None:
    path = write(tmp_path, "")
    beside = devices_file.place({}, path)
    (tmp_path / "devices.toml").write_text(GOOD, encoding="utf-8")
    before = habits(load(path).device)
    tables = devices_file.tables(beside)
    devices_file.write(beside, [dict(t) for t in tables if isinstance(t, dict)])
    assert habits(load(path).device) == before
