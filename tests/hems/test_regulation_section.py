"""The configuration of frequency regulation: what it comes to, and each mistake in one word."""

import re
from pathlib import Path

import pytest

from hems.settings.config import Config, load
from hems.settings.toml_file import ConfigError
from programs.arming import By

DEVICES = """
[[device]]
id = "battery"
kind = "battery"
name = "Battery"
driver = "sunspec"
host = "192.0.2.1"
port = 502
min = "-5 kW"
max = "5 kW"

[[device]]
id = "meter"
kind = "meter"
name = "Meter"
driver = "sunspec"
host = "192.0.2.2"
port = 502
"""
GOOD = """
[regulation]
consent = true
device = "battery"
capacity = "2 kW"
dead_band = "20 mHz"
droop = 0.01
"""
SIGNAL = """
[regulation.signal]
host = "signal.example"
topic = "regulation/1"
trust = "roots.pem"
"""


def read(folder: Path, text: str) -> Config:
    path = folder / "hems.toml"
    path.write_text(text + DEVICES)
    return load(path)


def test_without_consent_nothing_moves(tmp_path: Path) -> None:
    assert read(tmp_path, "").regulation.settings is None
    refused = GOOD.replace("consent = true", "consent = false")
    assert read(tmp_path, refused).regulation.settings is None


@pytest.mark.requirement("BUC-3")
def test_what_it_comes_to(tmp_path: Path) -> None:
    made = read(tmp_path, GOOD + 'program = "Regulation"\n' + SIGNAL).regulation.settings
    assert made is not None
    assert made.agreed.device == "battery"
    assert made.agreed.by is By.AUTO
    assert made.agreed.droop is not None
    assert made.agreed.droop.over_hz == pytest.approx(0.02)
    assert made.agreed.program == "Regulation"
    assert made.capacity_w == 2000
    assert made.source is not None
    assert made.source.broker.port == 8883
    assert made.source.broker.tls is not None
    assert made.source.broker.tls.trust == tmp_path / "roots.pem"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD.replace('"battery"', '"boiler"'), "'boiler' is no battery of this home"),
        (GOOD.replace('"battery"', '"meter"'), "'meter' is no battery of this home"),
        (GOOD.replace('device = "battery"\n', ""), "which battery regulates is not said"),
        (GOOD.replace('capacity = "2 kW"\n', ""), "by how much the battery may be moved"),
        (GOOD.replace('"2 kW"', '"-2 kW"'), "regulation.capacity"),
        (GOOD.replace('"2 kW"', '"nan kW"'), "regulation.capacity"),
        (GOOD.replace('"20 mHz"', '"20 V"'), "a frequency is written with one of Hz, mHz"),
        (GOOD.replace("0.01", "0"), "regulation.droop"),
        (GOOD + 'measured_by = "clock"\n', "there is no device 'clock'"),
        (GOOD + 'program = "Regulation"\n', "there is a programme, and no signal to follow"),
        (GOOD + SIGNAL.replace('trust = "roots.pem"\n', ""), "a broker on another machine needs"),
        (GOOD + SIGNAL.replace("regulation/1", "regulation/#"), "regulation.signal.topic"),
        (GOOD + SIGNAL + 'key = "hub.key"\n', "certificate and key belong together"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(says)):
        read(tmp_path, text)


def test_a_broker_on_this_machine_may_do_without_tls(tmp_path: Path) -> None:
    local = SIGNAL.replace("signal.example", "127.0.0.1").replace('trust = "roots.pem"\n', "")
    made = read(tmp_path, GOOD + local).regulation.settings
    assert made is not None
    assert made.source is not None
    assert made.source.broker.tls is None
