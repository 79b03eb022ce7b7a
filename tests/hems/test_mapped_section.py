"""A described device in the configuration: its file, and how it is connected."""

import time
from pathlib import Path

from der.addresses import MappedAddress
from der.registry import build
from hems.settings.config import load
from hems.settings.device_section import description

HOME = """
[[device]]
id = "car"
kind = "evse"
name = "Car"
driver = "modbus"
map = "{map}"
port = 502
unit = 3
max = "11 kW"
phases = 3
fallback = "4140 W"
"""


def test_a_description_of_ones_own_lies_beside_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "hems.toml"
    path.write_text(HOME.format(map="maps/box.toml"))
    (device,) = load(path).device
    at = description(device, 0.0).at
    assert isinstance(at, MappedAddress)
    assert at.map == str(tmp_path / "maps" / "box.toml")
    assert (at.bus.unit, at.wiring.phases, at.wiring.fallback_a) == (3, 3, 6.0)


def test_one_of_ours_goes_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "hems.toml"
    path.write_text(HOME.format(map="keba-p30"))
    (device,) = load(path).device
    registry = build([description(device, 0.0)], now=time.time)
    assert list(registry.devices) == ["car"]
