"""What is offered as reserve, in the configuration: read, and every mistake named by its place."""

from datetime import time
from pathlib import Path

import pytest

from hems import wiring
from hems.reserves.terms import Hours
from hems.settings.config import load
from hems.settings.toml_file import ConfigError
from programs.capability import StoreFacts
from programs.commitment import Product

UTILITY = """
[utility]
name = "grid"
certificate = "hub.pem"
key = "hub.key"
trust = "roots.pem"
crls = "crls.pem"
pin = "111115"
"""
GOOD = """
[home]
time_zone = "Europe/Berlin"
battery_reserve = 0.2
[reserve]
enabled = true
utility = "grid"
programs = ["Reserve"]
products = ["day-ahead"]
hours = ["17:00-21:00", "22:00-06:00"]
share = 0.4
call = "30 min"
least_price = "0.05/kWh"
binding = true
"""
DEVICE = """
[[device]]
id = "battery"
kind = "battery"
name = "Battery"
driver = "sunspec"
host = "127.0.0.1"
port = 502
min = "-5 kW"
max = "5 kW"
[device.storage]
capacity = "10 kWh"
charge_efficiency = 0.9
discharge_efficiency = 0.8
"""


def written(path: Path, text: str) -> Path:
    file = path / "hems.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.requirement("BUC-9")
def test_what_the_owner_consents_to_is_read(tmp_path: Path) -> None:
    config = load(written(tmp_path, GOOD + UTILITY + DEVICE))
    terms = wiring.reserve_terms(config)
    assert terms is not None
    assert terms.utility == "grid"
    assert terms.programs == {"Reserve"}
    assert terms.products == {Product.DAY_AHEAD}
    assert terms.hours == (Hours(time(17), time(21)), Hours(time(22), time(6)))
    assert (terms.share, terms.call_s, terms.least_price) == (0.4, 1_800.0, 0.05)
    assert (terms.binding, terms.reserve_soc, str(terms.zone)) == (True, 0.2, "Europe/Berlin")
    assert wiring.store_facts(config) == {"battery": StoreFacts(10_000.0, 0.9, 0.8)}


def test_without_consent_nothing_is_offered(tmp_path: Path) -> None:
    assert wiring.reserve_terms(load(written(tmp_path, UTILITY))) is None


def test_the_first_utility_is_meant_where_none_is_named(tmp_path: Path) -> None:
    text = '[reserve]\nenabled = true\nprograms = ["Reserve"]\n' + UTILITY
    terms = wiring.reserve_terms(load(written(tmp_path, text)))
    assert terms is not None
    assert terms.utility == "grid"
    assert terms.hours == (Hours(time(0), time(0)),)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('hours = ["17-21"]', "reserve.hours[0]: '17-21' is not a time of each day"),
        ('hours = ["17:00-24:00"]', "is not a time of each day"),
        ("hours = []", "reserve.hours"),
        ("share = 0.0", "reserve.share"),
        ("share = nan", "reserve.share"),
        ('call = "10 s"', "reserve.call"),
        ('call = "20 h"', "reserve.call"),
        ('least_price = "-1/kWh"', "reserve.least_price"),
        ('products = ["soon"]', "reserve.products[0]"),
        ('utility = "other"', "reserve is offered to no utility 'other'"),
        ("programs = []", "reserve needs programs"),
        ('hour = ["17:00-21:00"]', "reserve.hour: unknown key"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, line: str, said: str) -> None:
    key = line.split(" ", maxsplit=1)[0]
    kept = "\n".join(each for each in GOOD.splitlines() if not each.startswith(f"{key} "))
    with pytest.raises(ConfigError) as error:
        load(written(tmp_path, f"{kept}\n{line}\n{UTILITY}"))
    assert said in str(error.value)


def test_there_must_be_somebody_to_offer_it_to(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no utility to offer it to"):
        load(written(tmp_path, '[reserve]\nenabled = true\nprograms = ["Reserve"]\n'))
