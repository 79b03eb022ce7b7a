"""What devices say of themselves at a broker; any payload at all is read or passed over."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.addresses import MqttAddress
from der.discovery.found import Found
from der.discovery.payloads import MOST, of
from der.model import DeviceKind
from der.registry import Driver

TASMOTA = {
    "ip": "192.168.1.30",
    "dn": "Freezer",
    "fn": ["Freezer", None],
    "hn": "tasmota-1234",
    "mac": "a4cf12ab34cd",
    "md": "NOUS A1T",
    "t": "freezer",
    "ft": "%prefix%/%topic%/",
    "rl": [1, 0, 0, 0],
    "sw": "13.1.0",
}
COORDINATOR = {"friendly_name": "Coordinator", "type": "Coordinator", "definition": None}
VALVE = {
    "friendly_name": "bedroom-valve",
    "ieee_address": "0x00158d0001",
    "type": "EndDevice",
    "power_source": "Battery",
    "definition": {
        "model": "TS0601",
        "vendor": "Moes",
        "exposes": [{"type": "climate", "features": []}, {"name": "battery", "type": "numeric"}],
    },
}
SOCKET = {
    "friendly_name": "tv",
    "type": "Router",
    "definition": {
        "model": "SP 120",
        "vendor": "Innr",
        "exposes": [{"type": "switch"}, {"name": "power", "type": "numeric"}],
    },
}
CLAMP = {
    "friendly_name": "clamp",
    "type": "Router",
    "definition": {"model": "PJ", "vendor": "Tuya", "exposes": [{"name": "power"}]},
}
REMOTE = {
    "friendly_name": "remote",
    "type": "EndDevice",
    "definition": {"model": "E1", "vendor": "Ikea", "exposes": [{"name": "action"}]},
}


def one(topic: str, payload: object) -> Found:
    (found,) = of(topic, json.dumps(payload).encode())
    return found


def test_tasmota() -> None:
    found = one("tasmota/discovery/A4CF12AB34CD/config", TASMOTA)
    assert found.at == MqttAddress("tasmota", "freezer")
    assert (found.kind, found.name, found.model) == (DeviceKind.PLUG, "Freezer", "NOUS A1T")
    assert found.serial == "A4CF12AB34CD"


@pytest.mark.parametrize("relays", [[3, 3], [0, 0], []])
def test_tasmota_without_a_switched_load_is_not_guessed(relays: list[int]) -> None:
    assert one("tasmota/discovery/x/config", {**TASMOTA, "rl": relays}).kind is None


def test_shellies() -> None:
    first = one("shellies/announce", {"id": "shelly1pm-AABBCC", "model": "SHSW-PM", "mac": "x"})
    assert first.at == MqttAddress("shelly-gen1", "shelly1pm-AABBCC")
    second = one("shellyplus1pm-a8032ab12345/online", True)
    assert second.at == MqttAddress("shelly", "shellyplus1pm-a8032ab12345")
    assert second.serial == "A8032AB12345"


@pytest.mark.parametrize(
    ("topic", "payload"),
    [("shellyplus1pm-a8032ab12345/online", b"false"), ("hems/online", b"true"), ("x/y", b"true")],
)
def test_others_that_are_online_are_no_shellies(topic: str, payload: bytes) -> None:
    assert not of(topic, payload)


def test_zigbee2mqtt_lists_what_is_of_the_homes_energy() -> None:
    entries = [COORDINATOR, VALVE, SOCKET, CLAMP, REMOTE, 7, {"friendly_name": ""}]
    found = of("zigbee2mqtt/bridge/devices", json.dumps(entries).encode())
    assert [(f.at, f.kind) for f in found] == [
        (MqttAddress("zigbee2mqtt", "bedroom-valve"), DeviceKind.THERMOSTAT),
        (MqttAddress("zigbee2mqtt", "tv"), DeviceKind.PLUG),
        (MqttAddress("zigbee2mqtt", "clamp"), DeviceKind.SUBMETER),
    ]
    assert found[0].note == "sleeps on its battery"


@pytest.mark.parametrize("topic", ["a b", "a/#", "+", ""])
def test_a_topic_that_cannot_be_one_leads_nowhere(topic: str) -> None:
    assert not of("tasmota/discovery/x/config", json.dumps({**TASMOTA, "t": topic}).encode())


@pytest.mark.parametrize(
    ("component", "payload", "kind"),
    [
        ("switch", {"name": "Pump"}, DeviceKind.PLUG),
        ("climate", {"name": "Room"}, DeviceKind.THERMOSTAT),
        ("water_heater", {"name": "Tank"}, DeviceKind.WATER_HEATER),
        ("sensor", {"name": "Power", "dev_cla": "power"}, DeviceKind.SUBMETER),
    ],
)
def test_home_assistants_entities(
    component: str, payload: dict[str, object], kind: DeviceKind
) -> None:
    found = one(f"homeassistant/{component}/node/thing/config", payload)
    assert (found.kind, found.driver) == (kind, None)
    assert "no profile" in found.note


def test_an_entity_whose_topics_a_profile_has_is_that_device() -> None:
    payload = {"~": "zigbee2mqtt", "stat_t": "~/tv", "dev": {"mf": "Innr", "mdl": "SP", "sn": 3}}
    found = one("homeassistant/switch/0x1/config", payload)
    assert (found.at, found.driver) == (MqttAddress("zigbee2mqtt", "tv"), Driver.MQTT)
    assert (found.maker, found.serial) == ("Innr", "")


@pytest.mark.parametrize("key", ["origin", "o"])
def test_what_this_hub_publishes_is_no_device(key: str) -> None:
    payload = json.dumps({"name": "Battery", key: {"name": "hems"}}).encode()
    assert not of("homeassistant/switch/hems/battery/config", payload)


@pytest.mark.parametrize(
    ("component", "payload"),
    [("light", {}), ("sensor", {"device_class": "temperature"}), ("binary_sensor", {})],
)
def test_other_entities_are_passed_over(component: str, payload: dict[str, object]) -> None:
    assert not of(f"homeassistant/{component}/x/config", json.dumps(payload).encode())


TOPICS = [
    "tasmota/discovery/x/config",
    "shellies/announce",
    "shellyplus1pm-a8032ab12345/online",
    "zigbee2mqtt/bridge/devices",
    "homeassistant/switch/x/config",
    "homeassistant/sensor/x/y/config",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*TASMOTA, *VALVE, "id", "model", "vendor", "exposes", "dev", "o", "~"])
            | st.text(max_size=4),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@pytest.mark.requirement("LC-TEST")
@given(st.sampled_from(TOPICS) | st.text(max_size=40), JSON.map(json.dumps).map(str.encode))
def test_any_json_is_read_or_passed_over(topic: str, payload: bytes) -> None:
    for found in of(topic, payload):
        assert (found.driver is None) == (found.at is None)
        assert found.where


@pytest.mark.requirement("LC-TEST")
@given(st.sampled_from(TOPICS), st.binary(max_size=60))
def test_any_bytes_are_read_or_passed_over(topic: str, payload: bytes) -> None:
    assert len(of(topic, payload)) <= 1


def test_a_payload_without_end_is_not_looked_at() -> None:
    assert not of("zigbee2mqtt/bridge/devices", b"[" + b" " * MOST + b"]")
