"""From a finding to a section and back to the address that it was found at."""

import re
import tomllib
from dataclasses import replace

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from der.addresses import (
    Address,
    MappedAddress,
    ModbusAddress,
    MqttAddress,
    P1Address,
    StationAddress,
)
from der.discovery.found import Found, How, key
from der.model import DeviceKind
from der.registry import Driver
from hems.settings.config import Config
from hems.settings.device_section import DeviceSection, description
from hems.settings.device_table import id_of, keys_of, places, table_of, watts, where
from hems.units import power_w

BUS = ModbusAddress("192.168.1.5", 1502, 7)
REST = {"id": "x", "name": "X", "kind": "evse", "max": "3 kW"}
CASES: list[tuple[Driver, DeviceKind, Address]] = [
    (Driver.SUNSPEC, DeviceKind.BATTERY, BUS),
    (Driver.MODBUS, DeviceKind.EVSE, MappedAddress(BUS, "keba-p30")),
    (Driver.OCPP16, DeviceKind.EVSE, StationAddress("garage", connector=2)),
    (Driver.MQTT, DeviceKind.PLUG, MqttAddress("tasmota", "freezer")),
    (Driver.P1, DeviceKind.SUBMETER, P1Address("192.168.1.6", 2001)),
]


@pytest.mark.parametrize(("driver", "kind", "at"), CASES)
def test_a_section_leads_to_where_the_device_was_found(
    driver: Driver, kind: DeviceKind, at: Address
) -> None:
    found = Found((How.SWEEP,), "there", kind, driver, at)
    table = {"id": "x", "name": "X", "max": "3 kW", **table_of(found)}
    section = DeviceSection.model_validate(tomllib.loads(tomli_w.dumps(table)))
    meant = description(section, 0.0).at
    assert meant is not None
    assert key(meant) == key(at)
    assert where(section)
    assert places(Config(device=(section,))) == {key(at): "x"}


def test_a_rating_becomes_the_range_of_what_is_controlled() -> None:
    battery = Found((), "", DeviceKind.BATTERY, Driver.SUNSPEC, BUS, min_w=-5000.0, max_w=5000.0)
    assert table_of(battery)["min"] == "-5000 W"
    assert table_of(battery)["max"] == "5000 W"
    assert "max" not in table_of(replace(battery, max_w=0.0)), "nothing is no range"
    assert "max" not in table_of(replace(battery, kind=DeviceKind.METER))


def test_transport_is_said_where_it_is_no_plain_tcp() -> None:
    assert "transport" not in keys_of(BUS)


@given(st.floats(-1e7, 1e7))
def test_powers_are_written_without_loss_worth_a_word(watt: float) -> None:
    assert power_w(watts(watt)) == pytest.approx(watt, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "device"),
    [
        ("Hot water", "hot_water"),
        ("PV", "pv"),
        ("3rd floor", "rd_floor"),
        ("Kueche / Herd", "kueche_herd"),
        ("42", ""),
        ("", ""),
        ("x" * 50, "x" * 32),
    ],
)
def test_ids_are_made_of_names(name: str, device: str) -> None:
    assert id_of(name) == device


@given(st.text(max_size=60))
def test_an_id_is_good_or_empty(name: str) -> None:
    made = id_of(name)
    pattern = DeviceSection.model_fields["id"].metadata[0].pattern
    assert made == "" or re.fullmatch(pattern, made)
